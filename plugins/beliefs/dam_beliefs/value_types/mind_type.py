"""
Minds as values: ``mind: {_call: create}``, ``mind: {tavern: [location]}``, ``mind.append``.

A mapping without ``_call`` is a template: what a mind is to know from its beginning, labels with the traits to learn
of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dam_beliefs.condition import check_condition
from dam_beliefs.errors import UnknownLabel, UnknownTrait, near
from dam_beliefs.keys import CALL, DEFAULT_TICK, is_recipe, is_tick
from dam_beliefs.mind import Mind
from dam_beliefs.operations import IF, applies
from dam_beliefs.plain import frozen
from dam_beliefs.value_types.base import Making, Operation, Unfit, ValueType

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.state import State
    from dam_beliefs.state_view import StateView
    from dam_beliefs.subject import Subject
    from dam_beliefs.world import World

TRAITS = "traits"


class MindType(ValueType):
    """Minds: made for each belief, joined by a `UnionState`, taught by operations."""

    name = "Mind"
    operations = frozenset({"append", "remove", "replace"})
    factories = frozenset({"create"})
    composes = True
    makes = True
    has_length = False

    def take(self, value: Any, world: World, state: StateView | None) -> Any:
        """Take minds of this world, recipes and templates."""
        if isinstance(value, Mind):
            if value.world is not world:
                raise Unfit(f"is the {value.name} of another world")
            return value
        if not isinstance(value, Mapping):
            raise Unfit(f"is {value!r}, which is no mind, recipe or template")
        if is_recipe(value):
            tick = value.get(DEFAULT_TICK)
            if tick is not None and not is_tick(tick):
                raise Unfit(f"has {DEFAULT_TICK} {tick!r}, which is no tick")
            if tick is not None and state is not None and tick > state.tick:
                raise Unfit(f"has {DEFAULT_TICK} {tick}, which is later than tick {state.tick}, at which it is made")
        else:
            self.check_operation("append", value, world, state)
        return frozen(value)

    def check_operation(self, key: str, value: Any, world: World, state: StateView | None) -> None:
        """All take labels with lists of traits; ``remove`` takes a list of labels, too."""
        if key == "remove" and isinstance(value, (list, tuple)):
            for label in value:
                _check_label(label)
            return
        if not isinstance(value, Mapping):
            raise Unfit(f"is {value!r}: write labels, each with a list of traits")
        for label, traits in value.items():
            _check_label(label)
            if label in self.operations and isinstance(traits, Mapping) and TRAITS not in traits:
                raise Unfit(
                    f'says {dict(traits)!r} of {label}: write a list of traits; or quote the key, "mind.{label}"'
                )
            _check_traits(label, traits, world)

    def is_empty(self, value: Any) -> bool:
        """Say that an empty template adds nothing."""
        return isinstance(value, Mapping) and not value

    def make(self, recipe: Any, making: Making) -> Mind:
        """Make a mind for the belief's subject, and teach it what the template says."""
        subject = making.belief.subject
        if CALL in recipe:
            return Mind.create(making.state, recipe, subject)
        mind = Mind(making.world, making.state.mind, subject)
        state = mind.add_state(making.state.tick, making.state)
        teach(state, [_Lesson("append", recipe, f"{making.where}, {making.trait}")], making)
        state.lock()
        return mind

    def compose(self, values: Sequence[Any], making: Making) -> Mind:
        """Return a mind that begins with all that they know."""
        return Mind.compose(values, making.state, making.belief.subject)

    def operate(self, value: Mind, operations: Sequence[Operation], making: Making) -> Mind:
        """Teach it at the belief's own tick; somebody else's mind stays as it is, and a new one goes on from it."""
        mind = value
        if value.self_subject is not making.belief.subject:
            mind = Mind.compose([value], making.state, making.belief.subject)
        with making.world.undoing.all_or_nothing():
            state = mind.add_state(making.state.tick, making.state, may_share_tick=True)
            teach(state, [_Lesson.of(each, making) for each in operations], making)
            state.lock()
        return mind

    def dump(self, value: Any, world: World) -> Any:
        """Return its number; a recipe as it is."""
        return {"_mind": value.number} if isinstance(value, Mind) else super().dump(value, world)

    def load(self, data: Any, world: World) -> Any:
        """Return the mind by its number."""
        return world.minds[data["_mind"]] if "_mind" in data else frozen(data)


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What a mind is to be taught."""

    key: str
    value: Any
    where: str
    """Who says so, for messages."""

    @classmethod
    def of(cls, operation: Operation, making: Making) -> _Lesson:
        where = f"{making.where}, {making.trait}.{operation.key} of {operation.source.name}"
        return cls(operation.key, operation.value, where)


def teach(state: State, lessons: Sequence[_Lesson], making: Making) -> None:
    """
    Teach a state, the furthest lesson first, so that the nearest has the last word.

    Raises:
        UnknownLabel: Nothing is known by a label where the belief is.
        UnknownTrait: What has the label can have no such trait.
        BadCondition, CircularTrait: Whether something applies cannot be said.
    """
    for lesson in reversed(lessons):
        for label, traits in _told(lesson.value, making):
            if lesson.key == "remove":
                _forget(state, _subject(label, lesson, making), traits)
                continue
            known = _known(label, lesson, making)
            for trait in traits or ():
                if trait not in known.names:
                    why = "is named by none of its archetypes, so it cannot be learned"
                    raise UnknownTrait(f"{lesson.where}, {label}", trait, why, known.names)
            if lesson.key == "replace":
                _forget(state, known.subject, None)
            state.learn_about(known, traits or ())


def _forget(state: State, subject: Subject, traits: tuple[str, ...] | None) -> None:
    from dam_beliefs.learning import forget

    mine = state.get_belief(subject)
    if mine is not None:
        forget(state, mine, traits)


def _told(value: Any, making: Making) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """Yield labels with traits, where their condition holds; no traits: all of it."""
    if not isinstance(value, Mapping):
        yield from ((label, None) for label in value)
        return
    for label, traits in value.items():
        if not isinstance(traits, Mapping):
            yield label, tuple(traits)
        elif IF not in traits or applies(traits[IF], making):
            yield label, tuple(traits[TRAITS])


def _known(label: str, lesson: _Lesson, making: Making) -> Belief:
    belief = making.state.get_belief_by_label(label)
    if belief is None:
        labels = [each.label for each in making.state.get_beliefs() if each.label]
        raise UnknownLabel(lesson.where, label, labels)
    return belief


def _subject(label: str, lesson: _Lesson, making: Making) -> Subject:
    """Return whom a label stands for, be it that nothing is known of it any more."""
    subject = making.world.labelled(label)
    if subject is None:
        raise UnknownLabel(lesson.where, label, making.world.labels)
    return subject


def _check_label(label: object) -> None:
    if not isinstance(label, str):
        raise Unfit(f"has {label!r} in it, which is no label")


def _check_traits(label: str, traits: Any, world: World) -> None:
    if isinstance(traits, Mapping):
        if set(traits) - {TRAITS, IF} or TRAITS not in traits or not isinstance(traits.get(IF, ""), str):
            raise Unfit(f"says {dict(traits)!r} of {label}: write {TRAITS} and, if you like, {IF}")
        if IF in traits:
            check_condition(traits[IF], world)
        traits = traits[TRAITS]
    if not isinstance(traits, (list, tuple)) or not all(isinstance(each, str) for each in traits):
        raise Unfit(f"says {traits!r} of {label}: write a list of traits")
    for trait in traits:
        if trait not in world.traittypes:
            raise Unfit(f"asks for {trait!r} of {label}, and no trait is called that{near(trait, world.traittypes)}")
