"""Trees of real processes: executions and samples stay with the process that they were in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from dam_obs.config import Settings
from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.sample.attribution import Owners, attribute
from dam_obs.sample.profile import read_profile, sampled_pids
from dam_obs.sample.tracer import SystemTracer, TracedRun
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import TraceEvent

WORK = """
import concurrent.futures, multiprocessing, os, subprocess, sys, time
from dam_obs import traced

def spin(seconds):
    end = time.thread_time() + seconds  # of CPU: on a busy machine it takes longer, and is seen all the same
    while time.thread_time() < end:
        sum(range(500))

@traced("system.part", component="part")
def part(number):
    spin(0.05)
    return os.getpid()
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dam_obs.sample.evidence.COUNTERS_SHARE", 1.0)  # or a busy machine is looked at too seldom


def trace(program: str, *arguments: str) -> TracedRun:
    """Trace a program to its end; it has what `WORK` has."""
    path = Path("program.py")
    path.write_text(WORK + program)
    run = SystemTracer(Settings(), rate_hz=200, budget=1.0).run([sys.executable, str(path), *arguments])
    assert run.manifest.exit_status == 0
    return run


def events_of(folder: RunFolder, component: str) -> list[TraceEvent]:
    """Return the events of a system."""
    return [event for event in read_events(folder.trace) if event.component == component]


def strangers(folder: RunFolder) -> Counter[tuple[int | None, int | None]]:
    """Count samples that an execution of another process was given, by the two pids; there must be none."""
    pids = {event.otel_span_id: event.pid for event in read_events(folder.trace) if event.otel_span_id}
    owners = Owners(pids.get, sampled_pids(folder.raw_profile))
    claimed = attribute(read_profile(folder.raw_profile), owners).claimed
    return Counter(
        (sample.pid, pids[span])
        for span, samples in claimed.items()
        for sample in samples
        if span in pids and sample.pid != pids[span]
    )


def sampled_of(report: DiagnosticReport, component: str) -> int:
    """Return how many samples a system has."""
    return sum(system.samples or 0 for system in report.systems if system.system == component)


def functions_of(report: DiagnosticReport, component: str) -> set[str]:
    """Return the functions on a system's stacks."""
    (found,) = [system.hot_stacks for system in report.systems if system.system == component]
    return {frame.function for stack in found or () for frame in stack.frames}


def test_what_a_forked_child_does_is_not_its_parents() -> None:
    """The child works in the midst of the parent's execution, then in one of its own; the parent only waits."""
    run = trace("""
@traced("system.outer", component="outer")
def outer():
    child = os.fork()
    if child == 0:
        spin(0.3)
        part(1)
        spin(0.3)
        return
    os.waitpid(child, 0)

outer()
""")
    report = build_report(run.folder)
    (outer,), (inner,) = events_of(run.folder, "outer"), events_of(run.folder, "part")

    assert (outer.cpu_ns or 0) < 300_000_000 < (outer.duration_ns or 0)
    assert inner.otel_parent_id == outer.otel_span_id
    assert strangers(run.folder) == Counter()
    assert {(one.pid, one.parent_pid, one.executions) for one in report.processes} == {
        (outer.pid, os.getpid(), 1),
        (inner.pid, outer.pid, 1),
    }
    assert "spin" not in functions_of(report, "outer")
    assert report.quality.samples_unclaimed


@pytest.mark.slow
def test_pythons_and_other_programs_that_an_execution_starts() -> None:
    """Each is a process of the run; only the Python is observed, and nothing failed for the others."""
    run = trace("""
@traced("system.outer", component="outer")
def outer():
    other = subprocess.Popen(["sleep", "3"])
    subprocess.run([sys.executable, __file__, "child"], check=True)
    other.wait()

outer() if len(sys.argv) == 1 else [part(number) for number in range(8)]
""")
    report = build_report(run.folder)
    (outer,), parts = events_of(run.folder, "outer"), events_of(run.folder, "part")
    (child,) = {event.pid for event in parts}
    processes = {one.program: one for one in report.processes}

    assert (len(parts), {event.otel_parent_id for event in parts}) == (8, {outer.otel_span_id})
    assert strangers(run.folder) == Counter()
    assert [(one.pid, one.parent_pid, one.executions) for one in report.processes if one.observed] == [
        (outer.pid, os.getpid(), 1),
        (child, outer.pid, 8),
    ]
    sleep = processes["sleep"]
    assert (sleep.observed, sleep.executions, sleep.samples, sleep.parent_pid) == (False, 0, 0, outer.pid)


