"""
A small four-layer runtime with memory, whose every operation is a hook.

A name's module is imported when the name is first asked for: a program in which dam_hrm is merely
installed loads it for its trace points, and pays for nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dam_hrm.asking import HookFailed
    from dam_hrm.errors import HrmError, UnknownName
    from dam_hrm.hookspecs import hookimpl
    from dam_hrm.plugin import plugin_manager
    from dam_hrm.session import Session
    from dam_hrm.turn import Turn

__all__ = ["HookFailed", "HrmError", "Session", "Turn", "UnknownName", "hookimpl", "plugin_manager"]

_HOMES: Final = {
    "HookFailed": "asking",
    "HrmError": "errors",
    "Session": "session",
    "Turn": "turn",
    "UnknownName": "errors",
    "hookimpl": "hookspecs",
    "plugin_manager": "plugin",
}


def __getattr__(name: str) -> Any:
    """Import what a name stands for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Name everything that can be imported from here."""
    return sorted({*globals(), *__all__})
