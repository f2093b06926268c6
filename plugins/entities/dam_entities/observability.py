"""
What dam_entities brings to dam-obs: its trace points, and one trace over isolated calls.

The one module of dam_entities that knows dam-obs, which loads it as a plugin of the entry-point group ``dam_obs``.
Every program that is observed loads it, so it imports little. A child that was forked goes on with its parent's trace
by itself; into one that shares no memory the trace's name is carried.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pluggy

TRACE_POINTS: Final = Path(__file__).parent / "trace_points"

hookimpl: Final = pluggy.HookimplMarker("dam_obs")


@hookimpl
def dam_obs_trace_points() -> list[Path]:
    """Bring the points of dam_entities itself, and those of hosts that work alike."""
    return sorted(TRACE_POINTS.glob("*.toml"))


def carry() -> dict[str, str]:
    """Name the current span, where dam-obs records."""
    from dam_obs.points import remote

    return remote.carry()


def resume(carried: dict[str, str]) -> AbstractContextManager[object] | None:
    """
    Go on with the trace that was carried here.

    Raises:
        ModuleNotFoundError: dam-obs is not installed.
    """
    from dam_obs.points import remote

    return remote.resume(carried)
