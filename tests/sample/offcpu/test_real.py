"""A real bpftrace on a program whose waits are known; where bpftrace does not work, the reason is told."""

from __future__ import annotations

import sys

import pytest

from dam_obs.config import Settings
from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import DiagnosticReport, TimeSplit
from dam_obs.sample.offcpu.trial import try_bpftrace
from dam_obs.sample.tracer import SystemTracer
from dam_obs.store.manifest import AbsentEvidence

pytestmark = pytest.mark.slow

PROGRAM = """
import os, select, subprocess, threading, time
from dam_obs import traced

lock, held = threading.Lock(), threading.Event()

def hold():
    with lock:
        held.set()
        time.sleep(0.05)

def write_later(end):
    time.sleep(0.05)
    os.write(end, b"x")

@traced("system.sleep", component="sleep")
def sleep():
    time.sleep(0.05)

@traced("system.futex", component="futex")
def futex():
    lock.acquire()
    lock.release()

@traced("system.pipe", component="pipe_socket")
def pipe(end):
    os.read(end, 1)

@traced("system.poll", component="poll")
def poll():
    with select.epoll() as one:
        one.poll(0.05)

@traced("system.child", component="child")
def child(process):
    process.wait()

@traced("system.work", component="work")
def work():
    end = time.thread_time() + 0.02
    while time.thread_time() < end:
        pass

@traced("system.write", component="write")
def write():
    with open("written", "wb", buffering=0) as file:
        for _ in range(4):
            file.write(bytes(1 << 20))
            os.fsync(file.fileno())

for _ in range(5):
    sleep()
    poll()
    work()
    write()
    held.clear()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    futex()
    holder.join()
    reading, writing = os.pipe()
    writer = threading.Thread(target=write_later, args=(writing,))
    writer.start()
    pipe(reading)
    writer.join()
    child(subprocess.Popen(["sleep", "0.05"]))
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> DiagnosticReport:
    """The report on the program, or a skip with the reason."""
    tried = try_bpftrace()
    if isinstance(tried, AbsentEvidence):
        pytest.skip(f"no off-CPU evidence here: {tried.why}; to have it: {tried.remedy}")
    folder = tmp_path_factory.mktemp("offcpu")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = SystemTracer(Settings(), offcpu=True).run([sys.executable, str(program)])
    assert run.manifest.exit_status == 0
    assert [one for one in run.manifest.absent if one.evidence == "off_cpu"] == []
    return build_report(run.folder)


def time_of(report: DiagnosticReport, component: str) -> TimeSplit:
    (found,) = [system.time for system in report.systems if system.system == component]
    return found


@pytest.mark.parametrize("cause", ["sleep", "futex", "pipe_socket", "poll", "child"])
def test_a_wait_has_its_cause(report: DiagnosticReport, cause: str) -> None:
    """Of the causes that the program may have waited for, the right one has by far the most."""
    causes = dict(time_of(report, cause).causes or {})
    causes.pop("held")

    own = causes.pop(cause)
    assert own > 5 * sum(causes.values())
    assert own > 10_000_000  # of five waits of 50 ms each; a busy machine may miss the begin of some


def test_work_does_not_wait(report: DiagnosticReport) -> None:
    """What only computes waits for a CPU at most, or is held by the sampler."""
    causes = dict(time_of(report, "work").causes or {})
    causes.pop("held")

    assert sum(causes.values()) < 20_000_000


def test_the_disk_is_seen(report: DiagnosticReport) -> None:
    """Whether or not a file system waits for it, a disk's requests are told by device if there were any."""
    assert report.offcpu is not None
    assert all(disk.requests > 0 and disk.p50_ns <= disk.p99_ns <= disk.max_ns for disk in report.offcpu.disks)
    assert time_of(report, "write").block_io_ns is not None


def test_every_part_adds_up(report: DiagnosticReport) -> None:
    """The parts are the wall time, the causes are no more than what they are part of, and nothing was lost."""
    for system in report.systems:
        time = system.time
        parts = (time.on_cpu_ns, time.run_queue_ns, time.block_io_ns, time.awaiting_ns, time.other_ns)
        assert sum(part or 0 for part in parts) == time.wall_ns
        assert time.causes is not None
        assert sum(time.causes.values()) <= time.other_ns
        assert time.other_ns - sum(time.causes.values()) < time.wall_ns / 5  # nearly all of it has a cause


def test_the_clock_is_known(report: DiagnosticReport) -> None:
    """It was compared at start and end."""
    assert report.offcpu is not None
    assert report.offcpu.clock in ("monotonic", "boottime")
    assert report.offcpu.intervals > 0
    assert not report.offcpu.ended_early
