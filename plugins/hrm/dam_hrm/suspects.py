"""Name who may be to blame for an answer of which only the content is wrong."""

from __future__ import annotations

from typing import Any, Final

_BUILT_IN: Final = "dam_hrm."


def suspects(hook: Any) -> str:
    """Name the plugins that a hook asks, in that order; the built-in ones only where there are no others."""
    names = [implementation.plugin_name for implementation in reversed(hook.get_hookimpls())]
    others = [name for name in names if not name.startswith(_BUILT_IN)] or names
    return f"plugin {others[0]}" if len(others) == 1 else f"one of the plugins {', '.join(others)}"
