"""Which of our backends a URI names."""

from __future__ import annotations

from collections.abc import Callable

from dam_obs.store.remote.address import scheme_of
from dam_obs.store.remote.events import BackendEvents, Source
from dam_obs.store.remote.otlp_file import SCHEME
from dam_obs.store.remote.query import Query


def events_of(uri: str, query: Query) -> BackendEvents | None:
    """Return what a query finds in the backend that `uri` names, asked when it is read; `None` if it is not ours."""
    make = maker_of(uri)
    return None if make is None else BackendEvents(uri, lambda: make(uri), query)


def maker_of(uri: str) -> Callable[[str], Source] | None:
    """Return what makes the backend that `uri` names, and raises if it is named wrongly; `None` if it is not ours."""
    if uri.startswith(SCHEME):
        from dam_obs.store.remote.otlp_file import OtlpFiles

        return OtlpFiles
    scheme, _ = scheme_of(uri)
    if scheme == "jaeger":
        from dam_obs.store.remote.jaeger import Jaeger

        return Jaeger
    if scheme == "clickhouse":
        from dam_obs.store.remote.clickhouse import ClickHouse

        return ClickHouse
    return None
