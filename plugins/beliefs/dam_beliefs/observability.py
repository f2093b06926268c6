"""
What dam_beliefs brings to dam-obs: its trace points.

The one module of dam_beliefs that knows dam-obs, which loads it as a plugin of the entry-point group ``dam_obs``.
Every program that is observed loads it, so it imports little.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pluggy

TRACE_POINTS: Final = Path(__file__).parent / "trace_points"

hookimpl: Final = pluggy.HookimplMarker("dam_obs")


@hookimpl
def dam_obs_trace_points() -> list[Path]:
    """Bring the points of dam_beliefs."""
    return sorted(TRACE_POINTS.glob("*.toml"))
