"""
Keep a sampler on a process tree for as long as it lives.

py-spy follows Python children, but it ends when all Python it knew has ended, and it loses
a process that replaces itself by ``exec``. A shell script that runs one Python after the
other, or a launcher, needs more than one of it. So each Python process says at its start
that it is there (see `gate`), and is held there until a py-spy watches it.

`tick` is to be called often; it never waits.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from dam_obs.sample import absent
from dam_obs.sample.gate import Gate, Ready
from dam_obs.sample.procfs import is_running
from dam_obs.sample.profile import BrokenProfile, measure_profile
from dam_obs.sample.pyspy import PySpy, PySpySession
from dam_obs.store.manifest import AbsentEvidence, SamplerStats

START_PATIENCE_S = 10.0
"""How long a py-spy may take until it samples; the program waits for it less long than that."""

MOST_SESSIONS = 200
"""Sessions of one run; a script that starts more Pythons in a row is sampled up to there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerResult:
    """What became of sampling."""

    parts: tuple[Path, ...]
    """Profiles as py-spy wrote them, in order."""
    stats: SamplerStats | None
    """`None`: nothing was ever sampled."""
    absent: AbsentEvidence | None
    """Why there is no profile."""
    was_refused: bool = False


class Sampling:
    """py-spy on one process tree."""

    def __init__(
        self, tool: PySpy, root_pid: int, gate: Gate, *, rate_hz: float, folder: Path, log: Path, blind_after_s: float
    ) -> None:
        """
        Prepare; `tick` begins.

        Args:
            tool: The py-spy.
            root_pid: The process at the top of the tree.
            gate: Where Python processes wait until they are watched.
            rate_hz: Looks a second.
            folder: For py-spy's files, private to us.
            log: What py-spy prints.
            blind_after_s: Try without any process having said that it is Python, after so many seconds.
        """
        self._tool = tool
        self._root_pid = root_pid
        self._gate = gate
        self._rate_hz = rate_hz
        self._folder = folder
        self._log = log
        self._blind_at = time.monotonic() + blind_after_s
        self._tried_blind = False
        self._session: PySpySession | None = None
        self._watched: dict[int, Ready] = {}
        self._done: list[PySpySession] = []
        self._begun = 0
        self._given_up: AbsentEvidence | None = None
        self._unreadable: AbsentEvidence | None = None
        self._was_refused = False

    @property
    def is_starting(self) -> bool:
        """Whether a program may be waiting for us."""
        return self._given_up is None and (self._session is None or self._session.sampling_since is None)

    def tick(self) -> None:
        """Look what has happened, and do what follows from it."""
        if self._given_up is not None:
            return
        session = self._session
        if session is None:
            self._begin_if_due()
        elif session.is_over:
            self._collect(session)
        elif session.sampling_since is None:
            if time.monotonic() - session.begun > START_PATIENCE_S:
                session.kill()
                self._give_up(absent.hung(self._tool.name, START_PATIENCE_S))
        else:
            self._watch(session)

    def stop(self, not_python: Collection[int] = ()) -> SamplerResult:
        """
        End sampling and say what became of it.

        Args:
            not_python: Pids whose failed samples do not count. A process that has become another program by
                ``exec`` is looked at in vain, and that is not the sampler's failure.
        """
        session = self._session
        if session is not None:
            self._session = None
            self._end(session)
        return self._result(not_python)

    # -- the steps

    def _begin_if_due(self) -> None:
        fresh = [ready for ready in self._gate.ready() if self._watched.get(ready.pid) != ready]
        blind = not self._tried_blind and not self._begun and time.monotonic() >= self._blind_at
        if not fresh and not blind:
            return
        if self._begun >= MOST_SESSIONS:
            self._gate.open()
            return
        self._tried_blind = self._tried_blind or not fresh
        self._watched.update({ready.pid: ready for ready in fresh})
        self._begin()

    def _begin(self) -> None:
        self._begun += 1
        self._session = PySpySession(
            self._tool,
            self._root_pid,
            rate_hz=self._rate_hz,
            output=self._folder / f"{self._begun:04d}.json",
            log=self._log,
        )

    def _watch(self, session: PySpySession) -> None:
        """While it samples: let go who waits, and begin anew for a process that was replaced by ``exec``."""
        ready = {ready.pid: ready for ready in self._gate.ready()}
        replaced = [pid for pid, one in ready.items() if pid in self._watched and self._watched[pid] != one]
        if replaced:
            session.stop()
            for pid in replaced:
                session.words.failed.pop(pid, None)  # it looked for the program that was there before
            self._collect(session)
            return
        if not self._gate.is_open:
            self._gate.open()
        self._watched.update(ready)

    def _collect(self, session: PySpySession) -> None:
        """Take what an ended session leaves; Pythons that start from now on wait for the next one."""
        self._session = None
        self._gate.close()
        if session.stop():
            self._done.append(session)
            # All that it watched has ended. Who is there still came in its last moment, or it could not read them.
            self._watched = {pid: ready for pid, ready in self._watched.items() if pid in session.words.unreadable}
            return
        if not any(ready.pid in self._watched for ready in self._gate.ready()) and session.words.no_python:
            return  # there was no Python (any more): there may be one later
        why = self._why_failed(session)
        if session.words.no_python and not self._was_refused:
            self._unreadable = why
            self._gate.open()
            return
        self._give_up(why)

    def _why_failed(self, session: PySpySession) -> AbsentEvidence:
        words = session.words
        if words.refused or (is_running(session.pid) and words.is_hidden(session.pid)):
            self._was_refused = True
            return absent.refused(session.pid)
        if words.unsupported is not None:
            return absent.unsupported(words.unsupported, self._tool.name)
        reasons = [words.unreadable[pid] for pid in (*self._watched, session.pid) if pid in words.unreadable]
        return absent.broke(self._tool.name, reasons[0] if reasons else words.error or "it ended without a word")

    def _give_up(self, why: AbsentEvidence) -> None:
        self._session = None
        self._given_up = why
        self._gate.open()

    def _end(self, session: PySpySession) -> None:
        if session.stop():
            self._done.append(session)
        elif not session.words.no_python:
            self._given_up = self._why_failed(session)

    # -- the result

    def _result(self, not_python: Collection[int]) -> SamplerResult:
        parts: list[Path] = []
        stacks = ticks = process_ticks = 0
        broken: BrokenProfile | None = None
        for session in self._done:
            try:
                size = measure_profile(session.output)
            except BrokenProfile as error:
                broken = error
                continue
            if size.stacks:
                parts.append(session.output)
            stacks, ticks, process_ticks = stacks + size.stacks, ticks + size.ticks, process_ticks + size.process_ticks
        failed: Counter[int] = sum((session.words.failed for session in self._done), Counter())
        stats = SamplerStats(
            sampler=self._tool.name,
            rate_asked_hz=self._rate_hz,
            samples=ticks,
            failed=sum(count for pid, count in failed.items() if pid not in not_python),
            late=sum(session.words.late for session in self._done),
            seconds=sum(session.seconds for session in self._done),
            stacks=stacks,
            process_ticks=process_ticks,
            busy_s=_sum([session.busy_s for session in self._done]),
        )
        return SamplerResult(
            parts=tuple(parts),
            stats=stats if self._done else None,
            absent=None if parts else self._given_up or self._unreadable or self._why_nothing(broken),
            was_refused=self._was_refused,
        )

    def _why_nothing(self, broken: BrokenProfile | None) -> AbsentEvidence:
        if broken is not None:
            return absent.broke(self._tool.name, f"its file was unreadable ({broken.why})")
        if self._done or self._gate.first is not None:
            return absent.too_short()
        return absent.no_python()


def _sum(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
