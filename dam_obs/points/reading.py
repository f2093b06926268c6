"""
The reader of one target: what is read from its calls, and where it goes on the span.

Arguments are read when the work starts, results when it is done. Attributes, keys of
mappings and positions of sequences are followed; an attribute may be a property, whose
code then runs, because the author of the trace point asked for it. What is not there
leaves the data out and is counted as ``points.<point>.<data>.absent``; what raises is
counted as ``points.<point>``. Neither reaches the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from dam_obs.points.arguments import ABSENT, Args, Kwargs, Parameters, Unreadable, follow_steps
from dam_obs.points.conventions import reads as attribute_reads
from dam_obs.points.model import AttributeRead, BlockedRule, DataField, Target, TracePoint
from dam_obs.points.paths import ReadPath
from dam_obs.points.systems import set_system
from dam_obs.trace import faults, links
from dam_obs.trace.capture import capture
from dam_obs.trace.events import Kind
from dam_obs.trace.span import SHORT

if TYPE_CHECKING:
    from dam_obs.trace.span import Span

Setter = Callable[["Span", Any], None]

# -- what is done with what was found


def _convert_text(value: Any) -> Any:
    if type(value) in (tuple, list) and all(type(each) is str for each in value):
        return ", ".join(value)
    # `capture` shortens an integer that is too long to be written out.
    return str(capture(value)) if type(value) in (int, float, bool) else value


def _convert_int(value: Any) -> Any:
    if type(value) is float and value.is_integer():
        return int(value)
    return int(value) if type(value) is bool else value


def _convert_float(value: Any) -> Any:
    return float(value) if type(value) in (int, bool) else value


def _convert_bool(value: Any) -> Any:
    return bool(value) if type(value) is int and value in (0, 1) else value


_KINDS: Final[Mapping[str, type]] = {"str": str, "int": int, "float": float, "bool": bool}

_CONVERT: Final[Mapping[str, Callable[[Any], Any]]] = {
    "str": _convert_text,
    "int": _convert_int,
    "float": _convert_float,
    "bool": _convert_bool,
}


def _data_setter(field: DataField) -> Setter:
    name, convert = field.name, _CONVERT[field.type]

    def set_data(span: Span, value: Any) -> None:
        span.set_data(name, convert(_plain(value)))

    return set_data


def _attribute_setter(name: str, read: AttributeRead) -> Setter:
    convert = _CONVERT[read.type]

    def set_attribute(span: Span, value: Any) -> None:
        if value is not None:
            span.set_attribute(name, convert(_plain(value)))

    return set_attribute


def _plain(value: Any) -> Any:
    # Not `isinstance`: that asks the object for its class, and a proxy would load what it stands for.
    return value.value if issubclass(type(value), Enum) else value


def _blocked_setter(rule: BlockedRule) -> Setter:
    is_refusal = _refusal_test(rule)

    def set_blocked(span: Span, value: Any) -> None:
        if is_refusal(value):
            span.set_status("blocked")

    return set_blocked


def _blocked_why_setter(rule: BlockedRule) -> Setter:
    is_refusal = _refusal_test(rule)

    def set_blocked(span: Span, value: Any) -> None:
        asked, reason = value
        if not is_refusal(asked):
            return
        span.set_status("blocked")
        plain = capture(_plain(reason)) if reason is not ABSENT else None
        if plain is not None and plain != "":
            span.set_output(f"blocked: {plain}")

    return set_blocked


def _refusal_test(rule: BlockedRule) -> Callable[[Any], bool]:
    # As pairs with the type, since 0 == False and 1 == True.
    refusals = frozenset((type(value) is bool, value) for value in rule.values)

    def is_refusal(value: Any) -> bool:
        if rule.is_none is not None:
            return (value is None) is rule.is_none
        plain = _plain(value)
        return issubclass(type(plain), str | int | float) and (type(plain) is bool, plain) in refusals

    return is_refusal


def _set_component(span: Span, value: Any) -> None:
    span.set_component(value)


def _set_input(span: Span, value: Any) -> None:
    span.set_input(_plain(value))


def _set_output(span: Span, value: Any) -> None:
    span.set_output(_plain(value))


def _set_command(span: Span, value: Any) -> None:
    span.set_command(value)


# -- the reader


class _Read:
    """One value to be read and what is done with it."""

    __slots__ = ("absent", "get", "kind", "name", "set")

    def __init__(self, get: Callable[..., Any], set_: Setter, absent: str, data: DataField | None) -> None:
        self.get = get
        self.set = set_
        self.absent = absent
        self.name = data.name if data is not None else ""
        self.kind = _KINDS[data.type] if data is not None else None
        """The type of data that is kept as it is; nearly all is of it, so it goes the short way."""


class PointReader:
    """Reads one target's data from its calls; a `dam_obs.trace.steps.Reader`."""

    __slots__ = ("_at_enter", "_at_leave", "_guard", "_kind")

    def __init__(self, point: str, at_enter: Sequence[_Read], at_leave: Sequence[_Read], *, kind: Kind) -> None:
        self._at_enter = tuple(at_enter)
        self._at_leave = tuple(at_leave)
        self._guard = faults.guard(f"points.{point}")
        self._kind = kind

    def enter(self, span: Span, args: Args, kwargs: Kwargs) -> None:
        """Read the arguments."""
        if self._kind != "span":
            span.event_kind = self._kind
            span.meter = None
        reads = iter(self._at_enter)
        while not self._read(span, reads, args, kwargs):
            pass  # one read raised and was counted: go on with the one after it

    @property
    def reads_result(self) -> bool:
        """Whether `leave` does anything."""
        return bool(self._at_leave)

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
                if type(value) is read.kind and (type(value) is not str or len(value) < SHORT):
                    if span.data is None:
                        span.data = {}
                    span.data[read.name] = value
                elif value is ABSENT:
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
    for name, path, setter, data in _wanted(point, target):
        absent = f"points.{point.name}.{name}.absent"
        try:
            get = _getter(path, parameters)
            if name == "blocked" and target.reads.blocked is not None and target.reads.blocked.reason is not None:
                get = _both(get, _getter(target.reads.blocked.reason, parameters))
            read = _Read(get, setter, absent, data)
            (at_leave if path.root == "result" else at_enter).append(read)
        except Unreadable as error:
            unreadable.append(f"{point.name} at {target.place}, {name}: {error}")
    if not at_enter and not at_leave and point.kind == "span":
        return None, tuple(unreadable)
    return PointReader(point.name, at_enter, at_leave, kind=point.kind), tuple(unreadable)


