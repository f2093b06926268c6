"""
Which arguments a system gets: planned once by its parameters' types, when it is registered.

A parameter takes, by its annotation: the command or event (its class or a base of it), the
`World`, for a stage's system the stage's name as `str`, or else a resource of that type or
of a subclass. One with a default is left to it where there is no such resource. Whatever
can be known at registration to fit nothing is an error there; resources may be added later
than systems, so a missing one is an error where it is first needed, or in `World.check`.

How systems are called, and where, is not known here.
"""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dam_traits.commands import Command, Event
from dam_traits.errors import InvalidSystem, MissingResource

if TYPE_CHECKING:
    from dam_traits.invocation import Invocation
    from dam_traits.world import World


class Absent(enum.Enum):
    """What becomes of a parameter whose resource is not there."""

    ERROR = "it is an error"
    NONE = "it gets None"
    DEFAULT = "it is left out, and has its default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A parameter that takes a resource."""

    parameter: str

    types: tuple[type, ...]
    """Any one of them; the first that there is."""

    absent: Absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where each argument of a function comes from."""

    function: str
    """The system's name, for errors."""

    subjects: tuple[str, ...] = ()
    """Parameters that take the command, the event or the stage's name."""

    worlds: tuple[str, ...] = ()
    """Parameters that take the world."""

    resources: tuple[Wanted, ...] = ()

    @property
    def requires(self) -> tuple[tuple[type, ...], ...]:
        """The resource types that it cannot do without: of each group, one will do."""
        return tuple(each.types for each in self.resources if each.absent is Absent.ERROR)

    def fill(self, world: World, subject: Any) -> dict[str, Any]:
        """
        Find all arguments of one call.

        Raises:
            MissingResource: The world does not have one.
        """
        arguments = dict.fromkeys(self.subjects, subject)
        for name in self.worlds:
            arguments[name] = world
        for wanted in self.resources:
            self._add_resource(arguments, wanted, world)
        return arguments

    def _add_resource(self, arguments: dict[str, Any], wanted: Wanted, world: World) -> None:
        for each in wanted.types:
            if world.has_resource(each):
                arguments[wanted.parameter] = world.get_resource(each)
                return
        if wanted.absent is Absent.ERROR:
            names = " or ".join(each.__qualname__ for each in wanted.types)
            raise MissingResource(world.name, names, f"parameter {wanted.parameter} of {self.function}")
        if wanted.absent is Absent.NONE:
            arguments[wanted.parameter] = None


def make_plan(
    function: Callable[..., Any],
    *,
    name: str,
    world_type: type,
    subject: type | None = None,
    skip: int = 0,
) -> Plan:
    """
    Plan the arguments of a function.

    Args:
        function: Whose parameters; a wrapper's are those of what it wraps.
        name: Of the system, for errors.
        world_type: The class of the world that it is for.
        subject: The class of the command or event; `str` for a stage; `None`: it gets neither.
        skip: How many first parameters are bound already: 1 for a method of a class.

    Raises:
        InvalidSystem: A parameter that nothing could ever fill; it names the parameter.
    """
    reader = _Reader(function, name, world_type, subject)
    parameters = list(_parameters(function, name))[skip:]
    subjects: list[str] = []
    worlds: list[str] = []
    resources: list[Wanted] = []
    for parameter in parameters:
        source = reader.source_of(parameter)
        if source is _SUBJECT:
            subjects.append(parameter.name)
        elif source is _WORLD:
            worlds.append(parameter.name)
        elif isinstance(source, Wanted):
            resources.append(source)
    return Plan(function=name, subjects=tuple(subjects), worlds=tuple(worlds), resources=tuple(resources))


def make_bind(plan: Plan) -> Callable[[Invocation], Mapping[str, Any]]:
    """Make of a plan what finds the arguments of one invocation, quickly where it can be."""
    if plan.resources or len(plan.subjects) != 1 or len(plan.worlds) > 1:
        return lambda invocation: plan.fill(invocation.world, invocation.command)

    (subject,) = plan.subjects
    if not plan.worlds:
        return lambda invocation: {subject: invocation.command}

    (world,) = plan.worlds
    return lambda invocation: {subject: invocation.command, world: invocation.world}


