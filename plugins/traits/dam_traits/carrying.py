"""
Carry the trace along where an invocation is sent to another process, if anybody traces.

A plugin of every world. It asks `observability`, which needs dam-obs, only where dam-obs is
in the process already or where the sender has it.
"""

from __future__ import annotations

import sys
from typing import Any

from dam_traits.hookspecs import hookimpl


@hookimpl
def dam_traits_carry() -> dict[str, str] | None:
    """Name the current span, where dam-obs records."""
    if sys.modules.get("dam_obs") is None:
        return None
    from dam_traits import observability

    return observability.carry()


@hookimpl
def dam_traits_resume(carried: dict[str, str]) -> Any:
    """Go on with the sender's trace, where there is one and dam-obs is installed here."""
    if "traceparent" not in carried:
        return None
    try:
        from dam_traits import observability
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dam_obs", "opentelemetry"):
            raise
        return None
    return observability.resume(carried)


@hookimpl
def dam_traits_bring(brought: bytes) -> None:
    """Hand spans from elsewhere to the sinks of this process."""
    if sys.modules.get("dam_obs") is not None:
        from dam_traits import observability

        observability.bring(brought)
