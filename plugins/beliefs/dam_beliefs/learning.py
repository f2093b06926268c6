"""Learning: a state takes over what is known of a subject elsewhere, trait by trait; and forgetting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dam_beliefs.belief import Belief
from dam_beliefs.errors import UnknownTrait
from dam_beliefs.plain import each_once, is_same
from dam_beliefs.values import Learned, Learning

if TYPE_CHECKING:
    from dam_beliefs.state import State


def learn(learning: Learning) -> Learned:
    """
    Keep values of a belief in a state, under the same subject.

    What is not learned is not known: a belief that was learned inherits nothing from the archetypes of the one it was
    learned from, and only from what this mind knew before. What nobody says is not learned, an explicit `None` is.

    Raises:
        Locked: The state is.
        UnknownTrait: The belief can have no such trait.
    """
    state, source = learning.state, learning.belief
    known = state.get_belief(source.subject)
    values = dict(_values(learning))
    new = {trait: value for trait, value in values.items() if not _is_known(known, trait, value)}
    if known is not None and not new:
        return Learned(known, ())
    if known is not None and any(_joins(known, trait) for trait in new):
        kinds = each_once((*known.archetypes, *source.archetypes))
        belief = Belief(state, source.subject, (), {**_said(known, known.names), **new}, {}, kinds)
    else:
        belief = Belief(state, source.subject, (known,) if known is not None else (), new, {}, source.archetypes)
    state.keep(belief)
    return Learned(belief, tuple(new))


def _joins(known: Belief, trait: str) -> bool:
    """Say whether a new value would be joined with the one that is known, instead of taking its place."""
    traittype = known.world.traittypes[trait]
    return traittype.composable and traittype.own == "compose" and trait in known.names


def _said(belief: Belief, traits: Iterable[str]) -> dict[str, Any]:
    """Return values by trait, those that somebody says; a `None` may be one."""
    values = {trait: belief.get_trait(trait) for trait in sorted(traits)}
    return {trait: value for trait, value in values.items() if value is not None or belief.world.is_said(belief, trait)}


def _values(learning: Learning) -> Iterable[tuple[str, Any]]:
    belief = learning.belief
    for trait in learning.traits:
        if trait not in belief.names:
            raise UnknownTrait(
                belief.name, trait, "is named by none of its archetypes, so it cannot be learned", belief.names
            )
        value = belief.get_trait(trait)
        if value is not None or belief.world.is_said(belief, trait):
            yield trait, value


def _is_known(known: Belief | None, trait: str, value: Any) -> bool:
    """Say whether a belief has this very value; nothing known, and known to be nothing, are two things."""
    if known is None:
        return False
    if value is None:
        return known.get_trait(trait) is None and known.world.is_said(known, trait)
    before = known.get_trait(trait)
    return is_same(before, value)


def forget(state: State, known: Belief, traits: Iterable[str] | None) -> None:
    """
    Have a state hold less of a subject.

    Args:
        state: That forgets; not locked.
        known: What it holds.
        traits: Which ones; everything, the subject too, if `None`.
    """
    if traits is None:
        state.remove(known.subject)
        return
    kept = _said(known, known.names.difference(traits))
    state.keep(Belief(state, known.subject, (), kept, {}, known.archetypes))
