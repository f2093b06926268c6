"""How much of critical paths passes through each system, and which traces are looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dam_obs.diagnose import paths
from dam_obs.diagnose.evidence import SystemKey
from dam_obs.diagnose.paths import TraceSample
from dam_obs.diagnose.report_where import CriticalPath
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


def key(name: str) -> SystemKey:
    return SystemKey("system", "execute", name)


@pytest.fixture
def make(event: MakeEvent) -> Callable[..., list[TraceEvent]]:
    """Make a trace: a root of 100 ns with a child from 10 to 90."""

    def make(number: int) -> list[TraceEvent]:
        common: dict[str, Any] = {"otel_trace_id": f"{number:032x}", "pid": 1}
        root, child = f"{2 * number + 2**60:016x}", f"{2 * number + 1 + 2**60:016x}"
        return [
            event(
                component="child", trace_id=f"sys_1_c{number}", parent_id=f"sys_1_r{number}", otel_span_id=child,
                otel_parent_id=root, start_mono_ns=10, duration_ns=80, **common,
            ),
            event(
                component="root", trace_id=f"sys_1_r{number}", otel_span_id=root, start_mono_ns=0, duration_ns=100,
                **common,
            ),
        ]  # fmt: skip

    return make


def sampled(events: list[TraceEvent]) -> TraceSample:
    sample = TraceSample()
    for each in events:
        sample.add(each)
    return sample


def test_shares_are_of_all_roots(make: Callable[[int], list[TraceEvent]]) -> None:
    """Who was waited for has the time, who waited has what is left."""
    found = sampled(make(1) + make(2)).paths()

    assert found.of(key("child")) == CriticalPath(critical_ns=160, roots_ns=200, share=0.8, traces=2, traces_seen=2)
    assert found.of(key("root")) == CriticalPath(critical_ns=40, roots_ns=200, share=0.2, traces=2, traces_seen=2)


def test_of_many_traces_some_are_kept_whole(
    make: Callable[[int], list[TraceEvent]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded, and no trace is cut: shares stay what they are."""
    monkeypatch.setattr(paths, "MOST_EVENTS", 100)

    found = sampled([event for number in range(1_000) for event in make(number)]).paths().of(key("child"))

    assert found is not None
    assert found.share == 0.8
    assert 10 <= found.traces <= 50
    assert found.traces_seen == 1_000


def test_segments_count_too(make: Callable[[int], list[TraceEvent]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace of few executions that ran in very many steps takes the room of a large one."""
    monkeypatch.setattr(paths, "MOST_EVENTS", 100)
    child, root = make(1)
    root = msgspec.structs.replace(root, segments=[(number, number, 1) for number in range(2_000)])

    assert sampled([child, root]).paths().of(key("root")) is None


def test_trace_that_is_too_large_is_not_looked_at(event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of a trace would call the time of the others nobody's."""
    monkeypatch.setattr(paths, "MOST_EVENTS", 10)
    events = [event(component="x", otel_trace_id="f" * 32, duration_ns=5) for _ in range(50)]

    assert sampled(events).paths().of(key("x")) is None


def test_steps_of_the_host_are_of_the_system_above(make: Callable[[int], list[TraceEvent]]) -> None:
    """A step between two systems is the upper one's time; one above all of them is nobody's."""
    child, root = make(1)
    between = msgspec.structs.replace(child, kind="step")
    above = msgspec.structs.replace(root, kind="step")

    inside, outside = sampled([between, root]).paths(), sampled([child, above]).paths()

    assert [found.of(key("root")).share for found in (inside, outside)] == [1.0, 0.0]  # type: ignore[union-attr]
    assert outside.of(key("child")).share == 0.8  # type: ignore[union-attr]
