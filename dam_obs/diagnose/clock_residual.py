"""
How well samples can be placed in time: the residual that the report's quality block states.

It is taken as exporters place samples (`dam_obs.diagnose.export.clock`), in the same pass over
the events as everything else: the profile's order of samples is read before, and only of
executions that were sampled their segments are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from dam_obs.diagnose.export.clock import Segment, place, residual
from dam_obs.diagnose.quality import period_ns, refused
from dam_obs.errors import DamObsError
from dam_obs.sample.attribution import Stacks
from dam_obs.sample.profile import read_profile
from dam_obs.store.manifest import Manifest
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import TraceEvent

MOST_STRETCHES: Final = 200_000
"""Samples of one execution in a row that are kept, in all threads: enough to tell how good the clock is."""

MOST_SEGMENTS: Final = 200_000

_THREAD: Final = re.compile(r"Thread (\d{1,10})\b")


class _OfThread(NamedTuple):
    pid: int | None
    tid: int
    owners: list[tuple[str | None, int]]
    """In order: the execution that samples in a row were taken in, and how many they are."""


class SampleClock:
    """Fits the clock of a run's samples to the segments of the executions that they name."""

    def __init__(self, run: RunFolder, manifest: Manifest | None) -> None:
        """Read the order of samples, if the run has any that may be used."""
        self._threads = list(_threads(run)) if manifest is not None and not refused(manifest) else []
        self._period_ns = period_ns(manifest.sampler if manifest else None)
        self._wanted = {span for thread in self._threads for span, _ in thread.owners if span is not None}
        self._segments: dict[str, tuple[int | None, list[tuple[int, int, int]]]] = {}
        self._count = 0

    def watch(self, event: TraceEvent) -> None:
        """Keep when an execution ran, if it was sampled."""
        if event.otel_span_id not in self._wanted or not event.segments or event.otel_span_id is None:
            return
        self._count += len(event.segments)
        if self._count <= MOST_SEGMENTS:
            self._segments[event.otel_span_id] = (event.pid, event.segments)

    def residual_ns(self) -> int | None:
        """Return how far 95 % of the samples that can be checked lie outside their executions at most."""
        placed = (place(thread.owners, self._ran(thread), self._period_ns) for thread in self._threads)
        found = residual(one.residuals_ns for one in placed if one is not None)
        return found.p95_ns if found else None

    def _ran(self, thread: _OfThread) -> _Ran:
        return _Ran(self._segments, thread.pid, thread.tid)


@dataclass(frozen=True, slots=True)
class _Ran:
    """When executions ran on one thread."""

    segments: dict[str, tuple[int | None, list[tuple[int, int, int]]]]
    pid: int | None
    tid: int

    def __call__(self, span: str) -> Sequence[Segment]:
        pid, segments = self.segments.get(span, (None, []))
        # After a fork the child has its parent's executions on its stacks; they say nothing of the child's time.
        if pid != self.pid:
            return ()
        return [(start, end) for start, end, thread in segments if thread == self.tid and 0 <= start <= end < 2**62]


def _threads(run: RunFolder) -> Iterator[_OfThread]:
    if not run.raw_profile.is_file():
        return
    stacks, room = Stacks(), MOST_STRETCHES
    try:
        for (pid, name), samples in groupby(read_profile(run.raw_profile), key=lambda one: (one.pid, one.thread)):
            named = _THREAD.match(name)
            owners: list[tuple[str | None, int]] = []
            ordered = True
            for sample in samples:
                ordered = ordered and sample.ordered
                spans, _ = stacks.own(sample.frames)
                span = spans[-1] if spans else None
                if owners and owners[-1][0] == span:
                    owners[-1] = (span, owners[-1][1] + sample.weight)
                elif room:
                    owners.append((span, sample.weight))
                    room -= 1
            if named is not None and ordered:
                yield _OfThread(pid, int(named[1]), owners)
    except DamObsError:  # what is wrong with the profile is told where stacks are attributed
        return
