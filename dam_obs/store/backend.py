"""Read events from where a plugin has them: whatever is named as ``scheme://...``."""

from __future__ import annotations

from collections.abc import Iterable

from dam_obs.plugins import call_first, plugin_manager
from dam_obs.store.errors import NoBackend
from dam_obs.trace.events import TraceEvent


def is_uri(name: str) -> bool:
    """Tell the name of a backend's from a file's."""
    scheme, found, _ = name.partition("://")
    return bool(found) and scheme.replace("+", "").replace("-", "").replace(".", "").isalnum()


def backend_events(uri: str) -> Iterable[TraceEvent]:
    """
    Return what the first plugin has that knows `uri`.

    Raises:
        NoBackend: no plugin knows it.
    """
    events: Iterable[TraceEvent] | None = call_first(plugin_manager("analysis"), "dam_obs_trace_source", uri=uri)
    if events is None:
        raise NoBackend(uri)
    return events
