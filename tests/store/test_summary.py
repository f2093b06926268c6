"""Summing up the newest events of a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dam_obs.store.recall import Recall
from dam_obs.store.summary import Durations, LayerSummary, TraceSummary, summarise
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


def sum_up(events: Sequence[TraceEvent], **options: Any) -> TraceSummary:
    return summarise(Recall(lambda: iter(events), held_events=2), **({"last": 1000, "slowest": 10} | options))


def test_a_layer_in_numbers(event: MakeEvent) -> None:
    """Counts by status, the average, and quantiles that occurred."""
    times = [1_000_000, 2_000_000, 3_000_000, 100_000_000]
    statuses = ["success", "error", "blocked", "error"]
    events = [
        event(f"alt_1_{n}", duration_ns=ns, status=status)
        for n, (ns, status) in enumerate(zip(times, statuses, strict=True))
    ]

    assert sum_up(events).layers == (
        LayerSummary(
            layer="altitude",
            operations=4,
            by_status={"success": 1, "error": 2, "blocked": 1},
            durations=Durations(mean_ns=26_500_000, p50_ns=2_000_000, p95_ns=100_000_000, max_ns=100_000_000),
        ),
    )


def test_moments_count_and_have_no_duration(event: MakeEvent) -> None:
    """They would pull an average down that is about spans."""
    events = [
        event("alt_1_a", duration_ns=8_000_000),
        event("alt_1_b", duration_ms=0, kind="event", status="error"),
        event("foc_1_c", hrm_layer="focus", duration_ms=0, kind="event"),
    ]
    summary = sum_up(events)
    altitude, focus = summary.layers

    assert (altitude.operations, altitude.by_status["error"]) == (2, 1)
    assert altitude.durations == Durations(mean_ns=8_000_000, p50_ns=8_000_000, p95_ns=8_000_000, max_ns=8_000_000)
    assert (focus.operations, focus.durations) == (1, None)
    assert summary.slowest == (events[0],)


def test_milliseconds_serve_where_there_is_nothing_finer(event: MakeEvent) -> None:
    """As in a file that has the seed's fields alone; what cannot be a duration does no harm."""
    events = [event("alt_1_a", duration_ms=5), event("alt_1_b", duration_ms=-3), event("alt_1_c", duration_ms=10**17)]
    (layer,) = sum_up(events).layers

    assert layer.durations is not None
    assert (layer.durations.p50_ns, layer.durations.max_ns) == (5_000_000, 2**63 - 1)


def test_layers_come_in_their_order_then_those_of_plugins(event: MakeEvent) -> None:
    """However they stand in the trace; those that do not occur are left out."""
    names = ["zeta", "system", "memory", "billing", "focus", "altitude", "learning", "reasoning"]
    events = [event(f"sys_1_{name}", hrm_layer=name) for name in names]

    assert [layer.layer for layer in sum_up(events).layers] == [
        "altitude", "focus", "reasoning", "learning", "memory", "system", "billing", "zeta",
    ]  # fmt: skip


@pytest.mark.parametrize("last", [1, 2, 3, 4, 7, 10, 11])
def test_only_the_newest_count(event: MakeEvent, last: int) -> None:
    """In the sums and among the slowest; a layer with older events alone is left out."""
    events = [event("foc_1_x", hrm_layer="focus", duration_ns=999_000_000)]
    events += [event(f"alt_1_{n}", duration_ns=n * 1_000_000) for n in range(9)]
    summary = sum_up(events, last=last)

    assert (summary.read, summary.events) == (10, min(last, 10))
    assert {layer.layer: layer.operations for layer in summary.layers} == (
        {"altitude": last} if last < 10 else {"altitude": 9, "focus": 1}
    )
    slow_first = sorted(events[-last:], key=lambda each: each.duration_ns or 0, reverse=True)
    assert list(summary.slowest) == slow_first[:10]


def test_of_equally_slow_ones_the_older_comes_first(event: MakeEvent) -> None:
    """And no more than were asked for."""
    events = [
        event("a", duration_ms=1),
        event("b", duration_ms=7),
        event("c", duration_ms=9),
        event("d", duration_ms=7),
    ]

    assert [each.trace_id for each in sum_up(events, slowest=3).slowest] == ["c", "b", "d"]
    assert sum_up(events, slowest=0).slowest == ()


def test_an_empty_trace_comes_to_nothing() -> None:
    """No layer, no slowest."""
    assert sum_up([]) == TraceSummary(read=0, events=0, layers=(), slowest=())
