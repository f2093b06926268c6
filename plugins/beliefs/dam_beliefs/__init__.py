"""
Composable knowledge over prototypes: traits resolved over bases, operations on them, minds, ticks.

Everything a user or a plugin needs is importable from here. A name's module is imported when the
name is first asked for, so that importing the package alone costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dam_beliefs.archetype import Archetype
    from dam_beliefs.belief import Belief
    from dam_beliefs.errors import (
        BadCondition,
        BadOperation,
        BadTick,
        BadWorld,
        BeliefsError,
        CannotCompose,
        CircularTrait,
        CyclicBases,
        ForeignState,
        LabelTaken,
        Locked,
        NotSavable,
        NotValid,
        PluginBroken,
        UnknownBase,
        UnknownFactory,
        UnknownLabel,
        UnknownOperation,
        UnknownTrait,
        WrongValue,
    )
    from dam_beliefs.explanation import Explanation
    from dam_beliefs.hookspecs import hookimpl
    from dam_beliefs.keys import parse_trait_key
    from dam_beliefs.mind import Mind
    from dam_beliefs.plain import MISSING
    from dam_beliefs.plugin import plugin_manager
    from dam_beliefs.resolution import Resolved
    from dam_beliefs.state import State
    from dam_beliefs.subject import Subject
    from dam_beliefs.traittype import Traittype
    from dam_beliefs.union_state import UnionState
    from dam_beliefs.value_types.base import Making, Operation, Unfit, ValueType
    from dam_beliefs.value_types.user_class import UserClass
    from dam_beliefs.values import Composing, Constructing, Learned, Learning, Operating, Ticking, Valued
    from dam_beliefs.world import World

_HOMES = {
    "archetype": ("Archetype",),
    "belief": ("Belief",),
    "errors": (
        "BadCondition", "BadOperation", "BadTick", "BadWorld", "BeliefsError", "CannotCompose", "CircularTrait",
        "CyclicBases", "ForeignState", "LabelTaken", "Locked", "NotSavable", "NotValid", "PluginBroken", "UnknownBase",
        "UnknownFactory", "UnknownLabel", "UnknownOperation", "UnknownTrait", "WrongValue",
    ),
    "explanation": ("Explanation",),
    "hookspecs": ("hookimpl",),
    "keys": ("parse_trait_key",),
    "mind": ("Mind",),
    "plain": ("MISSING",),
    "plugin": ("plugin_manager",),
    "resolution": ("Resolved",),
    "state": ("State",),
    "subject": ("Subject",),
    "traittype": ("Traittype",),
    "union_state": ("UnionState",),
    "value_types.base": ("Making", "Operation", "Unfit", "ValueType"),
    "value_types.user_class": ("UserClass",),
    "values": ("Composing", "Constructing", "Learned", "Learning", "Operating", "Ticking", "Valued"),
    "world": ("World",),
}  # fmt: skip
"""All names by the module that has them."""

_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "MISSING",
    "Archetype",
    "BadCondition",
    "BadOperation",
    "BadTick",
    "BadWorld",
    "Belief",
    "BeliefsError",
    "CannotCompose",
    "CircularTrait",
    "Composing",
    "Constructing",
    "CyclicBases",
    "Explanation",
    "ForeignState",
    "LabelTaken",
    "Learned",
    "Learning",
    "Locked",
    "Making",
    "Mind",
    "NotSavable",
    "NotValid",
    "Operating",
    "Operation",
    "PluginBroken",
    "Resolved",
    "State",
    "Subject",
    "Ticking",
    "Traittype",
    "Unfit",
    "UnionState",
    "UnknownBase",
    "UnknownFactory",
    "UnknownLabel",
    "UnknownOperation",
    "UnknownTrait",
    "UserClass",
    "ValueType",
    "Valued",
    "World",
    "WrongValue",
    "hookimpl",
    "parse_trait_key",
    "plugin_manager",
]


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
