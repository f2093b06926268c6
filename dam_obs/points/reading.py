"""
Follow read paths in calls: the reader of one target, compiled once when its point is attached.

Arguments are read when the work starts, results when it is done. Attributes, keys of
mappings and positions of sequences are followed; an attribute may be a property, whose
code then runs, because the author of the trace point asked for it. What is not there
leaves the data out and is counted as ``points.<point>.<data>.absent``; what raises is
counted as ``points.<point>``. Neither reaches the host.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from dam_obs.points.model import BlockedRule, DataField, Target, TracePoint
from dam_obs.points.paths import ReadPath
from dam_obs.trace import faults

if TYPE_CHECKING:
    from dam_obs.trace.span import Span

Args = tuple[Any, ...]
Kwargs = dict[str, Any]
Getter = Callable[[Args, Kwargs], Any]
Setter = Callable[["Span", Any], None]

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
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # written in C, and it does not tell
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
    if len(steps) == 1 and type(steps[0]) is str:
        (step,) = steps

        def get_one(args: Args, kwargs: Kwargs) -> Any:
            value = start(args, kwargs)
            return follow_steps(value, steps) if isinstance(value, dict) else _attribute_or_key(value, step)

        return get_one
    return lambda args, kwargs: follow_steps(start(args, kwargs), steps)


# -- what is done with what was found


def _convert_text(value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return value
    return str(value) if type(value) in (int, float, bool) else value


def _convert_int(value: Any) -> Any:
    if type(value) is float and value.is_integer():
        return int(value)
    return int(value) if type(value) is bool else value


def _convert_float(value: Any) -> Any:
    return float(value) if type(value) in (int, bool) else value


def _convert_bool(value: Any) -> Any:
    return bool(value) if type(value) is int and value in (0, 1) else value


_CONVERT: Final[Mapping[str, Callable[[Any], Any]]] = {
    "str": _convert_text,
    "int": _convert_int,
    "float": _convert_float,
    "bool": _convert_bool,
}


def _data_setter(field: DataField) -> Setter:
    name, convert = field.name, _CONVERT[field.type]

    def set_data(span: Span, value: Any) -> None:
        span.set_data(name, convert(value.value if isinstance(value, Enum) else value))

    return set_data


def _blocked_setter(rule: BlockedRule) -> Setter:
    # As pairs with the type, since 0 == False and 1 == True.
    refusals = frozenset((type(value) is bool, value) for value in rule.values)

    def set_blocked(span: Span, value: Any) -> None:
        if rule.is_none is not None:
            is_blocked = (value is None) is rule.is_none
        else:
            plain = value.value if isinstance(value, Enum) else value
            is_blocked = isinstance(plain, str | int | float) and (type(plain) is bool, plain) in refusals
        if is_blocked:
            span.set_status("blocked")

    return set_blocked


def _set_component(span: Span, value: Any) -> None:
    span.set_component(value)


def _set_system(span: Span, value: Any) -> None:
    span.set_component(system_name(value))


def _set_input(span: Span, value: Any) -> None:
    span.set_input(value)


def _set_output(span: Span, value: Any) -> None:
    span.set_output(value)


def _set_command(span: Span, value: Any) -> None:
    span.set_command(value)


def system_name(value: Any) -> str:
    """Name a system: text as it is, a class or function by ``module:qualname``, any other object by its class."""
    if isinstance(value, str):
        return value
    if not isinstance(value, type) and not inspect.isroutine(value):
        value = type(value)
    return f"{value.__module__}:{value.__qualname__}"


# -- the reader


class _Read:
    """One value to be read and what is done with it."""

    __slots__ = ("absent", "get", "set")

    def __init__(self, get: Callable[..., Any], set_: Setter, absent: str) -> None:
        self.get = get
        self.set = set_
        self.absent = absent


class PointReader:
    """Reads one target's data from its calls; a `dam_obs.trace.steps.Reader`."""

    __slots__ = ("_at_enter", "_at_leave", "_guard", "_is_moment")

    def __init__(self, point: str, at_enter: Sequence[_Read], at_leave: Sequence[_Read], *, is_moment: bool) -> None:
        self._at_enter = tuple(at_enter)
        self._at_leave = tuple(at_leave)
        self._guard = faults.guard(f"points.{point}")
        self._is_moment = is_moment

    def enter(self, span: Span, args: Args, kwargs: Kwargs) -> None:
        """Read the arguments."""
        if self._is_moment:
            span.is_moment = True
            span.meter = None
        reads = iter(self._at_enter)
        while not self._read(span, reads, args, kwargs):
            pass  # one read raised and was counted: go on with the one after it

    def leave(self, span: Span, result: Any) -> None:
        """Read the result."""
        reads = iter(self._at_leave)
        while not self._read(span, reads, result):
            pass

    def _read(self, span: Span, reads: Iterator[_Read], *source: Any) -> bool:
        """Read what is left of `reads`; say whether all were read."""
        with self._guard:
            for read in reads:
                value = read.get(*source)
                if value is ABSENT:
                    faults.count(read.absent)
                else:
                    read.set(span, value)
            return True
        return False


def compile_reader(
    point: TracePoint, target: Target, parameters: Parameters
) -> tuple[PointReader | None, tuple[str, ...]]:
    """
    Make the reader of a target.

    Returns:
        The reader, `None` if there is nothing to read; and a sentence for each path that can never find anything.
    """
    at_enter: list[_Read] = []
    at_leave: list[_Read] = []
    unreadable = []
    for name, path, setter in _wanted(point, target):
        absent = f"points.{point.name}.{name}.absent"
        if path.root == "result":
            get = partial(_from_result, path.steps) if path.steps else _itself
            at_leave.append(_Read(get, setter, absent))
            continue
        try:
            at_enter.append(_Read(parameters.getter(path), setter, absent))
        except Unreadable as error:
            unreadable.append(f"{point.name} at {target.place}, {name}: {error}")
    is_moment = point.kind == "event"
    if not at_enter and not at_leave and not is_moment:
        return None, tuple(unreadable)
    return PointReader(point.name, at_enter, at_leave, is_moment=is_moment), tuple(unreadable)


def _wanted(point: TracePoint, target: Target) -> Iterator[tuple[str, ReadPath, Setter]]:
    """Yield name, path and setter of all that is to be read; what comes later wins."""
    reads = target.reads
    if reads.command is not None:
        yield "command", reads.command, _set_command
    if reads.system is not None and reads.component is None:
        yield "system", reads.system, _set_system
    if reads.component is not None:
        yield "component", reads.component, _set_component
    if reads.input is not None:
        yield "input", reads.input, _set_input
    for field in point.data:
        path = target.data.get(field.name)
        if path is not None:
            yield field.name, path, _data_setter(field)
    if reads.output is not None:
        yield "output", reads.output, _set_output
    if reads.blocked is not None:
        yield "blocked", reads.blocked.path, _blocked_setter(reads.blocked)


def _from_result(steps: Sequence[str | int], result: Any) -> Any:
    return follow_steps(result, steps)


def _itself(result: Any) -> Any:
    return result
