"""
Handlers of trait implementations as systems of a world: made when an implementation comes, gone when it goes.

What was registered on its own is left alone, also when an implementation names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dam_traits.errors import InvalidSystem
from dam_traits.registration import name_of, register
from dam_traits.system import System, SystemOptions, options_of

if TYPE_CHECKING:
    from dam_traits.world import World

Handlers = Mapping[type, Callable[..., Any]]


class Adoption:
    """Keeps which systems of a world are there for trait implementations alone."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._users: dict[System, int] = {}

    def adopt(self, handlers: Handlers) -> Callable[[], None]:
        """Register the handlers that are no systems yet, all or none; give what undoes it."""
        used: list[System] = []
        try:
            for command, handler in handlers.items():
                system, is_new = register(self._world, handler, _handler_options(command, handler))
                if is_new:
                    self._users[system] = 0
                if system in self._users:
                    self._users[system] += 1
                    used.append(system)
        except BaseException:
            self._let_go(used)
            raise
        return lambda: self._let_go(used)

    def keep(self, system: System) -> None:
        """Leave a system with the world for good: it was now registered on its own, too."""
        self._users.pop(system, None)

    def _let_go(self, used: list[System]) -> None:
        for system in used:
            if system not in self._users:
                continue
            self._users[system] -= 1
            if not self._users[system]:
                del self._users[system]
                self._world.systems.remove(system)


def _handler_options(command: type, handler: Any) -> SystemOptions:
    """Say how a handler of `command` is registered: as it is marked, if that covers the command."""
    marked = options_of(handler)
    if marked.on_command is not None and issubclass(command, marked.on_command):
        return marked
    if marked.trigger is not None:
        said = getattr(marked.trigger, "__qualname__", marked.trigger)
        raise InvalidSystem(
            name_of(handler), f"is marked to run for {said}, so it cannot handle {command.__qualname__}"
        )
    return SystemOptions(on_command=command, run_in=marked.run_in, calculate_traits=marked.calculate_traits)
