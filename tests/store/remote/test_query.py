"""What is wanted of a backend, made of a filter, and asked of spans."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dam_obs.store.filter import parse_filter
from dam_obs.store.remote.query import DAY_NS, HANDLE_NS, Query, moment, narrowed

NOW = datetime(2026, 1, 13, 15, tzinfo=UTC)
NOW_NS = int(NOW.timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("text", "fields", "exact"),
    [
        ("", {}, True),
        ("since:10m", {"since_ns": NOW_NS - 600 * 10**9}, True),
        ("since:1h since:10m before:5m", {"since_ns": NOW_NS - 600 * 10**9, "until_ns": NOW_NS - 300 * 10**9}, True),
        ("layer:foc", {"layers": ("focus",)}, True),
        ("layer:focus or layer:mem", {"layers": ("focus", "memory")}, True),
        ("status:error", {"statuses": ("error",)}, True),
        ("(layer:focus status:error) since:1m", {"layers": ("focus",), "statuses": ("error",),
                                                 "since_ns": NOW_NS - 60 * 10**9}, True),
        ("component:Gate", {"components": ("gate",)}, True),
        ("component:*Gate", {}, False),
        ("-status:success", {}, False),
        ("status:error duration:>1s", {"statuses": ("error",)}, False),
        ("layer:focus layer:memory", {"layers": ("focus",)}, False),
        ("layer:focus or status:error", {}, False),
        ("layer:unheard_of", {}, False),
        ("words", {}, False),
    ],
)  # fmt: skip
def test_a_filter_narrows_what_is_asked_for(text: str, fields: dict[str, Any], exact: bool) -> None:
    """As far as a backend can be asked; whether that is all, decides whether the newest few are enough."""
    assert narrowed(Query(), parse_filter(text, now=NOW)) == (Query(**fields), exact)


@pytest.mark.parametrize(
    ("query", "since_ns", "until_ns"),
    [
        (Query(), NOW_NS - DAY_NS, NOW_NS),
        (Query(until_ns=NOW_NS - 5), NOW_NS - 5 - DAY_NS, NOW_NS - 5),
        (Query(since_ns=7), 7, NOW_NS),
        (Query(request="alt_1768312800_a3f2"), 1_768_312_800 * 10**9 - HANDLE_NS, NOW_NS),
        (Query(request="alt_1705180800_a3f2"), 1_705_180_800 * 10**9 - HANDLE_NS, 1_705_180_800 * 10**9 + HANDLE_NS),
        (Query(request="b7ad6b7169203331"), NOW_NS - DAY_NS, NOW_NS),
    ],
)
def test_without_a_beginning_it_is_the_last_day_or_what_a_handle_says(
    query: Query, since_ns: int, until_ns: int
) -> None:
    """A handle has in it when its span began."""
    within = query.within(NOW_NS)

    assert (within.since_ns, within.until_ns) == (since_ns, until_ns)


def test_what_is_asked_for_is_said() -> None:
    """In the message that there is nothing of it."""
    query = Query(since_ns=NOW_NS, until_ns=NOW_NS + 1, services=("a", "b"), run="r", layers=("focus",), request="x")

    assert query.window() == "from 2026-01-13T15:00:00Z to 2026-01-13T15:00:00.000000001Z"
    assert query.scope() == "service a or b, run r, layer focus, id x"
    assert (Query().window(), moment(0)) == ("at any time", "1970-01-01T00:00:00Z")
