"""The errors that dam_traits raises: each one sentence that names what was wrong and what is expected."""

from __future__ import annotations

from collections.abc import Sequence


class TraitError(Exception):
    """Base of every error that dam_traits raises on purpose."""


class InvalidIdentifier(TraitError, ValueError):
    """A text that is no identifier of a trait or of an implementation."""

    def __init__(self, text: object, expected: str) -> None:
        super().__init__(f"{shown(text)} is not {expected}")
        self.text = text


class InvalidTrait(TraitError, ValueError):
    """A trait was given an argument that it cannot mean."""

    def __init__(self, trait: str, argument: str, value: object, expected: str) -> None:
        super().__init__(f"{trait}.{argument} is {shown(value)}: it must be {expected}")
        self.trait = trait
        self.argument = argument
        self.value = value


class InvalidSetting(TraitError, ValueError):
    """Something was made with an argument that it cannot mean."""

    def __init__(self, owner: str, argument: str, value: object, expected: str) -> None:
        super().__init__(f"{argument} of {owner} is {shown(value)}: it must be {expected}")
        self.owner = owner
        self.argument = argument
        self.value = value


class InvalidSystem(TraitError, ValueError):
    """A function or class that cannot be run as the system it was registered as."""

    def __init__(self, system: str, problem: str) -> None:
        super().__init__(f"{system}: {problem}")
        self.system = system
        self.problem = problem


class InvalidPlugin(TraitError, TypeError):
    """What was given as a plugin is none."""


class InvalidResource(TraitError, TypeError):
    """A resource under a type that it is no instance of."""


class InvalidComponent(TraitError, TypeError):
    """A class where a component is meant, or the other way round."""


class MissingResource(TraitError, LookupError):
    """A system, or a caller, needs a resource that its world does not have."""

    def __init__(self, world: str, wanted: str, needed_by: str | None = None) -> None:
        needed = f", needed by {needed_by}" if needed_by else ""
        super().__init__(f"world {shown(world)} has no resource {wanted}{needed}: add it by World.add_resource")
        self.world = world
        self.wanted = wanted
        self.needed_by = needed_by


class InvalidImplementation(TraitError, ValueError):
    """An implementation of a trait that does not fit the trait, or the components it is to be bound to."""

    def __init__(self, implementation: str, problem: str) -> None:
        super().__init__(f"implementation {shown(implementation)}: {problem}")
        self.implementation = implementation
        self.problem = problem


class DuplicateIdentity(TraitError, ValueError):
    """Two things claim one identifier."""

    def __init__(self, identifier: object, first: str, second: str, way_out: str) -> None:
        super().__init__(f"{identifier} is taken by {first}, so {second} cannot have it: {way_out}")
        self.identifier = str(identifier)
        self.first = first
        self.second = second


class UnknownEntity(TraitError, LookupError):
    """An entity that was never made, or is deleted."""

    def __init__(self, entity_id: object) -> None:
        super().__init__(f"there is no entity {shown(entity_id)}: World.create_entity makes one and gives its id")
        self.entity_id = entity_id


class WrongThread(TraitError, RuntimeError):
    """A blocking call where it would block the event loop that it waits for, or where there is no loop at all."""


class UnknownCommand(TraitError, LookupError):
    """A command that no system handles."""

    def __init__(self, world: str, command: type, near: Sequence[str]) -> None:
        name = f"{command.__module__}:{command.__qualname__}"
        if issubclass(command, type):
            way_out = "dispatch a value of that class, not the class"
        elif near:
            way_out = f"did you mean {' or '.join(near)}?"
        else:
            way_out = f"register a system with on_command={command.__name__}"
        super().__init__(f"no system of world {shown(world)} handles {name}: {way_out}")
        self.world = world
        self.command = command
        self.near = tuple(near)
        """Names of known commands that are spelt like it, the nearest first."""


class UnknownTarget(TraitError, LookupError):
    """A target that names no system which handles the command, or more than one."""

    def __init__(self, target: str, problem: str, command: type, candidates: Sequence[str]) -> None:
        listed = ", ".join(candidates[:_LISTED]) + (", ..." if len(candidates) > _LISTED else "")
        super().__init__(f"target_system {target} {problem}: {command.__qualname__} is handled by {listed or 'none'}")
        self.target = target
        self.command = command
        self.candidates = tuple(candidates)
        """The names that could have been given."""


class InvalidAnswer(TraitError, TypeError):
    """A hook implementation, a strategy or a system answered with what its promise does not allow."""

    def __init__(self, who: str, problem: str, expected: str) -> None:
        super().__init__(f"{who} {problem}: it must be {expected}")
        self.who = who
        self.problem = problem


class ExecutionSpent(TraitError, RuntimeError):
    """Results were asked for that were given away before, or will never be."""

    def __init__(self, command: str, why: str) -> None:
        super().__init__(f"this execution of {command} has no more to give, since {why}: dispatch the command again")
        self.command = command


class NotOneResult(TraitError, ValueError):
    """One result was asked for, and there was none, or there were several."""

    def __init__(self, command: str, count: int) -> None:
        super().__init__(f"{command} gave {count} results, not one: take them by get_all_results()")
        self.command = command
        self.count = count


def shown(value: object) -> str:
    """Give a value as an error message shows it: plain values by their literal, bounded; others by their type."""
    if type(value) not in (str, int, float, bool, type(None)):
        return f"a {type(value).__name__}"
    if isinstance(value, int) and value.bit_length() > 256:
        return "a huge integer"
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_SHOWN = 80
_LISTED = 12
