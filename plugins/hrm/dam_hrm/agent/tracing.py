"""
Let dam-obs record the agent's session, where it is asked for and installed.

dam-obs is asked for by ``--trace``, or in its own way, by the environment. It is imported by
`dam_hrm.observability` alone, and only then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

from dam_hrm.errors import HrmError

SWITCHES: Final = ("DOPEJAR_TRACE", "DAM_OBS_ENABLED")
"""The variables by which dam-obs is switched on."""

_OFF: Final = ("", "0", "false", "no", "off")
"""What says in them that it is not."""


class TracingMissing(HrmError):
    """The agent is to be traced, and dam-obs is not installed."""

    def __init__(self) -> None:
        super().__init__("--trace needs dam-obs, which is not installed here: pip install dam-obs")


def start(console: bool) -> Callable[[], object]:
    """
    Begin to record, if that is wanted; give what brings everything recorded so far to its place.

    Call it before plugin managers are made.

    Args:
        console: Show the tree of each turn on standard error. Without it, the environment decides.

    Raises:
        TracingMissing: It is wanted by `console`, and dam-obs is not there.
    """
    if not console and all(os.environ.get(name, "").strip().lower() in _OFF for name in SWITCHES):
        return _nothing
    try:
        from dam_hrm import observability

        return observability.record_sessions(console=console)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dam_obs", "opentelemetry"):
            raise
        if console:
            raise TracingMissing from error
        print("warning: the environment asks for a trace, but dam-obs is not installed", file=sys.stderr)
        return _nothing


def _nothing() -> None:
    """Flush where there is nothing to flush."""
