"""
Compare two populations of events group by group: what got slower, what fails more often.

A change of time is the ratio of the medians with a bootstrap interval, a change of a rate
the difference with Newcombe's; `intervals` computes both. Where many groups are compared
at once some look changed by chance, so a verdict is given only to what stands after
Benjamini and Hochberg's correction, made for times, errors and blocked ones each.

Where the groups come from is `by_group`'s business.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from dam_obs.store.intervals import Middle, RateChange, Ratio, discoveries, rate_change, ratio_of_medians

Verdict = Literal["slower", "faster", "same", "too_few", "untimed", "only_before", "only_after"]
"""
Of a group's times.

``same`` says that no change was found and that one by `SEEN_FACTOR` would have been; ``too_few``
that more spans would be needed to say anything; ``untimed`` that one side has moments alone.
"""

FEWEST_SPANS: Final = 8
"""With fewer on either side nothing is said of times."""

SEEN_FACTOR: Final = 2.0
"""An interval that reaches beyond it, up or down, says too little to call two medians the same."""

NEGLIGIBLE: Final = 0.01
"""A change that is certain and surely smaller than this is none: a million spans show any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long the spans of a group took."""

    middle: Middle
    """In nanoseconds; its size is the number of spans."""
    p95_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The events of one population that belong together."""

    events: int
    errors: int
    blocked: int
    times: Times | None
    """`None` where all are moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One group in both populations."""

    name: str
    before: Group | None
    after: Group | None
    time: Ratio | None
    """`None` where one side has too few spans."""
    verdict: Verdict
    errors: RateChange | None
    """`None` where one side is missing."""
    blocked: RateChange | None
    errors_changed: bool = False
    """The change of the rate stands after the correction for many comparisons."""
    blocked_changed: bool = False

    @property
    def changed(self) -> bool:
        """Tell whether anything of it surely changed."""
        return self.verdict in ("slower", "faster") or self.errors_changed or self.blocked_changed


def compare(before: Mapping[str, Group], after: Mapping[str, Group], *, level: float) -> list[Comparison]:
    """
    Compare populations, what changed most first.

    Args:
        before: The groups of the population to compare with, by name.
        after: Those of the population that is compared.
        level: Of the intervals, such as 0.95. Of what is called changed a share of 1 - `level` is expected not to be.
    """
    names = sorted(before.keys() | after.keys())
    found = [_compare_one(name, before.get(name), after.get(name), level) for name in names]
    return sorted(_with_verdicts(found, 1 - level), key=_rank)


def _compare_one(name: str, before: Group | None, after: Group | None, level: float) -> Comparison:
    if before is None or after is None:
        verdict: Verdict = "only_after" if before is None else "only_before"
        return Comparison(name=name, before=before, after=after, time=None, verdict=verdict, errors=None, blocked=None)

    return Comparison(
        name=name,
        before=before,
        after=after,
        time=_ratio(before.times, after.times, level),
        verdict="untimed" if before.times is None or after.times is None else "too_few",
        errors=rate_change((before.errors, before.events), (after.errors, after.events), level),
        blocked=rate_change((before.blocked, before.events), (after.blocked, after.events), level),
    )


def _ratio(before: Times | None, after: Times | None, level: float) -> Ratio | None:
    if before is None or after is None or min(before.middle.size, after.middle.size) < FEWEST_SPANS:
        return None
    return ratio_of_medians(before.middle, after.middle, level)


def _with_verdicts(found: Iterable[Comparison], false_share: float) -> list[Comparison]:
    found = list(found)
    times = _discovered([each.time for each in found], false_share)
    errors = _discovered([each.errors for each in found], false_share)
    blocked = _discovered([each.blocked for each in found], false_share)
    return [
        replace(
            each,
            verdict=each.verdict if each.time is None else _verdict(each.time, changed=times[number]),
            errors_changed=errors[number],
            blocked_changed=blocked[number],
        )
        for number, each in enumerate(found)
    ]


def _discovered(changes: list[Ratio | None] | list[RateChange | None], false_share: float) -> list[bool]:
    asked = [number for number, change in enumerate(changes) if change is not None]
    believed = discoveries([change.p for change in changes if change is not None], false_share)
    stands = dict(zip(asked, believed, strict=True))
    return [stands.get(number, False) for number in range(len(changes))]


def _verdict(time: Ratio, *, changed: bool) -> Verdict:
    if _reaches_no_further(time, 1 + NEGLIGIBLE):
        return "same"
    if changed:
        return "slower" if time.value > 1 else "faster"
    holds_one = time.low <= 1 <= time.high
    return "same" if holds_one and _reaches_no_further(time, SEEN_FACTOR) else "too_few"


def _reaches_no_further(time: Ratio, factor: float) -> bool:
    return 1 / factor <= time.low and time.high <= factor


def _rank(each: Comparison) -> tuple[int, float, int, str]:
    """Order: what surely changed, what is on one side only, what cannot be told, the rest; by size, then by events."""
    order: dict[Verdict, int] = {"only_before": 1, "only_after": 1, "too_few": 2, "same": 3, "untimed": 4}
    events = sum(group.events for group in (each.before, each.after) if group is not None)
    return 0 if each.changed else order[each.verdict], -_size(each), -events, each.name


def _size(each: Comparison) -> float:
    """Return how large a change is: a factor counts by its logarithm, a rate that surely changed by the difference."""
    rates = ((each.errors, each.errors_changed), (each.blocked, each.blocked_changed))
    sizes = [abs(rate.value) for rate, changed in rates if rate is not None and changed]
    if each.time is not None:
        sizes.append(abs(math.log(each.time.value)) if 0 < each.time.value < math.inf else math.inf)
    return max(sizes, default=0.0)
