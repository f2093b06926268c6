"""What dam_hrm brings to dam-obs: its trace points. The one module of dam_hrm that knows dam-obs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dam_obs import hookimpl

TRACE_POINTS: Final = Path(__file__).parent / "trace_points"


@hookimpl
def dam_obs_trace_points() -> list[Path]:
    """Bring a file for each layer."""
    return sorted(TRACE_POINTS.glob("*.toml"))
