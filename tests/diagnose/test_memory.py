"""Memory at a system's peak: what raised the process's, while no other thread was at work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dam_obs.diagnose import memory
from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import SystemDiagnosis
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]
MakeRun = Callable[..., RunFolder]
Diagnose = Callable[..., SystemDiagnosis]

MIB = 2**20
GROWN = {memory.COUNTER: 5 * MIB}


def test_largest_growth_is_told(event: MakeEvent, run: MakeRun) -> None:
    """At least so much one of them took; then memory is no absent evidence."""
    report = build_report(run(event(io=GROWN, thread_id=1), event(io={memory.COUNTER: 9 * MIB}, thread_id=1)))

    assert report.systems[0].peak_memory_delta_bytes == 9 * MIB
    assert "memory" not in {one.evidence for one in report.quality.absent}


def test_little_growth_says_nothing(event: MakeEvent, run: MakeRun) -> None:
    """The kernel's counters lag behind by some pages, and below an earlier peak nothing is seen."""
    report = build_report(run(event(io={memory.COUNTER: MIB // 2}, thread_id=1), event(io={memory.COUNTER: 0})))

    assert report.systems[0].peak_memory_delta_bytes is None
    assert "memory" in {one.evidence for one in report.quality.absent}


def test_growth_beside_another_thread_is_nobodys(event: MakeEvent, diagnose: Diagnose) -> None:
    """Whether the other one ended before or after: either may have taken the memory."""
    before = event(start_mono_ns=0, duration_ns=50, thread_id=2)
    grew = event(start_mono_ns=10, duration_ns=90, thread_id=1, io=GROWN)
    after = event(start_mono_ns=80, duration_ns=90, thread_id=2)

    assert diagnose(before, grew).peak_memory_delta_bytes is None
    assert memory_of(grew, after) is None


def test_tasks_of_one_thread_do_not_disturb(event: MakeEvent) -> None:
    """Growth is taken within steps, and one thread makes one step at a time; nor do other processes."""
    task = event(start_mono_ns=0, duration_ns=500, thread_id=1)
    other_process = event(start_mono_ns=0, duration_ns=600, thread_id=2, pid=8)

    assert memory_of(event(start_mono_ns=10, duration_ns=90, thread_id=1, io=GROWN), task, other_process) == 5 * MIB


def memory_of(*events: TraceEvent) -> int | None:
    found = memory.PeakGrowth()
    for each in events:
        found.add(each)
    return found.of(memory.SystemKey("system", "execute", "demo:System"))


def test_many_are_bounded_and_not_lost(event: MakeEvent) -> None:
    """What nothing to come is likely to disturb is settled; the largest stays."""
    found = memory.PeakGrowth()
    for number in range(3 * memory.MOST_CANDIDATES):
        grown = {memory.COUNTER: (900 if number == 5 else 5) * MIB}
        found.add(event(start_mono_ns=number * 10, duration_ns=5, thread_id=1, io=grown))

    assert len(found._candidates) == memory.MOST_CANDIDATES
    assert found.of(memory.SystemKey("system", "execute", "demo:System")) == 900 * MIB


PROGRAM = """
import dam_obs
from dam_obs import traced
dam_obs.configure(output="trace.jsonl", measure=True)

@traced("system.fill")
def fill(size):
    return len(bytearray(b"x") * size)

fill(64 * 2**20)
dam_obs.shutdown()
"""


def test_real_program(tmp_path: Path) -> None:
    """A call that takes 64 MiB more than its process ever had is told to have taken about that."""
    # The kernel gives a new program the peak of who started it; a shell's is small.
    (tmp_path / "program.py").write_text(PROGRAM)
    subprocess.run(["sh", "-c", f"{sys.executable} program.py; exit $?"], cwd=tmp_path, check=True, timeout=60)

    (system,) = build_report(RunFolder(tmp_path)).systems

    assert system.peak_memory_delta_bytes is not None
    assert 60 * MIB <= system.peak_memory_delta_bytes <= 80 * MIB
