"""Populations summed up in SQL, against the same done by hand."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam_obs.store.by_group import MOST_GROUPS, OPERATIONS, TooManyGroups, population
from dam_obs.store.filter import BadFilter, parse_filter
from dam_obs.store.grouping import grouping
from dam_obs.store.intervals import middle_of
from dam_obs.store.populations import Group, Times, compare
from dam_obs.store.table import table_of
from dam_obs.trace.events import TraceEvent

EVERYTHING = parse_filter("")


def made(number, layer="altitude", operation="plan", status="success", duration_ns=1_000_000, kind="span", **metadata):
    return TraceEvent(
        trace_id=f"alt_1_{number}", parent_id=None, timestamp="2026-01-13T14:00:00+00:00", hrm_layer=layer,
        operation=operation, component=f"{layer}.py", input_summary="", output_summary="", duration_ms=0,
        status=status, metadata=metadata, duration_ns=None if kind == "event" else duration_ns, kind=kind,
    )  # fmt: skip


events = st.lists(
    st.builds(
        made,
        number=st.integers(0, 99),
        layer=st.sampled_from(["altitude", "focus"]),
        operation=st.sampled_from(["plan", "route", "a.b", "ä'\"; drop table events"]),
        status=st.sampled_from(["success", "error", "blocked"]),
        duration_ns=st.integers(0, 10**13),
        kind=st.sampled_from(["span", "event", "step"]),
    ),
    min_size=1,
    max_size=120,
)


def by_hand(chosen):
    """The groups that a plain walk over the events comes to."""
    together = defaultdict(list)
    for event in chosen:
        together[f"{event.hrm_layer}.{event.operation}"].append(event)
    found = {}
    for name, members in together.items():
        took = [event.duration_ns for event in members if event.kind != "event"]
        found[name] = (
            len(members),
            sum(event.status == "error" for event in members),
            sum(event.status == "blocked" for event in members),
            None if not took else (len(took), np.median(took), int(np.quantile(took, 0.95, method="inverted_cdf"))),
        )
    return found


def plain(groups):
    return {
        name: (
            group.events,
            group.errors,
            group.blocked,
            None if group.times is None else (group.times.middle.size, group.times.middle.median, group.times.p95_ns),
        )
        for name, group in groups.items()
    }


@settings(max_examples=40, deadline=None)
@given(events)
def test_groups_are_what_a_walk_over_the_events_comes_to(chosen):
    """Counts, medians and quantiles, exactly; names are data and nothing else."""
    with table_of(chosen, "made") as table:
        assert plain(population(table, OPERATIONS, wanted=EVERYTHING).groups) == by_hand(chosen)


def test_large_group_brings_the_values_around_its_median():
    """Enough of them for what is computed of all, and no more."""
    took = np.random.default_rng(2).lognormal(15, 1, 30_000).astype(np.int64)
    with table_of([made(n, duration_ns=int(each)) for n, each in enumerate(took)], "made") as table:
        group = population(table, OPERATIONS, wanted=EVERYTHING).groups["altitude.plan"]

    assert group.times is not None
    assert len(group.times.middle.values) < 1_300
    whole = Group(events=30_000, errors=0, blocked=0, times=Times(middle=middle_of(took), p95_ns=0))
    (found,) = compare({"g": group}, {"g": whole}, level=0.95)
    assert found.time is not None
    assert (found.time.value, found.time.p) == (1.0, 1.0)
    assert found.time.low * found.time.high == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(
    ("newest", "skipped", "expected"), [(3, 0, [7, 8, 9]), (3, 3, [4, 5, 6]), (3, 8, [0, 1]), (3, 10, [])]
)
def test_newest_of_those_that_fit(newest, skipped, expected):
    """By their order in the trace, and before them as many again."""
    chosen = [each for n in range(10) for each in (made(n, turn=n), made(n, operation="route"))]
    with table_of(chosen, "made") as table:
        found = population(
            table, grouping("@turn"), wanted=parse_filter("operation:plan"), newest=newest, skip_newest=skipped
        )

    assert sorted(found.groups) == [str(each) for each in expected]
    assert found.events == len(expected)


@pytest.mark.parametrize(
    ("by", "expected", "without"),
    [
        ("layer", {"altitude": 2, "focus": 1}, 0),
        ("operation", {"plan": 2, "route": 1}, 0),
        ("component", {"altitude.py": 2, "focus.py": 1}, 0),
        ("@data.tier", {"cold": 1, "5": 1}, 1),
        ("@tier", {"cold": 1, "5": 1}, 1),
        ("@plan.step", {"one": 1}, 2),
    ],
)
def test_grouping(by, expected, without):
    """By a column or a value among the data; events without one are counted."""
    chosen = [made(0, tier="cold"), made(1, tier=5, plan={"step": "one"}), made(2, layer="focus", operation="route")]
    with table_of(chosen, "made") as table:
        found = population(table, grouping(by), wanted=EVERYTHING)

    assert ({name: group.events for name, group in found.groups.items()}, found.without_group) == (expected, without)


def test_too_many_groups_are_refused():
    """By something that is different for each event."""
    chosen = [made(n, turn=n) for n in range(MOST_GROUPS + 200)]
    with table_of(chosen, "made") as table, pytest.raises(TooManyGroups, match="@turn splits the events into"):
        population(table, grouping("@turn"), wanted=EVERYTHING)


def test_unknown_layer_is_refused():
    """One that neither dam-obs nor the trace knows."""
    with table_of([made(0)], "made") as table, pytest.raises(BadFilter, match="did you mean focus"):
        population(table, OPERATIONS, wanted=parse_filter("layer:fcus"))
