"""
Folding: a span that was shorter than its point says is counted on the span around it instead of being recorded.

For what a host does thousands of times within something else, where each one is of no interest. Only the drain thread
folds, so the caller's pays what any span costs and no more, and nothing here is locked. A span is recorded all the
same if it failed or was blocked, if a span below it was recorded, if links or events are on it, if the span around it
has been written already, or if there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dam_obs.trace import roots

if TYPE_CHECKING:
    from dam_obs.trace.span import Span

DATA: Final = "folded"
"""What the counts are called among an event's data."""


class Below:
    """What became of the spans below one that is not written yet."""

    __slots__ = ("has_recorded", "sums")

    def __init__(self) -> None:
        self.has_recorded = False
        self.sums: dict[str, list[int]] = {}
        """Count and nanoseconds by the name of the span."""

    def add(self, name: str, count: int, duration_ns: int) -> None:
        """Count spans of a name."""
        sums = self.sums.setdefault(name, [0, 0])
        sums[0] += count
        sums[1] += duration_ns

    def as_data(self) -> dict[str, Any]:
        """Return the counts as they stand in an event."""
        return {name: {"count": count, "duration_ns": took} for name, (count, took) in sorted(self.sums.items())}


OVER: Final = Below()
"""Of a span that has been written: too late to count anything on it."""


def fold(span: Span) -> bool:
    """Count `span` on the one around it, if that is what becomes of it; else note there that one was recorded."""
    around = span.enclosing
    if around is None:
        return False
    if not span.site.fold_below_ns:
        if around.site.fold_below_ns:  # only such a one is ever asked
            _below(around).has_recorded = True
        return False
    if not _is_foldable(span, around):
        _below(around).has_recorded = True
        return False
    target = _below(around)
    target.add(span.site.name, 1, span.end_ns - span.start_ns)
    if span.below is not None:
        for name, (count, took) in span.below.sums.items():
            target.add(name, count, took)
    span.below = OVER
    span.let_go()
    return True


def _is_foldable(span: Span, around: Span) -> bool:
    return (
        span.end_ns - span.start_ns < span.site.fold_below_ns
        and span.outcome == "success"
        and not (span.below is not None and span.below.has_recorded)
        and around.below is not OVER
        and not (span.links or span.events or roots.starters)
    )


def _below(span: Span) -> Below:
    if span.below is None:
        span.below = Below()
    return span.below