def _wanted(point: TracePoint, target: Target) -> Iterator[tuple[str, ReadPath, Setter, DataField | None]]:
    """Yield name, path, setter and, for data, the field of all that is to be read; what comes later wins."""
    reads = target.reads
    if reads.command is not None:
        yield "command", reads.command, _set_command, None
    if reads.given is not None:
        yield "given", reads.given, links.follow, None
    if reads.system is not None and reads.component is None:
        yield "system", reads.system, set_system, None
    if reads.component is not None:
        yield "component", reads.component, _set_component, None
    if reads.input is not None:
        yield "input", reads.input, _set_input, None
    for field in point.data:
        path = target.data.get(field.name)
        if path is not None:
            yield field.name, path, _data_setter(field), field
    for name, read in attribute_reads(target.attributes).items():
        yield name, read.path, _attribute_setter(name, read), None
    if reads.output is not None:
        yield "output", reads.output, _set_output, None
    if reads.gives is not None:
        yield "gives", reads.gives, links.remember, None
    if reads.blocked is not None:
        setter = _blocked_setter if reads.blocked.reason is None else _blocked_why_setter
        yield "blocked", reads.blocked.path, setter(reads.blocked), None


def _getter(path: ReadPath, parameters: Parameters) -> Callable[..., Any]:
    get: Callable[..., Any]
    if path.root != "result":
        get = parameters.getter(path)
    else:
        get = partial(_from_result, path.steps) if path.steps else _itself
    if path.otherwise is None:
        return get
    otherwise = _getter(path.otherwise, parameters)

    def get_first(*source: Any) -> Any:
        value = get(*source)
        return otherwise(*source) if value is ABSENT or value is None else value

    return get_first


def _both(get: Callable[..., Any], also: Callable[..., Any]) -> Callable[..., Any]:
    """Return what reads two values at once; nothing where the first is not there."""

    def get_both(*source: Any) -> Any:
        value = get(*source)
        return ABSENT if value is ABSENT else (value, also(*source))

    return get_both


def _from_result(steps: Sequence[str | int], result: Any) -> Any:
    return follow_steps(result, steps)


def _itself(result: Any) -> Any:
    return result
