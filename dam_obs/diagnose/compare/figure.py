"""
One quantity in two runs, and how far its change can be trusted.

A change has an interval where the evidence has a spread: single executions, or counts. Sums
alone, as in a ``report.json`` without its run folder, are told and not judged. Of many changes
some look large by chance, so what is said to have risen or fallen stands after Benjamini and
Hochberg's correction among all figures of a comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from dam_obs.store.intervals import RateChange, discoveries, rate_change
from dam_obs.store.means import MeanChange, Moments, mean_change
from dam_obs.store.populations import FEWEST_SPANS, NEGLIGIBLE

Unit = Literal["ns", "bytes", "share", "per_second"]

Verdict = Literal["rose", "fell", "same", "too_few", "untested"]
"""
``same`` says that no change was found and that one of half the scale would have been, or that it
is surely less than a hundredth; ``too_few`` that more evidence would be needed to say
anything; ``untested`` that the evidence has no spread, or that a side was not measured.
"""

SEEN_SHARE: Final = 0.5
"""An interval that reaches beyond this share of the scale says too little to call two figures the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One quantity in two runs."""

    name: str
    unit: Unit
    before: float | None
    """`None`: not measured, or the system is not in that run."""
    after: float | None
    change: float | None
    """After less before."""
    low: float | None
    """Of the interval of the change; `None` where it was not tested."""
    high: float | None
    p: float | None
    """The chance to see as much of a change where there is none; not corrected for many comparisons."""
    scale: float
    """What a change is large or small against: a system's mean time, the larger of two amounts, 1 of a share."""
    verdict: Verdict = "untested"

    @property
    def changed(self) -> bool:
        """Tell whether it surely changed."""
        return self.verdict in ("rose", "fell")


def told(name: str, unit: Unit, before: float | None, after: float | None, scale: float | None = None) -> Figure:
    """Return a figure without a test."""
    return _figure(name, unit, before, after, None, scale)


def of_means(name: str, unit: Unit, before: Moments, after: Moments, level: float, scale: float | None) -> Figure:
    """Return a figure that is the mean over executions."""
    if min(before.count, after.count) < 1:
        return told(name, unit, before.mean if before.count else None, after.mean if after.count else None, scale)
    change = mean_change(before, after, level) if min(before.count, after.count) >= FEWEST_SPANS else None
    figure = _figure(name, unit, before.mean, after.mean, change, scale)
    return figure if change is not None else replace(figure, verdict="too_few")


def of_counts(name: str, before: tuple[int, int], after: tuple[int, int], level: float) -> Figure:
    """Return a figure that is a share: how many of how many, before and after."""
    if not before[1] or not after[1]:
        shares = [hits / of if of else None for hits, of in (before, after)]
        return told(name, "share", shares[0], shares[1], 1.0)
    change = rate_change(before, after, level)
    figure = _figure(name, "share", before[0] / before[1], after[0] / after[1], change, 1.0)
    return figure if min(before[1], after[1]) >= FEWEST_SPANS else replace(figure, verdict="too_few", p=None)


def _figure(
    name: str,
    unit: Unit,
    before: float | None,
    after: float | None,
    change: MeanChange | RateChange | None,
    scale: float | None,
) -> Figure:
    return Figure(
        name=name,
        unit=unit,
        before=before,
        after=after,
        change=None if before is None or after is None else after - before,
        low=change.low if change else None,
        high=change.high if change else None,
        p=change.p if change else None,
        scale=max(before or 0.0, after or 0.0) if scale is None else scale,
    )


def judged(figures: Sequence[Sequence[Figure]], level: float) -> list[list[Figure]]:
    """
    Give verdicts to figures, to all of them together.

    Args:
        figures: By system, or however they are grouped; they come back so.
        level: Of the intervals; of what is said to have changed a share of 1 - `level` is expected not to have.
    """
    tested = [figure.p for group in figures for figure in group if figure.p is not None]
    believed = iter(discoveries(tested, 1 - level))
    return [
        [
            figure if figure.p is None else replace(figure, verdict=_verdict(figure, discovered=next(believed)))
            for figure in group
        ]
        for group in figures
    ]


def _verdict(figure: Figure, *, discovered: bool) -> Verdict:
    low, high = figure.low or 0.0, figure.high or 0.0
    reach = max(abs(low), abs(high))
    if reach <= NEGLIGIBLE * figure.scale:
        return "same"
    if discovered:
        return "rose" if (figure.change or 0) > 0 else "fell"
    return "same" if low <= 0 <= high and reach <= SEEN_SHARE * figure.scale else "too_few"
