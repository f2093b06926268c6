"""
Keep a sampler on a process tree for as long as it lives.

py-spy follows Python children, but it ends when all Python it knew has ended, and it loses
a process that replaces itself by ``exec``. A shell script that runs one Python after the
other, or a launcher, needs more than one of it. So each Python process says at its start
that it is there (see `gate`), and is held there until a py-spy watches it.

A py-spy keeps one rate, and all that it sees in memory until its end. So it is also replaced
where the rate is to change (see `rate`), and after some minutes. For that nobody is held:
the next one finds the processes that are there, and the time between the two is counted.
A process whose parent has died is found by no later one; while there is such a one, the
sampler that knows it stays.

`tick` is to be called often; it never waits.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dam_obs.sample import absent
from dam_obs.sample.gate import Gate, Ready
from dam_obs.sample.parts import Kept, Parts
from dam_obs.sample.procfs import descends_from, is_running
from dam_obs.sample.pyspy import STOP_PATIENCE_S, PySpy, PySpySession
from dam_obs.sample.rate import START, Look, Pace
from dam_obs.sample.tally import Tally
from dam_obs.store.manifest import AbsentEvidence, SamplerStats

START_PATIENCE_S = 10.0
"""How long a py-spy may take until it samples; the program waits for it less long than that."""

MOST_SESSIONS = 200
"""Sessions of one run that a program's processes make necessary; a script that starts more is sampled up to there."""

ROTATE_EVERY_S = 300.0
"""A py-spy is replaced after so long."""

ROTATE_AT_BYTES = 128 * 1024**2
"""Or when it takes so much memory."""

SHORTEST_S = 2.0
"""It is not replaced before it has sampled for so long, unless the program wakes up."""

