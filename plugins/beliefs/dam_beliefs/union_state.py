"""`UnionState`: several states read as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

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

    __slots__ = ("_joined", "component_states")

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
        self._joined: dict[int, Belief] = {}
        for each in self.component_states:
            each.lock()

    @property
    def is_locked(self) -> bool:
        """Always."""
        return True

    def lock(self) -> None:
        """Do nothing: it is."""

    def get_belief(self, subject: Subject) -> Belief | None:
        """Return what is known of a subject: the one belief, or one that inherits from all of them."""
        known = self._joined.get(subject.number)
        if known is not None:
            return known
        beliefs = each_once(filter(None, (each.get_belief(subject) for each in self.component_states)))
        if len(beliefs) < 2:
            return beliefs[0] if beliefs else None
        return self.join(subject, beliefs)

    def join(self, subject: Subject, beliefs: tuple[Belief, ...]) -> Belief:
        """Return the one belief that several are read as."""
        from dam_beliefs.belief import Belief

        kinds = each_once(kind for belief in beliefs for kind in belief.kinds)
        joined = self._joined[subject.number] = Belief(self, subject, beliefs, {}, {}, kinds)
        joined.lock()
        return joined

    def subjects(self) -> Iterator[Subject]:
        """Yield all that something is known of, each once."""
        seen: set[int] = set()
        for each in self.component_states:
            for subject in each.subjects():
                if subject.number not in seen:
                    seen.add(subject.number)
                    yield subject

    def candidates(self, trait: str, subject: Subject) -> Iterator[Subject]:
        """Yield those that hold it in a component; another component may say otherwise."""
        yield from each_once(one for each in self.component_states for one in each.candidates(trait, subject))


def _flat(states: Iterable[StateView]) -> Iterator[StateView]:
    for state in states:
        if isinstance(state, UnionState):
            yield from state.component_states
        else:
            yield state
