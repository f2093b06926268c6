"""
What a change of a system's mean time is made of: on the CPU, awaiting, block I/O, run queue, the rest.

The parts of `TimeSplit` add up to the wall time of an execution, so their changes add up to its
change. The figures are those of the report; how sure they are, single executions say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dam_obs.diagnose.compare.figure import Figure, of_means, told
from dam_obs.diagnose.compare.side import Spread, other_of
from dam_obs.diagnose.report import SystemDiagnosis, TimeSplit
from dam_obs.store.means import Moments

PARTS: Final[Mapping[str, str]] = {
    "on_cpu_ns": "on CPU",
    "awaiting_ns": "awaiting",
    "block_io_ns": "block I/O",
    "run_queue_ns": "run queue",
    "other_ns": "other",
}
"""Parts of the split, as they are called."""

WALL: Final = "wall_ns"


def time_parts(
    before: tuple[SystemDiagnosis, Spread | None], after: tuple[SystemDiagnosis, Spread | None], level: float
) -> tuple[Figure, tuple[Figure, ...]]:
    """
    Compare where an execution's time went.

    Returns:
        The mean time of an execution, and its parts; those that neither run measured are left out.
    """
    scale = max(_mean(before[0].time, WALL) or 0.0, _mean(after[0].time, WALL) or 0.0)
    whole = _part(WALL, "mean", before, after, level, scale)
    parts = [_part(name, called, before, after, level, scale) for name, called in PARTS.items()]
    parts += _told("awaiting", before[0], before[0].time.awaiting, after[0], after[0].time.awaiting, scale)
    parts += _told("other", before[0], before[0].time.causes, after[0], after[0].time.causes, scale)
    return whole, tuple(part for part in parts if part.before is not None or part.after is not None)


def _part(
    name: str,
    called: str,
    before: tuple[SystemDiagnosis, Spread | None],
    after: tuple[SystemDiagnosis, Spread | None],
    level: float,
    scale: float,
) -> Figure:
    means = [_mean(system.time, name) for system, _ in (before, after)]
    spreads = [_moments(name, spread, mean) for (_, spread), mean in zip((before, after), means, strict=True)]
    if spreads[0] is None or spreads[1] is None:
        return told(called, "ns", means[0], means[1], scale)
    return of_means(called, "ns", spreads[0], spreads[1], level, scale)


def _mean(split: TimeSplit, name: str) -> float | None:
    total: int | None = getattr(split, name)
    return None if total is None or not split.measured else total / split.measured


def _told(
    of: str,
    before: SystemDiagnosis,
    first: Mapping[Any, int] | None,
    after: SystemDiagnosis,
    second: Mapping[Any, int] | None,
    scale: float,
) -> list[Figure]:
    """Tell what a part is made of itself, for which there are sums alone."""
    names = sorted(map(str, {*(first or {}), *(second or {})}))
    return [
        told(f"{of}: {name}", "ns", _share(before, first, name), _share(after, second, name), scale) for name in names
    ]


def _share(system: SystemDiagnosis, totals: Mapping[Any, int] | None, name: str) -> float | None:
    if totals is None or not system.time.measured:
        return None
    return totals.get(name, 0) / system.time.measured


def _moments(name: str, spread: Spread | None, mean: float | None) -> Moments | None:
    """Return the report's mean with the spread that executions show; `None` where there is none."""
    if spread is None or mean is None:
        return None
    found = other_of(spread) if name == "other_ns" else spread.parts.get(name)
    return None if found is None else Moments(found.count, mean, found.squares)
