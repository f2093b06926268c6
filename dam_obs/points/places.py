"""
Find the place in code that a target names, and put something there or take it away again.

What stands there is read as it is stored, without binding, so that a class method stays
one; it is written past the hooks of metaclasses, for it is not the program's own change.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from dam_obs.points.proxy import traced_callable
from dam_obs.trace.wrap import wrap

if TYPE_CHECKING:
    from dam_obs.trace.site import CallSite
    from dam_obs.trace.steps import Reader


class NotAttachable(Exception):
    """A target is not there, or no point can be put on it; the message says why and what to name instead."""


@dataclass(frozen=True, slots=True)
class Place:
    """A name in a module or class, and what is stored under it."""

    owner: ModuleType | type
    name: str
    stored: Any
    """As it is stored: a class method is the `classmethod` object."""
    is_inherited: bool
    """Stored by a base; put here, it hides the base's for this class alone."""

    @property
    def is_method(self) -> bool:
        """Whether a call has ``self`` or ``cls`` as its first argument."""
        return isinstance(self.owner, type) and not issubclass(type(self.stored), staticmethod)

    @property
    def function(self) -> Callable[..., Any]:
        """The function itself."""
        # By the real type: another tool's proxy of a class method says that it is one.
        is_method_object = issubclass(type(self.stored), classmethod | staticmethod)
        function: Callable[..., Any] = self.stored.__func__ if is_method_object else self.stored
        return function

    def now(self) -> Any:
        """Return what is stored under the name now; `None` where it is gone."""
        return vars(self.owner).get(self.name)

    def put(self, thing: Any) -> None:
        """Store `thing` there."""
        _set(self.owner, self.name, thing)

    def put_back(self) -> None:
        """Store what was there, or nothing where nothing was."""
        if not self.is_inherited:
            _set(self.owner, self.name, self.stored)
        elif isinstance(self.owner, type):
            type.__delattr__(self.owner, self.name)


def _set(owner: ModuleType | type, name: str, thing: Any) -> None:
    if isinstance(owner, type):
        type.__setattr__(owner, name, thing)
    else:
        ModuleType.__setattr__(owner, name, thing)


def find_place(module: ModuleType, qualname: str) -> Place:
    """
    Find what ``module:qualname`` names.

    Raises:
        NotAttachable: it is not there, or it is nothing that is called through a class or module.
    """
    *classes, name = qualname.split(".")
    owner: ModuleType | type = module
    for class_name in classes:
        inner = _stored(owner, class_name)[0]
        if not isinstance(inner, type):
            raise NotAttachable(f"{class_name} is an object of class {_shown(type(inner))}: name the class instead")
        owner = inner
    stored, is_inherited = _stored(owner, name)
    place = Place(owner, name, stored, is_inherited)
    _refuse(place)
    return place


def _stored(owner: ModuleType | type, name: str) -> tuple[Any, bool]:
    own = vars(owner)
    if name in own:
        return own[name], False
    if isinstance(owner, type):
        for base in owner.__mro__[1:-1]:
            if name in vars(base):
                return vars(base)[name], True
        raise NotAttachable(f"class {_shown(owner)} has no {name}")
    raise NotAttachable(f"module {owner.__name__} has no {name}")


def _refuse(place: Place) -> None:
    function = place.function
    if isinstance(function, functools.partial | functools.partialmethod):
        raise NotAttachable(f"{place.name} is a functools.partial: name {_named(function.func)}, which it calls")
    if isinstance(function, property | functools.cached_property) or inspect.isdatadescriptor(function):
        raise NotAttachable(f"{place.name} is a property: name a function that it calls")
    if isinstance(function, type):
        raise NotAttachable(f"{place.name} is a class: name a method of it, {place.name}.__init__ for instance")
    if isinstance(function, FunctionType) or inspect.isroutine(function):
        return
    if not callable(function):
        raise NotAttachable(f"{place.name} is no function but an object of class {_shown(type(function))}")
    if not isinstance(getattr(function, "__name__", None), str):
        raise NotAttachable(
            f"{place.name} is an object: name {_shown(type(function))}.__call__, which a call of it runs"
        )


def _named(function: Any) -> str:
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', '?')}"


def _shown(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def traced(place: Place, site: CallSite, reader: Reader | None) -> Any:
    """Return what is to stand at `place` so that its calls are spans; as it is to be stored."""
    function = place.function
    wrapped = (
        wrap(function, site, reader) if type(function) is FunctionType else traced_callable(function, site, reader)
    )
    if function is not place.stored:
        return type(place.stored)(wrapped)
    return wrapped
