"""
Traces of Jaeger: ``jaeger://host:port``, by version 3 of its query API.

Jaeger answers with whole traces, and with so many of them at most. So time is cut into slices: a slice that is full
is cut again, one that is nearly empty is followed by a longer one. A trace is in the answer for each slice and
each service that it has a span in; which of its spans count there follows from the span alone, so that each comes
once and nothing need be remembered. Only where the newest of all are wanted are they held until there are enough.
"""

from __future__ import annotations

import heapq
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import msgspec

from dam_obs.store.otlp import OtlpSpan, spans_of
from dam_obs.store.remote.address import Address, address_of
from dam_obs.store.remote.choice import chosen, in_scope, in_time
from dam_obs.store.remote.errors import BackendFailed, NoSuchService, NotThisBackend, listed
from dam_obs.store.remote.events import Account
from dam_obs.store.remote.http import Answer, Client, said
from dam_obs.store.remote.ordering import Ends, as_they_ended, by_wall_clock, in_pages
from dam_obs.store.remote.query import Query, moment

EXAMPLE: Final = "jaeger://HOST:16686, or jaeger+https://HOST:PORT/BASE?ca=FILE"
AUTHORIZATION: Final = "JAEGER_AUTHORIZATION"
"""The environment's variable with what goes out as header ``Authorization``: ``Bearer ...`` or ``Basic ...``."""

PORT: Final = 16686
WHAT: Final = "query API of Jaeger v2"

TRACES_AT_ONCE: Final = 400
"""Traces in one answer at most, of all services together that are asked for side by side."""
FEWEST_AT_ONCE: Final = 20

LONGEST_ANSWER: Final = 64 * 1024 * 1024
"""Bytes of one; a longer one is given up, and half of its time is asked for."""

FIRST_SLICE_NS: Final = 3_600 * 1_000_000_000
SHORTEST_SLICE_NS: Final = 1_000
"""Jaeger keeps time in microseconds."""

HELD_SPANS: Final = 20_000
"""Where more than so many of the newest are wanted, all are read."""

_WARNINGS: Final = "@jaeger@warnings"

LOSES: Final = (
    "that a span took no time: it lasts a nanosecond, unless it is a moment of dam-obs",
    "of others' attributes and those of events and links, which were lists or maps, unless Jaeger keeps it in memory",
    "that a trace's first span links to another of its trace, likewise: it is taken for its parent",
)


