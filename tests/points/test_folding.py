"""Short steps are counted on the span around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs import tracer
from dam_obs.points.attach import attached
from dam_obs.testing import recording

SOURCE = """
    import time
    def inner(ms):
        time.sleep(ms / 1000)
        return ms
    def outer(times): return [middle(ms) for ms in times]
    def middle(ms):
        if ms < 0: raise ValueError(ms)
        return inner(ms)
"""

LONG_MS = 400
"""Longer than the limit of 200 ms whatever the machine does; short ones do nothing."""


@pytest.fixture
def host(imported):
    return imported("folding_host", SOURCE)


@pytest.fixture
def points(point):
    step = 'kind = "step"\nfold_below_us = 200_000'
    return [
        point("folding_host:outer", operation="outer", lines='kind = "step"'),
        point("folding_host:middle", operation="middle", lines=step),
        point("folding_host:inner", operation="inner", lines=step),
    ]


def names(record):
    return [event.operation for event in record.events()]


def test_short_ones_are_counted_where_they_were(host, points):
    """Those below a counted one are counted with it."""
    with recording() as record, attached(points):
        host.outer([0, 0, 0])
    event = record.event()
    assert event.operation == "outer"
    folded = event.metadata["folded"]
    assert {name: each["count"] for name, each in folded.items()} == {"system.inner": 3, "system.middle": 3}
    assert 0 < folded["system.inner"]["duration_ns"] <= folded["system.middle"]["duration_ns"] <= event.duration_ns


def test_a_long_one_is_recorded_and_so_is_what_it_is_in(host, points):
    """No event names a parent that is not there."""
    with recording() as record, attached(points):
        host.outer([0, LONG_MS, 0])
    assert names(record) == ["inner", "middle", "outer"]
    inner, middle, outer = record.events()
    assert (inner.parent_id, middle.parent_id) == (middle.trace_id, outer.trace_id)
    assert outer.metadata["folded"]["system.middle"]["count"] == 2


def test_one_that_failed_is_recorded(host, points):
    """A fault is never a count."""
    with recording() as record, attached(points), pytest.raises(ValueError, match="-1"):
        host.outer([0, -1])
    assert names(record) == ["middle", "outer"]
    assert record.events()[1].metadata["folded"]["system.middle"]["count"] == 1


def test_one_with_nothing_around_it_is_recorded(host, points):
    """There is nowhere to count it; what is in it is counted on it."""
    with recording() as record, attached(points):
        host.middle(0)
    event = record.event()
    assert (event.operation, event.metadata["folded"]["system.inner"]["count"]) == ("middle", 1)


def test_one_that_outlives_what_is_around_it_is_recorded():
    """The span around it has been written by then."""
    with recording() as record:
        around = tracer.span("sys", "around", "here", "").__enter__()
        late = tracer.span("sys", "late", "here", "")
        late.site.fold_below_ns = 10**18
        with late:
            around.finish()
            assert names(record) == ["around"]
        around.leave()
        assert names(record) == ["around", "late"]


@given(st.lists(st.sampled_from([0, -1]), max_size=20))
def test_nothing_is_lost(times):
    """What is recorded and what is counted are all that ran."""
    with recording() as record, tracer.span("sys", "around", "here", "") as around:
        for each in times:
            with tracer.span("sys", "one", "here", "") as span:
                span.site.fold_below_ns = 10**12
                if each:
                    span.set_status("blocked")
        around.set_output("done")
    counted = record.events()[-1].metadata.get("folded", {}).get("system.one", {"count": 0})["count"]
    assert counted + names(record).count("one") == len(times)
    assert counted == times.count(0)
