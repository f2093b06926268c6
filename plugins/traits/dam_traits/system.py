"""
What a system is: some Python that runs for a command, an event or a stage, and how it is called.

`System` is what everything else knows of one; `@system` marks a function or a class as one,
and leaves it as it is. How a `System` is made of what was marked is `registration`'s business,
how its arguments are found `injection`'s, and which systems a world has its registry's.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from dam_traits.errors import InvalidSystem, shown

if TYPE_CHECKING:
    from dam_traits.invocation import Invocation
    from dam_traits.trait import Trait

TargetT = TypeVar("TargetT", bound=Callable[..., Any])

CalculateTraits = Callable[..., Awaitable["Sequence[Trait]"]]
"""``calculate_traits(cmd, world)``: async, the class bound already."""


class Kind(enum.Enum):
    """What calling a system gives."""

    FUNCTION = "a value"
    COROUTINE = "a coroutine"
    GENERATOR = "a generator"
    ASYNC_GENERATOR = "an async generator"


class RunIn(enum.StrEnum):
    """Where a system runs."""

    LOOP = "loop"
    """On the event loop: every coroutine and async generator; others only if they say so, since they block it."""
    THREAD = "thread"
    """In a thread of the executor, the context carried along: functions and generators, unless they say otherwise."""
    PROCESS = "process"
    """In another process: what computes. It gets only what can be pickled, so neither the world nor its entities."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class System:
    """One system of one world."""

    name: str
    """``package.module:Qualname``, unique in its world: the second of that name ends in ``#2``."""

    target: Any
    """The function or class that was registered, the very object."""

    call: Callable[..., Any]
    """What is called: the function, or the world's own instance of the class. Its code is looked up at each call."""

    kind: Kind

    run_in: RunIn

    command: type | None = None
    """Runs for commands of this class and of its subclasses."""

    event: type | None = None
    """Runs for events of this class and of its subclasses."""

    stage: str | None = None
    """Runs when this stage does."""

    calculate_traits: CalculateTraits | None = None

    bind: Callable[[Invocation], Mapping[str, Any]]
    """Finds the arguments of one call: the command and what is injected, by parameter name."""

    requires: tuple[tuple[type, ...], ...] = ()
    """The resources that it cannot run without, its class's ``__init__`` included: of each group, one will do."""

    @property
    def version(self) -> str:
        """A short text that changes when the code does; made when first asked for, the same in every process."""
        from dam_traits.learning.version import version_of

        return version_of(self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemOptions:
    """What `@system`, or whoever registers a system, says of it."""

    on_command: type | None = None

    on_event: type | None = None

    on_stage: str | None = None

    run_in: RunIn | None = None
    """`None`: on the loop where it is async, else in a thread."""

    calculate_traits: CalculateTraits | None = None
    """`None`: the target's attribute of that name, a class method for a class, if it has one."""

    @property
    def trigger(self) -> type | str | None:
        """What it runs for; `None`: that is not said yet."""
        return self.on_command or self.on_event or self.on_stage


def system(
    *,
    on_command: type | None = None,
    on_event: type | None = None,
    on_stage: str | None = None,
    run_in: RunIn | str | None = None,
    calculate_traits: CalculateTraits | None = None,
) -> Callable[[TargetT], TargetT]:
    """
    Mark a function or a class with ``__call__`` as a system; it stays the very object.

    A mark registers nothing: `World.register_system` does, as often and in as many worlds
    as wanted, and so does a trait implementation that names it as a handler.

    Args:
        on_command: Runs for commands of this class and of its subclasses.
        on_event: Runs for events of this class and of its subclasses.
        on_stage: Runs when the stage of this name does.
        run_in: ``"loop"``, ``"thread"`` or ``"process"``; left out, on the loop if it is async, else in a thread.
        calculate_traits: ``async def calculate_traits(cmd, world)``; left out, the target's attribute of that name,
            which for a class is a class method.

    Raises:
        InvalidSystem: More than one of the first three, or one that cannot be meant.
    """
    options = make_options(
        "@system",
        on_command=on_command,
        on_event=on_event,
        on_stage=on_stage,
        run_in=run_in,
        calculate_traits=calculate_traits,
    )

    def mark(target: TargetT) -> TargetT:
        setattr(target, _MARK, options)
        return target

    return mark


def options_of(target: object) -> SystemOptions:
    """Give what `@system` said of a function or class, or of a parent of the class; nothing, if it is not marked."""
    options = getattr(target, _MARK, None)
    return options if isinstance(options, SystemOptions) else _UNMARKED


def put_over(marked: SystemOptions, given: SystemOptions) -> SystemOptions:
    """Join what a mark said and what is given where it is registered: a given trigger replaces the marked one."""
    trigger = marked if given.trigger is None else given
    return SystemOptions(
        on_command=trigger.on_command,
        on_event=trigger.on_event,
        on_stage=trigger.on_stage,
        run_in=given.run_in or marked.run_in,
        calculate_traits=given.calculate_traits or marked.calculate_traits,
    )


def make_options(
    name: str,
    *,
    on_command: type | None,
    on_event: type | None,
    on_stage: str | None,
    run_in: RunIn | str | None,
    calculate_traits: CalculateTraits | None,
) -> SystemOptions:
    """
    Check what a system is to run for and where; `name` stands in the error.

    Raises:
        InvalidSystem: More than one trigger, or one that cannot be meant.
    """
    given = {"on_command": on_command, "on_event": on_event, "on_stage": on_stage}
    triggers = [trigger for trigger, value in given.items() if value is not None]
    if len(triggers) > 1:
        raise InvalidSystem(name, f"has {' and '.join(triggers)}: a system runs for one of them")
    for trigger in ("on_command", "on_event"):
        if given[trigger] is not None and not isinstance(given[trigger], type):
            raise InvalidSystem(name, f"{trigger} is {shown(given[trigger])}: it must be one class")
    if on_stage is not None and (not isinstance(on_stage, str) or not on_stage):
        raise InvalidSystem(name, f"on_stage is {shown(on_stage)}: it must be a stage's name")
    return SystemOptions(
        on_command=on_command,
        on_event=on_event,
        on_stage=on_stage,
        run_in=_run_in(name, run_in),
        calculate_traits=calculate_traits,
    )


def _run_in(name: str, place: RunIn | str | None) -> RunIn | None:
    if place is None:
        return None
    try:
        return RunIn(place)
    except ValueError:
        places = ", ".join(each.value for each in RunIn)
        raise InvalidSystem(name, f"run_in is {shown(place)}: it must be one of {places}") from None


_MARK = "__dam_traits_system__"
_UNMARKED = SystemOptions()
