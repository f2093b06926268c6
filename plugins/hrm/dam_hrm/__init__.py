"""
A small four-layer runtime with memory, whose every operation is a hook.

Everything a user or a plugin needs is importable from here. A name's module is imported when the
name is first asked for, so that importing the package alone costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dam_hrm.altitude.values import Action, ActionResult, Evaluation, Footing, Level, Move, Moved, Plan
    from dam_hrm.asking import HookFailed
    from dam_hrm.errors import HrmError, SessionClosed, UnknownName
    from dam_hrm.focus.values import (
        Answer,
        Consent,
        ConsentRequest,
        GateDecision,
        GateRequest,
        GateType,
        Lane,
        LaneSwitch,
        Reducer,
        Routed,
        Signal,
        Stance,
        StanceChange,
    )
    from dam_hrm.hookspecs import hookimpl
    from dam_hrm.learning.values import Generalized, Match, Pattern, Situation, Trimmed
    from dam_hrm.memory.values import Address, Found, Shift, Shifted, Tier, WriteRequest, Written
    from dam_hrm.order import WithinItself
    from dam_hrm.plugin import PluginBroken, plugin_manager
    from dam_hrm.reasoning.values import Classification, Escalated, Escalation, Strategy, StrategyChoice
    from dam_hrm.session import Session
    from dam_hrm.turn import Turn

__all__ = [
    "Action",
    "ActionResult",
    "Address",
    "Answer",
    "Classification",
    "Consent",
    "ConsentRequest",
    "Escalated",
    "Escalation",
    "Evaluation",
    "Footing",
    "Found",
    "GateDecision",
    "GateRequest",
    "GateType",
    "Generalized",
    "HookFailed",
    "HrmError",
    "Lane",
    "LaneSwitch",
    "Level",
    "Match",
    "Move",
    "Moved",
    "Pattern",
    "Plan",
    "PluginBroken",
    "Reducer",
    "Routed",
    "Session",
    "SessionClosed",
    "Shift",
    "Shifted",
    "Signal",
    "Situation",
    "Stance",
    "StanceChange",
    "Strategy",
    "StrategyChoice",
    "Tier",
    "Trimmed",
    "Turn",
    "UnknownName",
    "WithinItself",
    "WriteRequest",
    "Written",
    "hookimpl",
    "plugin_manager",
]

_HOMES = {
    "altitude.values": ("Action", "ActionResult", "Evaluation", "Footing", "Level", "Move", "Moved", "Plan"),
    "asking": ("HookFailed",),
    "errors": ("HrmError", "SessionClosed", "UnknownName"),
    "focus.values": (
        "Answer",
        "Consent",
        "ConsentRequest",
        "GateDecision",
        "GateRequest",
        "GateType",
        "Lane",
        "LaneSwitch",
        "Reducer",
        "Routed",
        "Signal",
        "Stance",
        "StanceChange",
    ),
    "hookspecs": ("hookimpl",),
    "learning.values": ("Generalized", "Match", "Pattern", "Situation", "Trimmed"),
    "memory.values": ("Address", "Found", "Shift", "Shifted", "Tier", "WriteRequest", "Written"),
    "order": ("WithinItself",),
    "plugin": ("PluginBroken", "plugin_manager"),
    "reasoning.values": ("Classification", "Escalated", "Escalation", "Strategy", "StrategyChoice"),
    "session": ("Session",),
    "turn": ("Turn",),
}
"""All names by the module that has them."""

_MODULES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
