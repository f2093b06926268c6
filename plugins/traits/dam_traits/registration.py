"""
Make a `System` of a function or class, and register it: its name, kind, place, arguments, traits.

Everything about it that can be wrong is found before the registry hears of it.
"""

from __future__ import annotations

import dataclasses
import inspect
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dam_traits.errors import InvalidSystem, shown
from dam_traits.injection import Absent, Plan, make_bind, make_plan
from dam_traits.system import CalculateTraits, Kind, RunIn, System, SystemOptions

if TYPE_CHECKING:
    from dam_traits.world import World


def register(world: World, target: Any, options: SystemOptions) -> tuple[System, bool]:
    """
    Register a system with its world, if it is not there yet; say whether it is new.

    Raises:
        InvalidSystem: It could never run, or it is there and is to run elsewhere.
    """
    for known in world.systems.by_target(target):
        if (known.command, known.event, known.stage) == (options.on_command, options.on_event, options.on_stage):
            _check_same(known, options)
            return known, False

    system = make_system(world, target, options)
    world.executor.check(system)
    world.systems.add(system)
    try:
        world.plugin_manager.hook.dam_traits_register(world=world, system=system)
    except BaseException:
        world.systems.remove(system)
        raise
    return system, True


def _check_same(known: System, options: SystemOptions) -> None:
    if options.run_in not in (None, known.run_in):
        raise InvalidSystem(known.name, f"is registered already, with run_in={known.run_in.value}")
    if options.calculate_traits not in (None, known.calculate_traits):
        raise InvalidSystem(known.name, "is registered already, with another calculate_traits: unregister it first")


def make_system(world: World, target: Any, options: SystemOptions) -> System:
    """
    Make a system that is not registered yet.

    Raises:
        InvalidSystem: It could never run; what is wrong is said, and in which parameter.
    """
    name = name_of(target)
    if options.trigger is None:
        raise InvalidSystem(name, "runs for nothing yet: give on_command, on_event or on_stage")
    function, skip = _function_of(target, name)
    kind = _kind_of(function)
    if kind is not _kind_of(inspect.unwrap(function)):
        problem = f"is a wrapper that gives {kind.value} around what gives {_kind_of(inspect.unwrap(function)).value}"
        raise InvalidSystem(name, f"{problem}: make the wrapper a function of the same kind")
    run_in = _place_of(kind, options.run_in, name)
    subject = str if options.on_stage is not None else options.on_command or options.on_event
    plan = make_plan(function, name=name, world_type=type(world), subject=subject, skip=skip)
    if options.on_stage is None and not plan.subjects:
        wanted = options.on_command or options.on_event
        assert wanted is not None  # noqa: S101 - one of the three is given
        raise InvalidSystem(
            name, f"no parameter takes the {wanted.__qualname__} that it runs for: annotate one with it"
        )
    construction = _construction_plan(world, target, name)
    if run_in is RunIn.PROCESS:
        plan = _for_another_process(plan, name)
        construction = construction and _for_another_process(construction, name)
    return System(
        name=world.systems.free_name(name),
        target=target,
        call=target if construction is None else _Instance(world, target, construction),
        kind=kind,
        run_in=run_in,
        command=options.on_command,
        event=options.on_event,
        stage=options.on_stage,
        calculate_traits=_calculate_traits_of(target, options, name),
        bind=make_bind(plan),
        requires=plan.requires + (construction.requires if construction else ()),
    )


def name_of(target: object) -> str:
    """
    Name a function or class: ``package.module:Qualname``.

    Raises:
        InvalidSystem: It is neither.
    """
    if isinstance(target, type) or inspect.isroutine(target):
        return f"{target.__module__}:{target.__qualname__}"
    raise InvalidSystem(shown(target), "is neither a function nor a class: wrap it in one")


class _Instance:
    """The world's one instance of a class, made when it is first called."""

    __slots__ = ("_lock", "_made", "_make")

    def __init__(self, world: World, target: type, plan: Plan) -> None:
        self._make: Callable[[], Any] = lambda: target(**plan.fill(world, None))
        self._made: Any = None
        self._lock = threading.Lock()

    def __call__(self, /, **arguments: Any) -> Any:
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = self._make()
        return self._made(**arguments)


def _function_of(target: Any, name: str) -> tuple[Callable[..., Any], int]:
    """Give the function that runs, and how many of its first parameters are bound already."""
    if not isinstance(target, type):
        return target, 0
    if inspect.isabstract(target):
        raise InvalidSystem(name, "is abstract, so no instance can be made: register a class that is complete")
    call = inspect.getattr_static(target, "__call__", None)
    if not inspect.isfunction(call):
        raise InvalidSystem(name, "has no method __call__: a class is a system by it")
    return call, 1


def _kind_of(function: Callable[..., Any]) -> Kind:
    if inspect.isasyncgenfunction(function):
        return Kind.ASYNC_GENERATOR
    if inspect.iscoroutinefunction(function):
        return Kind.COROUTINE
    return Kind.GENERATOR if inspect.isgeneratorfunction(function) else Kind.FUNCTION


def _place_of(kind: Kind, wanted: RunIn | None, name: str) -> RunIn:
    is_async = kind in (Kind.COROUTINE, Kind.ASYNC_GENERATOR)
    if wanted is None:
        return RunIn.LOOP if is_async else RunIn.THREAD
    if is_async and wanted is not RunIn.LOOP:
        raise InvalidSystem(name, f"gives {kind.value}, which runs on the loop: run_in={wanted.value} is for others")
    return wanted


def _construction_plan(world: World, target: Any, name: str) -> Plan | None:
    if not isinstance(target, type):
        return None
    init = target.__init__  # type: ignore[misc] # of this very class, read only
    if not inspect.isfunction(init):
        return Plan(function=name)
    return make_plan(init, name=f"{name}.__init__", world_type=type(world), skip=1)


def _for_another_process(plan: Plan, name: str) -> Plan:
    """Refuse what takes anything but the command, and leave defaults as they are."""
    kept = (*plan.worlds, *(each.parameter for each in plan.resources if each.absent is not Absent.DEFAULT))
    if kept:
        problem = f"parameter {kept[0]} takes what does not leave this process: run_in=process gets the command alone"
        raise InvalidSystem(name, problem)
    return dataclasses.replace(plan, resources=())


def _calculate_traits_of(target: Any, options: SystemOptions, name: str) -> CalculateTraits | None:
    calculate: CalculateTraits | None = options.calculate_traits
    if calculate is None:
        calculate = getattr(target, "calculate_traits", None)
    if calculate is None:
        return None
    if not inspect.iscoroutinefunction(calculate):
        raise InvalidSystem(name, "calculate_traits is not an async function: write async def")
    try:
        inspect.signature(calculate).bind(object(), object())
    except TypeError as error:
        way_out = "(cls, cmd, world), as a class method" if isinstance(target, type) else "(cmd, world)"
        raise InvalidSystem(name, f"calculate_traits must take {way_out}: {error}") from error
    return calculate
