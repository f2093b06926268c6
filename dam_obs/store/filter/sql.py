"""
Say a filter's tree in SQL: a condition over the relation ``events``.

Each part is true or false and never NULL, so that its negation is its opposite. Whatever a
user wrote is a parameter: no text is put into SQL. `matching` answers the same of one event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from dam_obs.store.filter.tree import (
    All,
    AnyOf,
    Data,
    DataTest,
    Ended,
    Equal,
    HasId,
    InLayer,
    Named,
    Node,
    Not,
    Pattern,
    Present,
    Says,
    Started,
    Took,
    Within,
)

Parameter: TypeAlias = str | int | float

_AS_TEXT: Final = (
    "case json_type(v) when 'DOUBLE' then cast(cast(v as double) as varchar) "
    "when 'OBJECT' then null when 'ARRAY' then null else v ->> '$' end"
)
"""A JSON value ``v`` as it is written; NULL for null, an object, a list."""

_AS_NUMBER: Final = "case when json_type(v) in ('BIGINT', 'UBIGINT', 'DOUBLE') then cast(v as double) end"

_WITH_ELEMENTS: Final = (
    "case when starts_with(cast(w as varchar), '[') then list_prepend(w, json_extract(w, '$[*]')) else [w] end"
)
"""A JSON value ``w`` as a list: itself, and what is in it if it is one."""

_NUMERIC: Final = frozenset("0123456789.e+-")


@dataclass(frozen=True, slots=True)
class Condition:
    """What may stand behind WHERE."""

    sql: str
    """With a ``?`` for each parameter."""
    parameters: tuple[Parameter, ...] = ()


def condition(node: Node) -> Condition:
    """Return the condition that lets through what fits."""
    match node:
        case All(terms):
            return _joined("and", map(condition, terms)) if terms else Condition("true")
        case AnyOf(terms):
            return _joined("or", map(condition, terms)) if terms else Condition("false")
        case Not(term):
            inner = condition(term)
            return Condition(f"(not {inner.sql})", inner.parameters)
        case Says(pattern):
            columns = ("operation", "component", "input_summary", "output_summary")
            return _joined("or", [*(_sure(_fits(column, pattern)) for column in columns), _told(pattern)])
        case InLayer():
            return _in_layer(node)
        case Ended(statuses):
            return _joined("or", [Condition("coalesce(status = ?, false)", (status,)) for status in statuses])
        case Named(column, pattern):
            names = [column, "layer || '.' || operation"] if node.with_layer else [column]
            return _joined("or", [_sure(_fits(name, pattern)) for name in names])
        case HasId(handle, otel):
            ids = (("trace_id", handle), ("otel_span_id", otel), ("otel_trace_id", otel))
            return _joined("or", [Condition(f"coalesce({column} = ?, false)", (text,)) for column, text in ids])
        case Took(least, most):
            return Condition("coalesce(duration_ns between ? and ?, false)", (least, most))
        case Started(begin, before):
            return Condition("coalesce(start_ns >= ? and start_ns < ?, false)", (begin, before))
        case Data(readings, test):
            return _joined("or", [_at(keys, test) for keys in readings])


def _in_layer(node: InLayer) -> Condition:
    named = Condition("coalesce(lower(layer) in (?, ?), false)", (node.name, node.code))
    if node.known or len(node.code) != 3:
        return named
    return _joined("or", [named, Condition("coalesce(starts_with(trace_id, ?), false)", (f"{node.code}_",))])


def _fits(text: str, pattern: Pattern) -> Condition:
    """Compare an SQL expression, which is one of ours, with a pattern."""
    match pattern.pieces:
        case (whole,):
            return Condition(f"lower({text}) = ?", (whole,))
        case ("", piece, ""):
            return Condition(f"contains(lower({text}), ?)", (piece,))
        case pieces:
            return Condition(f"lower({text}) like ? escape '\\'", ("%".join(map(_literally, pieces)),))


def _literally(piece: str) -> str:
    """Return a text as LIKE understands it to the letter."""
    return piece.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _told(pattern: Pattern) -> Condition:
    """Hold where a value among the data fits."""
    exact = _any_value("json_extract(metadata, '$..*')", _fits(_AS_TEXT, pattern))
    longest = max(pattern.pieces, key=len)
    if _NUMERIC.issuperset(longest):  # nothing to look for, or perhaps a number, which may be written in other ways
        return exact
    # To look into JSON takes long. Its text has what its values have, but for what is written with a backslash.
    maybe = (
        "coalesce(contains(lower(cast(metadata as varchar)), ?) or contains(cast(metadata as varchar), '\\'), false)"
    )
    return Condition(f"(case when {maybe} then {exact.sql} else false end)", (longest, *exact.parameters))


def _at(keys: tuple[str, ...], test: DataTest) -> Condition:
    """Test what stands at the end of a way of keys, and, if that is a list, what is in it."""
    passing = _any_value(
        f"flatten(list_transform([json_extract(metadata, ?)], lambda w: {_WITH_ELEMENTS}))", _passes(test)
    )
    return Condition(passing.sql, (pointer(keys), *passing.parameters))


def pointer(keys: Iterable[str]) -> str:
    """Return a way of keys as a JSON pointer."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def _passes(test: DataTest) -> Condition:
    match test:
        case Present():
            return Condition("json_type(v) <> 'NULL'")
        case Equal(pattern, number):
            if number is None:
                return _fits(_AS_TEXT, pattern)
            same = Condition(f"coalesce({_AS_NUMBER} = ?, false)", (number,))
            return _joined("or", [_sure(_fits(_AS_TEXT, pattern)), same])
        case Within(least, most, least_too, most_too):
            enough, little = (">=" if least_too else ">"), ("<=" if most_too else "<")
            return Condition(f"({_AS_NUMBER} {enough} ? and {_AS_NUMBER} {little} ?)", (least, most))


def _any_value(values: str, test: Condition) -> Condition:
    """Hold where a value ``v`` of a list passes."""
    passing = f"list_filter({values}, lambda v: coalesce({test.sql}, false))"
    return Condition(f"(coalesce(len({passing}), 0) > 0)", test.parameters)


def _sure(test: Condition) -> Condition:
    return Condition(f"coalesce({test.sql}, false)", test.parameters)


def _joined(word: str, conditions: Iterable[Condition]) -> Condition:
    parts = list(conditions)
    sql = f" {word} ".join(part.sql for part in parts)
    parameters = tuple(parameter for part in parts for parameter in part.parameters)
    return Condition(f"({sql})" if len(parts) > 1 else sql, parameters)
