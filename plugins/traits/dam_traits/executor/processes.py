"""
A few processes of this machine that run one system after another.

Each process works for one caller at a time, so that one that is killed takes no other's work
with it, and one whose caller has left can be killed. They are started by ``forkserver`` (or
``spawn``, where there is none) and never forked from this process, whose threads and locks
a fork would copy in the middle of their work. What they run is `child`'s business.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext

from dam_traits.executor.child import run_parcel
from dam_traits.executor.errors import WorkerLost
from dam_traits.executor.threads import Threads, wait_out

_READY = b"ready"
_WAY_OUT = ": if it does no harm to run it twice, give its executor retries=1"
_PATIENCE_S = 5.0
"""How long a process may take to end when its pipe is closed."""


class Processes:
    """Runs parcels in processes, `limit` of them at a time; they are started when needed."""

    def __init__(self, limit: int | None = None, *, retries: int = 0) -> None:
        self._retries = retries
        self._idle: deque[_Worker] = deque()
        # A thread for each process that works: it sends the parcel and waits for the reply.
        self._threads = Threads(limit or _cpu_count(), prefix="dam-traits-process")
        self._context = _context()
        atexit.register(self._end_idle)

    async def run(self, name: str, parcel: bytes) -> bytes:
        """
        Run a parcel and give the reply. Cancelled, it is dropped: what runs is killed.

        Args:
            name: The system's, for errors.
            parcel: What is sent.

        Raises:
            WorkerLost: Its process ended, each time that it was tried.
        """
        call = _Call(name, parcel)
        future = self._threads.submit(partial(self._do, call))

        def give_up() -> None:
            future.cancel()
            call.drop()

        await wait_out(future, give_up=give_up)
        return future.result()

    async def aclose(self) -> None:
        """Wait for what runs, and end the processes."""
        atexit.unregister(self._end_idle)
        await self._threads.aclose()
        await self._threads.run(self._end_idle)
        await self._threads.aclose()

    def _do(self, call: _Call) -> bytes:
        for retries_left in range(self._retries, -1, -1):
            worker = self._take(call.name)
            try:
                reply = call.on(worker)
            except WorkerLost:
                if not retries_left or call.dropped:
                    raise
            else:
                self._give_back(worker, call)
                return reply
        raise AssertionError("the last try returns or raises")

    def _take(self, name: str) -> _Worker:
        with suppress(IndexError):
            while True:
                worker = self._idle.pop()
                if worker.is_alive():
                    return worker
                worker.end()
        return _Worker(self._context, name)

    def _give_back(self, worker: _Worker, call: _Call) -> None:
        if call.killed:
            worker.end()
        else:
            self._idle.append(worker)

    def _end_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().end()


class _Call:
    """One parcel on its way, which may be dropped at any moment."""

    def __init__(self, name: str, parcel: bytes) -> None:
        self.name = name
        self.dropped = False
        self.killed = False
        self._parcel = parcel
        self._worker: _Worker | None = None
        self._lock = threading.Lock()

    def on(self, worker: _Worker) -> bytes:
        with self._lock:
            if self.dropped:
                return b""  # nobody reads it
            self._worker = worker
        try:
            return worker.ask(self.name, self._parcel)
        finally:
            with self._lock:
                self._worker = None

    def drop(self) -> None:
        with self._lock:
            self.dropped = True
            if self._worker is not None and not self.killed:
                self.killed = True
                self._worker.kill()


class _Worker:
    """One process, and our end of the pipe to it."""

    def __init__(self, context: SpawnContext | ForkServerContext, name: str) -> None:
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), name="dam-traits-worker")
        with _birth_and_death:
            self._process.start()
        theirs.close()
        self._answer(name, " before it began: see stderr; a script must start its work under if __name__ == '__main__'")

    def ask(self, name: str, parcel: bytes) -> bytes:
        with suppress(OSError):  # it is gone, as the answer will show
            self._pipe.send_bytes(parcel)
        return self._answer(name)

    def is_alive(self) -> bool:
        """Say whether it waits for work: its pipe shows a death at once, the fork server tells of it later."""
        return not self._pipe.poll()

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> int | None:
        """Let it go and give its exit code; one that is idle ends by itself when its pipe is closed."""
        self._pipe.close()
        with _birth_and_death:
            self._process.join(_PATIENCE_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            exit_code = self._process.exitcode
            self._process.close()
        return exit_code

    def _answer(self, name: str, when: str = "") -> bytes:
        try:
            return self._pipe.recv_bytes()
        except (EOFError, OSError):
            pid = self._process.pid
            exit_code = self.end()
            how = f"process {pid}, {_how_ended(exit_code)}{when or _WAY_OUT}"
            raise WorkerLost(name, how, pid=pid, exit_code=exit_code) from None


def serve(pipe: Connection) -> None:
    """Run in a process of ours: take parcels and give replies until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for whoever sent the parcel to act on
    with suppress(EOFError, OSError):
        pipe.send_bytes(_READY)
        while True:
            pipe.send_bytes(run_parcel(pipe.recv_bytes()))


def _context() -> SpawnContext | ForkServerContext:
    if "forkserver" in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def _how_ended(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"which ended with exit code {exit_code}"
    with suppress(ValueError):
        return f"which was killed by {signal.Signals(-exit_code).name}"
    return f"which was killed by signal {-exit_code}"


def _cpu_count() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_birth_and_death = threading.Lock()
"""Two threads that look at once whether the same process has ended take its exit code from each other."""
