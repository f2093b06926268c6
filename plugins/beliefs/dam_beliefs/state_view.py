"""`StateView`: what can be asked of a state, be it one tick of one mind or several states read as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.mind import Mind
    from dam_beliefs.subject import Subject


class StateView:
    """One tick of a mind, to be read."""

    __slots__ = ("mind", "number", "tick")

    def __init__(self, mind: Mind, tick: int) -> None:
        self.mind = mind
        self.tick = tick
        self.number = mind.world.next_number("state", self)

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"tick {self.tick} of the {self.mind.name}"

    @property
    def is_locked(self) -> bool:
        """Whether it changes no more."""
        raise NotImplementedError

    def lock(self) -> None:
        """Let it change no more."""
        raise NotImplementedError

    def get_belief(self, subject: Subject) -> Belief | None:
        """Return the version that is valid here, if anything is known of `subject`."""
        raise NotImplementedError

    def says(self, number: int) -> bool:
        """Say whether it says something of a subject itself, be it that it is forgotten."""
        return False

    @property
    def own_numbers(self) -> Iterable[int]:
        """Numbers of the subjects that it says something of itself."""
        return ()

    @property
    def reads(self) -> tuple[StateView, ...]:
        """What it knows, too, where it says nothing itself."""
        return ()

    def own_candidates(self, trait: str, subject: Subject) -> Iterator[Subject]:
        """Yield the subjects that hold `subject` in `trait`, of those that it says something of itself."""
        return iter(())

    def note_given(self, traits: Mapping[str, Any]) -> None:
        """Note which minds are written into a belief as they are."""

    def forget_early(self) -> None:
        """Drop what was made for its beliefs while they could still change; it is made again when it is asked for."""

    # -- made of those

    def subjects(self) -> Iterator[Subject]:
        """Yield all subjects that something is known of here, by their age."""
        world = self.mind.world
        for number in sorted({number for state in self.all_read() for number in state.own_numbers}):
            if self.get_belief(world.subjects[number]) is not None:
                yield world.subjects[number]

    def candidates(self, trait: str, subject: Subject) -> Iterable[Subject]:
        """Return the subjects whose belief may hold `subject` in `trait`; of several states one may say otherwise."""
        return {holder for state in self.all_read() for holder in state.own_candidates(trait, subject)}

    def all_read(self) -> Iterator[StateView]:
        """Yield itself and all that it reads, each once; there may be more of them than Python's stack is deep."""
        seen: set[int] = set()
        waiting: list[StateView] = [self]
        while waiting:
            state = waiting.pop()
            if state.number not in seen:
                seen.add(state.number)
                yield state
                waiting.extend(state.reads)

    def get_belief_by_label(self, label: str) -> Belief | None:
        """Return the belief about the subject of this label."""
        subject = self.mind.world.labelled(label)
        return self.get_belief(subject) if subject is not None else None

    def get_beliefs(self) -> Iterator[Belief]:
        """Yield all beliefs that are valid here."""
        for subject in self.subjects():
            belief = self.get_belief(subject)
            if belief is not None:
                yield belief

    def holders(self, trait: str, subject: Subject) -> Iterator[Belief]:
        """
        Yield the beliefs that hold `subject` in `trait`, in the order of their subjects.

        Raises:
            UnknownTrait: There is no such trait, or its values are no subjects.
        """
        self.mind.world.reference_type(trait)
        for holder in sorted(self.candidates(trait, subject), key=lambda each: each.number):
            belief = self.get_belief(holder)
            if belief is not None and _holds(belief.get_trait(trait), subject):
                yield belief

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}{'' if self.is_locked else ', not locked'}>"


def _holds(value: object, subject: Subject) -> bool:
    return value is subject or (isinstance(value, tuple) and any(each is subject for each in value))
