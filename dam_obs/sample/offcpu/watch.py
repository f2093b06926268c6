"""
Keep bpftrace on a process tree for as long as a run lasts, and have its evidence kept.

`tick` is to be called often; it never waits. Whatever becomes of bpftrace, the run goes on.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from pathlib import Path

from dam_obs.sample.offcpu import needs
from dam_obs.sample.offcpu.causes import Calls, calls_of
from dam_obs.sample.offcpu.clock import MOST_DRIFT_NS, Clock
from dam_obs.sample.offcpu.keep import Watched, keep
from dam_obs.sample.offcpu.session import BpfTrace, OffCpuSession
from dam_obs.sample.procfs import ProcessTree
from dam_obs.store.manifest import AbsentEvidence

START_PATIENCE_S = 10.0

_MARK_EVERY_S = 0.05


class OffCpuWatch:
    """bpftrace on one process tree."""

    def __init__(self, tool: BpfTrace, *, raw: Path, log: Path) -> None:
        """
        Start bpftrace.

        Args:
            tool: Which bpftrace; `needs.find_bpftrace` knows.
            raw: A file for what it sees, private to us.
            log: For what else it prints.

        Raises:
            OSError: it could not be started.
        """
        self._calls: Calls = calls_of(platform.machine()) or _no_calls()
        self._session = OffCpuSession(tool, self._calls, raw=raw, log=log)
        self._adopted: set[tuple[int, int]] = set()
        """By pid and start."""
        self._from_ns: int | None = None
        self._to_ns: int | None = None
        self._next_mark = 0.0
        self._absent: AbsentEvidence | None = None
        self._stopped = False

    @property
    def is_starting(self) -> bool:
        """Whether there is still hope that it will watch, and it does not yet."""
        return self._from_ns is None and self._absent is None

    def tick(self, tree: ProcessTree) -> None:
        """Look what has happened, and do what follows from it; the processes of `tree` are to be watched."""
        if self._absent is not None or self._stopped:
            return
        session = self._session
        if session.watches:
            self._adopt(tree)
        elif session.is_over:
            session.stop()  # then its last words have been heard
            self._give_up(needs.failed(session.error))
        elif time.monotonic() - session.begun > START_PATIENCE_S:
            self._give_up(needs.blind(START_PATIENCE_S))
        elif time.monotonic() >= self._next_mark:
            session.mark()
            self._next_mark = time.monotonic() + _MARK_EVERY_S

    def stop(self) -> None:
        """End it."""
        if self._stopped:
            return
        self._stopped = True
        before_ns = time.monotonic_ns()
        if self._session.stop():
            self._to_ns = before_ns

    def keep(self, path: Path) -> AbsentEvidence | None:
        """Write down what was seen until it was stopped; return why there is nothing, or `None`."""
        self.stop()
        if self._absent is not None:
            return self._absent
        clock = self._session.clock
        if self._from_ns is None:
            return needs.failed(self._session.error or "the program ended before it watched")
        if clock is None or abs(clock.drift_ns) > MOST_DRIFT_NS:
            return needs.no_clock()
        try:
            keep(_lines(self._session.raw), self._calls, self._watched(clock, self._from_ns), path)
        except OSError as error:
            return needs.not_kept(error.strerror or type(error).__name__)
        return None

    def _watched(self, clock: Clock, from_ns: int) -> Watched:
        session = self._session
        return Watched(
            bpftrace=session.tool.version,
            clock=clock,
            from_ns=from_ns,
            to_ns=self._to_ns,
            lost=session.lost,
            cut=session.cut,
            stacks_from_ns=session.tool.stacks_from_ns,
            stacks_cut=session.stacks_cut,
        )

    def _adopt(self, tree: ProcessTree) -> None:
        """Name the processes that are there; what they start from now on, bpftrace sees itself."""
        if self._from_ns is None:
            tree.read()
        for process in tree.processes:
            if (process.pid, process.start_ticks) not in self._adopted:
                self._adopted.add((process.pid, process.start_ticks))
                self._session.adopt(process.pid)
        if self._from_ns is None:
            self._from_ns = time.monotonic_ns()

    def _give_up(self, why: AbsentEvidence) -> None:
        self._absent = why
        self.stop()


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from file


def _no_calls() -> Calls:
    return Calls(kill=-1, restart=-1, waits={}, disk=frozenset())