POOLS = """
@traced("system.outer", component="outer")
def outer(kind, method):
    context = multiprocessing.get_context(method)
    if kind == "executor":
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(part, range(20)))
    else:
        pool = context.Pool(2)
        pool.map(part, range(20), chunksize=1)
        pool.close()
        pool.join()

if __name__ == "__main__":
    outer(*sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("kind", ["executor", "pool"])
def test_a_pool_of_processes(kind: str, method: str) -> None:
    """All that its workers did is recorded, once, by the workers; no sample goes to another process's execution."""
    run = trace(POOLS, kind, method)
    report = build_report(run.folder)
    (outer,), parts = events_of(run.folder, "outer"), events_of(run.folder, "part")
    by_process = Counter(event.pid for event in parts)

    assert len(parts) == len({event.otel_span_id for event in parts}) == 20
    assert outer.pid not in by_process
    assert strangers(run.folder) == Counter()
    assert {one.pid: one.executions for one in report.processes if one.executions} == {outer.pid: 1, **by_process}
    assert sampled_of(report, "part") > 0


@pytest.mark.slow
def test_a_pid_that_is_given_out_again() -> None:
    """Two processes that had one pid are two: notes, executions and samples."""
    _need_a_pid_namespace()
    Path("program.py").write_text(
        WORK
        + """
def start(name):
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write("399")
    return subprocess.Popen([sys.executable, __file__, name])

if len(sys.argv) > 1:
    traced("system.part", component=sys.argv[1])(lambda: [part(number) for number in range(6)])()
else:
    print([start(name).wait() for name in ("first", "second")])
"""
    )
    command = [sys.executable, "-m", "dam_obs.cli", "diagnose", "--budget", "100", "--out", "run", "--"]
    subprocess.run([*_NEW_PIDS, *command, sys.executable, "program.py"], check=True, capture_output=True, timeout=110)
    folder = RunFolder(Path("run"))
    report = build_report(folder)
    (first,), (second,) = events_of(folder, "first"), events_of(folder, "second")

    assert (first.pid, second.pid) == (400, 400)
    assert len([path for path in folder.processes.iterdir() if path.name.startswith("400-")]) == 2
    twins = [one for one in report.processes if one.pid == 400]
    assert [one.executions for one in twins] == [7, 7]
    assert twins[0].started_ns != twins[1].started_ns
    assert sum(one.samples or 0 for one in twins) == report.quality.samples_claimed
    assert report.quality.samples_claimed


@pytest.mark.slow
def test_dam_obs_under_dam_obs() -> None:
    """The inner one has the executions, the outer one the stacks, and the inner one says why it has none."""
    Path("program.py").write_text(WORK + "[part(number) for number in range(10)]\nsys.exit(3)\n")
    inner = [sys.executable, "-m", "dam_obs.cli", "diagnose", "--out", "inner", "--", sys.executable, "program.py"]
    outer = [sys.executable, "-m", "dam_obs.cli", "diagnose", "--out", "outer", "--", *inner]

    assert subprocess.run(outer, capture_output=True, timeout=110).returncode == 3
    manifests = {name: json.loads(Path(name, "manifest.json").read_text()) for name in ("inner", "outer")}
    assert [one["why"] for one in manifests["inner"]["absent"]] == [
        "this command runs under another `dam-obs diagnose`, which samples it already"
    ]
    assert manifests["outer"]["absent"] == []
    assert len(events_of(RunFolder(Path("inner")), "part")) == 10


_NEW_PIDS = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def _need_a_pid_namespace() -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare, to give out a pid again in a namespace of its own")
    write = "open('/proc/sys/kernel/ns_last_pid', 'w').write('399')"
    if subprocess.run([*_NEW_PIDS, sys.executable, "-c", write], capture_output=True, check=False).returncode != 0:
        pytest.skip("this kernel does not let us choose the next pid (CONFIG_CHECKPOINT_RESTORE), or make a namespace")
