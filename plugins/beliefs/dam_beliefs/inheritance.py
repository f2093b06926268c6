"""
The base value of a trait, before operations: shadowed, or composed of what each branch contributes.

A belief contributes the value that it has itself, its own joined with what it inherits; an archetype contributes what
stands in it. Either way the branch ends there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dam_beliefs.errors import CannotCompose
from dam_beliefs.node import Node, nearest
from dam_beliefs.plain import MISSING, is_same
from dam_beliefs.value_types.base import Making

if TYPE_CHECKING:
    from dam_beliefs.traittype import Traittype
    from dam_beliefs.value_types.base import ValueType


@dataclass(frozen=True, slots=True)
class Part:
    """What one node contributed."""

    node: Node
    value: Any
    """`None` and an empty value contribute nothing, and close their branch."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base value, and where it comes from."""

    value: Any
    """`MISSING` if nobody says."""
    parts: tuple[Part, ...] = ()
    """In the order in which they were joined."""
    nodes: frozenset[int] = frozenset()
    """`id` of all nodes that a plain value comes from, nested ones too; of a made one those that handed it on."""
    covered: frozenset[int] = frozenset()
    """`id` of those whose operations are in it already."""


_NOTHING: Final = Base(MISSING)


def base_of(making: Making, traittype: Traittype) -> Base:
    """Return the base value of a belief's trait."""
    value_type = making.world.value_type(traittype)
    if value_type.makes:
        return _Made(making, traittype, value_type).base()
    if traittype.composable:
        return _Composed(making, traittype, value_type).base()
    return _shadowed(making.belief, making.trait)


def _shadowed(belief: Node, trait: str) -> Base:
    """Return the first value met, the belief's own one first."""
    own = belief.own(trait)
    if own is not MISSING:
        return Base(own, (Part(belief, own),), frozenset({id(belief)}))
    for _, node in nearest(belief, trait):
        value = node.own(trait)
        return Base(value, (Part(node, value),), frozenset({id(node)}))
    return _NOTHING


class _Composed:
    """Composes plain values, each node once however many paths lead to it."""

    def __init__(self, making: Making, traittype: Traittype, value_type: ValueType) -> None:
        self._making = making
        self._traittype = traittype
        self._type = value_type
        self._found: dict[int, Base] = {}
        self._below: dict[int, list[Node]] = {}
        self._silent: set[int] = set()
        """`id` of those that hand on what others say."""

    def base(self) -> Base:
        """Go down without recursion, for a history may be longer than Python's stack is deep."""
        waiting: list[Node] = [self._making.belief]
        while waiting:
            node = waiting[-1]
            if id(node) in self._found:
                waiting.pop()
                continue
            unknown = [each for each in self._contributors(node) if id(each) not in self._found]
            if unknown:
                waiting.extend(unknown)
                continue
            self._found[id(node)] = self._joined(node)
            waiting.pop()
        found = self._found[id(self._making.belief)]
        return Base(found.value, found.parts, frozenset(self._found) - self._silent)

    def _contributors(self, node: Node) -> list[Node]:
        known = self._below.get(id(node))
        if known is None:
            is_alone = _is_archetype(node) or not self._inherits(node)
            known = [] if is_alone else [each for _, each in nearest(node, self._making.trait)]
            self._below[id(node)] = known
        return known

    def _inherits(self, node: Node) -> bool:
        """Say whether more than its own value counts."""
        own = node.own(self._making.trait)
        return own is MISSING or (own is not None and self._traittype.own == "compose")

    def _joined(self, node: Node) -> Base:
        trait, found = self._making.trait, self._found
        own = node.own(trait)
        below = self._contributors(node)
        parts = [Part(each, found[id(each)].value) for each in below]
        if own is not MISSING:
            parts.append(Part(node, own))
        else:
            self._silent.add(id(node))
        return Base(join(self._making, self._type, parts), tuple(parts))


class _Made:
    """Finds a value that is made for each belief: a mind, or an object of the user's own class."""

    def __init__(self, making: Making, traittype: Traittype, value_type: ValueType) -> None:
        self._making = making
        self._traittype = traittype
        self._type = value_type
        self._nodes: set[int] = set()
        self._covered: set[int] = set()

    def base(self) -> Base:
        belief, trait = self._making.belief, self._making.trait
        own = belief.own(trait)
        parts: list[Part] = []
        if own is MISSING or (self._traittype.composable and self._traittype.own == "compose" and own is not None):
            parts = list(self._inherited())
        if own is not MISSING:
            self._nodes.add(id(belief))
            if not (parts and self._type.is_empty(own)) or all(part.value is None for part in parts):
                own = self._value(belief, own)
                parts.append(Part(belief, own))
        value = join(self._making, self._type, parts)
        return Base(value, tuple(parts), frozenset(self._nodes), frozenset(self._covered))

    def _inherited(self) -> Iterable[Part]:
        for node in self._holders():
            self._nodes.add(id(node))
            if _is_archetype(node):
                yield Part(node, self._value(node, node.own(self._making.trait)))
            else:
                resolved = self._making.world.resolve(node, self._making.trait)  # type: ignore[arg-type]
                self._covered |= resolved.covered
                yield Part(node, resolved.value)
            if not self._traittype.composable:
                return

    def _holders(self) -> Iterable[Node]:
        """Yield the nearest nodes that have a value; an earlier version of the subject has what was made for it."""
        belief, trait = self._making.belief, self._making.trait
        seen = {id(belief)}
        level: list[Node] = [belief]
        while level:
            below: list[Node] = []
            for each in level:
                for node in each.bases:
                    if id(node) in seen:
                        continue
                    seen.add(id(node))
                    if node.own(trait) is not MISSING or self._is_version(node):
                        yield node
                    else:
                        below.append(node)
            level = below

    def _is_version(self, node: Node) -> bool:
        is_mine = getattr(node, "subject", None) is self._making.belief.subject
        return is_mine and self._making.world.resolve(node, self._making.trait).found  # type: ignore[arg-type]

    def _value(self, source: Node, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return self._making.world.construct(self._making, value, source.name)


def join(making: Making, value_type: ValueType, parts: Iterable[Part]) -> Any:
    """
    Return what contributions make together; one alone is handed on as the very object it is.

    Where a type cannot join, equal values are one: which of them are the same object is Python's luck.

    Raises:
        CannotCompose: Two that differ meet, of a type that cannot join.
    """
    parts = list(parts)
    telling = [part for part in parts if part.value is not None and part.value is not MISSING]
    adding = [part for part in telling if not value_type.is_empty(part.value)]
    if not adding:
        return telling[-1].value if telling else (None if parts else MISSING)
    first = adding[0].value
    if all(part.value is first for part in adding):
        return first
    sources = tuple(part.node.name for part in adding)
    if not value_type.composes:
        if all(is_same(part.value, first) for part in adding):
            return first
        raise CannotCompose(making.where, making.trait, value_type.name, sources)
    return making.world.compose(making, [part.value for part in adding], sources)


def _is_archetype(node: Node) -> bool:
    from dam_beliefs.archetype import Archetype

    return isinstance(node, Archetype)
