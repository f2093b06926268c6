"""
Carry the trace along into a process that shares no memory with this one, if anybody traces.

A plugin of every runtime. It asks `observability`, which needs dam-obs, only where dam-obs is in the process already
or where the sender has it.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager

from dam_entities.hookspecs import hookimpl
from dam_entities.runtime import Runtime


@hookimpl
def dam_entities_carry(runtime: Runtime) -> dict[str, str] | None:
    """Name the current span, where dam-obs records."""
    if sys.modules.get("dam_obs") is None:
        return None
    from dam_entities import observability

    return observability.carry()


@hookimpl
def dam_entities_resume(carried: dict[str, str]) -> AbstractContextManager[object] | None:
    """Go on with the sender's trace, where there is one and dam-obs is installed here."""
    if "traceparent" not in carried:
        return None
    try:
        from dam_entities import observability
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dam_obs", "opentelemetry"):
            raise
        return None
    return observability.resume(carried)
