"""
Name the references to a function that were taken before a point was put on it.

``from m import f``, a registry or a callback list goes on calling the function itself,
past the trace point. They are named, for `dam-obs doctor` and ``attach-report``, and never
changed: a host that knows functions by identity would take a changed one for another.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CellType, FrameType, FunctionType, ModuleType
from typing import Any, Final

MOST: Final = 20
"""References named for one function."""

_CONTAINERS: Final = (dict, list, tuple, set, frozenset)


def escaped_references(functions: Sequence[Callable[..., Any]], own: Sequence[object] = ()) -> dict[int, list[str]]:
    """
    Return where functions are still referred to, by the function's `id`.

    Looks at every object of the process once, so it is for reports, not for a program at work.

    Args:
        functions: The functions themselves, below what was put onto them.
        own: Objects that hold them rightly, such as the place they came from.
    """
    wanted = {id(function): function for function in functions}
    ignored = {id(each) for each in own} | {id(functions), id(wanted)}
    found: dict[int, list[str]] = {number: [] for number in wanted}
    holders = [each for each in gc.get_referrers(*functions) if id(each) not in ignored] if functions else []
    names = _Names(holders)
    for holder in holders:
        for number, key in _held(holder, wanted):
            name = names.of(holder, key)
            if name is not None and len(found[number]) < MOST and name not in found[number]:
                found[number].append(name)
    return {number: sorted(found_names) for number, found_names in found.items() if found_names}


def module_references(functions: Sequence[Callable[..., Any]]) -> dict[int, list[str]]:
    """Return the ``module.attribute`` names that hold functions; cheap enough for the end of a program."""
    wanted = {id(function) for function in functions}
    found: dict[int, list[str]] = {}
    for module_name, module in list(sys.modules.items()):
        for attribute, value in list(_namespace(module).items()):
            if id(value) in wanted and module_name != "__mp_main__":
                found.setdefault(id(value), []).append(f"{module_name}.{attribute}")
    return {number: sorted(names)[:MOST] for number, names in found.items()}


def _namespace(module: object) -> Mapping[str, Any]:
    namespace = module.__dict__ if type(module) is ModuleType else None
    return namespace if isinstance(namespace, dict) else {}


def _held(holder: object, wanted: Mapping[int, object]) -> Iterator[tuple[int, object]]:
    """Yield which of `wanted` a container holds and under which key; each once."""
    if isinstance(holder, dict):
        for key, value in list(dict.items(holder)):
            if id(value) in wanted and key != "__wrapped__":  # what a wrapper wraps, nobody calls by that name
                yield id(value), key
            elif id(key) in wanted:
                yield id(key), None
    elif isinstance(holder, _CONTAINERS):
        for value in list(holder):
            if id(value) in wanted:
                yield id(value), None
    elif type(holder).__name__ not in ("method", "partial"):
        # An object's attributes stand in the object itself, until somebody asks for their dictionary.
        for name, value in list(_attributes(holder).items()):
            if id(value) in wanted:
                yield id(value), name
    else:
        function = getattr(holder, "__func__", None) or getattr(holder, "func", None)
        if id(function) in wanted:
            yield id(function), None


def _attributes(holder: object) -> dict[str, Any]:
    """Return an object's attributes, past any code of its class; none where it has none."""
    if isinstance(holder, type | FunctionType | CellType | FrameType | ModuleType):
        return {}
    try:
        found = object.__getattribute__(holder, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return found if type(found) is dict else {}


class _Names:
    """Names containers by who holds them: a module, a class, an object, or another container that has a name."""

    def __init__(self, holders: Sequence[object]) -> None:
        self._owners: dict[int, str] = {}
        self._modules: dict[int, str] = {}
        kinds = {id(holder) for holder in holders if isinstance(holder, _CONTAINERS)}
        for module_name, module in list(sys.modules.items()):
            if module_name.partition(".")[0] == "dam_obs":
                continue
            namespace = _namespace(module)
            self._modules.setdefault(id(namespace), module_name)
            for attribute, value in list(namespace.items()):
                if id(value) in kinds:
                    self._owners.setdefault(id(value), f"{module_name}.{attribute}")

    def of(self, holder: object, key: object) -> str | None:
        """Name a reference; `None` for one that is of no interest: ours, a frame's, one that nobody can name."""
        if id(holder) in self._modules:
            return f"{self._modules[id(holder)]}.{key}"
        kind = type(holder).__name__
        if id(holder) in self._owners:
            return f"{self._owners[id(holder)]} ({kind})"
        if not isinstance(holder, _CONTAINERS):
            return _object_name(holder, key)
        owner = self._owner_of(holder)
        if owner is None:
            return None
        return f"{owner}.{key}" if isinstance(holder, dict) and isinstance(key, str) else f"{owner} ({kind})"

    def _owner_of(self, holder: object) -> str | None:
        """Name the class or object whose namespace or container this is."""
        for owner in gc.get_referrers(holder):
            if isinstance(owner, type):
                return f"{owner.__module__}:{owner.__qualname__}"
            if _attributes(owner) is holder and _object_name(owner, None) is not None:
                return f"an object of {type(owner).__module__}:{type(owner).__qualname__}"
        return None


def _object_name(holder: object, attribute: object) -> str | None:
    """Name an object by its class, and its attribute; `None` for one of ours."""
    kind = type(holder)
    if kind.__module__.partition(".")[0] == "dam_obs":
        return None
    name = f"an object of {kind.__module__}:{kind.__qualname__}"
    return f"{name}.{attribute}" if attribute is not None else name
