"""Whether a span is one that a query wants: asked of each, since a backend may give more than it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dam_obs.store.filter.tree import fold
from dam_obs.store.otlp import OtlpSpan
from dam_obs.store.remote.query import Query, folded
from dam_obs.trace.identity import RUN_ID

Test = Callable[[OtlpSpan], bool]


def in_scope(query: Query) -> Test:
    """Return what tells the spans of the services and the run that are wanted."""
    services = frozenset(query.services)

    def wanted(span: OtlpSpan) -> bool:
        if services and span.service not in services:
            return False
        return query.run is None or span.resource.get(RUN_ID) == query.run

    return wanted


def in_time(query: Query) -> Test:
    """Return what tells the spans that started in the time that is wanted."""
    since, until = query.since_ns or 0, query.until_ns

    def wanted(span: OtlpSpan) -> bool:
        return since <= span.start_ns and (until is None or span.start_ns < until)

    return wanted


def chosen(query: Query) -> Test:
    """Return what tells the spans that are wanted for themselves."""
    layers, statuses = frozenset(query.layers), frozenset(query.statuses)
    components, request = folded(query.components), query.request
    ids = frozenset() if request is None else frozenset((request, request.lower()))

    def wanted(span: OtlpSpan) -> bool:
        if layers and span.layer not in layers:
            return False
        if statuses and span.status not in statuses:
            return False
        if components and fold(span.component) not in components:
            return False
        return not ids or not ids.isdisjoint(_ids_of(span))

    return wanted


def fits(query: Query) -> Test:
    """Return what tells the spans that fit a query in all."""
    tests = in_time(query), in_scope(query), chosen(query)
    return lambda span: all(test(span) for test in tests)


def _ids_of(span: OtlpSpan) -> Iterable[str]:
    """Yield the ids by which a span may be asked for: its own, its trace's, and its parent's, who may be missing."""
    yield span.trace_id
    yield span.span_id
    yield span.handle
    if span.parent_span_id is not None:
        yield span.parent_span_id
    parent = span.attributes.get("dam.parent_id")
    if isinstance(parent, str):
        yield parent
