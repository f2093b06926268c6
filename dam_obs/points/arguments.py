"""
Find the values that read paths lead to, in the arguments of a call or in its result.

A path below ``args`` is compiled once for a function's signature, so that no call is bound
to it again: an argument is at its position or under its name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from dam_obs.points.paths import ReadPath

Args = tuple[Any, ...]
Kwargs = dict[str, Any]
Getter = Callable[[Args, Kwargs], Any]

ABSENT: Final = object()
"""What a path leads to that finds nothing."""


class Unreadable(Exception):
    """A path that can never find anything at this target; the message says why."""


# -- from a root, step by step


def follow_steps(value: Any, steps: Sequence[str | int]) -> Any:
    """Return what the steps lead to from `value`, or `ABSENT`; what a property raises comes out."""
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, ABSENT) if type(step) is str else _by_number(value, step)
            if value is ABSENT:
                return ABSENT
        elif type(step) is int:
            try:
                value = value[step] if isinstance(value, Sequence) else ABSENT
            except IndexError:
                return ABSENT
        else:
            value = _attribute_or_key(value, step)
        if value is ABSENT:
            return ABSENT
    return value


def _by_number(value: dict[Any, Any], step: str | int) -> Any:
    found = value.get(step, ABSENT)
    return value.get(str(step), ABSENT) if found is ABSENT else found


def _attribute_or_key(value: Any, step: Any) -> Any:
    found = getattr(value, step, ABSENT)
    if found is ABSENT and isinstance(value, Mapping):
        return value.get(step, ABSENT)
    return found


# -- roots


class Parameters:
    """The parameters of a function, so that an argument is found without binding the call to its signature."""

    def __init__(self, function: Callable[..., Any] | None, *, is_method: bool) -> None:
        """
        Look at the signature.

        Args:
            function: What is called, with ``self`` or ``cls`` as its first parameter where it has one; `None` for
                a hook, whose arguments all come by name.
            is_method: Whether there is a ``self`` (or ``cls``).
        """
        self.is_method = is_method
        self._is_hook = function is None
        self._known = _signature_of(function)

    def getter(self, path: ReadPath) -> Getter:
        """
        Compile a path below ``args`` or ``self``.

        Raises:
            Unreadable: the function has no such parameter, or no ``self``.
        """
        if path.root == "self":
            if not self.is_method:
                raise Unreadable(f"{path}: this is not a method, so there is no self")
            return _then(_at(0, ABSENT), path.steps)
        name = path.steps[0]
        return _then(self._argument(name, path), path.steps[1:])

    def _argument(self, name: str | int, path: ReadPath) -> Getter:
        if isinstance(name, int):
            if self._is_hook:
                raise Unreadable(f"{path}: a hook's arguments have names, not positions")
            return _at(name + 1 if self.is_method and name >= 0 else name, ABSENT)
        if self._known is None:
            return lambda args, kwargs: kwargs.get(name, ABSENT)
        parameter = self._known.get(name)
        if parameter is not None:
            return _declared(parameter, list(self._known))
        if any(each.kind is each.VAR_KEYWORD for each in self._known.values()):
            return lambda args, kwargs: kwargs.get(name, ABSENT)
        raise Unreadable(f"{path}: there is no parameter {name!r}, only {', '.join(self._known) or 'none'}")


def _declared(parameter: inspect.Parameter, names: Sequence[str]) -> Getter:
    name = parameter.name
    position = names.index(name)
    default = ABSENT if parameter.default is parameter.empty else parameter.default
    if parameter.kind is parameter.VAR_POSITIONAL:
        return lambda args, kwargs: args[position:]
    if parameter.kind is parameter.VAR_KEYWORD:
        others = frozenset(names)
        return lambda args, kwargs: {name: value for name, value in kwargs.items() if name not in others}
    if parameter.kind is parameter.KEYWORD_ONLY:
        return lambda args, kwargs: kwargs.get(name, default)
    if parameter.kind is parameter.POSITIONAL_ONLY:
        return _at(position, default)
    return _at_or_named(position, name, default)


def _signature_of(function: Callable[..., Any] | None) -> dict[str, inspect.Parameter] | None:
    if function is None:
        return None
    inner: Any = getattr(function, "__func__", None)  # of a proxy of a class method
    for each in (function, inner):
        try:
            return dict(inspect.signature(each).parameters)
        except (TypeError, ValueError):  # written in C, and it does not tell
            continue
    return None


def _at(position: int, default: Any) -> Getter:
    def get(args: Args, kwargs: Kwargs) -> Any:
        return args[position] if -len(args) <= position < len(args) else default

    return get


def _at_or_named(position: int, name: str, default: Any) -> Getter:
    def get(args: Args, kwargs: Kwargs) -> Any:
        return args[position] if len(args) > position else kwargs.get(name, default)

    return get


def _then(start: Getter, steps: Sequence[str | int]) -> Getter:
    if not steps:
        return start
    step = steps[0]
    if len(steps) == 1 and isinstance(step, str):

        def get_one(args: Args, kwargs: Kwargs) -> Any:
            value = start(args, kwargs)
            if isinstance(value, dict):
                return value.get(step, ABSENT)
            found = getattr(value, step, ABSENT)
            return _attribute_or_key(value, step) if found is ABSENT else found

        return get_one
    return lambda args, kwargs: follow_steps(start(args, kwargs), steps)
