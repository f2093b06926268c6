"""
What dam_hrm brings to dam-obs: its trace points, and a way to have sessions recorded.

The one module of dam_hrm that knows dam-obs. Every program that is observed loads it, so it imports little;
and dam-obs, which loads its plugins when it is first imported, must find it whole.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pluggy

TRACE_POINTS: Final = Path(__file__).parent / "trace_points"

hookimpl: Final = pluggy.HookimplMarker("dam_obs")


@hookimpl
def dam_obs_trace_points() -> list[Path]:
    """Bring a file for each layer, and those of hosts that work alike."""
    return sorted(TRACE_POINTS.glob("*.toml"))


def record_sessions(*, console: bool = False) -> Callable[[], object]:
    """
    Record the sessions whose plugin managers are made from now on; whoever records already goes on.

    Args:
        console: Print the tree of each turn to standard error. Without it, dam-obs' own settings decide on
            everything, also on whether to record.

    Returns:
        What brings everything recorded so far to its place.

    Raises:
        ModuleNotFoundError: dam-obs is not installed.
    """
    import dam_obs
    from dam_obs.points import activate
    from dam_obs.trace import session

    observed = activate.active()
    if observed is not None:
        if console and not observed.settings.console:
            print("warning: dam-obs run records this: the tree is shown by dam-obs run --trace", file=sys.stderr)
        return dam_obs.flush
    if console:
        dam_obs.configure(console=True)
    running = session.current()
    if running is not None:
        activate.activate(running.settings)
    return dam_obs.flush
