"""The trace sources that dam-obs ships: files and backends, through the same hook as anyone's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dam_obs.hookspecs import hookimpl
from dam_obs.store.find import find_source
from dam_obs.store.read import read_events
from dam_obs.trace.events import TraceEvent

if TYPE_CHECKING:
    from dam_obs.store.remote.query import Query


@hookimpl(trylast=True)
def dam_obs_trace_source(uri: str, query: Query) -> Iterable[TraceEvent] | None:
    """Read a collector's files, Jaeger or ClickHouse; or a file, a run folder, or either as a ``file:`` URI."""
    from dam_obs.store.remote.opening import events_of  # brings a client for HTTP

    backend = events_of(uri, query)
    if backend is not None:
        return backend
    path = _local_path(uri)
    if path is None or not path.exists():
        return None
    return read_events(find_source(path).trace)


def _local_path(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path)) if parts.netloc in ("", "localhost") else None
    return Path(uri) if not parts.scheme else None
