"""Verdicts on groups of two populations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.intervals import middle_of
from dam_obs.store.populations import FEWEST_SPANS, Group, Times, compare


def group(durations=(), *, errors=0, blocked=0, moments=0):
    durations = np.asarray(durations, dtype=float)
    times = Times(middle=middle_of(durations), p95_ns=int(durations.max())) if len(durations) else None
    return Group(events=len(durations) + moments, errors=errors, blocked=blocked, times=times)


def spans(seed, number=100, factor=1.0, spread=0.4):
    return factor * np.random.default_rng(seed).lognormal(15, spread, number)


def verdict(before, after):
    (found,) = compare({"g": before}, {"g": after}, level=0.95)
    return found.verdict


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (group(spans(1)), group(spans(2, factor=2)), "slower"),
        (group(spans(1)), group(spans(2, factor=0.5)), "faster"),
        (group(spans(1)), group(spans(2)), "same"),
        (group(spans(1, number=50)), group(spans(2, number=50, factor=2)), "slower"),
        (group(spans(1, number=FEWEST_SPANS - 1)), group(spans(2, factor=100)), "too_few"),
        (group(spans(1, number=10, spread=2)), group(spans(2, number=10, spread=2)), "too_few"),
        (group(spans(1, number=10**6)), group(1.002 * spans(1, number=10**6)), "same"),
        (group(moments=5), group(spans(1)), "untimed"),
        (group(moments=5), group(moments=3), "untimed"),
    ],
)
def test_verdict(before, after, expected):
    """On times: a change, none, too few to tell, one too small to matter, no times at all."""
    assert verdict(before, after) == expected


@pytest.mark.parametrize(("before", "after", "expected"), [({}, {"g": 1}, "only_after"), ({"g": 1}, {}, "only_before")])
def test_group_on_one_side_only(before, after, expected):
    """Nothing is compared."""
    sides = [{name: group(spans(1)) for name in side} for side in (before, after)]
    (found,) = compare(*sides, level=0.95)

    assert (found.verdict, found.time, found.errors, found.blocked) == (expected, None, None, None)


@given(st.integers(0, 10**6), st.integers(1, 200), st.floats(0, 3), st.integers(0, 20))
def test_a_population_against_itself_has_no_change(seed, number, spread, failed):
    """Never slower or faster, never another rate; with enough spans it is the same."""
    one = group(spans(seed, number, spread=spread), errors=min(failed, number), blocked=min(failed, number))
    (found,) = compare({"g": one}, {"g": one}, level=0.95)

    assert found.verdict in ("same", "too_few")
    assert not found.changed
    if number >= 50 and spread <= 0.5:
        assert found.verdict == "same"


def test_among_many_groups_chance_alone_changes_nearly_nothing():
    """Of two hundred groups one in twenty would look changed by itself; the one that did change is found."""
    before = {f"g{n}": group(spans(n)) for n in range(200)}
    after = {f"g{n}": group(spans(n + 1000)) for n in range(200)} | {"g7": group(spans(7, factor=1.5))}

    found = compare(before, after, level=0.95)

    assert [each.name for each in found if each.changed][:1] == ["g7"]
    assert sum(each.changed for each in found) <= 3


def test_rates_change_on_their_own():
    """More errors without another duration, with the interval of the difference."""
    before, after = group(spans(1), errors=2), group(spans(1), errors=30, blocked=1)
    (found,) = compare({"g": before}, {"g": after}, level=0.95)

    assert (found.verdict, found.errors_changed, found.blocked_changed) == ("same", True, False)
    assert found.errors is not None
    assert found.errors.value == pytest.approx(0.28)
    assert 0.15 < found.errors.low < 0.28 < found.errors.high < 0.4


def test_what_changed_most_is_first():
    """Then what is on one side only, what cannot be told, what is the same, what has no times; each by size."""
    same = group(spans(1))
    before = {
        "small": same, "large": same, "faster": same, "few": group(spans(1, 3)), "same": same, "b": group(moments=1),
        "a": group(moments=1), "failing": same, "gone": same,
    }  # fmt: skip
    after = {
        "small": group(spans(2, factor=1.4)), "large": group(spans(2, factor=3)), "faster": group(spans(2, factor=0.2)),
        "few": group(spans(1, 3)), "same": same, "b": group(moments=1), "a": group(moments=1),
        "failing": group(spans(1), errors=60), "new": group(spans(1, 7)),
    }  # fmt: skip

    assert [each.name for each in compare(before, after, level=0.95)] == [
        "faster", "large", "failing", "small", "gone", "new", "few", "same", "a", "b",
    ]  # fmt: skip


def test_nothing_to_compare():
    """No groups, no comparisons."""
    assert compare({}, {}, level=0.95) == []
