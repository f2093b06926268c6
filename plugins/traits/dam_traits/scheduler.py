"""
`WorldScheduler`: the door through which a world's commands, events and stages are run.

It finds out which system is meant where one is named, refuses what no system handles, and
hands out an `Execution`. What happens once its results are asked for is `workflow`'s.
"""

from __future__ import annotations

import difflib
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any

from dam_traits import workflow
from dam_traits.errors import InvalidAnswer, UnknownCommand, UnknownTarget, shown
from dam_traits.execution import Execution
from dam_traits.system import System

if TYPE_CHECKING:
    from dam_traits.report import SchedulingReport
    from dam_traits.world import World

_log = logging.getLogger("dam_traits.scheduling")


class WorldScheduler:
    """Runs what is dispatched in one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.failures: Counter[str] = Counter()
        """What failed without failing a command, how often: ``calculate_traits``, ``size_of``, ``observe``."""
        self._told: set[tuple[str, str]] = set()
        self._versions: dict[System, str] = {}

    def dispatch_command(
        self, command: Any, target_system: System | Callable[..., Any] | str | None = None
    ) -> Execution[Any]:
        """
        Make an execution of a command, which begins when its results are asked for.

        Args:
            command: What is asked.
            target_system: The one that runs, whatever the strategy: a system, its function or class, its name
                ``package.module:Qualname`` or as much of the name's end as is unique, cut at a ``.`` or ``:``.

        Raises:
            UnknownCommand: No system handles it.
            UnknownTarget: `target_system` is none of those that handle it, or several.
        """
        if target_system is not None:
            target_system = self._resolve(target_system, command)
        elif not self.world.systems.for_command(type(command)) and not self._handlers(command):
            raise self.unknown(command)
        return Execution(command, partial(self._begin, command, target_system))

    def run(self, systems: Sequence[System], subject: Any) -> Execution[Any]:
        """Make an execution of all these systems, one after the other, for an event or a stage."""
        return Execution(subject, partial(self._begin_all, systems, subject))

    async def debug_dispatch(self, command: Any) -> SchedulingReport:
        """
        Say what a dispatched command would do, and why.

        No system is run and no pool is taken; the systems' ``calculate_traits`` are asked.

        Raises:
            UnknownCommand: No system handles it.
        """
        from dam_traits.report import make_report

        return await make_report(self.world, command)

    def version_of(self, system: System) -> str:
        """Give the version of a system's code as it was when this was first asked."""
        version = self._versions.get(system)
        if version is None:
            if len(self._versions) > 2 * len(self.world.systems) + 100:
                self._versions.clear()  # of systems that are gone
            version = self._versions[system] = system.version
        return version

    def note_failure(self, kind: str, culprit: str, error: Exception, consequence: str) -> None:
        """Count a failure that is to be no error; log it with its traceback if the culprit's first of this kind."""
        self.failures[kind] += 1
        if (kind, culprit) not in self._told:
            self._told.add((kind, culprit))
            _log.warning("%s failed in %s: %s", culprit, kind, consequence, exc_info=error)

    def unknown(self, command: Any) -> UnknownCommand:
        """Make the error for a command that no system handles."""
        known = {each.command.__qualname__ for each in self.world.systems if each.command is not None}
        near = difflib.get_close_matches(type(command).__qualname__, sorted(known), n=3)
        return UnknownCommand(self.world.name, type(command), near)

    def _begin(self, command: Any, target_system: System | None) -> AsyncGenerator[Any, None]:
        self.world.note_loop()
        results = self.world.plugin_manager.hook.dam_traits_dispatch(
            world=self.world, command=command, target_system=target_system
        )
        if not isinstance(results, AsyncGenerator):
            raise InvalidAnswer("dam_traits_dispatch", f"answered {shown(results)}", "an async generator")
        return results

    def _begin_all(self, systems: Sequence[System], subject: Any) -> AsyncGenerator[Any, None]:
        self.world.note_loop()
        return workflow.run_systems(self.world, systems, subject)

    def _handlers(self, command: Any) -> Sequence[System]:
        handlers: Sequence[System] = self.world.plugin_manager.hook.dam_traits_find_handlers(
            world=self.world, command=command
        )
        return handlers

    def _resolve(self, target: System | Callable[..., Any] | str, command: Any) -> System:
        candidates = self._handlers(command)
        if not candidates:
            raise self.unknown(command)
        found = [each for each in candidates if _is_meant(each, target)]
        if len(found) == 1:
            return found[0]
        exact = [each for each in found if each.name == target]
        if exact:
            return exact[0]
        names = [each.name for each in found or candidates]
        problem = "is the end of several names" if found else "is none of those that could run"
        raise UnknownTarget(_named(target), problem, type(command), names)


def _is_meant(system: System, target: System | Callable[..., Any] | str) -> bool:
    if isinstance(target, System):
        return system is target
    if isinstance(target, str):
        name = system.name
        return name == target or (name.endswith(target) and name[-len(target) - 1] in ".:")
    return system.target is target or (isinstance(target, MethodType) and bool(system.target == target))


def _named(target: object) -> str:
    if isinstance(target, System):
        return target.name
    return getattr(target, "__qualname__", None) or shown(target)
