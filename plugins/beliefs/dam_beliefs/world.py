"""
`World`: archetypes, traittypes, subjects and minds that belong together; and the hooks by which things happen.

Everything else asks a world: it knows what each label stands for and which plugins answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, Self, cast

import pluggy

from dam_beliefs.archetype import Archetype
from dam_beliefs.belief import Belief
from dam_beliefs.checks import check, take
from dam_beliefs.errors import BadWorld, CircularTrait, LabelTaken, NotSavable, UnknownTrait, near
from dam_beliefs.inheritance import to_be_made
from dam_beliefs.mind import Mind
from dam_beliefs.node import Node
from dam_beliefs.plugin import plugin_manager
from dam_beliefs.resolution import Resolved
from dam_beliefs.state import State
from dam_beliefs.state_view import StateView
from dam_beliefs.subject import Subject
from dam_beliefs.template import read_bases, read_traits
from dam_beliefs.traittype import Traittype
from dam_beliefs.types import Types
from dam_beliefs.undoing import Undoing
from dam_beliefs.value_types.base import Making, Operation, ValueType
from dam_beliefs.values import Composing, Constructing, Learned, Learning, Operating, Ticking, Valued

_deciding: Final[ContextVar[frozenset[tuple[int, str]]]] = ContextVar("dam_beliefs_deciding", default=frozenset())


class World:
    """A world: made in code, or read from plain data (`from_data`, `load`)."""

    def __init__(
        self,
        *plugins: object,
        tick: int = 0,
        classes: Iterable[type] = (),
        hooks: pluggy.PluginManager | None = None,
        caching: bool = True,
    ) -> None:
        """
        Make a world whose own mind has one state, without beliefs.

        Args:
            plugins: Asked before those that are installed, and before the built-in ones.
            tick: Of the first state.
            classes: Types of values of the user's own; see `dam_beliefs.UserClass`.
            hooks: The plugin manager, where several worlds share one; `plugins` are not looked at then.
            caching: Whether values are remembered. It never changes an answer.
        """
        self.hooks = hooks or plugin_manager(*plugins)
        self.hook = self.hooks.hook
        self.caching = caching
        self.types = Types(self)
        self.traittypes: dict[str, Traittype] = {}
        self.archetypes: dict[str, Archetype] = {}
        self.subjects: list[Subject] = []
        self.labels: dict[str, Subject] = {}
        self.minds: list[Mind] = []
        self.states: list[StateView] = []
        self.operated: set[str] = set()
        """Traits on which there are operations anywhere: on no other one they have to be looked for."""
        self.kinds_to_come: frozenset[str] = frozenset()
        """Labels of archetypes that are still to be declared, while a world is read."""
        self.undoing = Undoing()
        for each in classes:
            self.types.add_class(each)
        self.mind = Mind(self)
        self.mind.add_state(tick, None)

    # -- from data, and back

    @classmethod
    def from_data(cls, data: Mapping[str, Any], *plugins: object, classes: Iterable[type] = ()) -> Self:
        """
        Read a world from plain data, as JSON and TOML have it.

        Raises:
            BeliefsError: It is none; the message names label and key.
        """
        from dam_beliefs.loading import check_head, load_into

        world = cls(*plugins, tick=check_head(data), classes=classes)
        load_into(world, data)
        return world

    @classmethod
    def load(cls, path: Path | str, *plugins: object, classes: Iterable[type] = ()) -> Self:
        """
        Read a world from a file, TOML or JSON by its name.

        Raises:
            BadWorld: It is not to be read; or as `from_data`.
        """
        from dam_beliefs.files import read

        return cls.from_data(read(Path(path)), *plugins, classes=classes)

    def to_data(self) -> dict[str, Any]:
        """
        Return the whole world as plain data: `from_data` makes an equal one of it.

        Raises:
            NotSavable: A value of a user's class does not say how.
        """
        from dam_beliefs.saving import to_data

        return to_data(self)

    def save(self, path: Path | str) -> None:
        """Write the world to a JSON file; one that is there is replaced at once or not at all."""
        from dam_beliefs.files import write

        write(Path(path), self.to_data())

    def __eq__(self, other: object) -> bool:
        """Two worlds are equal if they are the same as plain data."""
        return isinstance(other, World) and self.to_data() == other.to_data()

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """
        Say how a world is copied, where `copy` and `pickle` ask.

        Raises:
            NotSavable: Always: they would take hooks and locks of this process along.
        """
        raise NotSavable(
            "a world cannot be copied or pickled: World.from_data(world.to_data()) makes an equal one, "
            "and world.save(path) keeps it; give from_data the same plugins and classes"
        )

    # -- what is in it

    @property
    def state(self) -> State:
        """The newest state of its own mind."""
        return cast(State, self.mind.state)

    def add_traittype(self, label: str, data: Any = None, /, **keys: Any) -> Traittype:
        """
        Declare a trait: by the keys of `Traittype`, or by a mapping of them, or by the name of its type alone.

        Raises:
            LabelTaken: It is declared already.
            BadWorld: A key is not known, or has a value that it cannot have. Of a type that there is not when the trait
                is first used, too: it may be an archetype that is still to come.
        """
        where = f"traittypes, {label}"
        if label in self.traittypes:
            raise LabelTaken(label, "a traittype")
        traittype = self.traittypes[label] = Traittype.from_data(label, keys if data is None else data, where)
        return traittype

    def add_archetype(
        self,
        label: str,
        *,
        bases: Iterable[Node | str | Subject] = (),
        traits: Mapping[str, Any] | None = None,
        names: Iterable[str] = (),
    ) -> Archetype:
        """
        Declare a kind of thing.

        Args:
            label: Its own.
            bases: Archetypes and prototypes, or their labels, left to right.
            traits: Values by trait, and operations by ``trait.operation``.
            names: Traits that its beliefs may have, and of which it says no more.

        Raises:
            LabelTaken, UnknownBase, UnknownTrait, WrongValue: It cannot be.
            UnknownOperation, BadOperation, UnknownFactory: Likewise.
        """
        self.check_label(label)
        found = read_bases(self, bases, label, None)
        declared = tuple(names)
        for each in declared:
            if each not in self.traittypes:
                raise UnknownTrait(f"{label}, names", each, "has no traittype", self.traittypes)
        own, operations = read_traits(self, None, {} if traits is None else traits, label, None)
        archetype = self.archetypes[label] = Archetype(label, found, own, operations, declared)
        return archetype

    def add_prototype(
        self, label: str, *, bases: Iterable[Node | str | Subject] = (), traits: Mapping[str, Any] | None = None
    ) -> Belief:
        """Make a belief of the world's own mind that others can have as a base; as `State.add_belief`."""
        return self.state.add_belief(label=label, bases=bases, traits=traits)

    def add_subject(self, label: str | None) -> Subject:
        """Make a subject; see `State.add_belief`."""
        with self.undoing.lock:
            subject = Subject(self, len(self.subjects), label)
            self.subjects.append(subject)
            self.undoing.add(self.subjects.pop)
            if label is not None:
                self.labels[label] = subject
                self.undoing.add(lambda: self.labels.pop(label))
            return subject

    def labelled(self, label: object) -> Subject | None:
        """Return the subject of a label."""
        return self.labels.get(label) if isinstance(label, str) else None

    def subject_of(self, value: object, state: StateView | None) -> Subject | None:
        """Return the subject that something stands for: itself, a belief about it, its label."""
        if isinstance(value, Belief):
            value = value.subject
        if isinstance(value, Subject):
            return value if value.world is self else None
        return self.labelled(value)

    def prototype(self, subject: Subject, state: StateView | None) -> Belief | None:
        """Return the belief about a subject that a base stands for: of the state, or else of those it is about."""
        then = self.state if state is None else next(self.mind.states_valid_at(state.tick), None)
        while state is not None:
            known = state.get_belief(subject)
            if known is not None:
                return known
            state = getattr(state, "ground_state", None)
        return then.get_belief(subject) if then is not None else None

    def check_label(self, label: object) -> None:
        """
        Look at a label that is to be given.

        Raises:
            BadWorld: It is no text.
            LabelTaken: Something has it.
        """
        if label is None:
            return
        if not isinstance(label, str) or not label:
            raise BadWorld(f"label {label!r}", "is no text, or an empty one")
        if label in self.archetypes:
            raise LabelTaken(label, "an archetype")
        if label in self.labels:
            raise LabelTaken(label, "a subject")

    def near_labels(self, value: object, state: StateView | None) -> str:
        """Return a hint at labels that are nearly `value`."""
        return near(value, self.labels) if isinstance(value, str) else ""

    def next_number(self, what: str, thing: Any) -> int:
        """Return the number of a new mind or state, which is kept by that."""
        numbered: list[Any] = self.minds if what == "mind" else self.states
        with self.undoing.lock:
            numbered.append(thing)
            self.undoing.add(numbered.pop)
            return len(numbered) - 1

    def start_afresh(self) -> None:
        """Drop minds and states, to be filled with those that were saved."""
        self.minds.clear()
        self.states.clear()

    def load_value(self, trait: str, data: Any) -> Any:
        """Return a value that was saved."""
        return None if data is None else self.value_type(self.traittypes[trait]).load(data, self)

    @property
    def states_made(self) -> int:
        """How many there are so far."""
        return len(self.states)

    # -- traittypes

    def traittype(self, trait: str, where: str) -> Traittype:
        """
        Return a traittype.

        Raises:
            UnknownTrait: There is none.
        """
        found = self.traittypes.get(trait)
        if found is None:
            raise UnknownTrait(where, trait, "has no traittype", self.traittypes)
        return found

    def value_type(self, traittype: Traittype) -> ValueType:
        """Return the type of a trait's values."""
        return self.types.of(traittype)

    def reference_type(self, trait: str) -> ValueType:
        """
        Return the type of a trait whose values are subjects.

        Raises:
            UnknownTrait: There is no such trait, or its values are something else.
        """
        value_type = self.value_type(self.traittype(trait, "rev_trait"))
        if not value_type.is_reference:
            raise UnknownTrait("rev_trait", trait, f"holds values of type {value_type.name}, no subjects", ())
        return value_type

    def reference_traits(self, names: frozenset[str]) -> tuple[str, ...]:
        """Return those whose values are subjects."""
        return self.types.references(names)

    def made_traits(self, names: frozenset[str]) -> tuple[str, ...]:
        """Return those whose values are made for each belief."""
        return self.types.made(names)

    def take(self, traittype: Traittype, value: Any, where: str, state: StateView | None) -> Any:
        """Return a value as it is kept; see `checks.take`."""
        return take(self, traittype, value, where, state)

    def check(self, traittype: Traittype, value: Any, where: str) -> None:
        """Look at a value that was composed or changed; see `checks.check`."""
        check(traittype, value, where)

    def check_references(self, node: Node, state: StateView) -> None:
        """Look again at own references, since what they refer to may have come to be known later."""
        for trait in self.reference_traits(frozenset(node.own_traits)):
            if node.own(trait) is not None:
                self.take(self.traittypes[trait], node.own(trait), node.name, state)

    # -- what happens, by hooks

    def resolve(self, belief: Belief, trait: str) -> Resolved:
        """Return the value of a belief's trait, and where it comes from; see `Belief.get_trait`."""
        made = belief.made.get(trait)
        if made is not None:
            return made
        traittype = self.traittype(trait, belief.name)
        if self.types.is_made(traittype):
            with self.undoing.all_or_nothing():
                for each in to_be_made(belief, traittype):
                    self._keep_made(each, trait)
                return belief.made[trait]
        resolved = cast(Resolved, self.hook.dam_beliefs_trait_resolve(world=self, belief=belief, trait=trait))
        belief.remember(trait, resolved.value)
        return resolved

    def _keep_made(self, belief: Belief, trait: str) -> None:
        with self.deciding(belief, trait):
            resolved = cast(Resolved, self.hook.dam_beliefs_trait_resolve(world=self, belief=belief, trait=trait))
        belief.made[trait] = resolved
        belief.remember(trait, resolved.value)
        self.undoing.add(lambda: belief.forget_made(trait))
        if not belief.is_locked and isinstance(belief.state, State):
            belief.state.note_early(belief, trait)

    def is_said(self, belief: Belief, trait: str) -> bool:
        """Say whether anybody says something of a trait, be it that there is nothing."""
        return self.resolve(belief, trait).found

    def compose(self, making: Making, values: list[Any], sources: tuple[str, ...]) -> Any:
        """Join values."""
        return _value(self.hook.dam_beliefs_trait_compose(world=self, composing=Composing(making, values, sources)))

    def operate(self, making: Making, value: Any, operations: tuple[Operation, ...]) -> Any:
        """Change a value by operations."""
        return _value(self.hook.dam_beliefs_trait_operate(world=self, operating=Operating(making, value, operations)))

    def construct(self, making: Making, recipe: Mapping[str, Any], source: str) -> Any:
        """Make a value by a recipe."""
        constructing = Constructing(making, recipe, source)
        return _value(self.hook.dam_beliefs_trait_construct(world=self, constructing=constructing))

    def tick(self, mind: Mind, tick: int, ground_state: StateView | None) -> State:
        """Begin a tick of a mind."""
        ticking = Ticking(mind, tick, ground_state)
        return cast(State, self.hook.dam_beliefs_state_tick(world=self, ticking=ticking))

    def learn(self, state: State, belief: Belief, traits: tuple[str, ...]) -> Learned:
        """Have a state learn."""
        return cast(Learned, self.hook.dam_beliefs_mind_learn(world=self, learning=Learning(state, belief, traits)))

    @contextmanager
    def deciding(self, belief: Belief, trait: str) -> Iterator[None]:
        """
        Notice if what decides on a trait asks for that trait.

        Raises:
            CircularTrait: It does.
        """
        mark = (id(belief), trait)
        if mark in _deciding.get():
            raise CircularTrait(belief.name, trait)
        token = _deciding.set(_deciding.get() | {mark})
        try:
            yield
        finally:
            _deciding.reset(token)


def _value(answer: Any) -> Any:
    return answer.value if isinstance(answer, Valued) else answer
