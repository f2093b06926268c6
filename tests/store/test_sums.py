"""Summing up the newest events of a trace."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam_obs.store.figures import Durations, Figures, Groups, LayerFigures, OverTime, Series, Sums
from dam_obs.store.filter import BadFilter, parse_filter
from dam_obs.store.grouping import grouping
from dam_obs.store.sums import sum_up
from dam_obs.store.table import table_of
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]

BEGIN = datetime(2026, 1, 13, 14, 0, tzinfo=UTC)


def summed(events: Sequence[TraceEvent], *, wanted: str = "", by: str | None = None, **options: Any) -> Sums:
    grouped = None if by is None else grouping(by)
    with table_of(events, "here") as table:
        return sum_up(table, wanted=parse_filter(wanted), by=grouped, **({"last": 1000, "slowest": 10} | options))


def all_took(ns: int, number: int = 1) -> Durations:
    """Durations that are all the same."""
    return Durations(mean_ns=ns, p50_ns=ns, p90_ns=ns, p95_ns=ns, p99_ns=ns, max_ns=ns, total_ns=ns * number)


def test_a_layer_in_numbers(event: MakeEvent) -> None:
    """Counts by status, the average, quantiles that occurred; its operations below it, the heaviest first."""
    times = [1_000_000, 2_000_000, 3_000_000, 100_000_000]
    statuses = ["success", "error", "blocked", "error"]
    events = [
        event(f"alt_1_{n}", duration_ns=ns, status=status, operation="plan" if n == 3 else "transition")
        for n, (ns, status) in enumerate(zip(times, statuses, strict=True))
    ]

    assert summed(events).layers == (
        LayerFigures(
            layer="altitude",
            operations=4,
            by_status={"success": 1, "error": 2, "blocked": 1},
            error_rate=0.5,
            blocked_rate=0.25,
            durations=Durations(
                mean_ns=26_500_000, p50_ns=2_000_000, p90_ns=100_000_000, p95_ns=100_000_000, p99_ns=100_000_000,
                max_ns=100_000_000, total_ns=106_000_000,
            ),
            by_operation=(
                Figures(
                    name="plan", operations=1, by_status={"success": 0, "error": 1, "blocked": 0}, error_rate=1.0,
                    blocked_rate=0.0, durations=all_took(100_000_000),
                ),
                Figures(
                    name="transition", operations=3, by_status={"success": 1, "error": 1, "blocked": 1},
                    error_rate=1 / 3, blocked_rate=1 / 3,
                    durations=Durations(
                        mean_ns=2_000_000, p50_ns=2_000_000, p90_ns=3_000_000, p95_ns=3_000_000, p99_ns=3_000_000,
                        max_ns=3_000_000, total_ns=6_000_000,
                    ),
                ),
            ),
            operations_left_out=0,
        ),
    )  # fmt: skip


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.integers(0, 70), st.integers(0, 2**62), st.just(5_000_000), st.integers(10**9, 10**9 + 10**7)),
        min_size=1,
        max_size=120,
    )
)
def test_quantiles_are_exact_and_occurred(times: list[int]) -> None:
    """The smallest that so many per cent do not exceed, however the durations are spread."""
    events = [
        TraceEvent(
            trace_id=f"alt_1_{n}", parent_id=None, timestamp=BEGIN.isoformat(), hrm_layer="altitude", operation="x",
            component="", input_summary="", output_summary="", duration_ms=0, status="success", metadata={},
            duration_ns=took,
        )
        for n, took in enumerate(times)
    ]  # fmt: skip
    (layer,) = summed(events).layers
    ordered = sorted(times)
    expected = [ordered[math.ceil(len(times) * percent / 100) - 1] for percent in (50, 90, 95, 99)]

    assert layer.durations is not None
    assert [layer.durations.p50_ns, layer.durations.p90_ns, layer.durations.p95_ns, layer.durations.p99_ns] == expected
    assert layer.durations.total_ns == min(sum(times), 2**63 - 1)


def test_moments_count_and_have_no_duration(event: MakeEvent) -> None:
    """They would pull an average down that is about spans."""
    events = [
        event("alt_1_a", duration_ns=8_000_000),
        event("alt_1_b", duration_ms=0, kind="event", status="error"),
        event("foc_1_c", hrm_layer="focus", duration_ms=0, kind="event"),
    ]
    sums = summed(events)
    altitude, focus = sums.layers

    assert (altitude.operations, altitude.by_status["error"]) == (2, 1)
    assert altitude.durations == all_took(8_000_000)
    assert (focus.operations, focus.durations) == (1, None)
    assert sums.slowest == (events[0],)


def test_milliseconds_serve_where_there_is_nothing_finer(event: MakeEvent) -> None:
    """As in a file that has the seed's fields alone; what cannot be a duration does no harm."""
    events = [event("alt_1_a", duration_ms=5), event("alt_1_b", duration_ms=-3), event("alt_1_c", duration_ms=10**17)]
    (layer,) = summed(events).layers

    assert layer.durations is not None
    assert layer.durations.p50_ns == 5_000_000
    assert layer.durations.max_ns // 10**12 == (2**63 - 1) // 10**12


def test_layers_come_in_their_order_then_those_of_plugins(event: MakeEvent) -> None:
    """However they stand in the trace; those that do not occur are left out."""
    names = ["zeta", "system", "memory", "billing", "focus", "altitude", "learning", "reasoning"]
    events = [event(f"sys_1_{name}", hrm_layer=name) for name in names]

    assert [layer.layer for layer in summed(events).layers] == [
        "altitude", "focus", "reasoning", "learning", "memory", "system", "billing", "zeta",
    ]  # fmt: skip


