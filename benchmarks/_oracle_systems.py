"""
A made-up host whose truth is known: what each system costs, waits for and takes stands here; it keeps its own clocks.

`SYSTEMS` names every system with its truth. A system is one function; ``oracle.py`` has
`dam-obs diagnose` observe it as an attribute of this module. One execution in four calls
the bare function instead, which dam-obs never sees: those are the *fresh* ones, from the
same process and the same minutes, by which a cost model is judged.

Each execution reads the thread's CPU clock around its own work and the wall clock around
its own awaits. So the truth about time does not depend on how busy the machine is.
Laws are made of real work: so many turns of a loop for so much input.

Every job also carries features that matter to nobody: ``level``, ``urgent`` and
``number``, which counts up as time goes by.
"""

from __future__ import annotations

import asyncio
import enum
import http.client
import math
import mmap
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pydantic

T = TypeVar("T")

SMALLEST, LARGEST = 60, 2_400
KINDS = {"text": 1, "html": 3, "image": 8, "video": 20}
FILES = 24
"""Of different sizes, for the system whose cost goes by them."""

BLOCK = 256 << 10
FILE_BYTES = 16 << 20

# -- jobs, and the clocks of their truth


@dataclass(frozen=True, slots=True)
class Job:
    """A command: two features that some laws go by, and three that none does."""

    size: int
    kind: str
    level: int
    urgent: bool
    number: int


Kind = enum.Enum("Kind", {name: name for name in KINDS})


@attrs.define(frozen=True)
class AttrsJob:
    """A job as an attrs class, which has slots."""

    size: int
    level: int
    number: int
    _trace: str = "private"


class ModelJob(pydantic.BaseModel, frozen=True):
    """A job as a pydantic model: a field with an alias, an enum, and an attribute of its own that is no field."""

    size: int = pydantic.Field(alias="theSize")
    kind: Kind
    urgent: bool
    _seen: int = pydantic.PrivateAttr(default=7)

    @property
    def costly(self) -> int:
        """Fail, as a property that loads something may."""
        raise OSError("a feature is not to be computed")


@dataclass(frozen=True, slots=True)
class FileJob:
    """A job that names a file; dam-obs is set to look at its size."""

    path: Path
    level: int


class Own:
    """What one execution's own clocks say: CPU of the thread, and the wall time of its awaits."""

    def __init__(self, *, queue: bool = False) -> None:
        self.queue_ns = -queued_ns() if queue else None
        """Waiting for a CPU, by the kernel; `None`: not asked for."""
        self.wall_ns = -time.perf_counter_ns()
        self.cpu_ns = -time.thread_time_ns()
        self.awaiting_ns = 0

    def end(self, note: Note) -> None:
        """Stop the clocks and note what they say."""
        self.cpu_ns += time.thread_time_ns()
        self.wall_ns += time.perf_counter_ns()
        if self.queue_ns is not None:
            self.queue_ns += queued_ns()
        note(self)

    async def awaited(self, leaf: Awaitable[T]) -> T:
        """Await what computes nothing itself: others' CPU time on this thread is not ours."""
        self.cpu_ns += time.thread_time_ns()
        self.awaiting_ns -= time.perf_counter_ns()
        try:
            return await leaf
        finally:
            self.awaiting_ns += time.perf_counter_ns()
            self.cpu_ns -= time.thread_time_ns()


Note = Callable[[Own], None]


@cache
def _schedstat(thread: int) -> int:
    return os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)


def queued_ns() -> int:
    """Ask the kernel how long this thread has waited for a CPU."""
    return int(os.pread(_schedstat(threading.get_native_id()), 100, 0).split()[1])


@dataclass(slots=True)
class Place:
    """Where the host works: a folder on a disk, a server on loopback, and chance."""

    folder: Path
    port: int
    chance: random.Random
    lock: threading.Lock = field(default_factory=threading.Lock)
    async_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    buffer: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, BLOCK))
    progress: float = 0.0
    """0 at the start of the run, 1 at its end."""

    @property
    def large_file(self) -> Path:
        return self.folder / "large"

    def file(self, number: int) -> Path:
        """Return one of the files of different sizes."""
        return self.folder / f"file{number % FILES}"


def turns(count: float) -> int:
    """Compute for so many turns of a loop."""
    total = 0
    for step in range(int(count)):
        total += step * step % 7
    return total


# -- laws of the CPU


def linear(job: Job, place: Place, note: Note) -> None:
    own = Own()
    turns(2_000 + 25 * job.size)
    own.end(note)


async def nlogn(job: Job, place: Place, note: Note) -> None:
    own = Own()
    turns(1_000 + 3 * job.size * math.log2(1 + job.size))
    own.end(note)


def quadratic(job: Job, place: Place, note: Note) -> None:
    own = Own()
    turns(0.02 * job.size**2 + 1_000)
    own.end(note)


async def per_category(job: Job, place: Place, note: Note) -> None:
    own = Own()
    turns(6_000 * KINDS[job.kind])
    own.end(note)


