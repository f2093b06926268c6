"""
A process that runs already and is not ours: wait with it, and, if dam-obs is in it, have it measure.

Its events go on to the trace that it writes anyway; those of the time in which it was
measured are copied into the run folder.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from dam_obs.errors import DamObsError
from dam_obs.sample.procfs import is_running, program_name
from dam_obs.store.manifest import AbsentEvidence
from dam_obs.store.runs import RunFolder
from dam_obs.trace import rendezvous
from dam_obs.trace.identity import start_ticks

LAST_WORDS_S = 1.5
"""How long the process has to write down what ended while it was measured: some flush intervals."""

_MEASURED = b'"start_mono_ns":'
"""In the line of every event that was measured, and of no other."""


class NoSuchProcess(DamObsError):
    """There is no process with this pid."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"there is no process {pid}: look for its pid with `pgrep -a python`")
        self.pid = pid


class RunningProcess:
    """A process that was there before us."""

    def __init__(self, pid: int) -> None:
        """
        Take hold of process `pid`.

        Raises:
            NoSuchProcess: there is none.
        """
        if not is_running(pid):
            raise NoSuchProcess(pid)
        self.pid = pid
        self.name = program_name(pid)
        self._started = start_ticks(pid)
        self._interrupted = threading.Event()

    def goes_on(self) -> bool:
        """Whether it lives and nobody has asked us to end."""
        if self._interrupted.is_set() or not is_running(self.pid):
            return False
        return start_ticks(self.pid) == self._started

    def wait(self, seconds: float) -> None:
        """Wait so long, or until we are asked to end."""
        self._interrupted.wait(seconds)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Meanwhile a Ctrl-C or SIGTERM ends the measuring, not us."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._interrupted.is_set():
            raise KeyboardInterrupt  # the second one ends us, too
        self._interrupted.set()

    @contextmanager
    def measured(self, run: RunFolder) -> Iterator[list[AbsentEvidence]]:
        """Meanwhile have the process measure its executions; yields what is missing if it cannot."""
        announced = rendezvous.find(self.pid)
        tail = _Tail(announced.trace) if announced else None
        if tail is None or not self._ask(run):
            yield [_NOT_OBSERVED]
            return
        try:
            yield []
        finally:
            rendezvous.release(self.pid)
        time.sleep(LAST_WORDS_S)
        tail.copy_measured(run.trace)

    def _ask(self, run: RunFolder) -> bool:
        try:
            return rendezvous.request(self.pid, run.path)
        except OSError:
            return False


_NOT_OBSERVED = AbsentEvidence(
    "executions",
    "the process does not run under dam-obs, or is another user's",
    "start it with `dam-obs run -- COMMAND`; then --pid measures its executions as well",
)


@dataclass(frozen=True, slots=True)
class _Place:
    inode: int
    offset: int


class _Tail:
    """What is appended to a trace from now on, rotated or not."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace
        self._from = _place(trace)

    def copy_measured(self, target: Path) -> None:
        """Append the measured events since then to `target`."""
        with target.open("ab") as into:
            for path, offset in self._since():
                with path.open("rb") as file:
                    file.seek(offset)
                    _copy_lines(file, into)

    def _since(self) -> list[tuple[Path, int]]:
        """Return the files to read and from where, the oldest first."""
        newest = _place(self._trace)
        if self._from is None or newest is None:
            return [(self._trace, 0)] if newest else []
        found: list[tuple[Path, int]] = []
        for path in (self._trace, *_rotated(self._trace)):
            place = _place(path)
            if place is not None and place.inode == self._from.inode:
                return [(path, min(self._from.offset, place.offset)), *found]
            found.insert(0, (path, 0))
        return [(self._trace, 0)]  # what it was then has been rotated away


def _copy_lines(file: IO[bytes], into: IO[bytes]) -> None:
    for line in file:
        if _MEASURED in line and line.endswith(b"\n"):
            into.write(line)


def _rotated(trace: Path) -> Iterator[Path]:
    number = 1
    while (path := trace.with_name(f"{trace.name}.{number}")).is_file():
        yield path
        number += 1


def _place(path: Path) -> _Place | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Place(found.st_ino, found.st_size)
