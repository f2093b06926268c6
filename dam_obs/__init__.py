"""
dam-obs: from a running program to the scheduler's knowledge of it.

What a program imports to be observed, or to observe a part of itself by hand. Everything
else is reached by the command line (`dam-obs --help`) or by a plugin (`hookspecs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dam_obs.hookspecs import hookimpl
from dam_obs.trace.decorate import traced
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.layers import register as register_layer
from dam_obs.trace.session import configure, start_if_set
from dam_obs.trace.session import current as _session
from dam_obs.trace.tracer import tracer

if TYPE_CHECKING:
    from dam_obs.points.hosts import Observation

__version__ = "0.1.0"

__all__ = [
    "TraceEvent",
    "__version__",
    "configure",
    "flush",
    "hookimpl",
    "observe",
    "register_layer",
    "shutdown",
    "traced",
    "tracer",
]


def observe(plugin_manager: Any) -> Observation:
    """
    Make a span of every hook call of a pluggy host.

    Returns:
        What undoes it: call `stop()`, or use it as a context manager.
    """
    from dam_obs.points.hosts import observe as observe_host

    return observe_host(plugin_manager)


def flush(timeout: float = 5.0) -> bool:
    """
    Bring every span that has ended so far to its place.

    Returns:
        Whether that was done within `timeout` seconds; `True` also while recording is off.
    """
    session = _session()
    return session is None or session.flush(timeout)


def shutdown() -> None:
    """Switch recording off: flush, close the sinks, and leave the process as it was."""
    configure(enabled=False)


start_if_set()
