"""
The programs that `overhead` has observed, and what each of them says of itself.

A program does its work in slices of equal size and takes its own clocks around each one:
neither the start of an interpreter nor that of an observer is in them. What other processes
of the benchmark took meanwhile (a sampler, a tracer) it reads from ``/proc``.

Where the C stack happens to lie makes a loop of Python's up to a tenth slower or faster, and an observer
inside the program moves it. So each slice begins elsewhere on that stack, without a Python frame more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

SLICES = 8
"""In each run of a program."""

_JOB = """
import asyncio, hashlib, os, tempfile


class Job:
    def __init__(self, number):
        self.number = number


def compute(loops):
    total = 0
    for step in range(loops):
        total += step * step % 7
    return total
"""

_CALLS = """

def handle(job):
    return compute({loops} + job.number % 7 * {loops} // 24)


def work():
    for number in range({times}):
        handle(Job(number))
"""

_FILES = """

FOLDER = tempfile.mkdtemp()
BLOCK = os.urandom(65_536)


def handle(job):
    path = os.path.join(FOLDER, str(job.number % 16))
    with open(path, "wb") as file:
        file.write(BLOCK)
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).digest()


def work():
    for number in range({times}):
        handle(Job(number))
"""

_TASKS = """

async def handle(job):
    total = 0
    for part in range(4):
        total += compute({loops})
        await asyncio.sleep(0.001 * (job.number % 3))
    return total


async def work():
    room = asyncio.Semaphore(64)

    async def one(number):
        async with room:
            await handle(Job(number))

    await asyncio.gather(*(one(number) for number in range({times})))
"""

_START = """
import asyncio, glob, json, operator, os, resource, time

import workload


def look():
    with open("/proc/thread-self/schedstat") as file:
        queued = int(file.read().split()[1]) / 1e9
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime, queued, time.thread_time()


def others():
    "CPU seconds of the benchmark's other processes: whoever observes this one."
    parents, root = {}, int(os.environ["OVERHEAD_ROOT"])
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, "rb") as file:
                parents[int(path.split("/")[2])] = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
    total = 0
    for pid in parents:
        above = pid
        while above not in (root, os.getpid()) and above in parents:
            above = parents[above]
        if above == root and pid != root:
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                try:
                    with open(path) as file:
                        total += int(file.read().split()[0])
                except OSError:
                    continue
    return total / 1e9


def placed(number, call, *args):
    "Call from another place of the C stack for each number."
    return operator.call(*[operator.call] * (7 * number), call, *args)


def main(times):
    looks = [look()]
    loop = asyncio.new_event_loop() if asyncio.iscoroutinefunction(workload.work) else None
    for number in range(times):
        if loop is None:
            placed(number, workload.work)
        else:
            placed(number, loop.run_until_complete, workload.work())
        looks.append(look())
    return [[after - before for before, after in zip(*pair)] for pair in zip(looks, looks[1:])]


if __name__ == "__main__":
    main(1)
    before = others()
    found = main(int(os.environ["OVERHEAD_SLICES"]))
    with open(os.environ["OVERHEAD_RESULT"], "w") as file:
        json.dump({"slices": found, "others_s": others() - before}, file)
"""

_POINTS = """
[host]
name = "workload"

[[points]]
layer = "system"
operation = "execute"
meaning = "A unit of work"
command = "args.job"

[[points.targets]]
function = "workload:handle"
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """A program to be observed."""

    name: str
    about: str
    source: str

    def write(self, folder: Path) -> None:
        """Put the program into a folder: ``start.py``, the module with the work, and trace points for dam-obs."""
        folder.mkdir()
        (folder / "workload.py").write_text(self.source)
        (folder / "start.py").write_text(_START)
        (folder / "points.toml").write_text(_POINTS)


def _workload(name: str, about: str, body: str, **numbers: int) -> Workload:
    for key, value in numbers.items():
        body = body.replace(f"{{{key}}}", str(value))
    return Workload(name, about, _JOB + body)


WORKLOADS = (
    _workload("CPU 1 ms", "calls of about a millisecond, one after the other", _CALLS, loops=16_000, times=100),
    _workload("CPU 10 ms", "calls of about ten milliseconds", _CALLS, loops=160_000, times=10),
    _workload("async", "64 in flight; about half a millisecond between two awaits", _TASKS, loops=9_000, times=50),
    _workload("async fine", "64 in flight; less than 0.1 ms between two awaits", _TASKS, loops=1_500, times=280),
    _workload("files", "64 KiB written, read again and checksummed", _FILES, times=400),
)


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice of work took."""

    wall_s: float
    cpu_s: float
    """Of all threads of the program, observers inside it included."""
    queued_s: float
    """Its main thread was ready, and waited for a CPU."""
    thread_cpu_s: float
    """Of its main thread."""

    @property
    def unqueued_s(self) -> float:
        """Wall time without waiting for a CPU: what a busy machine can tell of it."""
        return self.wall_s - self.queued_s

    @property
    def off_s(self) -> float:
        """Neither computing nor waiting for a CPU: stopped by an observer, or waiting for a lock or for I/O."""
        return self.wall_s - self.queued_s - self.thread_cpu_s


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """What a program said of itself."""

    slices: tuple[Slice, ...]
    others_s: float
    """CPU seconds of the processes that observed it, during all slices."""


def read_run(path: Path) -> ProgramRun:
    """Read what a program wrote at its end."""
    said = json.loads(path.read_text())
    return ProgramRun(tuple(Slice(*each) for each in said["slices"]), said["others_s"])