class _Source(enum.Enum):
    SUBJECT = enum.auto()
    WORLD = enum.auto()
    LEFT_OUT = enum.auto()


_SUBJECT = _Source.SUBJECT
_WORLD = _Source.WORLD
_LEFT_OUT = _Source.LEFT_OUT


class _Reader:
    """Reads the parameters of one function."""

    def __init__(self, function: Callable[..., Any], name: str, world_type: type, subject: type | None) -> None:
        self.function = function
        self.name = name
        self.worlds = _bases(world_type)
        self.subject = subject
        self.subjects = () if subject is None else (subject, *_bases(subject))

    def source_of(self, parameter: inspect.Parameter) -> _Source | Wanted:
        """Say what fills a parameter."""
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            return _LEFT_OUT
        has_default = parameter.default is not parameter.empty
        if parameter.kind is parameter.POSITIONAL_ONLY:
            return self._nothing(parameter, has_default, "is positional-only, and arguments are given by name")
        if parameter.annotation is parameter.empty:
            return self._nothing(parameter, has_default, "has no annotation, and arguments are found by type")
        try:
            annotation = self._resolve(parameter.annotation)
        except (NameError, AttributeError, SyntaxError, TypeError) as error:
            problem = (
                f"is annotated {parameter.annotation!r}, which cannot be resolved ({error}): import it at run time"
            )
            return self._nothing(parameter, has_default, problem)
        return self._source_by_type(parameter, has_default, annotation)

    def _source_by_type(self, parameter: inspect.Parameter, has_default: bool, annotation: Any) -> _Source | Wanted:
        choices = _choices(annotation)
        if any(each in self.worlds for each in choices):
            return _WORLD
        if any(each in self.subjects for each in choices):
            return _SUBJECT
        kinds = tuple(each for each in choices if _can_be_resource(each))
        for each in kinds:
            if issubclass(each, (Command, Event)):
                problem = f"takes {each.__qualname__}, and the system runs for {self._trigger}"
                return self._nothing(parameter, has_default, problem)
        if not kinds:
            problem = f"is annotated {_named(annotation)}, which is no type of a resource; give it a class of its own"
            return self._nothing(parameter, has_default, problem)
        absent = Absent.NONE if types.NoneType in choices else Absent.ERROR
        return Wanted(parameter=parameter.name, types=kinds, absent=Absent.DEFAULT if has_default else absent)

    def _nothing(self, parameter: inspect.Parameter, has_default: bool, problem: str) -> _Source:
        if has_default:
            return _LEFT_OUT
        raise InvalidSystem(self.name, f"parameter {parameter.name} {problem}")

    @property
    def _trigger(self) -> str:
        return "nothing that could be given here" if self.subject is None else self.subject.__qualname__

    def _resolve(self, annotation: Any) -> Any:
        if isinstance(annotation, type):
            return annotation
        namespace = getattr(inspect.unwrap(self.function), "__globals__", {})
        holder = types.SimpleNamespace(__annotations__={"it": annotation})
        try:
            return typing.get_type_hints(holder, namespace)["it"]
        except NameError:
            # Names that exist for type checkers alone, or in a function: those that a system would take are known.
            known = {each.__name__: each for each in (*self.subjects, *self.worlds)}
            return typing.get_type_hints(holder, namespace, known)["it"]


def _parameters(function: Callable[..., Any], name: str) -> Iterable[inspect.Parameter]:
    try:
        return inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise InvalidSystem(name, f"its parameters cannot be read ({error}): wrap it in a function") from error


def _bases(owner: type) -> tuple[type, ...]:
    return tuple(each for each in owner.__mro__ if each not in (object, typing.Generic))


def _choices(annotation: Any) -> tuple[Any, ...]:
    """Give the classes of an annotation: of a union each, of a generic class the class."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return tuple(_choices(each)[0] for each in typing.get_args(annotation))
    return (annotation,) if origin is None else (origin,)


def _can_be_resource(choice: Any) -> bool:
    return isinstance(choice, type) and choice.__module__ not in ("builtins", "typing")


def _named(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else repr(annotation)
