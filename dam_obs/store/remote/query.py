"""
What a command can use of a backend, so that the rest need not come over the network.

A backend may give more than it was asked for, never less: whoever asked looks again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from dam_obs.store.filter import Filter
from dam_obs.store.filter.tree import All, AnyOf, Ended, InLayer, Named, Node, Started, fold
from dam_obs.trace.events import Status

DAY_NS: Final = 86_400 * 1_000_000_000

_HANDLE: Final = re.compile(r"[a-z]{3}_(\d{1,11})_[0-9A-Za-z]+")
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which spans are wanted."""

    since_ns: int | None = None
    """Started then or later: wall clock, nanoseconds since the epoch."""
    until_ns: int | None = None
    """Started before."""
    services: tuple[str, ...] = ()
    """Of any of these; of all, where there is none."""
    run: str | None = None
    """Of processes of this measured run."""
    layers: tuple[str, ...] = ()
    """Of any of these layers, by full name."""
    statuses: tuple[Status, ...] = ()
    components: tuple[str, ...] = ()
    """Of any of these components; letters of either case."""
    request: str | None = None
    """Of the traces that have this id: a handle, or an OpenTelemetry trace id or span id."""
    newest: int | None = None
    """So many of the newest are enough."""
    whole_traces: bool = False
    """With what else is in their traces, if it is of the services, the run and the time that are wanted."""

    @property
    def trace_id(self) -> str | None:
        """The OpenTelemetry trace that is wanted, where one is named."""
        text = (self.request or "").lower()
        return text if _TRACE_ID.fullmatch(text) else None

    @property
    def chooses(self) -> bool:
        """Some spans of a trace are wanted and others not."""
        return bool(self.layers or self.statuses or self.components or self.request)

    def within(self, now_ns: int) -> Query:
        """
        Return the same with a beginning and an end.

        Without them, a handle says when its span began (`HANDLE_NS` around it); else it is the last `DAY_NS`.
        """
        until = now_ns if self.until_ns is None else self.until_ns
        if self.since_ns is not None:
            return replace(self, until_ns=until)
        handle = _HANDLE.fullmatch(self.request or "")
        if handle is None:
            return replace(self, since_ns=max(0, until - DAY_NS), until_ns=until)
        at = int(handle[1]) * 1_000_000_000
        return replace(self, since_ns=max(0, at - HANDLE_NS), until_ns=min(until, at + HANDLE_NS))

    def window(self) -> str:
        """Say from when to when, for messages."""
        if self.since_ns is None and self.until_ns is None:
            return "at any time"
        since = "the beginning" if self.since_ns is None else moment(self.since_ns)
        return f"from {since} to {'now' if self.until_ns is None else moment(self.until_ns)}"

    def scope(self) -> str:
        """Say what else is wanted, for messages."""
        parts = [f"service {' or '.join(self.services)}"] if self.services else []
        parts += [f"run {self.run}"] if self.run else []
        parts += [f"layer {' or '.join(self.layers)}"] if self.layers else []
        parts += [f"status {' or '.join(self.statuses)}"] if self.statuses else []
        parts += [f"component {' or '.join(self.components)}"] if self.components else []
        parts += [f"id {self.request}"] if self.request else []
        return ", ".join(parts)


HANDLE_NS: Final = DAY_NS // 24
"""A trace that a handle belongs to began so long before it at most, and lasted so long after it."""

EVERYTHING: Final = Query()


def moment(at_ns: int) -> str:
    """Return a time as text, in seconds and UTC."""
    seconds, fraction = divmod(at_ns, 1_000_000_000)
    shown = datetime.fromtimestamp(seconds, UTC)
    return shown.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction:09d}".rstrip("0") if fraction else "") + "Z"


def narrowed(query: Query, wanted: Filter) -> tuple[Query, bool]:
    """Return the query for what `wanted` lets through at most, and whether that is no more than it does."""
    exact = True
    for term in _all_of(wanted.tree):
        smaller = _narrow(query, term)
        exact = exact and smaller is not None
        query = smaller or query
    return query, exact


def _all_of(term: Node) -> Iterator[Node]:
    """Yield the terms that must all be fulfilled."""
    if isinstance(term, All):
        for each in term.terms:
            yield from _all_of(each)
    else:
        yield term


def _narrow(query: Query, term: Node) -> Query | None:
    """Take a term into a query that says nothing of the kind yet; `None` where that cannot be."""
    match term:
        case Started(from_ns, before_ns):
            since = from_ns if query.since_ns is None else max(from_ns, query.since_ns)
            until = before_ns if query.until_ns is None else min(before_ns, query.until_ns)
            return replace(
                query, since_ns=max(0, since) or None, until_ns=None if until >= _NEVER_NS else max(0, until)
            )
        case InLayer(known=True) if not query.layers:
            return replace(query, layers=(term.name,))
        case Ended() if not query.statuses:
            return replace(query, statuses=term.statuses)
        case Named("component") if not query.components and len(term.pattern.pieces) == 1:
            return replace(query, components=term.pattern.pieces)
        case AnyOf(terms) if (
            terms and not query.layers and all(isinstance(one, InLayer) and one.known for one in terms)
        ):
            return replace(query, layers=tuple(one.name for one in terms if isinstance(one, InLayer)))
        case AnyOf(terms) if terms and not query.statuses and all(isinstance(one, Ended) for one in terms):
            return replace(
                query, statuses=tuple(dict.fromkeys(s for one in terms if isinstance(one, Ended) for s in one.statuses))
            )
    return None


_NEVER_NS: Final = 2**62


def folded(names: tuple[str, ...]) -> frozenset[str]:
    """Return names without their case."""
    return frozenset(map(fold, names))
