"""
The workflow of scheduling, from a command to its results: which steps there are, and their order.

Each step is a hook of `hookspecs`, asked of the world's plugin manager every time. What a
step does where nobody replaces it stands in `steps`; what comes back is checked here, so
that a wrong answer is an error which names who gave it.
"""

from __future__ import annotations

import asyncio
import math
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from dam_traits.aggregate import Candidate, ObservedTraits, time_reckoned_ms
from dam_traits.errors import InvalidAnswer, shown
from dam_traits.invocation import Invocation
from dam_traits.learning.record import ExecutionRecord, Status
from dam_traits.limits import in_time
from dam_traits.pools import Lease
from dam_traits.strategies import Selection
from dam_traits.system import Kind
from dam_traits.system_traits import ExecutionCostTrait
from dam_traits.trait import Trait

if TYPE_CHECKING:
    from dam_traits.system import System
    from dam_traits.world import World

_ONE_RESULT = (Kind.COROUTINE, Kind.FUNCTION)
_LONGEST_PROBLEM = 200


async def run_command(world: World, command: Any, target_system: System | None) -> AsyncGenerator[Any, None]:
    """Run the systems that are chosen for a command, one after the other, and yield their results."""
    size = size_of(world, command)
    if target_system is not None:
        chosen: Sequence[Candidate] = (await reckon(world, target_system, command, size),)
    else:
        chosen = select(world, command, await find_candidates(world, command, size)).chosen
    for candidate in chosen:
        running = run(world, candidate, command, size)
        try:
            async for result in running:
                yield result
        finally:
            await running.aclose()


async def run_systems(world: World, systems: Sequence[System], subject: Any) -> AsyncGenerator[Any, None]:
    """Run all these systems for an event or a stage, one after the other, and yield their results."""
    size = size_of(world, subject)
    for system in systems:
        running = run(world, await reckon(world, system, subject, size), subject, size)
        try:
            async for result in running:
                yield result
        finally:
            await running.aclose()


# -- what is reckoned of a system


async def find_candidates(world: World, command: Any, size: float | None) -> list[Candidate]:
    """
    Find who could handle a command, and reckon what each would take.

    Raises:
        UnknownCommand: Nobody could.
    """
    systems = world.plugin_manager.hook.dam_traits_find_handlers(world=world, command=command)
    if not systems:
        raise world.scheduler.unknown(command)
    return [await reckon(world, system, command, size) for system in systems]


async def reckon(world: World, system: System, command: Any, size: float | None) -> Candidate:
    """Reckon what an execution would take: predict, look up what was observed, merge."""
    hook = world.plugin_manager.hook
    predicted, problem = await _predict(world, system, command)
    observed = hook.dam_traits_observed_traits(world=world, system=system, command=command, size=size)
    if observed is not None and not isinstance(observed, ObservedTraits):
        raise InvalidAnswer("dam_traits_observed_traits", f"answered {shown(observed)}", "an ObservedTraits or None")
    traits = hook.dam_traits_merge_traits(world=world, system=system, predicted=predicted, observed=observed)
    traits = _checked("dam_traits_merge_traits", traits)
    return Candidate(system=system, predicted=predicted, observed=observed, traits=traits, problem=problem)


async def _predict(world: World, system: System, command: Any) -> tuple[tuple[Trait, ...] | None, str | None]:
    """Ask for the traits of one execution; give them, or else why there are none although there could be."""
    try:
        answer = world.plugin_manager.hook.dam_traits_calculate_traits(world=world, system=system, command=command)
        if answer is None:
            return None, None
        if isinstance(answer, Awaitable):
            answer = await in_time(answer, world.traits_timeout_s)
        return (None if answer is None else _checked("calculate_traits", answer)), None
    except Exception as error:  # noqa: BLE001 - a prediction that fails must not fail what was asked
        world.scheduler.note_failure("calculate_traits", system.name, error, "its observed or default traits are used")
        return None, _bounded(traceback.format_exception_only(error)[-1].strip())


def _checked(who: str, traits: Any) -> tuple[Trait, ...]:
    if isinstance(traits, str) or not isinstance(traits, Sequence):
        raise InvalidAnswer(who, f"answered {shown(traits)}", "a list or tuple of traits")
    costs = 0
    for each in traits:
        if not isinstance(each, Trait):
            raise InvalidAnswer(who, f"answered with {shown(each)} among the traits", "a list or tuple of traits")
        costs += isinstance(each, ExecutionCostTrait)
    if costs > 1:
        raise InvalidAnswer(who, f"answered with {costs} ExecutionCostTraits", "one at most")
    return tuple(traits)


