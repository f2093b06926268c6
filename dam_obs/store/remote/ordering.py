"""
Spans in the order in which they ended, as a trace on disk has them: what is below another comes before it.

Backends are asked by when spans began. What is still open at the end of a slice of time is held back until all
that ended before it has come: as many spans as were in flight at one moment, and not the whole of the time.

The wall clock is read once for each span, so that by it a child may have ended after its parent, by as much as
lay between two readings. Where spans carry the monotonic clock, one offset for each machine is added to that.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

from dam_obs.store.otlp import OtlpSpan
from dam_obs.trace.identity import MOUNTS

MOST_HELD: Final = 200_000
"""Where more are in flight, the first of them come early."""

SLACK_NS: Final = 50_000_000
"""By more than that, the clocks of a machine differ only if one was set: then its offset is taken anew."""

NEVER_NS: Final = 2**63
PAGE_SPANS: Final = 512

Order = tuple[int, int, str]
Item = TypeVar("Item")


class Ends:
    """Says when spans ended; two of one machine are told apart as exactly as its monotonic clock can."""

    def __init__(self) -> None:
        self._offsets: dict[Hashable, int] = {}

    def __call__(self, span: OtlpSpan) -> Order:
        """Return what spans are ordered by: of those that ended together, what began later is below."""
        start_ns, mono_ns = span.start_ns, span.attributes.get("dam.start_mono_ns")
        if isinstance(mono_ns, int):
            start_ns = mono_ns + self._offset(_machine(span), start_ns - mono_ns)
        return start_ns + span.end_ns - span.start_ns, -start_ns, span.span_id

    def _offset(self, machine: Hashable, seen_ns: int) -> int:
        known = self._offsets.setdefault(machine, seen_ns)
        if abs(known - seen_ns) > SLACK_NS:
            known = self._offsets[machine] = seen_ns
        return known


def _machine(span: OtlpSpan) -> Hashable:
    boot, _, _ = str(span.resource.get(MOUNTS, "")).partition(":")
    return boot or (span.resource.get("service.instance.id"), span.resource.get("process.pid"))


def as_they_ended(slices: Iterable[tuple[int, Iterable[OtlpSpan]]], ends: Ends | None = None) -> Iterator[OtlpSpan]:
    """
    Put the spans of slices of time, one after the other, in order.

    Args:
        slices: Each with the time at which it ends, and with the spans that began in it, as they ended by the wall
            clock.
        ends: Says when; the same one for all that is to be merged.
    """
    ends = ends or Ends()
    held: list[tuple[Order, int, OtlpSpan]] = []
    number = 0
    for until_ns, spans in slices:
        for span in spans:
            number += 1  # no two places in the heap are equal, so spans are never compared
            heapq.heappush(held, (ends(span), number, span))
            # Whatever comes later ended no earlier by the wall clock, and so hardly earlier by the other.
            settled_ns = min(span.end_ns, until_ns) - SLACK_NS
            while held[0][0][0] < settled_ns or len(held) > MOST_HELD:
                yield heapq.heappop(held)[2]
        while held and held[0][0][0] < until_ns - SLACK_NS:
            yield heapq.heappop(held)[2]
    while held:
        yield heapq.heappop(held)[2]


def by_wall_clock(span: OtlpSpan) -> tuple[int, int]:
    """Order the spans of a slice."""
    return span.end_ns, -span.start_ns


def in_pages(spans: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield some hundred at a time."""
    spans = iter(spans)
    while page := list(islice(spans, PAGE_SPANS)):
        yield page
