"""Values come back with their types, whatever a backend made of them."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dam_obs.sinks.attributes import lossy
from dam_obs.store.remote.decoding import span_of
from dam_obs.store.remote.schema import NEEDED, Schema, schema_of

TEXT = st.text(max_size=8) | st.sampled_from(
    ("42", "-0", "1e5", "true", "null", "[1]", '{"a":1}', "[", "", "007", "NaN")
)
SCALAR = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT
NUMBER = st.floats(allow_nan=False, allow_infinity=False, width=32)


def table(kind: str) -> Schema:
    columns = dict.fromkeys(NEEDED, "String") | {"Timestamp": "DateTime64(9)"}
    return schema_of(columns | {"SpanAttributes": kind, "ResourceAttributes": kind}, "here", "t")


MAPS = table("Map(LowCardinality(String), String)")


def from_texts(value: Any) -> Any:
    """Return what becomes of a value in a map of texts, told the type that it is sent with."""
    import json

    from dam_obs.store.remote.decoding import Row

    kind = lossy(value)
    text = value if isinstance(value, str) else json.dumps(_go(value))
    attributes = {"dam.data.v": text} | ({"dam.types": json.dumps({"data.v": kind})} if kind else {})
    row = Row(
        start_ns=1, end_ns=2, trace_id="ab" * 16, span_id="cd" * 8, parent_id="", name="", service="", status="",
        message="", resource={}, attributes=attributes,
    )  # fmt: skip
    return span_of(row, MAPS).attributes["dam.data.v"]


def _go(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


@given(SCALAR.filter(lambda value: value is not None) | NUMBER)
def test_a_map_of_texts_gives_back_what_was_sent(value: Any) -> None:
    """Texts that look like numbers stay texts, whole numbers with a point keep it."""
    found = from_texts(value)

    assert (type(found), found) == (type(value), value) or (isinstance(value, float) and math.isclose(found, value))


@given(st.lists(st.booleans() | st.integers(-(2**53), 2**53) | TEXT, max_size=4))
def test_so_do_lists(value: list[Any]) -> None:
    """Whose elements have types of their own."""
    assert from_texts(value) == value