MOST_TRIES = 3
"""A py-spy that replaces another and finds no Python, though there is one, is tried so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerResult:
    """What became of sampling."""

    stats: SamplerStats | None
    """`None`: nothing was ever sampled."""
    absent: AbsentEvidence | None
    """Why there is no profile; `None`: there is one, in the parts."""
    native_absent: AbsentEvidence | None = None
    """Why there are no native stacks, though they were asked for."""
    was_refused: bool = False


class Sampling:
    """py-spy on one process tree."""

    def __init__(
        self,
        tool: PySpy,
        root_pid: int,
        gate: Gate,
        *,
        pace: Pace,
        parts: Parts,
        folder: Path,
        log: Path,
        blind_after_s: float,
        native: bool = False,
    ) -> None:
        """
        Prepare; `tick` begins.

        Args:
            tool: The py-spy.
            root_pid: The process at the top of the tree.
            gate: Where Python processes wait until they are watched.
            pace: Says how often to look.
            parts: Where profiles go.
            folder: For py-spy's files, private to us.
            log: What py-spy prints.
            blind_after_s: Try without any process having said that it is Python, after so many seconds.
            native: Take native stacks too, if this py-spy can.
        """
        self._tool = tool
        self._root_pid = root_pid
        self._gate = gate
        self._pace = pace
        self._asked_hz = pace.rate_hz
        self._parts = parts
        self._folder = folder
        self._log = log
        self._native = native
        self._native_absent: AbsentEvidence | None = None
        self._blind_at = time.monotonic() + blind_after_s
        self._tried_blind = False
        self._session: PySpySession | None = None
        self._why = START
        """Why the session that runs has its rate."""
        self._why_next = START
        self._replacing_since: float | None = None
        """When the session was asked to end so that another one takes its place; `None`: it was not."""
        self._unseen_since: float | None = None
        """Since when nobody samples, though there is a program that was sampled."""
        self._lost: list[int] = []
        """Processes that the session has lost: another program runs in them now."""
        self._tries = 0
        self._reopen = False
        """Whether somebody waits for the gate to be opened anew."""
        self._watched: dict[int, Ready] = {}
        self._tally = Tally()
        self._looked_at = time.monotonic()
        self._looked_cpu_s = 0.0
        self._looked_late = 0
        self._files = 0
        self._begun = 0
        self._given_up: AbsentEvidence | None = None
        self._unreadable: AbsentEvidence | None = None
        self._was_refused = False

    @property
    def is_starting(self) -> bool:
        """Whether a program may be waiting for us."""
        if self._given_up is not None:
            return False
        return self._session is None or self._session.sampling_since is None or self._replacing_since is not None

    def tick(self) -> None:
        """Look what has happened, and do what follows from it."""
        if self._given_up is not None:
            return
        session = self._session
        if session is None:
            self._begin_if_due()
        elif self._replacing_since is not None:
            self._replace_if_over(session, self._replacing_since)
        elif session.is_over:
            self._collect(session)
        elif session.sampling_since is None:
            if time.monotonic() - session.begun > START_PATIENCE_S:
                session.kill()
                self._tally.add_cost(session)
                self._give_up(absent.hung(self._tool.name, START_PATIENCE_S))
        else:
            self._watch(session)

    def look(self, *, active: bool, alone: bool = False) -> None:
        """
        Have the rate that follows from what the program does.

        Args:
            active: Whether it did something since the last time.
            alone: Whether the process at the top of the tree is the only Python in it.
        """
        session, now = self._session, time.monotonic()
        cpu_s = self._tally.cpu_s + (session.cpu_s if session else 0.0)
        late = self._tally.late + (session.words.late if session else 0)
        # What a session that was never added was late is in no sum: less than before is nothing new.
        seen = Look(
            wall_s=now - self._looked_at,
            sampler_cpu_s=max(0.0, cpu_s - self._looked_cpu_s),
            late=max(0, late - self._looked_late),
            active=active,
            alone=alone,
        )
        self._looked_at, self._looked_cpu_s, self._looked_late = now, cpu_s, late
        rate_hz = self._pace.look(seen)
        if session is None or session.sampling_since is None or self._replacing_since is not None:
            return
        if self._pace.searching != session.children:
            self._replace(session, self._why)
        elif rate_hz > session.rate_hz or (rate_hz != session.rate_hz and session.seconds >= SHORTEST_S):
            self._replace(session, self._pace.why)
        elif session.seconds >= ROTATE_EVERY_S or session.memory_bytes >= ROTATE_AT_BYTES:
            self._replace(session, self._why)

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
        if self._given_up is not None and self._unseen_since is not None:
            self._tally.unsampled_s += time.monotonic() - self._unseen_since
        return self._result(self._parts.close(), not_python)

    # -- beginning

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
        self._begun += 1
        self._tries = 0
        self._begin()

    def _begin(self) -> None:
        self._files += 1
        self._session = PySpySession(
            self._tool,
            self._root_pid,
            rate_hz=self._pace.rate_hz,
            output=self._folder / f"{self._files:06d}.json",
            log=self._log,
            native=self._native,
            children=self._pace.searching,
        )

    # -- while it samples

    def _watch(self, session: PySpySession) -> None:
        """
        While it samples: let go who waits, and begin anew for a process that was replaced by ``exec``.

        That one waits at its start, and whoever starts meanwhile with it.
        """
        self._note_seen_again(session)
        ready = {ready.pid: ready for ready in self._gate.ready()}
        replaced = [pid for pid, one in ready.items() if pid in self._watched and self._watched[pid] != one]
        if replaced and self._begun < MOST_SESSIONS:
            self._begun += 1
            self._gate.close()
            self._lost = replaced
            self._ask_to_end(session, self._why)
            return
        self._reopen = self._reopen or bool(replaced)
        if not session.children and any(pid != self._root_pid for pid in ready):
            self._pace.search()
            self._replace(session, self._why)
            return
        if self._reopen or not self._gate.is_open:
            self._reopen = False
            self._gate.open()
        self._watched.update(ready)

    def _note_seen_again(self, session: PySpySession) -> None:
        if self._unseen_since is None or session.sampling_since is None:
            return
        self._tally.restarts += 1
        self._tally.unsampled_s += max(0.0, session.sampling_since - self._unseen_since)
        self._unseen_since = None

    # -- one takes another's place

    def _replace(self, session: PySpySession, why: str) -> None:
        """Ask a session to end, so that another takes its place; not if it knows a process that no other would find."""
        if not all(descends_from(ready.pid, self._root_pid) for ready in self._gate.ready()):
            return
        self._ask_to_end(session, why)

    def _ask_to_end(self, session: PySpySession, why: str) -> None:
        self._why_next = why
        self._replacing_since = time.monotonic()
        session.ask_to_end()

    def _replace_if_over(self, session: PySpySession, since: float) -> None:
        if not session.is_over:
            if time.monotonic() - since <= STOP_PATIENCE_S:
                return
            session.kill()
            self._unseen_since = session.sampling_since
        self._replacing_since = None
        for pid in self._lost:
            session.words.failed.pop(pid, None)  # it looked for the program that was there before
        self._lost = []
        if not session.stop():
            self._collect(session)  # it has failed as one that ends by itself may
            return
        self._unseen_since = session.ended
        self._take(session)
        self._why = self._why_next
        self._tries = 0
        self._begin_again()

    def _begin_again(self) -> None:
        """Begin on the processes that are there; who comes meanwhile is not held, only who came by ``exec``."""
        self._tries += 1
        ready = {ready.pid: ready for ready in self._gate.ready()}
        self._reopen = self._reopen or any(self._watched.get(pid, one) != one for pid, one in ready.items())
        self._watched = ready
        self._begin()

    # -- the end of one

    def _collect(self, session: PySpySession) -> None:
        """Take what an ended session leaves; Pythons that start from now on wait for the next one."""
        self._session = None
        if self._native and not session.stop() and self._goes_without_native(session):
            return
        self._gate.close()
        if session.stop():
            self._take(session)
            # All that it watched has ended. Who is there still came in its last moment, or it could not read them.
            self._watched = {pid: ready for pid, ready in self._watched.items() if pid in session.words.unreadable}
            return
        self._tally.add_cost(session)
        # Of a process that does not know us nobody says that it is there.
        is_there = any(ready.pid in self._watched for ready in self._gate.ready()) or (
            self._tries > 0 and not self._gate.pids and is_running(self._root_pid)
        )
        if not is_there and session.words.no_python:
            self._unseen_since = None
            return  # there was no Python (any more): there may be one later
        if session.words.no_python and 0 < self._tries < MOST_TRIES:
            self._gate.open()
            self._begin_again()
            return
        why = self._why_failed(session)
        if session.words.no_python and not self._was_refused:
            self._unreadable = why
            self._gate.open()
            return
        self._give_up(why)

    def _goes_without_native(self, session: PySpySession) -> bool:
        """Begin again without native stacks, if it may be these that a session has failed for."""
        words = session.words
        if words.sampling or words.no_python or words.refused or words.unsupported is not None:
            return False
        self._native = False
        self._native_absent = absent.no_native(self._tool.name, words.error or "it ended without a word")
        self._tally.add_cost(session)
        self._begin()
        return True

    def _take(self, session: PySpySession) -> None:
        """Take over what a session saw."""
        self._tally.add_cost(session)
        self._tally.add(session, self._why)
        self._parts.add(
            session.output,
            each=self._pace.stands_for.get(session.rate_hz, 1),
            seconds=session.seconds,
            native=session.native,
            pid=None if session.children else session.pid,
        )

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
        if self._tally.sessions and self._unseen_since is None:
            self._unseen_since = time.monotonic()
        self._gate.open()

    def _end(self, session: PySpySession) -> None:
        self._note_seen_again(session)
        if session.stop():
            self._take(session)
            return
        self._tally.add_cost(session)
        if not session.words.no_python:
            self._given_up = self._why_failed(session)

    # -- the result

    def _result(self, kept: Kept, not_python: Collection[int]) -> SamplerResult:
        return SamplerResult(
            stats=self._tally.stats(self._tool.name, self._asked_hz, self._pace.budget, kept, not_python),
            absent=None if kept.rows else self._given_up or self._unreadable or self._why_nothing(kept),
            native_absent=self._native_absent,
            was_refused=self._was_refused,
        )

    def _why_nothing(self, kept: Kept) -> AbsentEvidence:
        if kept.broken is not None:
            return absent.broke(self._tool.name, f"its file was unreadable ({kept.broken})")
        if self._tally.sessions or self._gate.first is not None:
            return absent.too_short()
        return absent.no_python()
