"""`StateView`: what can be asked of a state, be it one tick of one mind or several states read as one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

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

    def subjects(self) -> Iterator[Subject]:
        """Yield all subjects that something is known of here."""
        raise NotImplementedError

    def candidates(self, trait: str, subject: Subject) -> Iterator[Subject]:
        """Yield the subjects whose belief may hold `subject` in `trait`, whatever else may."""
        raise NotImplementedError

    # -- made of those

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
