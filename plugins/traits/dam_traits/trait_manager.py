"""
What entities can do: traits, what implements them, and for which components.

A trait of this sort is a namespace of commands. An implementation says which system handles
which of them, and is bound to a component class, or to a tuple of them that an entity must
all have. Systems are made known to a world by the `HandlerHost` it gives; without one, a
manager only keeps the books.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dam_traits.commands import Command
from dam_traits.errors import DuplicateIdentity, InvalidImplementation, shown
from dam_traits.identifiers import TraitIdentifier, TraitImplementationIdentifier
from dam_traits.trait import Trait

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class TraitImplementation:
    """How one trait is implemented: a system for each of its commands, or for some of them."""

    trait: type[Trait]

    handlers: Mapping[type, Callable[..., Any]]
    """Command class of the trait to the function or class that handles it."""

    name: str
    """For people and for who looks for it: ``core.set_mime_type``."""

    description: str = ""
    """One sentence for a person."""

    @property
    def missing(self) -> tuple[type, ...]:
        """The trait's commands that have no handler here."""
        return tuple(each for each in commands_of(self.trait) if each not in self.handlers)


class HandlerHost(Protocol):
    """Whoever runs handlers."""

    def adopt(self, handlers: Mapping[type, Callable[..., Any]]) -> Callable[[], None]:
        """Make systems of handlers that are none yet, all or none; give what undoes it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Binding:
    """An implementation, and what it is bound to."""

    identifier: TraitImplementationIdentifier
    implementation: TraitImplementation
    components: tuple[type, ...]
    number: int
    disown: Callable[[], None]


class TraitManager:
    """Which traits there are, and which entities have them."""

    def __init__(self, host: HandlerHost | None = None) -> None:
        self._host = host
        self._traits: dict[TraitIdentifier, type[Trait]] = {}
        self._bindings: dict[TraitImplementationIdentifier, _Binding] = {}
        self._by_component: dict[type, list[_Binding]] = {}
        self._registered = 0

    def register(
        self, implementation: TraitImplementation, component_type: type | tuple[type, ...]
    ) -> TraitImplementationIdentifier:
        """
        Bind an implementation to a component class, or to several that an entity must all have.

        The handlers that its world does not know as systems for these commands are registered there.
        An implementation need not handle all commands: what it leaves out is its `missing`, and is logged.

        Returns:
            Its identifier, ``asset.operation:ContentMimeTypeComponent``.

        Raises:
            DuplicateIdentity: The trait's or the implementation's identifier is taken.
            InvalidImplementation: A handler for what is no command of the trait, or components that are no classes.
            InvalidSystem: A handler that cannot handle its command.
        """
        _check(implementation)
        components = _component_classes(implementation, component_type)
        identifier = TraitImplementationIdentifier(
            implementation.trait.identifier, tuple(each.__name__ for each in components)
        )
        self._check_free(identifier, implementation, components)
        disown = self._host.adopt(implementation.handlers) if self._host else _nothing
        self._registered += 1
        binding = _Binding(identifier, implementation, components, self._registered, disown)
        self._traits[identifier.trait] = implementation.trait
        self._bindings[identifier] = binding
        self._by_component.setdefault(components[0], []).append(binding)
        _say_what_is_missing(identifier, implementation)
        return identifier

    def unregister(self, identifier: TraitImplementationIdentifier | str) -> TraitImplementation:
        """
        Undo a registration, with the systems that it brought; give the implementation back.

        A system that another implementation handles commands by stays, and so does one that was
        registered on its own. A trait without implementations is forgotten.

        Raises:
            InvalidImplementation: Nothing is registered so.
        """
        binding = self._bindings.pop(_implementation_identifier(identifier), None)
        if binding is None:
            raise InvalidImplementation(str(identifier), "is not registered")
        bound = self._by_component[binding.components[0]]
        bound.remove(binding)
        if not bound:
            del self._by_component[binding.components[0]]
        if not any(each.trait == binding.identifier.trait for each in self._bindings):
            del self._traits[binding.identifier.trait]
        binding.disown()
        return binding.implementation

    def get_trait_by_id(self, identifier: TraitIdentifier | str) -> type[Trait] | None:
        """Give the trait of this name, if something implements it; a malformed name is an error."""
        if not isinstance(identifier, TraitIdentifier):
            identifier = TraitIdentifier.from_string(identifier)
        return self._traits.get(identifier)

    def get_implementation_by_id(self, identifier: TraitImplementationIdentifier | str) -> TraitImplementation | None:
        """Give the implementation of this name, if there is one; a malformed name is an error."""
        binding = self._bindings.get(_implementation_identifier(identifier))
        return None if binding is None else binding.implementation

    def get_implementations_for_trait(self, trait: type[Trait]) -> list[TraitImplementation]:
        """Give what implements a trait or a subclass of it, in order of registration."""
        return _implementations(
            each for each in self._bindings.values() if issubclass(each.implementation.trait, trait)
        )

    def get_implementations_for_components(self, component_types: Iterable[type]) -> list[TraitImplementation]:
        """Give what implements a trait for an entity with these components; their subclasses count."""
        present = {base for each in component_types for base in each.__mro__}
        bindings = [
            binding
            for component in present & self._by_component.keys()
            for binding in self._by_component[component]
            if present.issuperset(binding.components)
        ]
        return _implementations(sorted(bindings, key=lambda binding: binding.number))

    def identifiers_of(self, implementation: TraitImplementation) -> tuple[TraitImplementationIdentifier, ...]:
        """Give the identifiers that an implementation, the very object, is registered by."""
        return tuple(name for name, binding in self._bindings.items() if binding.implementation is implementation)

    def components_of(self, identifier: TraitImplementationIdentifier | str) -> tuple[type, ...]:
        """Give the component classes that an implementation is bound to, in name order; empty for an unknown one."""
        binding = self._bindings.get(_implementation_identifier(identifier))
        return () if binding is None else binding.components

    def identifiers(self) -> tuple[TraitImplementationIdentifier, ...]:
        """Give the identifiers of all implementations, in order of registration."""
        return tuple(self._bindings)

    def _check_free(
        self,
        identifier: TraitImplementationIdentifier,
        implementation: TraitImplementation,
        components: tuple[type, ...],
    ) -> None:
        known = self._traits.get(identifier.trait)
        if known is not None and known is not implementation.trait:
            first, second = f"trait {_path(known)}", f"trait {_path(implementation.trait)}"
            raise DuplicateIdentity(identifier.trait, first, second, "give one of them another identifier")
        taken = self._bindings.get(identifier)
        if taken is not None:
            first = _said(taken.implementation, taken.components)
            raise DuplicateIdentity(identifier, first, _said(implementation, components), "unregister it first")


def commands_of(trait: type[Trait]) -> tuple[type, ...]:
    """
    Give the commands of a trait: the public classes in its namespace, its parents' first.

    Where any of them derives from `Command`, only those that do.
    """
    names = {name: None for each in reversed(trait.__mro__) for name in each.__dict__ if not name.startswith("_")}
    classes = [value for value in (getattr(trait, name, None) for name in names) if isinstance(value, type)]
    declared = [each for each in classes if issubclass(each, Command)]
    return tuple(declared or classes)


def _check(implementation: TraitImplementation) -> None:
    trait, name = implementation.trait, implementation.name
    if not isinstance(name, str) or not name:
        raise InvalidImplementation(str(name), "has no name: give it one, such as core.set_mime_type")
    if not isinstance(trait, type) or not issubclass(trait, Trait):
        raise InvalidImplementation(name, f"its trait is {shown(trait)}: it must be a subclass of Trait")
    if not isinstance(getattr(trait, "identifier", None), TraitIdentifier):
        expected = 'identifier = TraitIdentifier.from_string("...")'
        raise InvalidImplementation(name, f"its trait {trait.__qualname__} has no identifier: give it {expected}")
    commands = commands_of(trait)
    known = ", ".join(each.__name__ for each in commands) or "none"
    for command, handler in implementation.handlers.items():
        if command not in commands:
            said = command.__qualname__ if isinstance(command, type) else shown(command)
            problem = f"handles {said}, which is no command of {trait.__qualname__} (its commands: {known})"
            raise InvalidImplementation(name, problem)
        if not callable(handler):
            problem = f"its handler of {command.__qualname__} is {shown(handler)}: it must be a function or a class"
            raise InvalidImplementation(name, problem)


def _component_classes(
    implementation: TraitImplementation, component_type: type | tuple[type, ...]
) -> tuple[type, ...]:
    components = component_type if isinstance(component_type, tuple) else (component_type,)
    for each in components:
        if not isinstance(each, type):
            problem = f"is bound to {shown(each)}: it must be a component class or a tuple of them"
            raise InvalidImplementation(implementation.name, problem)
    if not components:
        raise InvalidImplementation(implementation.name, "is bound to no component: name at least one class")
    return tuple(sorted(components, key=lambda each: each.__name__))


def _implementation_identifier(identifier: TraitImplementationIdentifier | str) -> TraitImplementationIdentifier:
    if isinstance(identifier, TraitImplementationIdentifier):
        return identifier
    return TraitImplementationIdentifier.from_string(identifier)


def _implementations(bindings: Iterable[_Binding]) -> list[TraitImplementation]:
    """Give each implementation once, however many components it is bound to."""
    return list({id(each.implementation): each.implementation for each in bindings}.values())


def _say_what_is_missing(identifier: TraitImplementationIdentifier, implementation: TraitImplementation) -> None:
    missing = ", ".join(each.__name__ for each in implementation.missing)
    if missing:
        logger.info("%s (%s) has no handler for: %s", implementation.name, identifier, missing)


def _said(implementation: TraitImplementation, components: Sequence[type]) -> str:
    return f"{shown(implementation.name)} for {' and '.join(_path(each) for each in components)}"


def _path(owner: type) -> str:
    return f"{owner.__module__}.{owner.__qualname__}"


def _nothing() -> None:
    """Undo nothing."""