@pytest.mark.parametrize("wanted", ["", "layer:altitude or layer:focus"])
@pytest.mark.parametrize("last", [1, 2, 3, 4, 7, 10, 11])
def test_only_the_newest_count(event: MakeEvent, last: int, wanted: str) -> None:
    """In the sums and among the slowest; a layer with older events alone is left out. Also of those that fit."""
    events = [event("foc_1_x", hrm_layer="focus", duration_ns=999_000_000)]
    events += [event(f"alt_1_{n}", duration_ns=n * 1_000_000) for n in range(9)]
    others = [event(f"mem_1_{n}", hrm_layer="memory") for n in range(5 if wanted else 0)]
    sums = summed(events + others, last=last, wanted=wanted)

    assert (sums.read, sums.fitting, sums.events) == (10 + len(others), 10, min(last, 10))
    assert {layer.layer: layer.operations for layer in sums.layers} == (
        {"altitude": last} if last < 10 else {"altitude": 9, "focus": 1}
    )
    slow_first = sorted(events[-last:], key=lambda each: each.duration_ns or 0, reverse=True)
    assert list(sums.slowest) == slow_first[:10]


def test_of_equally_slow_ones_the_older_comes_first(event: MakeEvent) -> None:
    """And no more than were asked for."""
    events = [
        event("a", duration_ms=1),
        event("b", duration_ms=7),
        event("c", duration_ms=9),
        event("d", duration_ms=7),
    ]

    assert [each.trace_id for each in summed(events, slowest=3).slowest] == ["c", "b", "d"]
    assert summed(events, slowest=0).slowest == ()


def test_groups_by_a_value_among_the_data(event: MakeEvent) -> None:
    """Numbers and texts alike; of a name with a dot both readings; those without it are counted apart."""
    events = [
        event("a", metadata={"size": 5}, duration_ms=1),
        event("b", metadata={"size": "5"}, duration_ms=2),
        event("c", metadata={"size": None}),
        event("d", metadata={"error.type": "X", "error": {"type": "Y"}}, duration_ms=30),
        event("e", metadata={"error": {"type": "Y"}}, duration_ms=40),
    ]
    by_size, by_type = (summed(events, by=by).grouped for by in ("@size", "@data.error.type"))

    assert by_size is not None
    assert [(group.name, group.operations) for group in by_size.groups] == [("5", 2)]
    assert by_size.events_without == 3
    assert by_type is not None
    assert [group.name for group in by_type.groups] == ["Y", "X"]


def test_of_many_groups_the_heaviest_are_given(event: MakeEvent) -> None:
    """The others are counted and have no series."""
    events = [event(f"alt_1_{n}", component=f"c{n % 7}", duration_ms=n % 7) for n in range(14)]
    sums = summed(events, by="component", most_groups=2)

    assert sums.grouped == Groups(
        by="component",
        groups=tuple(
            Figures(
                name=f"c{n}", operations=2, by_status={"success": 2, "error": 0, "blocked": 0}, error_rate=0.0,
                blocked_rate=0.0, durations=all_took(n * 1_000_000, 2),
            )
            for n in (6, 5)
        ),
        groups_left_out=5,
        events_without=0,
    )  # fmt: skip
    assert sums.over_time is not None
    assert [series.name for series in sums.over_time.series] == ["c6", "c5"]


def test_time_is_divided_evenly(event: MakeEvent) -> None:
    """From the first to the last start; each event is in one bucket."""
    at_and_took = [(0, 1), (0, 9), (4, 2), (5, 3), (9, 7)]
    events = [
        event(f"alt_1_{n}", timestamp=(BEGIN + timedelta(seconds=at)).isoformat(), duration_ms=took)
        for n, (at, took) in enumerate(at_and_took)
    ]
    events.append(
        event("foc_1_x", hrm_layer="focus", timestamp=(BEGIN + timedelta(seconds=9)).isoformat(), kind="event")
    )
    over_time = summed(events, buckets=3).over_time

    assert over_time == OverTime(
        first_ns=int(BEGIN.timestamp()) * 10**9,
        bucket_ns=3_000_000_001,
        buckets=3,
        by="layer",
        series=(
            Series(name="altitude", operations=(2, 2, 1), p95_ns=(9_000_000, 3_000_000, 7_000_000)),
            Series(name="focus", operations=(0, 0, 1), p95_ns=(None, None, None)),
        ),
    )


@pytest.mark.parametrize(("apart_us", "buckets"), [(0, 1), (1, 24), (10**15, 24)])
def test_any_span_of_time_can_be_divided(event: MakeEvent, apart_us: int, buckets: int) -> None:
    """Nothing, a microsecond, thirty years."""
    events = [event(f"alt_1_{n}", timestamp=(BEGIN + timedelta(microseconds=n * apart_us)).isoformat()) for n in (0, 1)]
    over_time = summed(events).over_time

    assert over_time is not None
    assert (over_time.buckets, sum(over_time.series[0].operations)) == (buckets, 2)


def test_an_unknown_layer_is_refused_unless_the_trace_has_it(event: MakeEvent) -> None:
    """An empty trace refuses none."""
    events = [event("bil_1_a", hrm_layer="billing")]

    assert summed(events, wanted="layer:bil").events == 1
    with pytest.raises(BadFilter, match="unknown layer 'bill': did you mean bil"):
        summed(events, wanted="layer:bill")
    assert summed([], wanted="layer:bill").events == 0


def test_an_empty_trace_comes_to_nothing() -> None:
    """No layer, no slowest, no time."""
    assert summed([]) == Sums(
        read=0, fitting=0, events=0, layers=(), grouped=None, over_time=None, slowest=()
    )  # fmt: skip
