"""What the samplers of a run did, summed up as they end: so a run may have any number of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from dam_obs.sample.parts import Kept
from dam_obs.sample.pyspy import PySpySession
from dam_obs.store.manifest import RateSpan, SamplerStats

MOST_SPANS = 200
"""Rates over time that are told; of more, only the sums."""


class Tally:
    """Sums over sessions."""

    def __init__(self) -> None:
        self.sessions = 0
        """Those that wrote down what they saw."""
        self.restarts = 0
        self.unsampled_s = 0.0
        self._first: float | None = None
        self._spans: list[RateSpan] = []
        self._failed: Counter[int] = Counter()
        self._late = 0
        self._seconds = 0.0
        self._looks_due = 0.0
        self._busy_s: float | None = 0.0
        self._cpu_s = 0.0
        self._native = False

    @property
    def late(self) -> int:
        """Times that samplers which have ended said that they were behind."""
        return self._late

    @property
    def cpu_s(self) -> float:
        """CPU time that samplers took which have ended."""
        return self._cpu_s

    def add_cost(self, session: PySpySession) -> None:
        """Add what a session took, whether it saw something or not."""
        self._cpu_s += session.cpu_s

    def add(self, session: PySpySession, why: str) -> None:
        """Add a session that has written down what it saw."""
        self.sessions += 1
        self._failed += session.words.failed
        self._late += session.words.late
        self._seconds += session.seconds
        self._looks_due += session.seconds * session.rate_hz
        self._busy_s = None if self._busy_s is None or session.busy_s is None else self._busy_s + session.busy_s
        self._native = self._native or session.native
        self._add_span(session, why)

    def stats(
        self, sampler: str, rate_hz: float, budget: float, kept: Kept, not_python: Collection[int]
    ) -> SamplerStats | None:
        """
        Return all that is known; `None` if nothing was ever sampled.

        Args:
            sampler: Its name.
            rate_hz: The rate asked for.
            budget: Share of a CPU that it might take.
            kept: What became of the profiles.
            not_python: Pids whose failed samples do not count.
        """
        if not self.sessions:
            return None
        return SamplerStats(
            sampler=sampler,
            rate_asked_hz=rate_hz,
            samples=kept.size.ticks,
            failed=sum(count for pid, count in self._failed.items() if pid not in not_python),
            late=self._late,
            seconds=self._seconds,
            stacks=kept.size.stacks,
            process_ticks=kept.size.process_ticks,
            busy_s=self._busy_s,
            budget_share=budget,
            cpu_s=self._cpu_s,
            rates=self._spans,
            looks_due=self._looks_due,
            restarts=self.restarts,
            unsampled_s=self.unsampled_s + kept.broken_s,
            let_go=kept.let_go,
            native=self._native,
        )

    def _add_span(self, session: PySpySession, why: str) -> None:
        since = session.sampling_since if session.sampling_since is not None else session.begun
        self._first = since if self._first is None else self._first
        last = self._spans[-1] if self._spans else None
        if last is not None and last.rate_hz == session.rate_hz:
            self._spans[-1] = RateSpan(
                at_s=last.at_s, rate_hz=last.rate_hz, seconds=last.seconds + session.seconds, why=last.why
            )
        elif len(self._spans) < MOST_SPANS:
            span = RateSpan(at_s=since - self._first, rate_hz=session.rate_hz, seconds=session.seconds, why=why)
            self._spans.append(span)
