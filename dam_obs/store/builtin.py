"""The trace source that dam-obs ships: plain files, through the same hook as anyone's backend."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dam_obs.hookspecs import hookimpl
from dam_obs.store.find import find_source
from dam_obs.store.read import read_events
from dam_obs.trace.events import TraceEvent


@hookimpl(trylast=True)
def dam_obs_trace_source(uri: str) -> Iterable[TraceEvent] | None:
    """Read a file, a run folder, or either as a ``file:`` URI."""
    path = _local_path(uri)
    if path is None or not path.exists():
        return None
    return read_events(find_source(path).trace)


def _local_path(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path)) if parts.netloc in ("", "localhost") else None
    return Path(uri) if not parts.scheme else None