class Jaeger:
    """One Jaeger."""

    def __init__(self, uri: str) -> None:
        self._address: Address = address_of(uri, port=PORT, options=("page",), example=EXAMPLE)
        self.name = self._address.name
        given = os.environ.get(AUTHORIZATION)
        self._client = Client(self._address, {"Authorization": given} if given else {}, AUTHORIZATION, _message)
        self._page = self._address.number("page", TRACES_AT_ONCE)

    def account(self, query: Query) -> Account:
        """Return an account of nothing yet; without a beginning the last day is asked for."""
        return Account(query.within(time.time_ns()), "Jaeger", loses=LOSES)

    def look(self) -> str:
        """Say which services Jaeger knows."""
        services = self._services(Account(Query(), "Jaeger"))
        number = "1 service" if len(services) == 1 else f"{len(services)} services"
        return f"{number}: {listed(services)}" if services else "it knows no service yet"

    def pages(self, account: Account) -> Iterator[Sequence[OtlpSpan]]:
        """
        Yield the spans that fit, in the order in which they ended as far as slices and services allow.

        Raises:
            BackendError: Something is wrong with it.
        """
        services = self._asked_services(account)
        if account.asked.trace_id is not None:
            yield self._one_trace(account, account.asked.trace_id)
            return
        each = max(FEWEST_AT_ONCE, self._page // max(1, len(services))) if self._page > FEWEST_AT_ONCE else self._page
        walks = [_Walk(self._found, account, service, each) for service in services]
        newest = account.asked.newest
        if newest is not None and newest <= HELD_SPANS:
            yield _newest(walks, newest)
            return
        ends = Ends()
        yield from in_pages(heapq.merge(*(walk.forwards(ends) for walk in walks), key=ends))

    def _one_trace(self, account: Account, trace_id: str) -> list[OtlpSpan]:
        spans = self._spans(f"api/v3/traces/{trace_id}", {"raw_traces": "true", "rawTraces": "true"}, account)
        test = in_scope(account.asked)
        return sorted((span for span in spans or () if test(span)), key=Ends())

    def _found(self, service: str, since_ns: int, until_ns: int, most: int, account: Account) -> list[OtlpSpan] | None:
        """Return the traces with a span of `service` then; `None` if that is too much at once."""
        asked = {
            "service_name": service,
            "start_time_min": moment(since_ns),
            "start_time_max": moment(until_ns),
            "num_traces": str(most),
            "search_depth": str(most),
            "raw_traces": "true",
        }
        parameters = {f"query.{name}": value for name, value in asked.items()} | _attributes(account.asked)
        return self._spans("api/v3/traces", parameters, account)

    def _spans(self, path: str, parameters: Mapping[str, str], account: Account) -> list[OtlpSpan] | None:
        account.requests += 1
        with self._client.asked(self._path(path), parameters) as answer:
            if answer.status == 404 and _no_traces(answer):
                return []
            self._check(answer)
            body = _whole(answer)
        if body is None:
            return None
        spans, unread = spans_of(self._groups(body))
        for _ in range(unread):
            account.skipped.add(self.name, account.requests, "foreign", "spans of another shape than OTLP's")
        return [_as_sent(span) for span in spans]

    def _groups(self, body: bytes) -> list[Any]:
        """Return the groups of spans of an answer, which may be several documents, one after the other."""
        groups: list[Any] = []
        for line in body.split(b"\n"):
            if not line.strip():
                continue
            try:
                document = msgspec.json.decode(line)
            except ValueError as error:
                raise NotThisBackend(self.name, WHAT, f"its answer is no JSON: {error}") from None
            result = document.get("result", document) if isinstance(document, dict) else None
            if not isinstance(result, dict):
                raise NotThisBackend(self.name, WHAT, f"its answer is {said(line.decode(errors='replace'))[:80]}")
            groups += result.get("resourceSpans") or ()
        return groups

    def _asked_services(self, account: Account) -> Sequence[str]:
        known = self._services(account)
        for service in account.asked.services:
            if service not in known:
                raise NoSuchService(self.name, service, known)
        return account.asked.services or known

    def _services(self, account: Account) -> list[str]:
        account.requests += 1
        with self._client.asked(self._path("api/v3/services")) as answer:
            self._check(answer)
            body = _whole(answer) or b""
        try:
            return sorted(msgspec.json.decode(body, type=_Services).services or ())
        except ValueError:
            why = f"its answer begins with {said(body[:80].decode(errors='replace'))!r}"
            raise NotThisBackend(self.name, WHAT, why) from None

    def _check(self, answer: Answer) -> None:
        if answer.status == 200:
            return
        why = f"HTTP status {answer.status}"
        if answer.status in (404, 405, 301, 302, 307, 308) or answer.status < 400:
            raise NotThisBackend(self.name, WHAT, f"{why} for {self._path('api/v3/...')}")
        message = _message(answer.text())
        raise BackendFailed(self.name, f"{why}: {message}" if message else why)

    def _path(self, path: str) -> str:
        return f"{self._address.path}/{path}".lstrip("/")


class _Services(msgspec.Struct):
    services: list[str] | None


_Find = Callable[[str, int, int, int, Account], list[OtlpSpan] | None]


@dataclass(slots=True)
class _Slice:
    """What was found in a stretch of time."""

    since_ns: int
    until_ns: int
    spans: list[OtlpSpan]


class _Walk:
    """Goes through the time of a query with one service."""

    def __init__(self, find: _Find, account: Account, service: str, most: int) -> None:
        self._find = find
        self._account = account
        self._service = service
        self._most = most
        self._query = query = account.asked
        self._since, self._until = query.since_ns or 0, query.until_ns or 0
        self._in_scope, self._wanted = in_scope(query), chosen(query)

    def forwards(self, ends: Ends) -> Iterator[OtlpSpan]:
        """Yield the spans that count as this service's, as they ended."""
        whole = self._query.whole_traces and self._query.chooses
        return as_they_ended(
            (
                (found.until_ns, sorted(self._whole(found) if whole else self._own(found), key=by_wall_clock))
                for found in self._slices("forwards")
            ),
            ends,
        )

    def backwards(self) -> Iterator[list[OtlpSpan]]:
        """Yield the spans of slice after slice, the newest first: those that are wanted, or their whole traces."""
        for found in self._slices("backwards"):
            if not self._query.whole_traces:
                yield self._own(found)
                continue
            wanted = {span.trace_id for span in self._own(found)}
            yield [span for span in found.spans if span.trace_id in wanted and self._in_scope(span)]

    def _own(self, found: _Slice) -> list[OtlpSpan]:
        """Return the spans that are of this service and began in the slice: each is so in one slice alone."""
        return [
            span
            for span in found.spans
            if span.service == self._service
            and found.since_ns <= span.start_ns < found.until_ns
            and self._in_scope(span)
            and self._wanted(span)
        ]

    def _whole(self, found: _Slice) -> Iterator[OtlpSpan]:
        """Yield the traces whose first wanted span is this service's and began in the slice."""
        traces: dict[str, list[OtlpSpan]] = {}
        for span in found.spans:
            traces.setdefault(span.trace_id, []).append(span)
        in_window = in_time(self._query)
        for spans in traces.values():
            wanted = [span for span in spans if in_window(span) and self._in_scope(span) and self._wanted(span)]
            first = min(wanted, key=lambda span: (span.start_ns, span.span_id), default=None)
            if first is None or first.service != self._service:
                continue
            if found.since_ns <= first.start_ns < found.until_ns:
                yield from (span for span in spans if self._in_scope(span))

    def _slices(self, direction: Literal["forwards", "backwards"]) -> Iterator[_Slice]:
        """Yield the time of the query in slices that are no fuller than an answer may be."""
        length = FIRST_SLICE_NS
        done, end = self._since, self._until
        while done < end:
            length = min(length, end - done)
            since, until = (done, done + length) if direction == "forwards" else (end - length, end)
            spans = self._find(self._service, since, until, self._most, self._account)
            traces = 0 if spans is None else len({span.trace_id for span in spans})
            if (spans is None or traces >= self._most) and length > SHORTEST_SLICE_NS:
                length = max(SHORTEST_SLICE_NS, length // 4)
                continue
            if spans is None or traces >= self._most:
                self._account.note(
                    f"{self._service} has more traces within a microsecond than Jaeger gives at once, or one that is "
                    f"too large: some are left out at {moment(since)}"
                )
            yield _Slice(since, until, spans or [])
            done, end = (until, end) if direction == "forwards" else (done, since)
            if 4 * traces <= self._most:
                length *= 4


def _as_sent(span: OtlpSpan) -> OtlpSpan:
    """Undo what Jaeger did to a span: a warning among its attributes, and a link to itself that became its parent."""
    span.attributes.pop(_WARNINGS, None)
    return replace(span, span={**span.span, "parentSpanId": ""}) if span.parent_span_id == span.span_id else span


def _newest(walks: Sequence[_Walk], newest: int) -> list[OtlpSpan]:
    """Hold what slices give, the newest first, until each service has given enough or has no more."""
    held: dict[tuple[str, str], OtlpSpan] = {}
    for walk in walks:
        own = 0
        for spans in walk.backwards():
            own += len(spans)
            held.update(((span.trace_id, span.span_id), span) for span in spans)
            if own > newest:
                break
    return sorted(held.values(), key=Ends())


def _attributes(query: Query) -> dict[str, str]:
    """Return what Jaeger may look for by attributes; a release that does not know how gives all, and we look again."""
    wanted = {}
    if len(query.layers) == 1 and query.layers != ("system",):
        wanted["dam.layer"] = query.layers[0]
    if len(query.statuses) == 1 and query.statuses == ("blocked",):
        wanted["dam.status"] = "blocked"
    if query.run is not None:
        wanted["dam.run.id"] = query.run
    return {"query.attributes": msgspec.json.encode(wanted).decode()} if wanted else {}


def _whole(answer: Answer) -> bytes | None:
    """Return an answer; `None` if it is too long."""
    found = bytearray()
    for piece in answer.pieces():
        found += piece
        if len(found) > LONGEST_ANSWER:
            return None
    return bytes(found)


def _no_traces(answer: Answer) -> bool:
    """Tell that nothing was found from that nobody knows the path."""
    return "No traces found" in (text := answer.text()) or "trace not found" in text


def _message(text: str) -> str:
    """Return what Jaeger says of an error."""
    try:
        document = msgspec.json.decode(text.encode())
        return said(str(document["error"]["message"]))
    except (ValueError, TypeError, KeyError):
        return said(text)
