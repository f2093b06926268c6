"""
Which systems a world has, and which of them run for a command, an event or a stage.

Asked for a class, it answers from what it found the first time. In which of them a command
ends up is the scheduler's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MethodType
from typing import Any

from dam_traits.errors import DuplicateIdentity
from dam_traits.system import System


class SystemRegistry:
    """The systems of one world."""

    def __init__(self) -> None:
        self._by_name: dict[str, System] = {}
        self._by_target: dict[object, list[System]] = {}
        self._commands = _ByClass()
        self._events = _ByClass()
        self._stages: dict[str, tuple[System, ...]] = {}
        self._numbers: dict[str, int] = {}

    def add(self, system: System) -> None:
        """
        Take a system in.

        Raises:
            DuplicateIdentity: Its name is taken.
        """
        taken = self._by_name.get(system.name)
        if taken is not None:
            raise DuplicateIdentity(system.name, repr(taken.target), repr(system.target), "give it another name")
        self._by_name[system.name] = system
        self._by_target.setdefault(_key(system.target), []).append(system)
        if system.command is not None:
            self._commands.add(system.command, system)
        if system.event is not None:
            self._events.add(system.event, system)
        if system.stage is not None:
            self._stages[system.stage] = (*self._stages.get(system.stage, ()), system)

    def remove(self, system: System) -> None:
        """Let go of a system; one that is not here is no error."""
        if self._by_name.get(system.name) is not system:
            return
        del self._by_name[system.name]
        same = self._by_target[_key(system.target)]
        same.remove(system)
        if not same:
            del self._by_target[_key(system.target)]
        if system.command is not None:
            self._commands.remove(system.command, system)
        if system.event is not None:
            self._events.remove(system.event, system)
        if system.stage is not None:
            self._stages[system.stage] = tuple(each for each in self._stages[system.stage] if each is not system)

    def for_command(self, command_type: type) -> tuple[System, ...]:
        """Give the systems for a class of commands: its own, then those of its bases, each in order of registration."""
        return self._commands.of(command_type)

    def for_event(self, event_type: type) -> tuple[System, ...]:
        """Give the systems for a class of events: its own, then those of its bases, each in order of registration."""
        return self._events.of(event_type)

    def for_stage(self, stage: str) -> tuple[System, ...]:
        """Give the systems of a stage in order of registration."""
        return self._stages.get(stage, ())

    def by_name(self, name: str) -> System | None:
        """Give the system of this name."""
        return self._by_name.get(name)

    def by_target(self, target: Any) -> tuple[System, ...]:
        """Give the systems that were made of this function or class, the very object."""
        return tuple(self._by_target.get(_key(target), ()))

    def names(self) -> tuple[str, ...]:
        """Give all names, in order of registration."""
        return tuple(self._by_name)

    def free_name(self, name: str) -> str:
        """Give this name, or where it is taken the first of ``name#2``, ``name#3`` that was never given."""
        if name not in self._by_name:
            return name
        number = self._numbers.get(name, 1) + 1
        while f"{name}#{number}" in self._by_name:
            number += 1
        self._numbers[name] = number
        return f"{name}#{number}"

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[System]:
        return iter(tuple(self._by_name.values()))

    def __contains__(self, system: object) -> bool:
        return isinstance(system, System) and self._by_name.get(system.name) is system


def _key(target: Any) -> object:
    """Tell targets apart as objects; a bound method is another object each time it is asked for."""
    return target if isinstance(target, MethodType) else id(target)


class _ByClass:
    """Systems by the class that they run for; what was found for a class is kept until another is added."""

    def __init__(self) -> None:
        self._own: dict[type, list[System]] = {}
        self._found: dict[type, tuple[System, ...]] = {}

    def add(self, owner: type, system: System) -> None:
        self._own.setdefault(owner, []).append(system)
        self._found = {}

    def remove(self, owner: type, system: System) -> None:
        self._own[owner].remove(system)
        self._found = {}

    def of(self, wanted: type) -> tuple[System, ...]:
        found = self._found.get(wanted)
        if found is None:
            known = self._found
            found = tuple(system for each in wanted.__mro__ for system in self._own.get(each, ()))
            known[wanted] = found
        return found
