"""A filter gives the same answer of an event and of a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dam_obs.store.filter import BadFilter, Mark, parse_filter
from dam_obs.store.table import table_of
from dam_obs.trace.events import TraceEvent

NOW = datetime(2026, 1, 13, 15, 0, tzinfo=UTC)

# Few and alike, so that random filters hit random events; with all that has a meaning in LIKE, JSON, SQL or a path.
SNIPPETS = [
    "a", "B", "gate", "Gate_Check", "L3→L2", "50%", "x_y", "a\\b", "'", "ß", "İ", "ΑΣ", "é\n", '"q"', "~1", "/", ";--",
    "5", "true", "null", "1e3",
]  # fmt: skip
texts = st.lists(st.sampled_from(SNIPPETS), max_size=3).map("".join)
keys = st.sampled_from(["a", "b", "a.b", "B", "0", "01", "e/t", "~", "data", 'q"', "ß"])
scalars = st.one_of(
    texts, st.integers(-3, 12), st.integers(-(2**63), 2**64 - 1), st.booleans(), st.none(),
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([5.0, 0.5, 1e22, -0.0]),
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)
layers = ["altitude", "focus", "memory", "billing", "bil"]


@st.composite
def events(draw: st.DrawFn) -> TraceEvent:
    """Any event."""
    name = draw(st.sampled_from(layers))
    moment = NOW + timedelta(microseconds=draw(st.sampled_from([-60_000_000, -1, 0, 1, 3_600_000_000])))
    kind = draw(st.sampled_from(["span", "event", "step"]))
    return TraceEvent(
        trace_id=f"{name[:3]}_1_{draw(st.sampled_from(['a', 'B', 'ab12']))}",
        parent_id=None,
        timestamp=moment.isoformat(),
        hrm_layer=name,
        operation=draw(texts),
        component=draw(texts),
        input_summary=draw(texts),
        output_summary=draw(texts),
        duration_ms=draw(st.integers(-1, 3)),
        duration_ns=draw(st.none() | st.sampled_from([0, 1, 999_999, 1_000_000, 1_000_001, 2**63 - 1])),
        status=draw(st.sampled_from(["success", "error", "blocked"])),
        metadata=draw(st.dictionaries(keys, values, max_size=4)),
        otel_span_id=draw(st.none() | st.sampled_from(["a" * 16, "b" * 16])),
        otel_trace_id=draw(st.none() | st.sampled_from(["a" * 32])),
        kind=kind,
    )


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


phrases = texts.filter(bool).map(quoted)
patterns = st.lists(phrases | st.just("*"), min_size=1, max_size=4).map("".join)
ways = st.lists(keys.map(quoted), min_size=1, max_size=3).map(".".join)
lengths = st.sampled_from(["0ns", "1ns", "1ms", "1.000001ms", ".5ms", "2ms", "5m", "999999999d"])
comparisons = st.sampled_from(["", "=", "<", "<=", ">", ">="])
numbers = st.sampled_from(["5", "-1", "0", "0.5", "1e3", "1e22", "18446744073709551615"])
moments = st.sampled_from(["0s", "1m", "59s", "2026-01-13T15:00Z", "2026-01-13T14:59:59.999999+00:00", "999999999d"])
leaves = st.one_of(
    phrases,
    patterns,
    st.sampled_from([*layers, "foc", "mem", "nobody"]).map("layer:{}".format),
    st.sampled_from(["error", "Blocked"]).map("status:{}".format),
    st.builds("{}:{}".format, st.sampled_from(["operation", "component"]), patterns),
    st.sampled_from(["foc_1_a", "bil_1_B", "A" * 16, "a" * 32]).map("id:{}".format),
    st.builds("duration:{}{}".format, comparisons, lengths),
    st.just("duration:1ns..1ms"),
    st.builds("{}:{}".format, st.sampled_from(["since", "before"]), moments),
    st.builds("@{}{}:{}".format, st.sampled_from(["", "data."]), ways, patterns | st.just('""')),
    st.builds("@{}:{}{}".format, ways, comparisons, numbers),
    st.builds("@{}:0..5".format, ways),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map("-({})".format),
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: f"({' or '.join(terms)})"),
    ),
    max_leaves=5,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(typed=st.lists(filters, min_size=1, max_size=8), trace=st.lists(events(), min_size=1, max_size=8))
def test_any_filter_says_the_same_of_any_events(let_through: Any, typed: list[str], trace: list[TraceEvent]) -> None:
    """In Python and in SQL."""
    wanted = [parse_filter(text, now=NOW) for text in typed]
    with table_of(trace, "here") as table:
        in_sql = [let_through(each, table) for each in wanted]

    assert in_sql == [[each.matches(event) for event in trace] for each in wanted]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(typed=st.lists(filters, min_size=1, max_size=8), trace=st.lists(events(), min_size=1, max_size=8))
def test_a_negation_lets_through_the_others(let_through: Any, typed: list[str], trace: list[TraceEvent]) -> None:
    """Also those that lack what is asked for; in SQL a NULL would lose them."""
    with table_of(trace, "here") as table:
        wanted = [let_through(parse_filter(text, now=NOW), table) for text in typed]
        unwanted = [let_through(parse_filter(f"-({text})", now=NOW), table) for text in typed]

    assert unwanted == [[not fits for fits in each] for each in wanted]


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=40) | st.text(alphabet='ab:@.-*"\\() <>=1ms', max_size=25))
def test_whatever_is_typed_is_a_filter_or_refused_at_a_place(text: str) -> None:
    """And a condition has as many parameters as it has gaps for them."""
    try:
        wanted = parse_filter(text, now=NOW)
    except BadFilter as error:
        place = error.mark
    else:
        condition, place = wanted.condition(), Mark(text, 0, 0)
        assert condition.sql.count("?") == len(condition.parameters)

    assert 0 <= place.column <= len(text)


@pytest.mark.parametrize(
    "text", ['"x\' or 1=1 --"', 'operation:"%"', "component:'", '@data."\') or true --":x', "_", "\\"]
)
def test_no_text_becomes_sql(let_through: Any, event: Any, text: str) -> None:
    """It is looked for to the letter, and found nowhere."""
    wanted = parse_filter(text, now=NOW)

    assert not any(part in wanted.condition().sql for part in ("1=1", "true --", "%"))
    with table_of([event(operation="plan", trace_id="foc")], "here") as table:
        assert let_through(wanted, table) == [False]
