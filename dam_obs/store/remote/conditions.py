"""A query as a condition of ClickHouse's SQL; what a user wrote is a parameter in it, never a part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dam_obs.store.remote.query import HANDLE_NS, Query, folded
from dam_obs.store.remote.schema import Schema

_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Conditions:
    """What rows must fulfil."""

    sql: str
    parameters: Mapping[str, str]

    def between(self, since_s: int, until_s: int) -> Conditions:
        """Return the same within a piece of time, in whole seconds since the epoch."""
        piece = f"Timestamp >= {_at(since_s * _NS)} AND Timestamp < {_at(until_s * _NS)}"
        return replace(self, sql=f"{self.sql} AND {piece}")


def conditions_of(query: Query, schema: Schema, table: str) -> Conditions:
    """Return what the rows must fulfil that a query wants; `table` is a name that SQL takes."""
    making = _Making(schema)
    window = making.window(query.since_ns, query.until_ns)
    scope, choice = making.scope(query), making.choice(query)
    if not query.whole_traces or not (choice or query.newest is not None):
        return making.made([*window, *scope, *choice])
    wider = making.window(
        None if query.since_ns is None else max(0, query.since_ns - HANDLE_NS),
        None if query.until_ns is None else query.until_ns + HANDLE_NS,
    )
    chosen = f"SELECT TraceId FROM {table} WHERE {_all([*window, *scope, *choice])}"  # noqa: S608 - a quoted name, parameters
    if query.newest is not None:
        chosen += f" ORDER BY toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) DESC LIMIT {query.newest:d}"
    return making.made([*wider, *scope, f"TraceId IN ({chosen})"])


class _Making:
    """Makes conditions, and remembers the parameters in them."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._parameters: dict[str, str] = {}

    def made(self, parts: Sequence[str]) -> Conditions:
        return Conditions(_all(parts), self._parameters)

    def window(self, since_ns: int | None, until_ns: int | None) -> list[str]:
        parts = [] if since_ns is None else [f"Timestamp >= {_at(since_ns)}"]
        return parts if until_ns is None else [*parts, f"Timestamp < {_at(until_ns)}"]

    def scope(self, query: Query) -> list[str]:
        parts = [self._in("ServiceName", query.services)] if query.services else []
        if query.run is not None:
            parts.append(self._in(self._schema.resource("dam.run.id"), (query.run,)))
        return parts

    def choice(self, query: Query) -> list[str]:
        parts = []
        if query.layers:
            parts.append(self._in(f"if({self._own('layer')} = '', 'system', {self._own('layer')})", query.layers))
        if query.statuses:
            failed = "if(StatusCode IN ('Error', 'STATUS_CODE_ERROR'), 'error', 'success')"
            status = f"if({self._own('status')} = '', {failed}, {self._own('status')})"
            parts.append(self._in(status, query.statuses))
        if query.components:
            parts.append(self._in(f"lowerUTF8({self._component()})", sorted(folded(query.components))))
        if query.request is not None:
            parts.append(self._request(query.request))
        return parts

    def _component(self) -> str:
        library = "ScopeName" if self._schema.has_scope else self._schema.attribute("otel.scope.name")
        own = self._own("component")
        return f"multiIf({own} != '', {own}, {library} != '', {library}, ServiceName)"

    def _request(self, text: str) -> str:
        lower = text.lower()
        ids = [self._in(column, (lower,)) for column in ("TraceId", "SpanId", "ParentSpanId")]
        handles = [self._in(self._own(name), (text,)) for name in ("id", "parent_id")]
        return f"({' OR '.join([*ids, *handles])})"

    def _own(self, name: str) -> str:
        return self._schema.attribute(f"dam.{name}")

    def _in(self, expression: str, values: Sequence[str]) -> str:
        names = []
        for value in values:
            name = f"p{len(self._parameters)}"
            self._parameters[name] = value
            names.append(f"{{{name}:String}}")
        return f"{expression} IN ({', '.join(names)})"


def _all(parts: Sequence[str]) -> str:
    return " AND ".join(parts) or "1"


def _at(at_ns: int) -> str:
    """Return a time; one beyond what ClickHouse can hold is as far as that."""
    return f"fromUnixTimestamp64Nano(toInt64({min(max(at_ns, 0), 2**63 - 1):d}))"
