"""
`Explanation`: where each part of a value came from, level by level; as text, a tree.

What decided is told: values, what closed a branch, operations that were applied and those whose condition did not hold.
What lies too far away to count is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from dam_beliefs.archetype import Archetype
from dam_beliefs.belief import Belief
from dam_beliefs.condition import parse
from dam_beliefs.inheritance import base_of
from dam_beliefs.mind import Mind
from dam_beliefs.node import levels
from dam_beliefs.operations import IF, VALUE, applies, is_conditional, reached
from dam_beliefs.plain import MISSING
from dam_beliefs.subject import Subject
from dam_beliefs.value_types.base import Making

if TYPE_CHECKING:
    from dam_beliefs.inheritance import Part
    from dam_beliefs.node import Node
    from dam_beliefs.resolution import Resolved

DEPTH: Final = 8
"""How many beliefs deep a tree goes, each handing on what the next one gave it."""

SHOWN: Final = 20
"""How many items of a list, keys of a mapping and subjects that a mind knows are written out."""

DETAIL: Final = 2
"""How many mappings within mappings are written out."""

NOT_APPLIED: Final = "not applied"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One line of the tree, and those below it."""

    what: str
    """``value``, what came out; ``joined``, before operations; ``own`` or ``inherited``; ``operation``; or ``item`` of
    an operation that has conditions on its items."""
    source: str
    """The belief or archetype that says it; of an item, what it is about; empty for what was joined."""
    value: Any
    """As it was said, or as it came out."""
    text: str
    """The value for people: subjects by their names, a mind by what it knew then."""
    level: int | None = None
    """How far the source is away: 0 is the belief itself, 1 its bases. `None` for what came out."""
    key: str = ""
    """Of an operation: ``append``."""
    note: str = ""
    """What else is to be said: that a branch was closed, why an operation was not applied."""
    below: tuple[Explanation, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Return the same as plain data, without what is empty; values as text."""
        told: dict[str, Any] = {"what": self.what, "source": self.source, "level": self.level, "key": self.key}
        told |= {"value": self.text, "note": self.note, "below": [each.to_data() for each in self.below]}
        return {key: value for key, value in told.items() if value not in ("", None, [])}

    def __str__(self) -> str:
        return "\n".join(self._lines("", ""))

    def _lines(self, first: str, rest: str) -> Iterator[str]:
        said = " ".join(filter(None, (self.key, self.text)))
        yield f"{first}{self._who()}: {', '.join(filter(None, (said, self.note)))}"
        for each in self.below:
            is_last = each is self.below[-1]
            yield from each._lines(rest + ("`- " if is_last else "|- "), rest + ("   " if is_last else "|  "))

    def _who(self) -> str:
        if self.level is None:
            return self.source or self.what
        if self.level == 0:
            return "own"
        return "its own" if self.what == "own" else f"level {self.level}, {self.source}"


def explain(belief: Belief, trait: str) -> Explanation:
    """
    Say where the value of a belief's trait comes from.

    Raises:
        UnknownTrait: There is no traittype of this label; or what `Belief.get_trait` raises.
    """
    return _Telling(belief, trait).whole()


class _Telling:
    """Tells of one trait of one belief."""

    def __init__(self, belief: Belief, trait: str, depth: int = DEPTH) -> None:
        self._belief = belief
        self._trait = trait
        self._depth = depth
        self._making = Making(belief.world, belief, trait)
        self._traittype = belief.world.traittype(trait, belief.name)
        self._type = belief.world.value_type(self._traittype)
        self._resolved: Resolved = belief.world.resolve(belief, trait)
        self._level = {id(node): number for number, level in enumerate(levels(belief)) for node in level}

    def whole(self) -> Explanation:
        resolved = self._resolved
        text = self._text(resolved.value) if resolved.found else "not set"
        who = f"{self._trait} of {whose(self._belief)}"
        return Explanation("value", who, resolved.value, text, below=self.below())

    def below(self) -> tuple[Explanation, ...]:
        """Tell what the value is made of."""
        base = self._resolved.base
        parts = tuple(self._parts(self._belief, base.parts, self._depth))
        operations = tuple(self._operations())
        adding = [part for part in base.parts if not self._adds_nothing(part.value)]
        if len(adding) > 1 and operations:
            return (Explanation("joined", "", base.value, self._text(base.value), below=parts), *operations)
        return (*parts, *operations)

    # -- the base value

    def _parts(self, node: Node, parts: tuple[Part, ...], depth: int) -> Iterator[Explanation]:
        for part in parts:
            yield self._part(node, part, depth)
        own = node.own(self._trait)
        if own is not MISSING and all(part.node is not node for part in parts):
            yield Explanation("own", node.name, own, shown(own), self._level[id(node)], note="adds nothing")

    def _part(self, of: Node, part: Part, depth: int) -> Explanation:
        node = part.node
        what = "own" if node is of else "inherited"
        written = node.own(self._trait)
        value = written if node is of or isinstance(node, Archetype) else part.value
        below = self._items(value) if value is written else self._further(node, depth)
        text = self._text(value, node)
        if isinstance(value, Mapping) and self._type.makes and below:
            text = "what it is to know"
        note = self._note(node, part.value, is_own=node is of)
        if below is None:
            note, below = f"made of more: ask {node.name} itself", ()
        return Explanation(what, whose(node), value, text, self._level[id(node)], note=note, below=below)

    def _note(self, node: Node, value: Any, *, is_own: bool) -> str:
        if is_own:
            has_bases = self._traittype.composable and bool(node.bases)
            replaces = has_bases and (value is None or self._traittype.own == "replace")
            return "instead of what is inherited" if replaces else ""
        if value is None and not self._traittype.composable:
            return "ends the search"
        if self._traittype.composable and self._adds_nothing(value):
            return "adds nothing and closes its branch"
        return ""

    def _further(self, node: Node, depth: int) -> tuple[Explanation, ...] | None:
        """Tell what a belief's contribution was made of, if of more than its own value; `None` if that is too deep."""
        if not isinstance(node, Belief):
            return ()
        if self._type.makes:
            if depth == 0:
                return None
            return _Telling(node, self._trait, depth - 1)._from(self._level).below()
        if not self._traittype.composable:
            return ()
        parts = base_of(Making(node.world, node, self._trait), self._traittype).parts
        if all(part.node is node for part in parts):
            return ()
        return tuple(self._parts(node, parts, depth - 1)) if depth else None

    def _from(self, level: Mapping[int, int]) -> _Telling:
        """Count levels from the belief that was asked, not from the one that handed its value on."""
        self._level = {**self._level, **level}
        return self

    def _adds_nothing(self, value: Any) -> bool:
        return value is None or value is MISSING or self._type.is_empty(value)

    # -- the operations on it

    def _operations(self) -> Iterator[Explanation]:
        base = self._resolved.base
        if base.value is MISSING:
            nodes = [(number, node) for number, level in enumerate(levels(self._belief)) for node in level]
            reason = f"{NOT_APPLIED}: there is no value to change"
        else:
            nodes = list(reached(self._belief, base))
            reason = f"{NOT_APPLIED}: the value is None" if base.value is None else ""
        unheard = ""
        for _, node in nodes:
            for key, value in node.own_operations(self._trait).items():
                told = self._operation(node, key, value, reason, unheard)
                yield told
                if key in self._type.last_heard and not told.note.startswith(NOT_APPLIED):
                    unheard = f"{NOT_APPLIED}: the {key} of {node.name} is nearer"

    def _operation(self, node: Node, key: str, value: Any, reason: str, unheard: str) -> Explanation:
        note = reason
        if is_conditional(value):
            note = reason or self._whether(value[IF])
            value = value[VALUE]
        if not note.startswith(NOT_APPLIED):
            note = unheard or note
        items = self._items(value)
        text = "" if items else self._text(value)
        return Explanation("operation", node.name, value, text, self._level[id(node)], key, note, items)

    def _items(self, value: Any) -> tuple[Explanation, ...]:
        """Tell the items of what a mind is to know one by one, if any of them has a condition."""
        if not (self._type.makes and isinstance(value, Mapping)):
            return ()
        if not any(isinstance(each, Mapping) and IF in each for each in value.values()):
            return ()
        return tuple(self._item(about, each) for about, each in value.items())

    def _item(self, about: str, value: Any) -> Explanation:
        is_whole = isinstance(value, Mapping) and IF in value
        traits = value["traits"] if isinstance(value, Mapping) else value
        note = self._whether(value[IF]) if is_whole else ""
        return Explanation("item", about, traits, shown(traits), note=note)

    def _whether(self, condition: str) -> str:
        if applies(condition, self._making):
            return f"since {condition}"
        for each in parse(condition).comparisons:
            actual = self._belief.get_trait(each.trait)
            if not each.holds(actual, condition):
                return f"{NOT_APPLIED}: it takes {condition}, and {each.trait} is {shown(actual)}"
        return f"{NOT_APPLIED}: it takes {condition}"

    def _text(self, value: Any, source: Node | None = None) -> str:
        """Return a value as text; a mind with what it knew when the belief was made that has it."""
        belief = self._belief
        if not isinstance(value, Mind):
            return shown(value)
        is_mine = value.self_subject is belief.subject
        told = known(value, source.state.tick if is_mine and isinstance(source, Belief) else belief.state.tick)
        return told if is_mine else f"{value.name}, {told}"


def whose(node: Node) -> str:
    """Return a node's name; of what is not simply the case, but known to somebody, with whose knowledge it is."""
    knowing = node.state.mind.self_subject if isinstance(node, Belief) else None
    return f"{node.name}, as {knowing.name} knows it" if knowing is not None else node.name


def shown(value: Any, depth: int = DETAIL) -> str:
    """Return a value as text, subjects and minds by their names."""
    if isinstance(value, (Subject, Mind)):
        return value.name
    if isinstance(value, (tuple, list)):
        return f"[{_first(shown(each, depth) for each in value)}]"
    if isinstance(value, Mapping):
        if value and depth == 0:
            return "{...}"
        return "{" + _first(f"{key}: {shown(each, depth - 1)}" for key, each in value.items()) + "}"
    return repr(value)


def known(mind: Mind, tick: int) -> str:
    """Return of whom a mind knew at a tick."""
    state = next(mind.states_valid_at(tick), mind.state)
    return f"knows {_first(subject.name for subject in state.subjects()) or 'nothing'}"


def _first(items: Iterator[str]) -> str:
    first = list(islice(items, SHOWN))
    more = sum(1 for _ in items)
    return ", ".join([*first, f"and {more} more"] if more else first)
