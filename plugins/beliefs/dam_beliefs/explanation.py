"""`Explanation`: where each part of a value came from; as text, a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dam_beliefs.belief import Belief
from dam_beliefs.mind import Mind
from dam_beliefs.plain import MISSING
from dam_beliefs.subject import Subject

if TYPE_CHECKING:
    from dam_beliefs.inheritance import Part
    from dam_beliefs.node import Node
    from dam_beliefs.resolution import Resolved


@dataclass(frozen=True, slots=True)
class Explanation:
    """One line of the tree, and those below it."""

    what: str
    """``own``, ``inherited``, ``closes`` its branch, ``composed``, an operation such as ``append``, or ``not set``."""
    source: str
    """The belief or archetype; empty where it is the result of what is below."""
    value: Any
    """What it said, or what came out."""
    below: tuple[Explanation, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Return the same as plain data, values as text."""
        told: dict[str, Any] = {"what": self.what, "source": self.source, "value": shown(self.value)}
        return {**told, "below": [each.to_data() for each in self.below]} if self.below else told

    def __str__(self) -> str:
        return "\n".join(self._lines("", ""))

    def _lines(self, first: str, rest: str) -> Iterator[str]:
        source = f" {self.source}:" if self.source else ":"
        yield f"{first}{self.what}{source} {shown(self.value)}"
        for each in self.below:
            is_last = each is self.below[-1]
            yield from each._lines(rest + ("`- " if is_last else "|- "), rest + ("   " if is_last else "|  "))


def explain(belief: Belief, trait: str) -> Explanation:
    """
    Say where the value of a belief's trait comes from.

    Raises:
        UnknownTrait: There is no traittype of this label; or what `Belief.get_trait` raises.
    """
    resolved = belief.world.resolve(belief, trait)
    if not resolved.found:
        return Explanation("not set", f"{trait} of {belief.name}", None)
    below = (*_base(belief, trait, resolved), *_operations(resolved))
    return Explanation(trait, belief.name, resolved.value, below)


def _base(belief: Belief, trait: str, resolved: Resolved) -> Iterator[Explanation]:
    parts = resolved.base.parts
    told = tuple(_part(belief, trait, part) for part in parts)
    adding = [part for part in parts if part.value is not None]
    if len(adding) > 1:
        yield Explanation("composed", "", resolved.base.value, told)
    else:
        yield from told


def _part(belief: Belief, trait: str, part: Part) -> Explanation:
    if part.node is belief:
        return Explanation("own", belief.name, part.value)
    what = "inherited" if part.value is not None else "closes"
    return Explanation(what, part.node.name, part.value, tuple(_further(part.node, trait)))


def _further(node: Node, trait: str) -> Iterator[Explanation]:
    """Tell what a belief's contribution was made of, if of more than its own value."""
    if not isinstance(node, Belief):
        return
    resolved = node.world.resolve(node, trait)
    if len(resolved.base.parts) > 1 or (resolved.operations and node.own(trait) is MISSING):
        yield from explain(node, trait).below


def _operations(resolved: Resolved) -> Iterator[Explanation]:
    for each in resolved.operations:
        yield Explanation(each.key, each.source.name, each.value)


def shown(value: Any) -> str:
    """Return a value as text: subjects and minds by their names."""
    if isinstance(value, Subject):
        return value.name
    if isinstance(value, Mind):
        known = ", ".join(belief.subject.name for belief in value.state.get_beliefs())
        return f"{value.name} (knows {known or 'nothing'})"
    if isinstance(value, tuple):
        return f"[{', '.join(shown(each) for each in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(each)}" for key, each in value.items()) + "}"
    return repr(value)
