"""
The base value of a trait, before operations: shadowed, or composed of what each branch contributes.

A belief contributes the value that it has itself, its own joined with what it inherits; an archetype contributes what
stands in it. Either way the branch ends there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dam_beliefs.archetype import Archetype
from dam_beliefs.errors import CannotCompose
from dam_beliefs.node import Node, nearest, search
from dam_beliefs.plain import MISSING, is_same
from dam_beliefs.value_types.base import Making

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
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
    for node in nearest(belief, trait):
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
        self._barren: set[int] = set()
        """`id` of those without a value, their own or inherited."""

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
            is_alone = isinstance(node, Archetype) or not inherits(node, self._traittype)
            known = self._below[id(node)] = [] if is_alone else self._nearest(node)
        return known

    def _nearest(self, node: Node) -> list[Node]:
        """Search below a node, but for what many have in common where nobody has a value."""
        if self._barren.issuperset(map(id, node.bases)):
            return []
        found = list(nearest(node, self._making.trait))
        if not found:
            self._barren.update(map(id, node.bases))
        return found

    def _joined(self, node: Node) -> Base:
        trait, found = self._making.trait, self._found
        own = node.own(trait)
        below = self._contributors(node)
        if not below and own is not MISSING:
            return Base(own, (Part(node, own),))
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
        parts = list(self._inherited())
        if own is not MISSING:
            self._nodes.add(id(belief))
            if not (parts and self._type.is_empty(own)) or all(part.value is None for part in parts):
                own = self._value(belief, own)
                parts.append(Part(belief, own))
        value = join(self._making, self._type, parts)
        return Base(value, tuple(parts), frozenset(self._nodes), frozenset(self._covered))

    def _inherited(self) -> Iterable[Part]:
        for node in holders(self._making.belief, self._traittype):
            if isinstance(node, Archetype):
                value = self._value(node, node.own(self._making.trait))
            else:
                resolved = self._making.world.resolve(node, self._making.trait)  # type: ignore[arg-type]
                if not resolved.found:
                    continue
                self._covered |= resolved.covered
                value = resolved.value
            self._nodes.add(id(node))
            yield Part(node, value)
            if not self._traittype.composable:
                return

    def _value(self, source: Node, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return self._making.world.construct(self._making, value, source.name)


def holders(belief: Belief, traittype: Traittype) -> Iterator[Node]:
    """
    Yield the bases that a made value comes from: the nearest with one of their own on each branch.

    An earlier version of the same subject is one, too: it has what was made for it, if anything. Where values are not
    joined, the first one that has any is all that counts.
    """
    trait = traittype.label

    def holds(node: Node) -> bool:
        return node is not belief and (trait in node.own_traits or getattr(node, "subject", None) is belief.subject)

    def goes_on(node: Node) -> bool:
        made = node.made.get(trait) if node is not belief and not isinstance(node, Archetype) else None  # type: ignore[attr-defined]
        return not holds(node) and (made is None or made.found)

    if inherits(belief, traittype):
        for _, level in search(belief, trait, goes_on):
            yield from (node for node in level if holds(node))


def inherits(node: Node, traittype: Traittype) -> bool:
    """Say whether more than a node's own value counts."""
    own = node.own(traittype.label)
    return own is MISSING or (own is not None and traittype.composable and traittype.own == "compose")


def to_be_made(belief: Belief, traittype: Traittype) -> Iterator[Belief]:
    """
    Yield the beliefs for which a value has to be made before it is made for this one, which comes last.

    It is to be made before the next one is asked for: what was made says whether more is needed.
    """
    trait = traittype.label
    waiting = [belief]
    while waiting:
        last = waiting[-1]
        unmade = [] if trait in last.made else _unmade(last, traittype)
        if unmade:
            waiting.extend(reversed(unmade))
            continue
        waiting.pop()
        if trait not in last.made:
            yield last


def _unmade(belief: Belief, traittype: Traittype) -> list[Belief]:
    found: list[Belief] = []
    for node in holders(belief, traittype):
        made = None if isinstance(node, Archetype) else node.made.get(traittype.label)  # type: ignore[attr-defined]
        if made is None and not isinstance(node, Archetype):
            found.append(node)  # type: ignore[arg-type]
        if not traittype.composable and (made is None or made.found):
            break
    return found


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
