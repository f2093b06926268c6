"""References: values that are subjects, of any kind or of one archetype's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dam_beliefs.subject import Subject
from dam_beliefs.value_types.base import Unfit, ValueType

if TYPE_CHECKING:
    from dam_beliefs.state_view import StateView
    from dam_beliefs.world import World


class Reference(ValueType):
    """Subjects; written down as a subject, as a belief about it, or as its label."""

    is_reference = True
    has_length = False

    def __init__(self, archetype: str | None = None) -> None:
        """Make the type of all subjects, or of those that the archetype of this label is a base of."""
        self.name = archetype or "Subject"
        self._archetype = archetype

    def take(self, value: Any, world: World, state: StateView | None) -> Any:
        """Take what stands for one subject; of which kind it is, is looked at where a state knows it."""
        subject = world.subject_of(value, state)
        if subject is None:
            raise Unfit(f"is {value!r}, which is no subject, and no label of one{world.near_labels(value, state)}")
        if self._archetype is not None and self._archetype in world.archetypes:
            known = (state if state is not None else world.state).get_belief(subject)
            if known is not None and not known.is_a(world.archetypes[self._archetype]):
                raise Unfit(f"is {subject.name}, which is no {self._archetype}")
        return subject

    def dump(self, value: Subject, world: World) -> Any:
        """Return its number."""
        return value.number

    def load(self, data: Any, world: World) -> Any:
        """Return the subject by its number."""
        return world.subjects[data]