def category_and_size(job: Job, place: Place, note: Note) -> None:
    own = Own()
    turns(4_000 * KINDS[job.kind] + 40 * job.size)
    own.end(note)


def category_times_size(job: Job, place: Place, note: Note) -> None:
    """Take for each unit of size what the kind says: a slope for each, and next to nothing beside it."""
    own = Own()
    turns(2_000 + 6 * KINDS[job.kind] * job.size)
    own.end(note)


def outliers(job: Job, place: Place, note: Note) -> None:
    """Follow a law, and take eight times as long one time in twenty."""
    own = Own()
    turns((2_000 + 25 * job.size) * (8 if place.chance.random() < 0.05 else 1))
    own.end(note)


def of_attrs(job: AttrsJob, place: Place, note: Note) -> None:
    own = Own()
    turns(3_000 + 20 * job.size)
    own.end(note)


async def of_model(job: ModelJob, place: Place, note: Note) -> None:
    own = Own()
    turns(5_000 * KINDS[job.kind.name])
    own.end(note)


def of_file(job: FileJob, place: Place, note: Note) -> None:
    """Go by a file's size, of which the command says nothing but its name; the page cache has it."""
    own = Own()
    with job.path.open("rb") as file:
        turns(2_000 + 0.05 * len(file.read()))
    own.end(note)


async def compute_then_pause(job: Job, place: Place, note: Note) -> None:
    """Compute for most of its time, and sleep the rest: waiting, but not mostly, and not for I/O."""
    own = Own()
    turns(60 * job.size)
    await own.awaited(asyncio.sleep(0.0005))
    turns(60 * job.size)
    own.end(note)


# -- waiting for nothing outside


async def pause(job: Job, place: Place, note: Note) -> None:
    own = Own()
    await own.awaited(asyncio.sleep(0.001 + job.size * 5e-6))
    own.end(note)


def nap(job: Job, place: Place, note: Note) -> None:
    own = Own()
    time.sleep(0.003)
    own.end(note)


def contended(job: Job, place: Place, note: Note) -> None:
    own = Own()
    with place.lock:
        time.sleep(0.0015)
    own.end(note)


async def contended_async(job: Job, place: Place, note: Note) -> None:
    own = Own()
    await own.awaited(place.async_lock.acquire())
    try:
        await own.awaited(asyncio.sleep(0.0015))
    finally:
        place.async_lock.release()
    own.end(note)


# -- files


