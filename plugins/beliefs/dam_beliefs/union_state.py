"""`UnionState`: several states read as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dam_beliefs.errors import CannotCompose
from dam_beliefs.plain import each_once
from dam_beliefs.state_view import StateView

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.mind import Mind
    from dam_beliefs.subject import Subject


class UnionState(StateView):
    """
    What any of its component states knows; two that know the same subject are read as one belief about it.

    Where they say something else of it, the first one counts. It never changes: its components are locked.
    """

    __slots__ = ("_known", "component_states")

    def __init__(self, mind: Mind, tick: int, components: Iterable[StateView]) -> None:
        """
        Read states as one.

        Args:
            mind: That it is the first state of.
            tick: Its own.
            components: A union among them stands for its components; each counts once.
        """
        super().__init__(mind, tick)
        self.component_states: tuple[StateView, ...] = each_once(_flat(components))
        self._known: dict[int, Belief | None] = {}
        for each in self.component_states:
            each.lock()

    @property
    def is_locked(self) -> bool:
        """Always."""
        return True

    def lock(self) -> None:
        """Do nothing: it is."""

    @property
    def reads(self) -> tuple[StateView, ...]:
        """Its components."""
        return self.component_states

    def get_belief(self, subject: Subject) -> Belief | None:
        """Return what is known of a subject: the one belief, or one that inherits from all of them."""
        if subject.number not in self._known:
            self._find(subject)
        return self._known[subject.number]

    def _find(self, subject: Subject) -> None:
        """Ask the unions that lie below before this one: each once, however many states are built on it."""
        waiting = [self]
        while waiting:
            union = waiting[-1]
            below = [each for each in union._asked(subject.number) if subject.number not in each._known]
            if below:
                waiting.extend(below)
                continue
            known = union._known.get(subject.number) or union._read(subject)
            union._known.setdefault(subject.number, known)
            waiting.pop()

    def _asked(self, number: int) -> Iterator[UnionState]:
        """Yield the unions that components of this one ask, since they say nothing themselves."""
        for state in self.component_states:
            if not state.says(number):
                yield from (each for each in state.reads if isinstance(each, UnionState))

    def _read(self, subject: Subject) -> Belief | None:
        beliefs = each_once(filter(None, (each.get_belief(subject) for each in self.component_states)))
        if len(beliefs) < 2:
            return beliefs[0] if beliefs else None
        joined = self.join(subject, beliefs)
        if any(belief.bases for belief in beliefs):  # else they are on one level, where the first one counts anyway
            for trait, value in _read_as_one(joined):
                joined.restore(trait, value)
        joined.lock()
        return joined

    def join(self, subject: Subject, beliefs: tuple[Belief, ...], own: Iterable[str] = ()) -> Belief:
        """Return the one belief that several are read as; `own`: traits of which its values are still to be set."""
        from dam_beliefs.belief import Belief

        kinds = each_once(kind for belief in beliefs for kind in belief.kinds)
        return Belief(self, subject, beliefs, dict.fromkeys(own), {}, kinds)

    def restore(self, belief: Belief) -> None:
        """Hold a joined belief that was saved."""
        self._known[belief.subject.number] = belief

    @property
    def joined(self) -> Iterator[Belief]:
        """The beliefs that several are read as, so far."""
        return (belief for belief in list(self._known.values()) if belief is not None and belief.state is self)


def _flat(states: Iterable[StateView]) -> Iterator[StateView]:
    for state in states:
        if isinstance(state, UnionState):
            yield from state.component_states
        else:
            yield state


def _read_as_one(joined: Belief) -> Iterator[tuple[str, Any]]:
    """Yield what several beliefs say: what the first one says counts, wherever it has it from; or all are joined."""
    from dam_beliefs.inheritance import Part, join
    from dam_beliefs.value_types.base import Making

    world = joined.world
    for trait in sorted(joined.names.difference(world.made_traits(joined.names))):
        traittype = world.traittypes[trait]
        try:
            parts = [Part(each, each.get_trait(trait)) for each in joined.bases if world.is_said(each, trait)]  # type: ignore[arg-type,attr-defined]
            if parts and not traittype.composable:
                yield trait, parts[0].value
            elif parts:
                yield trait, join(Making(world, joined, trait), world.value_type(traittype), parts)
        except CannotCompose:
            continue  # whoever asks for the trait is told
