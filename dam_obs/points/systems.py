"""
What is known of a system that a read path has led to: its name, where its code stands, its pace.

One trace point may stand for many systems, where it is the caller's of a registry. Each has
a pace of its own, since what is worth measuring of one says nothing of another.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final
from weakref import WeakKeyDictionary

from dam_obs.trace._storage import place_of
from dam_obs.trace.site import Pace, code_of
from dam_obs.trace.span import Span

MOST_NAMED: Final = 1000
"""Systems known by a text that keep a pace; further ones have their trace point's."""

_ROUTINES: Final = frozenset({FunctionType, MethodType, BuiltinFunctionType})


class _System:
    """A system, while its function or class lives."""

    __slots__ = ("code", "name", "pace")

    def __init__(self, name: str, code: dict[str, str | int] | None) -> None:
        self.name = name
        self.code = code
        """`None` for what is only known by its object: its target's code is where it runs."""
        self.pace = Pace()


_known: WeakKeyDictionary[Any, _System] = WeakKeyDictionary()
_objects: WeakKeyDictionary[type, _System] = WeakKeyDictionary()
"""Of objects that are systems, by their class."""
_named: dict[str, _System] = {}


def set_system(span: Span, value: Any) -> None:
    """Say on `span` which system it is a run of."""
    system = _find(value)
    span.set_component(system.name)
    if system.code is not None:
        span.code = system.code
    if span.meter is not None:
        span.meter.keep(system.pace)


def _find(value: Any) -> _System:
    """Find a system: text names it, a class or function is it, any other object is one by its class."""
    kind = type(value)
    if issubclass(kind, str):
        return _find_named(str.__str__(value))
    if kind is MethodType:
        value, kind = value.__func__, type(value.__func__)
    if kind in _ROUTINES:
        found = _known.get(value)
        if found is None:
            found = _known[value] = _System(f"{value.__module__}:{value.__qualname__}", code_of(value))
        return found
    if issubclass(kind, type):
        found = _known.get(value)
        if found is None:
            found = _known[value] = _System(place_of(value), code_of(_called(value)))
        return found
    found = _objects.get(kind)
    if found is None:
        found = _objects[kind] = _System(place_of(kind), None)
    return found


def _find_named(name: str) -> _System:
    found = _named.get(name)
    if found is None:
        found = _System(name, None)
        if len(_named) < MOST_NAMED:
            _named[name] = found
    return found


def _called(kind: type) -> Any:
    """Return what runs when an object of this class is called; the class, where none can be."""
    for each in type.mro(kind):
        if "__call__" in vars(each):
            return vars(each)["__call__"]
    return kind
