"""`Belief`: what one mind holds of one subject from one tick on; a new version is a new belief."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dam_beliefs.archetype import Archetype
from dam_beliefs.errors import ForeignState, Locked, NotValid
from dam_beliefs.history import KINDS, History, history_of
from dam_beliefs.node import Node, search

if TYPE_CHECKING:
    from dam_beliefs.explanation import Explanation
    from dam_beliefs.resolution import Resolved
    from dam_beliefs.state import State
    from dam_beliefs.state_view import StateView
    from dam_beliefs.subject import Subject
    from dam_beliefs.world import World


class Belief(Node):
    """
    Knowledge of a subject: traits of its own, and bases to inherit from. It never changes once it is locked.

    `State.add_belief` makes one, `with_traits` a later version.
    """

    __slots__ = ("_kinds", "_made", "_values", "history", "is_locked", "state", "subject")

    def __init__(
        self,
        state: StateView,
        subject: Subject,
        bases: tuple[Node, ...],
        own: dict[str, Any],
        operations: dict[str, dict[str, Any]],
        kinds: tuple[Archetype, ...] = (),
    ) -> None:
        """
        Make a belief of what was looked at already.

        Args:
            state: In which it is made.
            subject: What it is about.
            bases: Archetypes, prototypes, an earlier version.
            own: Values by trait.
            operations: By trait and name.
            kinds: Archetypes that it is of without inheriting from them: all that is known of it was learned.
        """
        named = {base.names for base in (*bases, *kinds)}
        names = named.pop() if len(named) == 1 else frozenset[str]().union(*named)
        super().__init__(bases, own, operations, names)
        self.state = state
        self.subject = subject
        self.is_locked = False
        self.history: History | None = None
        """Of a locked belief, once it was asked for."""
        self._kinds = kinds
        self._values: dict[str, Any] = {}
        self._made: dict[str, Resolved] = {}

    # -- what it is

    @property
    def world(self) -> World:
        """The world that it is part of."""
        return self.subject.world

    @property
    def label(self) -> str | None:
        """Its subject's."""
        return self.subject.label

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.subject.name}@{self.state.tick}"

    @property
    def archetypes(self) -> tuple[Archetype, ...]:
        """All that it is, nearest first."""
        found: dict[int, Archetype] = {}
        for _, level in search(self, KINDS):
            for node in level:
                kinds = node._kinds if isinstance(node, Belief) else (node,)
                found.update((id(each), each) for each in kinds if isinstance(each, Archetype))
        return tuple(found.values())

    def is_a(self, archetype: Archetype) -> bool:
        """Say whether it is of this kind."""
        return any(each is archetype or Node.is_a(each, archetype) for each in self.archetypes)

    def __repr__(self) -> str:
        return f"<Belief {self.name}{'' if self.is_locked else ', not locked'}>"

    # -- what it says

    def get_trait(self, trait: str, state: StateView | None = None) -> Any:
        """
        Return the value of a trait, its own or inherited; `None` if nobody says, or if that is what is said.

        Args:
            trait: Its label.
            state: At which it is asked; any at which this version is there gives the same answer.

        Raises:
            UnknownTrait: There is no traittype of this label.
            ForeignState: At that state there is no such version yet.
            CannotCompose, UnknownOperation, BadOperation, BadCondition, WrongValue, CircularTrait: What its bases say
                makes no value.
        """
        if state is not None:
            self._check(state)
        try:
            return self._values[trait]
        except KeyError:
            return self.world.resolve(self, trait).value

    def get_traits(self) -> Mapping[str, Any]:
        """Return all its values, by trait, in the order of their names."""
        return MappingProxyType({trait: self.get_trait(trait) for trait in sorted(self.names)})

    def get_own_traits(self) -> Mapping[str, Any]:
        """Return what it says itself, as it was written: a trait set to `None` is in it, one that is not set is not."""
        return MappingProxyType(self._own)

    def explain_trait(self, trait: str) -> Explanation:
        """Return where each part of a value came from; as text it is a tree."""
        from dam_beliefs.explanation import explain

        return explain(self, trait)

    # -- what can be done with it

    def with_traits(self, state: State, traits: Mapping[str, Any]) -> Belief:
        """
        Return a later version, with some traits another way; it takes this one's place in `state`.

        Raises:
            NotValid: Another version is valid there.
            Locked: `state` is.
            UnknownTrait, WrongValue, UnknownOperation, BadOperation: As `State.add_belief`.
        """
        valid = state.get_belief(self.subject)
        if valid is not self:
            raise NotValid(self.name, state.name, valid.name if valid is not None else None)
        return state.put(self.subject, bases=(self,), traits=traits)

    def set_trait(self, key: str, value: Any) -> None:
        """
        Set a trait, or an operation, of a belief that is not locked yet.

        Raises:
            Locked: It is.
            UnknownTrait, WrongValue, UnknownOperation, BadOperation: As `State.add_belief`.
        """
        from dam_beliefs.checks import check_whole
        from dam_beliefs.template import read_traits

        if self.is_locked:
            raise Locked(self.name, "make a new version with with_traits(state, ...)")
        own, operations = read_traits(self.world, self.names, {key: value}, self.name, self.state)
        for resolved in self._made.values():
            if resolved.went_on:
                raise Locked(self.name, f"the {resolved.value.name} went on since")
        with self.world.undoing.all_or_nothing():
            self._write(own, operations)
            check_whole(self.world, self, (*own, *operations))
        self.state.note_given(own)
        self.state.forget_early()

    def _write(self, own: dict[str, Any], operations: dict[str, dict[str, Any]]) -> None:
        before = dict(self._own), dict(self._operations)
        self._own.update(own)
        for trait, named in operations.items():
            self._operations[trait] = {**self._operations.get(trait, {}), **named}
        self.world.undoing.add(lambda: self._write_back(*before))

    def _write_back(self, own: dict[str, Any], operations: dict[str, dict[str, Any]]) -> None:
        for mine, before in ((self._own, own), (self._operations, operations)):
            mine.clear()
            mine.update(before)

    def lock(self) -> None:
        """Let it change no more; nor what it is built on."""
        waiting: list[Node] = [self]
        seen: set[int] = set()
        while waiting:
            node = waiting.pop()
            if id(node) in seen or (isinstance(node, Belief) and node.is_locked):
                continue
            seen.add(id(node))
            if isinstance(node, Belief):
                node.is_locked = True
                self.world.undoing.add(node._unlock)
            waiting.extend(node.bases)

    # -- for the world

    @property
    def kinds(self) -> tuple[Archetype, ...]:
        """Archetypes that it is of without inheriting from them."""
        return self._kinds

    @property
    def made(self) -> dict[str, Resolved]:
        """Values that were made for it, by trait; the world fills it."""
        return self._made

    def remember(self, trait: str, value: Any) -> None:
        """Keep a value that will not change any more."""
        if self.is_locked and self.world.caching:
            self._values[trait] = value

    def forget_made(self, trait: str) -> None:
        """Drop a value that was made while all that was made with it is taken back."""
        self._made.pop(trait, None)
        self._values.pop(trait, None)

    def next_on(self, trait: str | None) -> tuple[int, Node]:
        """Return the node to ask of a trait in the place of this one, and how many steps further down it is."""
        if trait is None or not self.is_locked:
            return 0, self
        return (self.history or history_of(self)).next(trait)

    @property
    def only_version_below(self) -> Belief | None:
        """Its base, where that is a locked belief and the only one."""
        base = self.bases[0] if len(self.bases) == 1 else None
        return base if isinstance(base, Belief) and base.is_locked else None

    def _unlock(self) -> None:
        self.is_locked = False
        self.history = None
        self._values.clear()

    def _check(self, state: StateView) -> None:
        mine = self.state
        if state.mind is mine.mind and state.tick < mine.tick:
            raise ForeignState(f"{self.name} is not there yet in {state.name}: ask the version that is valid then")
