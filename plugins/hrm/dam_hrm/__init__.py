"""A small four-layer runtime with memory, whose every operation is a hook."""

from __future__ import annotations

from dam_hrm.asking import HookFailed
from dam_hrm.errors import HrmError, UnknownName
from dam_hrm.hookspecs import hookimpl
from dam_hrm.plugin import plugin_manager
from dam_hrm.session import Session
from dam_hrm.turn import Turn

__all__ = ["HookFailed", "HrmError", "Session", "Turn", "UnknownName", "hookimpl", "plugin_manager"]
