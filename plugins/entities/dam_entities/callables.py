"""Functions by name: `Callables` holds them, wrapped once, with what they take and give."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from dam_entities.errors import NameTaken, UnknownCallable
from dam_entities.kinds import Kind, kind_of
from dam_entities.signatures import Signature, signature_of
from dam_entities.tracing import MARKER, entity_tracer

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered function."""

    name: str
    function: Callable[..., Any]
    """As it was written."""
    traced: Callable[..., Any]
    kind: Kind
    signature: Signature


class Callables:
    """Registered functions."""

    def __init__(self) -> None:
        """Begin with none."""
        self._entries: dict[str, Entry] = {}
        self._changing = threading.Lock()

    def register(self, name: str, function: F) -> F:
        """
        Keep `function` by this name; doing so twice is no harm.

        Returns:
            The function that keeps entities when it is called, wrapped once however often it is registered.

        Raises:
            NameTaken: Another function has the name.
            BadCallable: A parameter has no annotation, or one that cannot be understood.
        """
        plain = getattr(function, "__wrapped__", function) if getattr(function, MARKER, False) else function
        known = self._entries.get(name)
        if known is not None and known.function is plain:
            return known.traced  # type: ignore[return-value]
        entry = Entry(name, plain, entity_tracer(function), kind_of(plain), signature_of(plain, name))
        with self._changing:
            known = self._entries.setdefault(name, entry)
        if known is not entry and known.function is not plain:
            raise NameTaken(name, f"{known.function.__module__}.{known.function.__qualname__}")
        return known.traced  # type: ignore[return-value]

    def add(self, function: F) -> F:
        """Keep `function` by its own name; as `register`."""
        return self.register(function.__name__, function)

    def unregister(self, name: str) -> None:
        """
        Forget a function.

        Raises:
            UnknownCallable: None has the name.
        """
        with self._changing:
            self.get(name)
            del self._entries[name]

    def get(self, name: str) -> Entry:
        """
        Return a function by its name.

        Raises:
            UnknownCallable: None has it.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise UnknownCallable(name, self._entries)
        return entry

    def entries(self) -> tuple[Entry, ...]:
        """Return all of them."""
        return tuple(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
