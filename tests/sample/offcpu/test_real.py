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

PATIENCE_S = 60.0
"""A busy machine may need that long until bpftrace watches."""

PROGRAM = """
import os, select, subprocess, threading, time
from dam_obs import traced

lock, held = threading.Lock(), threading.Event()
main = threading.get_native_id()

def until_main_waits():
    # It has been seen off the CPU ten times in a row then: for about 50 ms.
    in_a_row = 0
    while in_a_row < 10:
        time.sleep(0.005)
        with open(f"/proc/self/task/{main}/stat") as stat:
            in_a_row = in_a_row + 1 if stat.read().rpartition(")")[2].split()[0] in "SDt" else 0

def hold():
    with lock:
        held.set()
        until_main_waits()

def write_later(end):
    until_main_waits()
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
        patch.setattr("dam_obs.sample.offcpu.watch.START_PATIENCE_S", PATIENCE_S)
        tracer = SystemTracer(Settings(), offcpu_stacks=True, start_timeout_s=PATIENCE_S)
        run = tracer.run([sys.executable, str(program)])
    assert run.manifest.exit_status == 0
    assert [one for one in run.manifest.absent if one.evidence == "off_cpu"] == []
    return build_report(run.folder)


def time_of(report: DiagnosticReport, component: str) -> TimeSplit:
    (found,) = [system.time for system in report.systems if system.system == component]
    return found


@pytest.mark.parametrize("cause", ["sleep", "futex", "pipe_socket", "poll", "child"])
def test_a_wait_has_its_cause(report: DiagnosticReport, cause: str) -> None:
    """It waited five times, 50 ms or more, and never for what it did not ask for; the interpreter's lock aside."""
    causes = dict(time_of(report, cause).causes or {})
    never = {"sleep", "poll", "pipe_socket", "child"} - {cause}

    assert causes[cause] > 100_000_000
    assert {name: causes[name] for name in never} == dict.fromkeys(never, 0)


def test_work_does_not_wait(report: DiagnosticReport) -> None:
    """What only computes waits for a CPU, for the interpreter's lock, or is held by the sampler; for nothing else."""
    causes = time_of(report, "work").causes or {}

    assert [causes[name] for name in ("sleep", "poll", "pipe_socket", "child")] == [0, 0, 0, 0]


def test_the_disk_is_seen(report: DiagnosticReport) -> None:
    """Whether or not a file system waits for it, a disk's requests are told by device if there were any."""
    assert report.offcpu is not None
    assert all(disk.requests > 0 and disk.p50_ns <= disk.p99_ns <= disk.max_ns for disk in report.offcpu.disks)
    assert time_of(report, "write").block_io_ns is not None


def test_every_part_adds_up(report: DiagnosticReport) -> None:
    """The parts are the wall time, and the causes are no more than what they are part of."""
    for system in report.systems:
        time = system.time
        parts = (time.on_cpu_ns, time.run_queue_ns, time.block_io_ns, time.awaiting_ns, time.other_ns)
        assert sum(part or 0 for part in parts) == time.wall_ns
        assert time.causes is not None
        assert sum(time.causes.values()) <= time.other_ns


@pytest.mark.parametrize("component", ["sleep", "futex", "pipe_socket", "poll", "child"])
def test_most_of_a_wait_has_a_cause(report: DiagnosticReport, component: str) -> None:
    """What stays without one is less than half, on whatever machine."""
    time = time_of(report, component)
    assert time.causes is not None
    assert sum(time.causes.values()) > time.other_ns / 2


def test_the_clock_is_known(report: DiagnosticReport) -> None:
    """It was compared at start and end."""
    assert report.offcpu is not None
    assert report.offcpu.clock in ("monotonic", "boottime")
    assert report.offcpu.intervals > 0
    assert not report.offcpu.ended_early


@pytest.mark.parametrize(
    ("component", "cause", "function"),
    [
        ("sleep", "sleep", "nanosleep"),
        ("futex", "futex", "futex"),
        ("poll", "poll", "epoll"),
        ("child", "child", "wait"),
    ],
)
def test_a_wait_has_its_place_in_the_kernel(
    report: DiagnosticReport, component: str, cause: str, function: str
) -> None:
    """Some of it was spent in a function that is called after the wait, whatever else this kernel has around it."""
    (stacks,) = [system.off_cpu_stacks for system in report.systems if system.system == component]
    found = [name for stack in stacks or () if stack.cause == cause for name in stack.functions]

    if not any(name.isidentifier() for name in found):
        pytest.skip("this kernel does not tell the names of its functions (kernel.kptr_restrict)")
    assert any(function in name for name in found)
