"""
Which table a ClickHouse has: the exporter has changed it, and can be told to write attributes as JSON.

Columns that came later may be missing (the scope's, links, events, trace state), and so may what they held. Without
one of `NEEDED` no span can be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dam_obs.store.remote.errors import OtherSchema

NEEDED: Final = (
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "SpanName",
    "ServiceName",
    "ResourceAttributes",
    "SpanAttributes",
    "Duration",
    "StatusCode",
    "StatusMessage",
)

LOSES_TEXT: Final = (
    "types of attributes: what looks like a number, a truth value, a list or a map is taken for one",
    "in lists and maps, whether a whole number had a point",
)
LOSES_JSON: Final = (
    "which attributes of others were maps: their values become attributes with dots in their names",
    "in maps, which names had dots, and that a map was empty",
    "texts that are times: they come back as ClickHouse writes times",
    "of others' attributes and in lists and maps, whether a whole number had a point",
)

_PLAIN: Final = (
    ("toUnixTimestamp64Nano(Timestamp)", "start_ns", None),
    ("toUnixTimestamp64Nano(Timestamp) + toInt64(Duration)", "end_ns", None),
    ("TraceId", "trace_id", None),
    ("SpanId", "span_id", None),
    ("ParentSpanId", "parent_id", None),
    ("SpanName", "name", None),
    ("ServiceName", "service", None),
    ("StatusCode", "status", None),
    ("StatusMessage", "message", None),
    ("ResourceAttributes", "resource", None),
    ("SpanAttributes", "attributes", None),
    ("SpanKind", "kind", "SpanKind"),
    ("TraceState", "state", "TraceState"),
    ("ScopeName", "scope", "ScopeName"),
    ("`Events.Name`", "event_names", "Events.Name"),
    ("arrayMap(t -> toUnixTimestamp64Nano(t), `Events.Timestamp`)", "event_ns", "Events.Timestamp"),
    ("`Events.Attributes`", "event_attributes", "Events.Attributes"),
    ("`Links.TraceId`", "link_traces", "Links.TraceId"),
    ("`Links.SpanId`", "link_spans", "Links.SpanId"),
    ("`Links.Attributes`", "link_attributes", "Links.Attributes"),
)
"""Expression, name in a `Row`, and the column without which it is left out."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What is known of a table."""

    columns: str
    """What to select."""
    has_json: bool
    """Attributes are JSON, rather than maps of texts."""
    has_scope: bool

    @property
    def attributes(self) -> str:
        """What attributes are, for a person."""
        return "JSON" if self.has_json else "maps of texts"

    def attribute(self, name: str) -> str:
        """Return the expression of a span's attribute as text; empty where it has none."""
        return self._value("SpanAttributes", name)

    def resource(self, name: str) -> str:
        """Return the expression of a resource's attribute as text; empty where it has none."""
        return self._value("ResourceAttributes", name)

    def _value(self, column: str, name: str) -> str:
        if not self.has_json:
            return f"{column}['{name}']"
        path = ".".join(f"`{part}`" for part in name.split("."))
        return f"ifNull(toString({column}.{path}), '')"


def schema_of(columns: Mapping[str, str], where: str, table: str) -> Schema:
    """
    Return what is known of a table with these columns, each with its type.

    Raises:
        OtherSchema: The exporter makes no such table.
    """
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise OtherSchema(where, table, missing)
    kinds = {columns["SpanAttributes"].partition("(")[0], columns["ResourceAttributes"].partition("(")[0]}
    wrong = [
        f"{name} {columns[name]}"
        for name in ("SpanAttributes", "ResourceAttributes")
        if columns[name].partition("(")[0] not in ("Map", "JSON")
    ]
    if not columns["Timestamp"].startswith("DateTime64"):
        wrong.append(f"Timestamp {columns['Timestamp']}")
    if wrong or len(kinds) > 1:
        raise OtherSchema(where, table, (), wrong or sorted(kinds))
    selected = [f"{expression} AS {name}" for expression, name, column in _PLAIN if column is None or column in columns]
    return Schema(", ".join(selected), kinds == {"JSON"}, "ScopeName" in columns)