def size_of(world: World, command: Any) -> float | None:
    """Ask how large a command's work is; `None`: nobody says, or what they say is no size."""
    try:
        size = world.plugin_manager.hook.dam_traits_size_of(command=command)
        if size is None:
            return None
        if isinstance(size, bool) or not isinstance(size, int | float) or not 0 <= size < math.inf:
            raise InvalidAnswer("dam_traits_size_of", f"answered {shown(size)}", "a finite number of at least 0")
        return float(size)
    except Exception as error:  # noqa: BLE001 - a size only sorts observations
        world.scheduler.note_failure("size_of", type(command).__qualname__, error, "it counts as of no size")
        return None


def select(world: World, command: Any, candidates: Sequence[Candidate]) -> Selection:
    """
    Have candidates chosen.

    Raises:
        InvalidAnswer: What was chosen is none of them, or nothing.
    """
    answer = world.plugin_manager.hook.dam_traits_select(world=world, command=command, candidates=candidates)
    if not isinstance(answer, Selection):
        raise InvalidAnswer("dam_traits_select", f"answered {shown(answer)}", "a Selection")
    known = {id(each) for each in candidates}
    if not answer.chosen or not all(id(each) in known for each in answer.chosen):
        problem = "chose what is no candidate" if answer.chosen else "chose nothing"
        raise InvalidAnswer(f"the strategy {shown(answer.strategy)}", problem, "one candidate or more")
    return answer


# -- running one


async def run(world: World, candidate: Candidate, command: Any, size: float | None) -> AsyncGenerator[Any, None]:
    """
    Run one system: acquire its pools, execute, and tell of it.

    What returns is run to its end before its result is handed over, so that its pools are
    free again while the reader works. The time that a reader takes between the items of a
    generator is not the system's, and not counted.
    """
    system = candidate.system
    invocation = Invocation(world=world, system=system, command=command, traits=candidate.traits)
    invocation.arguments = dict(system.bind(invocation))
    lease = world.plugin_manager.hook.dam_traits_acquire(world=world, invocation=invocation)
    if isinstance(lease, Awaitable):
        lease = await lease
    if not isinstance(lease, Lease):
        raise InvalidAnswer("dam_traits_acquire", f"answered {shown(lease)}", "a Lease, or an awaitable of one")
    invocation.lease = lease
    if system.kind in _ONE_RESULT:
        for result in await _run_to_end(invocation, size):
            yield result
        return
    with _Run(invocation, size) as this_run:
        running = world.executor.run(invocation)
        try:
            while True:
                # Entered for each step, since a context variable that is set across a `yield` is the reader's as well.
                with lease.current():
                    try:
                        result = await anext(running)
                    except StopAsyncIteration:
                        break
                invocation.results += 1
                left_ns = time.perf_counter_ns()
                try:
                    yield result
                finally:
                    this_run.away_ns += time.perf_counter_ns() - left_ns
        finally:
            with lease.current():
                await running.aclose()


async def _run_to_end(invocation: Invocation, size: float | None) -> list[Any]:
    with _Run(invocation, size), invocation.lease.current():
        running = invocation.world.executor.run(invocation)
        try:
            results = [result async for result in running]
        finally:
            await running.aclose()
        invocation.results = len(results)
        return results


class _Run:
    """One run from its start to its end: left, it gives the pools back and tells the observers."""

    __slots__ = ("_invocation", "_size", "_started_ns", "_started_unix_s", "away_ns")

    def __init__(self, invocation: Invocation, size: float | None) -> None:
        self._invocation = invocation
        self._size = size
        self.away_ns = 0
        """How long the reader had the results while the system could not go on."""

    def __enter__(self) -> _Run:
        self._started_unix_s = time.time()
        self._started_ns = time.perf_counter_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        duration_ns = time.perf_counter_ns() - self._started_ns - self.away_ns
        invocation = self._invocation
        lease = invocation.lease
        lease.release()
        status = _status(kind)
        world = invocation.world
        record = ExecutionRecord(
            system=invocation.system.name,
            version=world.scheduler.version_of(invocation.system),
            command=name_of_command(invocation.command),
            status=status,
            duration_ns=duration_ns,
            wait_ns=lease.waited_ns,
            started_unix_s=self._started_unix_s,
            size=self._size,
            cpu_ns=invocation.cpu_ns,
            predicted_ms=time_reckoned_ms(invocation.traits),
            results=invocation.results,
            error=kind.__qualname__ if kind is not None and status == "error" else None,
        )
        try:
            world.plugin_manager.hook.dam_traits_observe(world=world, record=record)
        except Exception as failure:  # noqa: BLE001 - who watches must not change what is watched
            world.scheduler.note_failure("observe", record.system, failure, "not everybody heard of its end")


def _status(kind: type[BaseException] | None) -> Status:
    if kind is None:
        return "success"
    return "cancelled" if issubclass(kind, asyncio.CancelledError | GeneratorExit) else "error"


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST_PROBLEM else f"{text[:_LONGEST_PROBLEM]}..."


def name_of_command(command: Any) -> str:
    """Name a command or an event by its class, a stage by itself."""
    if isinstance(command, str):
        return f"stage:{command}"
    kind = type(command)
    return f"{kind.__module__}:{kind.__qualname__}"
