"""
The table that the collector's ClickHouse exporter writes: ``clickhouse://[user@]host:port/database?table=otel_traces``.

The query goes to the database whole: time, service, run, layer, status, component and trace. Time is cut where some
`SPANS_AT_ONCE` spans lie in a piece, by one count over its minutes, so that the database sorts no more than that at
a time; rows come as a stream.

What a column can hold is `schema`'s business, what the texts in it were is `decoding`'s.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from dam_obs.store.otlp import OtlpSpan
from dam_obs.store.remote.address import address_of
from dam_obs.store.remote.conditions import Conditions, conditions_of
from dam_obs.store.remote.decoding import Row, span_of
from dam_obs.store.remote.errors import BackendError, BackendFailed, NoSuchTable, NotAllowed, NotThisBackend
from dam_obs.store.remote.events import Account
from dam_obs.store.remote.http import Answer, Client, said
from dam_obs.store.remote.ordering import NEVER_NS, as_they_ended, in_pages
from dam_obs.store.remote.query import Query
from dam_obs.store.remote.schema import LOSES_JSON, LOSES_TEXT, Schema, schema_of

EXAMPLE: Final = (
    "clickhouse://HOST:8123/DATABASE?table=otel_traces, or clickhouse+https://USER@HOST:8443/DATABASE?ca=FILE"
)
USER: Final = "CLICKHOUSE_USER"
PASSWORD: Final = "CLICKHOUSE_PASSWORD"  # noqa: S105 - the variable's name
TABLE: Final = "otel_traces"
WHAT: Final = "HTTP interface of ClickHouse"

SPANS_AT_ONCE: Final = 200_000
"""In one answer at least, where there are so many: a minute is not cut."""

_UNKNOWN_DATABASE: Final = 81
_UNKNOWN_TABLE: Final = 60
_DENIED: Final = (192, 193, 194, 195, 492, 497, 516)
_CODE: Final = re.compile(r"Code: (\d+)\. ?")
_SETTINGS: Final = {
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_denormals": "1",
    "date_time_output_format": "iso",
}


class ClickHouse:
    """One table of one server."""

    def __init__(self, uri: str) -> None:
        address = address_of(
            uri, port=8443 if "+https:" in uri else 8123, options=("table", "at_once"), example=EXAMPLE
        )
        self.name = address.name
        self._database = address.path or "default"
        self._table = address.options.get("table", TABLE)
        self._at_once = address.number("at_once", SPANS_AT_ONCE)
        user, password = address.user or os.environ.get(USER), os.environ.get(PASSWORD)
        headers = {"X-ClickHouse-User": user} if user else {}
        if password:
            headers |= {"X-ClickHouse-Key": password, "X-ClickHouse-User": user or "default"}
        self._client = Client(address, headers, f"{USER} and {PASSWORD}", plain_message)
        self._schema: Schema | None = None

    def account(self, query: Query) -> Account:
        """Return an account of nothing yet; without a beginning the last day is asked for, and a trace at any time."""
        asked = query if query.trace_id and query.since_ns is None else query.within(time.time_ns())
        return Account(asked, "ClickHouse")

    def look(self) -> str:
        """Say how many spans there are, of which kind of table."""
        schema = self._known_schema()
        account = Account(Query(), "ClickHouse")
        (row,) = self._lines(f"SELECT count() AS spans FROM {self._quoted}", {}, account)  # noqa: S608 - a quoted name
        spans = msgspec.json.decode(row, type=dict[str, int])["spans"]
        return f"{spans:,} spans in {self._database}.{self._table}, attributes as {schema.attributes}"

    def pages(self, account: Account) -> Iterator[Sequence[OtlpSpan]]:
        """
        Yield the spans that fit, in the order in which they ended within each piece of time.

        Raises:
            BackendError: Something is wrong with it.
        """
        schema = self._known_schema()
        account.loses = LOSES_JSON if schema.has_json else LOSES_TEXT
        wanted = conditions_of(account.asked, schema, self._quoted)
        newest = account.asked.newest if not account.asked.whole_traces else None
        pieces = iter([(NEVER_NS, wanted)]) if newest is not None else self._pieces(wanted, account)
        rows = ((until, self._rows(piece, newest, schema, account)) for until, piece in pieces)
        yield from in_pages(as_they_ended(rows))

    def _rows(self, piece: Conditions, newest: int | None, schema: Schema, account: Account) -> Iterator[OtlpSpan]:
        query = f"SELECT {schema.columns} FROM {self._quoted} WHERE {piece.sql}"  # noqa: S608 - all else are parameters
        if newest is not None:
            query = f"SELECT * FROM ({query} ORDER BY end_ns DESC LIMIT {newest:d})"  # noqa: S608
        decoder = msgspec.json.Decoder(Row, strict=False)
        lines = self._lines(f"{query} ORDER BY end_ns, start_ns DESC, span_id", piece.parameters, account)
        for number, line in enumerate(lines, start=1):
            try:
                yield span_of(decoder.decode(line), schema)
            except (ValueError, RecursionError) as error:
                account.skipped.add(f"answer {account.requests}", number, "foreign", said(str(error)))

    def _pieces(self, wanted: Conditions, account: Account) -> Iterator[tuple[int, Conditions]]:
        """Cut time where there are so many spans, by a count over its minutes; empty ones are in no piece."""
        query = (
            "SELECT toUnixTimestamp(toStartOfMinute(Timestamp)) AS minute, count() AS spans "  # noqa: S608
            f"FROM {self._quoted} WHERE {wanted.sql} GROUP BY minute ORDER BY minute"
        )
        first, last, held = 0, 0, 0
        for line in self._lines(query, wanted.parameters, account):
            counted = msgspec.json.decode(line, type=_Minute)
            if held and held + counted.spans > self._at_once:
                yield _end_ns(last), wanted.between(first, last + 60)
                held = 0
            first, last = (first if held else counted.minute), counted.minute
            held += counted.spans
        if held:
            yield _end_ns(last), wanted.between(first, last + 60)

    def _known_schema(self) -> Schema:
        if self._schema is None:
            self._schema = schema_of(self._columns(), self.name, self._table)
        return self._schema

    def _columns(self) -> dict[str, str]:
        """Return the columns of the table, each with its type."""
        account = Account(Query(), "ClickHouse")
        query = (
            "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String} "
            "ORDER BY position"
        )
        named = {"database": self._database, "table": self._table}
        rows = [msgspec.json.decode(line, type=_Column) for line in self._lines(query, named, account)]
        if not rows:
            others = self._lines(
                "SELECT DISTINCT table FROM system.columns WHERE database = {database:String} AND name = 'SpanId' "
                "ORDER BY table",
                {"database": self._database},
                account,
            )
            alike = [msgspec.json.decode(line, type=dict[str, str])["table"] for line in others]
            raise NoSuchTable(self.name, f"{self._database}.{self._table}", alike)
        return {row.name: row.type for row in rows}

    def _lines(self, query: str, parameters: Mapping[str, str], account: Account) -> Iterator[bytes]:
        """
        Ask, and yield the rows of the answer.

        Raises:
            BackendError: ClickHouse says that it cannot, at once or while it answers.
        """
        account.requests += 1
        given = {f"param_{name}": value for name, value in parameters.items()}
        body = f"{query} FORMAT JSONEachRow".encode()
        with self._client.asked("", _SETTINGS | given, body) as answer:
            if answer.status != 200:
                raise self._failure(answer)
            lines = answer.lines()
            for line in lines:
                if line.startswith(b"{"):
                    yield line
                elif line.strip():
                    raise self._message([line, *islice(lines, 20)])

    def _failure(self, answer: Answer) -> BackendError:
        text = said(answer.text())
        code = answer.headers.get("X-ClickHouse-Exception-Code") or (
            found[1] if (found := _CODE.search(text)) else None
        )
        if code is None:
            return NotThisBackend(self.name, WHAT, f"HTTP status {answer.status}")
        if int(code) in _DENIED:
            return NotAllowed(self.name, plain_message(text), f"{USER} and {PASSWORD}")
        if int(code) in (_UNKNOWN_DATABASE, _UNKNOWN_TABLE):
            return NoSuchTable(self.name, f"{self._database}.{self._table}", ())
        return BackendFailed(self.name, plain_message(text))

    def _message(self, lines: Sequence[bytes]) -> BackendError:
        """Return what stands in the place of rows: ClickHouse writes there what happened to it meanwhile."""
        texts = [line.decode("utf-8", errors="replace") for line in lines]
        found = next((text for text in texts if _CODE.search(text)), None)
        if found is not None:
            return BackendFailed(self.name, plain_message(found[_CODE.search(found).start() :]))  # type: ignore[union-attr]
        return NotThisBackend(self.name, WHAT, f"its answer is {said(texts[0])[:80]!r}")

    @property
    def _quoted(self) -> str:
        return f"{_name(self._database)}.{_name(self._table)}"


class _Minute(msgspec.Struct):
    minute: int
    spans: int


class _Column(msgspec.Struct):
    name: str
    type: str


def _end_ns(minute: int) -> int:
    return (minute + 60) * 1_000_000_000


def _name(text: str) -> str:
    """Return a name as SQL has it, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def plain_message(text: str) -> str:
    """Return a message of ClickHouse without its number, its version and where in its code it arose."""
    line = _CODE.sub("", said(text)).removeprefix("DB::Exception: ")
    return re.sub(r"\s*\(version [^)]*\)+.*$", "", line).strip()
