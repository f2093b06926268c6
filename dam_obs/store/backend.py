"""Read events from where a plugin has them: whatever is named as ``scheme://...`` or ``otlp-file:PATH``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dam_obs.plugins import call_first, plugin_manager
from dam_obs.store.errors import NoBackend
from dam_obs.trace.events import TraceEvent

if TYPE_CHECKING:
    from dam_obs.store.remote.query import Query


def is_uri(name: str) -> bool:
    """Tell the name of a backend's from a file's."""
    scheme, found, _ = name.partition("://")
    if name.startswith("otlp-file:"):
        return True
    return bool(found) and scheme.replace("+", "").replace("-", "").replace(".", "").isalnum()


def backend_events(uri: str, query: Query | None = None) -> Iterable[TraceEvent]:
    """
    Return what the first plugin has that knows `uri`.

    Args:
        uri: Of a backend.
        query: What is wanted of it at most; more may come.

    Raises:
        NoBackend: no plugin knows it.
    """
    from dam_obs.store.remote.query import EVERYTHING

    query = query or EVERYTHING
    events: Iterable[TraceEvent] | None = call_first(
        plugin_manager("analysis"), "dam_obs_trace_source", uri=uri, query=query
    )
    if events is None:
        raise NoBackend(uri)
    return events
