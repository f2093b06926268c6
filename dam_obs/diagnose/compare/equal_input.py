"""
Whether a system got slower, or was given more to do: durations at equal values of the features.

Each run has a law of what an execution costs (`costs`). Of the executions whose features lie where
both runs have some, each duration is divided by what the two laws, as a geometric mean,
expect of it. What is left has the input taken out of it as well as the laws can, and its medians are
compared like any others. With both runs in the one denominator neither is the norm: the
comparison the other way round is the mirror of this one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, Literal

from dam_obs.diagnose.costs import predict
from dam_obs.diagnose.report import CostModel, Point, SystemDiagnosis
from dam_obs.store.intervals import Ratio, discoveries, middle_of, ratio_of_medians
from dam_obs.store.populations import FEWEST_SPANS, NEGLIGIBLE, SEEN_FACTOR

LawVerdict = Literal["slower", "faster", "same", "too_few", "no_overlap"]
"""``same``: at equal input the times are the same; ``no_overlap``: too few executions had input that both runs saw."""

_LARGEST: Final = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureMix:
    """What a feature was in two runs."""

    feature: str
    before: float | None
    """The median; `None` of a category."""
    after: float | None
    common: tuple[float, float] | None
    """Where both runs have values, and what is compared lies; `None` of a category, and without any."""
    common_categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualInput:
    """Durations of a system at equal input."""

    laws: tuple[str, str]
    """The cost, before and after, in milliseconds."""
    features: tuple[FeatureMix, ...]
    executions: tuple[int, int]
    """Those in the common range, before and after."""
    of: tuple[int, int]
    """Those that the reports show, of which these are part."""
    time: Ratio | None
    verdict: LawVerdict


def at_equal_input(before: SystemDiagnosis, after: SystemDiagnosis, level: float) -> EqualInput | None:
    """Compare a system's durations where both runs had the same input; `None` where no feature explains them."""
    names = list(dict.fromkeys([*before.cost.features, *after.cost.features]))
    if not names:
        return None
    sides = [_usable(system.points, names) for system in (before, after)]
    mixes = [_mix(name, sides[0], sides[1]) for name in names]
    inside = [[point for point in side if all(_is_in(point, mix) for mix in mixes)] for side in sides]
    left = [_without_input(points, before.cost, after.cost) for points in inside]
    enough = min(len(left[0]), len(left[1])) >= FEWEST_SPANS
    time = ratio_of_medians(middle_of(left[0]), middle_of(left[1]), level) if enough else None
    return EqualInput(
        laws=(before.cost.expression, after.cost.expression),
        features=tuple(mixes),
        executions=(len(left[0]), len(left[1])),
        of=(len(sides[0]), len(sides[1])),
        time=time,
        verdict="no_overlap" if time is None else "too_few",
    )


def _usable(points: Sequence[Point], names: Sequence[str]) -> list[Point]:
    """Return what succeeded, as laws are made of it, and has all features, and no number among them that is none."""
    return [
        point
        for point in points
        if point.status == "success"
        and all(name in point.features for name in names)
        and not any(_is_no_number(point.features[name]) for name in names)
    ]


def _is_no_number(value: object) -> bool:
    """Tell whether it is a whole number larger than any float, or not finite."""
    if isinstance(value, int):
        return abs(value) > _LARGEST
    return isinstance(value, float) and not math.isfinite(value)


def _number(point: Point, name: str) -> float | None:
    value = point.features.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _mix(name: str, before: Sequence[Point], after: Sequence[Point]) -> FeatureMix:
    numbers = [[n for n in (_number(point, name) for point in side) if n is not None] for side in (before, after)]
    if len(numbers[0]) < len(before) or len(numbers[1]) < len(after) or not all(numbers):
        seen = [{str(point.features[name]) for point in side} for side in (before, after)]
        return FeatureMix(
            feature=name, before=None, after=None, common=None, common_categories=tuple(sorted(seen[0] & seen[1]))
        )
    low, high = max(map(min, numbers)), min(map(max, numbers))
    return FeatureMix(
        feature=name,
        before=median(numbers[0]),
        after=median(numbers[1]),
        common=(low, high) if low <= high else None,
        common_categories=(),
    )


def _is_in(point: Point, mix: FeatureMix) -> bool:
    if mix.before is None:
        return str(point.features[mix.feature]) in mix.common_categories
    number = _number(point, mix.feature)
    return mix.common is not None and number is not None and mix.common[0] <= number <= mix.common[1]


def _without_input(points: Sequence[Point], *laws: CostModel) -> list[float]:
    return list(_quotients(points, laws))


def _quotients(points: Sequence[Point], laws: Sequence[CostModel]) -> Iterator[float]:
    for point in points:
        expected = [predict(law, point.features) for law in laws]
        logs = [math.log(one) for one in expected if one is not None and 0 < one < math.inf]
        if len(logs) == len(laws):
            # Summed in the order of their size, so that it is the same the other way round.
            yield point.duration_ns / math.exp(math.fsum(sorted(logs)) / len(logs))


def with_verdicts(found: Sequence[EqualInput | None], level: float) -> list[EqualInput | None]:
    """Judge all systems together; what is believed stands after the correction for their number."""
    tested = [one.time.p for one in found if one is not None and one.time is not None]
    believed = iter(discoveries(tested, 1 - level))
    return [
        one if one is None or one.time is None else replace(one, verdict=_verdict(one.time, discovered=next(believed)))
        for one in found
    ]


def _verdict(time: Ratio, *, discovered: bool) -> LawVerdict:
    if _within(time, 1 + NEGLIGIBLE):
        return "same"
    if discovered:
        return "slower" if time.value > 1 else "faster"
    return "same" if time.low <= 1 <= time.high and _within(time, SEEN_FACTOR) else "too_few"


def _within(time: Ratio, factor: float) -> bool:
    return time.low * factor >= 1 and time.high <= factor
