"""How often the sampler is to look: the controller alone, told of programs that never were."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.sample.rate import BUDGET, MOST_CHANGES, SAVED_S, Look, Pace, ladder

Cost = Callable[[float], float]
"""What a sampler takes of a CPU, by its rate."""


def cheap(rate_hz: float) -> float:
    """Cost well within the budget."""
    return 0.005 + rate_hz * 0.5e-4


def dear(rate_hz: float) -> float:
    """Ten times the budget at 100 Hz, of which a tenth stays at any rate."""
    return 0.01 + rate_hz * 19e-4


def told(
    pace: Pace, seconds: float, *, active: bool = True, cost: Cost = cheap, late: int = 0, every_s: float = 0.5
) -> list[float]:
    """Tell `pace` of so many seconds, and return what it answered."""
    return [
        pace.look(Look(wall_s=every_s, sampler_cpu_s=cost(pace.rate_hz) * every_s, late=late, active=active))
        for _ in range(round(seconds / every_s))
    ]


def whys(pace: Pace) -> list[tuple[float, float, str]]:
    """Return the changes without their times."""
    return [(change.from_hz, change.to_hz, change.why.split(":")[0]) for change in pace.changes]


@pytest.mark.parametrize(
    ("asked", "rates"),
    [
        (100, {100: 1, 50: 2, 25: 4, 20: 5, 10: 10, 5: 20, 4: 25, 2: 50}),
        (200, {200: 1, 100: 2, 50: 4, 40: 5, 25: 8, 20: 10, 10: 20, 8: 25, 5: 40, 4: 50, 2: 100}),
        (33, {33: 1, 11: 3, 3: 11}),
        (2, {2: 1}),
        (1, {1: 1}),
        (1.4, {1: 1}),
    ],
)
def test_rates_are_whole_parts_of_the_one_asked_for(asked: float, rates: dict[float, int]) -> None:
    """So samples of different rates are added up without rounding."""
    assert ladder(asked) == rates


@given(st.integers(1, 1000))
def test_a_look_stands_for_a_whole_number_of_looks(asked: int) -> None:
    """Off by 3 % at most, and by nothing where the rate asked for ends in 0; rates go down."""
    rates = ladder(asked)

    assert list(rates) == sorted(rates, reverse=True)
    assert all(abs(rate * number - asked) <= (0 if asked % 10 == 0 else 0.03 * asked) for rate, number in rates.items())


class TestAProgramWithinTheBudget:
    """What the sampler takes is no matter."""

    def test_it_is_looked_at_as_often_as_asked_for(self) -> None:
        """For an hour of work."""
        pace = Pace(100)

        assert set(told(pace, 3600)) == {100.0}
        assert pace.changes == []

    def test_an_idle_one_is_looked_at_less_often_in_steps(self) -> None:
        """Each takes as long as the first; it is never left alone."""
        pace = Pace(100)
        told(pace, 60, active=False)

        assert whys(pace) == [(100, 50, "idle"), (50, 25, "idle"), (25, 10, "idle")]
        assert [change.at_s for change in pace.changes] == [10, 20, 30]

    @pytest.mark.parametrize("idle_s", [11, 25, 45, 3600])
    def test_one_that_wakes_up_is_looked_at_in_full_at_once(self, idle_s: float) -> None:
        """At the next look, however long it slept."""
        pace = Pace(100)
        told(pace, idle_s, active=False)

        assert pace.rate_hz < 100
        assert told(pace, 0.5) == [100.0]
        assert pace.changes[-1].why == "active again"

    def test_one_that_keeps_waking_up_is_waited_for_longer(self) -> None:
        """Eleven seconds of sleep and one of work again and again change the rate twice, not all the time."""
        pace = Pace(100)
        for _ in range(50):
            told(pace, 11, active=False)
            told(pace, 1)

        assert len(pace.changes) == 2

    def test_idle_is_no_reason_to_look_more_often(self) -> None:
        """Less than 10 Hz were asked for."""
        pace = Pace(5)

        assert set(told(pace, 600, active=False)) == {5.0}


class TestAProgramThatIsDear:
    """It has many threads, or the machine many processes."""

    def test_a_short_run_is_looked_at_in_full(self) -> None:
        """What is saved up at the beginning is for that."""
        assert set(told(Pace(100), 5, cost=dear)) == {100.0}

    def test_the_rate_falls_until_it_is_within_the_budget_and_stays(self) -> None:
        """In a few steps, without going up and down."""
        pace = Pace(100)
        told(pace, 300, cost=dear)
        before = list(pace.changes)
        told(pace, 3600, cost=dear)

        assert dear(pace.rate_hz) <= BUDGET
        assert len(before) <= 3
        assert pace.changes == before
        assert {why for _, _, why in whys(pace)} == {"over the budget"}

    def test_it_goes_up_a_step_at_a_time_when_it_has_become_cheap(self) -> None:
        """Half a minute or more lies between two of them."""
        pace = Pace(100)
        told(pace, 300, cost=dear)
        low = pace.rate_hz
        told(pace, 1200, cost=cheap)
        up = [change for change in pace.changes if change.why == "within the budget"]

        assert (low, pace.rate_hz) == (2.0, 100.0)
        assert [change.to_hz for change in up] == [4.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0]
        assert all(later.at_s - one.at_s >= 30 for one, later in pairwise(up))

    def test_what_an_idle_time_has_saved_is_spent_when_it_wakes_up(self) -> None:
        """In full, until that is gone."""
        pace = Pace(100)
        told(pace, 300, cost=dear)
        told(pace, 600, cost=lambda _: 0.001, active=False)

        assert told(pace, 5, cost=dear) == [100.0] * 10
        assert told(pace, 60, cost=dear)[-1] <= 10

    def test_at_the_lowest_rate_nothing_more_can_be_done(self) -> None:
        """It is not stopped, and there is no change without end."""
        pace = Pace(100)
        told(pace, 3600, cost=lambda rate_hz: rate_hz * 0.02)

        assert pace.rate_hz == 2.0
        assert len(pace.changes) <= 4

    def test_what_costs_the_same_at_any_rate_is_no_reason_to_look_less_often(self) -> None:
        """It is tried, and seen not to help; looks alone are within the budget."""
        pace = Pace(100)
        told(pace, 3600, cost=lambda rate_hz: 0.05 + rate_hz * 1e-4)

        assert whys(pace) == [(100, 25, "over the budget"), (25, 100, "more looks cost little")]

    def test_an_idle_one_is_looked_at_less_often_all_the_same(self) -> None:
        """Though that brings it nowhere near the budget; and in full when it wakes up."""
        pace = Pace(100)
        told(pace, 600, cost=lambda rate_hz: 0.05 + rate_hz * 1e-4)
        told(pace, 600, cost=lambda rate_hz: 0.05 + rate_hz * 1e-4, active=False)

        assert pace.rate_hz == 10.0
        assert told(pace, 0.5) == [100.0]

    def test_looks_are_held_within_the_budget_where_all_the_rest_is_not(self) -> None:
        """The search for processes takes five per cent, each look at 100 Hz another four."""
        pace = Pace(100)
        told(pace, 3600, cost=lambda rate_hz: 0.05 + rate_hz * 4e-4)

        assert pace.rate_hz == 25.0
        assert len(pace.changes) <= 3

    def test_what_was_seen_of_another_time_tells_nothing(self) -> None:
        """A program that has got many threads since must not be looked at more often for it."""
        pace = Pace(100)
        told(pace, 200, cost=lambda rate_hz: rate_hz * 3e-4)
        before = pace.rate_hz
        rates = told(pace, 600, cost=lambda rate_hz: rate_hz * 20e-4)

        assert before == 50.0
        assert max(rates) == 50.0
        assert rates[-1] <= 5


class TestTheSearchForProcesses:
    """It is dropped where there is nothing to be found, if that helps."""

    @staticmethod
    def told(pace: Pace, seconds: float, *, alone: bool, search: float = 0.015) -> list[bool]:
        """Tell `pace` of so many seconds with one process or several, and return whether it searched."""
        said = []
        for _ in range(round(seconds * 2)):
            cost = pace.rate_hz * 1e-4 + (search if pace.searching else 0)
            pace.look(Look(wall_s=0.5, sampler_cpu_s=cost * 0.5, alone=alone))
            said.append(pace.searching)
        return said

    def test_within_the_budget_it_stays(self) -> None:
        """A child that comes is found at once then."""
        assert all(self.told(Pace(100), 3600, alone=True, search=0.005))

    def test_it_goes_before_the_rate_does(self) -> None:
        """The rate stays what was asked for."""
        pace = Pace(100)
        said = self.told(pace, 3600, alone=True)

        assert (said[0], said[-1]) == (True, False)
        assert pace.changes == []

    def test_it_is_taken_up_again_at_once_for_another_process(self) -> None:
        """And is dropped again only after twice as long."""
        pace = Pace(100)
        self.told(pace, 600, alone=True)

        assert self.told(pace, 1, alone=False) == [True, True]
        pace.searching = True
        assert all(self.told(pace, 55, alone=True))

    def test_where_there_are_several_processes_it_stays(self) -> None:
        """Then it is the rate that goes down."""
        pace = Pace(100)

        assert all(self.told(pace, 3600, alone=False))
        assert pace.rate_hz < 100


class TestASamplerThatIsBehind:
    """It says so itself."""

    def test_the_rate_falls_at_once_to_a_half_or_less(self) -> None:
        """At the very look at which it is told."""
        pace = Pace(100)
        told(pace, 20)

        assert told(pace, 0.5, late=3) == [50.0]
        assert whys(pace) == [(100, 50, "the sampler was behind")]

    def test_it_is_tried_again_later_and_later(self) -> None:
        """One that can never keep up at 100 Hz is not driven up and down all the time."""
        pace = Pace(100)
        for _ in range(2 * 3600):
            told(pace, 0.5, late=1 if pace.rate_hz > 50 else 0)

        assert len(pace.changes) <= 14

    def test_one_that_has_just_begun_is_forgiven(self) -> None:
        """It reads symbols."""
        assert told(Pace(100), 0.5, late=2) == [100.0]


# -- laws

LOOKS = st.builds(
    Look,
    wall_s=st.floats(0.0, 20.0),
    sampler_cpu_s=st.floats(0.0, 5.0),
    late=st.integers(0, 3),
    active=st.booleans(),
)


@given(most=st.floats(1, 1000), budget=st.floats(0.0001, 1.0), looks=st.lists(LOOKS, max_size=60))
def test_the_rate_is_always_one_of_the_ladder(most: float, budget: float, looks: list[Look]) -> None:
    """Whatever is told; each change says from where to where, and why."""
    pace = Pace(most, budget)
    rates = [pace.rate_hz, *(pace.look(one) for one in looks)]

    assert set(rates) <= set(ladder(most))
    moved = [(one, later) for one, later in pairwise(rates) if one != later]
    assert [(change.from_hz, change.to_hz) for change in pace.changes] == moved[:MOST_CHANGES]
    assert all(change.why for change in pace.changes)


@given(
    base=st.floats(0, 0.015),
    each=st.floats(1e-6, 1e-2),
    activity=st.lists(st.tuples(st.booleans(), st.integers(1, 200)), min_size=1, max_size=12),
)
def test_the_sampler_takes_the_budget_and_no_more(base: float, each: float, activity: list[tuple[bool, int]]) -> None:
    """
    Where the lowest rate is within it.

    Beyond the budget of all the time goes only what was saved up at the beginning, and what a rate takes
    until it is known to be too high.
    """
    pace = Pace(100)

    def cost(rate_hz: float) -> float:
        return base + each * rate_hz

    taken = seconds = 0.0
    for active, looks in activity:
        for _ in range(looks):
            taken += cost(pace.rate_hz)
            seconds += 1
            pace.look(Look(wall_s=1.0, sampler_cpu_s=cost(pace.rate_hz), active=active))
    if cost(2.0) <= 0.85 * BUDGET:
        until_known = 24 * cost(100.0)
        assert taken <= BUDGET * (seconds + SAVED_S) + until_known


PUNCTUAL = st.builds(Look, wall_s=st.floats(0.0, 20.0), sampler_cpu_s=st.floats(0.0, 5.0), active=st.booleans())


@given(st.lists(PUNCTUAL, max_size=20), st.floats(1, 1000))
def test_after_an_idle_time_the_next_look_is_in_full(looks: list[Look], most: float) -> None:
    """Whatever was before, if the sampler keeps up."""
    pace = Pace(most)
    for one in looks:
        pace.look(one)
    told(pace, 600, active=False, cost=lambda _: 0.0, every_s=10.0)

    assert told(pace, 0.5, cost=lambda _: 0.0) == [next(iter(ladder(most)))]


@given(st.floats(0.021, 3.0), st.floats(0.1, 5.0))
def test_above_the_budget_the_rate_falls_within_so_many_steps(share: float, every_s: float) -> None:
    """As soon as the account is empty, and it has been seen for ten seconds what it costs."""
    pace = Pace(100)
    empty_s = BUDGET * SAVED_S / (share - BUDGET)
    steps = int(max(empty_s, 12) / every_s) + 3
    rates = told(pace, steps * every_s, cost=lambda _: share, every_s=every_s)

    assert min(rates) < 100