def read_cold(job: Job, place: Place, note: Note) -> None:
    """Read blocks at random from the device itself, past the page cache."""
    own = Own(queue=True)
    file = os.open(place.large_file, os.O_RDONLY | os.O_DIRECT)
    for _ in range(1 + job.size // 300):
        os.preadv(file, [place.buffer], place.chance.randrange(FILE_BYTES // BLOCK) * BLOCK)
    os.close(file)
    own.end(note)


def read_cached(job: Job, place: Place, note: Note) -> None:
    """Read what lies in the page cache: no device is asked."""
    own = Own()
    for _ in range(2):
        with (place.folder / "warm").open("rb") as file:
            while chunk := file.read(job.size * 400):
                chunk.count(b"x")
    own.end(note)


def write(job: Job, place: Place, note: Note) -> None:
    """Write over pages that are there and leave them to the kernel: one that truncates may wait for the device."""
    own = Own(queue=True)
    file = os.open(place.folder / "out", os.O_WRONLY)
    os.write(file, bytes(job.size * 500))
    os.close(file)
    own.end(note)


def write_fsync(job: Job, place: Place, note: Note) -> None:
    own = Own(queue=True)
    with (place.folder / "safe").open("wb") as file:
        file.write(bytes(job.size * 20))
        file.flush()
        os.fsync(file.fileno())
    own.end(note)


# -- peers and programs


def fetch(job: Job, place: Place, note: Note) -> None:
    own = Own()
    get(place.port, 2 + job.size * 0.004)
    own.end(note)


def get(port: int, delay_ms: float) -> bytes:
    """Ask the server for an answer that takes so long."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", f"/{delay_ms}")
        return connection.getresponse().read()
    finally:
        connection.close()


async def fetch_async(job: Job, place: Place, note: Note) -> None:
    own = Own()
    loop = asyncio.get_running_loop()
    with socket.socket() as peer:
        peer.setblocking(False)
        await own.awaited(loop.sock_connect(peer, ("127.0.0.1", place.port)))
        await own.awaited(loop.sock_sendall(peer, b"GET /%d HTTP/1.0\r\n\r\n" % (2 + KINDS[job.kind])))
        while await own.awaited(loop.sock_recv(peer, 4096)):
            pass
    own.end(note)


async def fetch_several(job: Job, place: Place, note: Note) -> None:
    """Start three executions that are observed themselves, and wait for them: the I/O is theirs."""
    own = Own()
    inner = observed("fetch_async")
    await own.awaited(asyncio.gather(*(inner(job, place, _ignored) for _ in range(3))))
    own.end(note)


def _ignored(own: Own) -> None:
    """Leave executions that another one started out of the books: they compute while it awaits."""


def run_program(job: Job, place: Place, note: Note) -> None:
    own = Own()
    subprocess.run(["sleep", "0.02"], check=True)
    own.end(note)


async def run_program_async(job: Job, place: Place, note: Note) -> None:
    """Start a program and await its end; starting it computes and blocks inside the await, so awaits are not known."""
    own = Own()
    program = await asyncio.create_subprocess_exec("sleep", f"{0.015 + job.size * 2e-5:.4f}")
    await program.wait()
    own.awaiting_ns = -1
    own.end(note)


# -- what no feature explains


def bimodal(job: Job, place: Place, note: Note) -> None:
    own = Own()
    turns(8_000 if place.chance.random() < 0.65 else 70_000)
    own.end(note)


async def heavy_tailed(job: Job, place: Place, note: Note) -> None:
    own = Own()
    turns(min(6_000 * place.chance.paretovariate(0.9), 600_000))
    own.end(note)


def drifting(job: Job, place: Place, note: Note) -> None:
    """Become three times as slow over the run, whatever the job."""
    own = Own()
    turns(12_000 * 3**place.progress)
    own.end(note)


# -- their truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is so by construction."""

    work: Callable[[Any, Place, Note], Any]
    law: tuple[str, ...] | None
    """Family and features; `None`: a device's or the threads' own, which no one knows beforehand."""
    pools: frozenset[str] = frozenset()
    """Kinds of pools: ``cpu``, ``disk/read``, ``disk/write``, ``net``, ``process``."""
    io_bound: bool | None = False
    """`None`: as fast as the device is; the program's clocks tell."""
    unexplainable: bool = False
    """Features say nothing of what it costs, and that is to be warned of."""
    at_once: int = 1
    command: Callable[[Job, Place], Any] = lambda job, place: job
    """Makes the command of a system that has one of its own kind."""

    @property
    def name(self) -> str:
        return self.work.__name__

    @property
    def is_async(self) -> bool:
        return asyncio.iscoroutinefunction(self.work)


CPU = frozenset({"cpu"})
NET = frozenset({"net"})
PROCESS = frozenset({"process"})

SYSTEMS: tuple[Truth, ...] = (
    Truth(work=linear, law=("linear", "size"), pools=CPU),
    Truth(work=nlogn, law=("nlogn", "size"), pools=CPU),
    Truth(work=quadratic, law=("quadratic", "size"), pools=CPU),
    Truth(work=per_category, law=("category", "kind"), pools=CPU),
    Truth(work=category_and_size, law=("category_linear", "kind", "size"), pools=CPU),
    Truth(work=category_times_size, law=("category_slopes", "kind", "size"), pools=CPU),
    Truth(work=outliers, law=("linear", "size"), pools=CPU),
    Truth(
        work=of_attrs,
        law=("linear", "size"),
        pools=CPU,
        command=lambda job, place: AttrsJob(job.size, job.level, job.number),
    ),
    Truth(
        work=of_model,
        law=("category", "kind"),
        pools=CPU,
        command=lambda job, place: ModelJob(theSize=job.size, kind=Kind[job.kind], urgent=job.urgent),
    ),
    Truth(
        work=of_file,
        law=("linear", "file_size(path)"),
        pools=CPU,
        command=lambda job, place: FileJob(place.file(job.size), job.level),
    ),
    Truth(work=compute_then_pause, law=("linear", "size"), pools=CPU),
    Truth(work=pause, law=("linear", "size"), at_once=4),
    Truth(work=nap, law=("constant",)),
    Truth(work=contended, law=None, at_once=4),
    Truth(work=contended_async, law=None, at_once=4),
    Truth(work=read_cold, law=None, pools=frozenset({"disk/read"}), io_bound=None),
    Truth(work=read_cached, law=None, pools=CPU),
    Truth(work=write, law=None, pools=CPU | {"disk/write"}, io_bound=None),
    Truth(work=write_fsync, law=None, pools=frozenset({"disk/write"}), io_bound=None),
    Truth(work=fetch, law=("linear", "size"), pools=NET, io_bound=True),
    Truth(work=fetch_async, law=("category", "kind"), pools=NET, io_bound=True, at_once=4),
    Truth(work=fetch_several, law=("category", "kind")),
    Truth(work=run_program, law=("constant",), pools=PROCESS, io_bound=True),
    Truth(work=run_program_async, law=("linear", "size"), pools=PROCESS, io_bound=True),
    Truth(work=bimodal, law=("constant",), pools=CPU, unexplainable=True),
    Truth(work=heavy_tailed, law=("constant",), pools=CPU, unexplainable=True),
    Truth(work=drifting, law=("constant",), pools=CPU, unexplainable=True),
)


def observed(name: str) -> Callable[[Job, Place, Note], Any]:
    """Return a system's function as it stands in this module, where dam-obs finds and wraps it."""
    found: Callable[[Job, Place, Note], Any] = getattr(sys.modules[__name__], name)
    return found
