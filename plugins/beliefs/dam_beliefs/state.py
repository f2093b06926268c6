"""
`State`: one tick of one mind, and the beliefs that are valid then.

A new state shares all with the one that it is built on (persistent maps), so its cost is that of what is new in it, and
asking never walks through history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rpds import HashTrieMap

from dam_beliefs.checks import check_whole
from dam_beliefs.errors import ForeignState, Locked
from dam_beliefs.holders import Holders
from dam_beliefs.state_view import StateView
from dam_beliefs.template import read_bases, read_traits

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.mind import Mind
    from dam_beliefs.node import Node
    from dam_beliefs.subject import Subject
    from dam_beliefs.values import Learned


class State(StateView):
    """One tick of a mind. What is made in it can be changed until it is locked; then it is what was."""

    __slots__ = (
        "_beliefs",
        "_early",
        "_given",
        "_holders",
        "_is_being_locked",
        "_is_locked",
        "_new",
        "base_state",
        "ground_state",
    )

    def __init__(self, mind: Mind, tick: int, ground_state: StateView | None, base_state: StateView | None) -> None:
        """
        Begin a tick; `Mind.create_state` does.

        Args:
            mind: Whose it is.
            tick: Its own.
            ground_state: Of the parent mind: what is learned from.
            base_state: That it goes on from.
        """
        super().__init__(mind, tick)
        self.ground_state = ground_state
        self.base_state = base_state
        self._is_locked = self._is_being_locked = False
        self._new: dict[int, Belief | None] = {}
        """By subject: what this state says otherwise than its base; `None` for what is forgotten."""
        before = base_state if isinstance(base_state, State) else None
        self._beliefs: HashTrieMap[int, Belief | None] = before._beliefs if before else HashTrieMap()
        self._holders: Holders | None = None
        self._early: list[tuple[Belief, str]] = []
        self._given: set[int] = set()
        """Numbers of the minds that were written into beliefs as they are."""

    @property
    def self_subject(self) -> Subject | None:
        """Whose mind it is a state of."""
        return self.mind.self_subject

    @property
    def is_locked(self) -> bool:
        """Whether it changes no more."""
        return self._is_locked

    # -- what is in it

    def get_belief(self, subject: Subject) -> Belief | None:
        """Return the version that is valid here, if anything is known of `subject`."""
        if subject.number in self._new:
            return self._new[subject.number]
        if subject.number in self._beliefs:
            return self._beliefs[subject.number]
        union = self._union
        return union.get_belief(subject) if union is not None else None

    def says(self, number: int) -> bool:
        """Say whether it says something of a subject itself, be it that it is forgotten."""
        return number in self._new or number in self._beliefs

    @property
    def own_numbers(self) -> Iterable[int]:
        """Numbers of the subjects that it says something of itself."""
        return {*self._beliefs, *self._new}

    @property
    def reads(self) -> tuple[StateView, ...]:
        """The union that this mind began with, if it did."""
        union = self._union
        return (union,) if union is not None else ()

    @property
    def new_beliefs(self) -> Mapping[int, Belief | None]:
        """What this state says otherwise than its base, by the subject's number; `None`: forgotten."""
        return self._new

    def own_candidates(self, trait: str, subject: Subject) -> Iterator[Subject]:
        """Yield the subjects that hold `subject` in `trait`, of those that it says something of itself."""
        yield from self.holders_index().holders(trait, subject)

    # -- what can be done with it

    def add_belief(
        self,
        template: Mapping[str, Any] | None = None,
        *,
        label: str | None = None,
        bases: Iterable[Node | str | Subject] = (),
        traits: Mapping[str, Any] | None = None,
    ) -> Belief:
        """
        Make a belief about a new subject.

        Args:
            template: The same as a mapping: ``{"label": ..., "bases": [...], "traits": {...}}``.
            label: Of the subject.
            bases: Archetypes, beliefs, or their labels; left to right.
            traits: Values by trait, and operations by ``trait.operation``.

        Raises:
            Locked: The state is.
            LabelTaken: Another subject has the label.
            UnknownBase, UnknownTrait, WrongValue, UnknownOperation, BadOperation, UnknownFactory: The template makes no
                belief; the state is as it was.
        """
        from dam_beliefs.template import check_template

        if template is not None:
            given = check_template(template)
            label = given.get("label", label)
            bases = given.get("bases", bases)
            traits = given.get("traits", traits)
        world = self.mind.world
        world.check_label(label)
        belief = self._belief(None, label, bases, traits)
        return self._keep(belief)

    def put(
        self,
        subject: Subject,
        *,
        bases: Iterable[Node | str | Subject] = (),
        traits: Mapping[str, Any] | None = None,
    ) -> Belief:
        """Make a belief about a subject that there is already, in the place of the valid one; as `add_belief`."""
        return self._keep(self._belief(subject, subject.label, bases, traits))

    def remove(self, subject: Subject) -> None:
        """
        Hold nothing of a subject any more, from this tick on.

        Raises:
            Locked: The state is.
            ForeignState: The subject is of another world.
        """
        self._check_open()
        self._check_mine(subject)
        self.forget_early()
        self._new[subject.number] = None

    def learn_about(self, belief: Belief, traits: Iterable[str] | None = None) -> Belief:
        """
        Take over what is known of a belief's subject.

        Args:
            belief: Of another mind, the ground state's as a rule.
            traits: Which ones; all that it has if `None`.

        Returns:
            What this state now holds of that subject.

        Raises:
            Locked: The state is.
            UnknownTrait: The belief can have no such trait.
            ForeignState: It is of another world.
        """
        if belief.world is not self.mind.world:
            raise ForeignState(f"{belief.name} is of another world, and {self.name} cannot learn of it")
        self._check_open()
        with self.mind.world.undoing.all_or_nothing():
            learned: Learned = self.mind.world.learn(self, belief, tuple(belief.names if traits is None else traits))
        return learned.belief

    def lock(self) -> None:
        """
        Let it change no more. Minds and other values that are made for its beliefs are made now.

        Raises:
            BeliefsError: One cannot be made; the state is not locked then.
        """
        if self._is_locked:
            return
        with self.mind.world.undoing.all_or_nothing():
            if self._is_being_locked:
                raise Locked(self.name, "not wholly yet, so nothing that is made for it can go on from it")
            if not self._is_locked:  # another thread may have been first
                self._lock()

    def _lock(self) -> None:
        self._is_being_locked = True
        try:
            self._make_and_close()
        finally:
            self._is_being_locked = False

    def _make_and_close(self) -> None:
        world = self.mind.world
        mine = [belief for belief in self._new.values() if belief is not None]
        for belief in mine:
            world.check_references(belief, self)
        for belief in mine:
            for trait in world.made_traits(belief.names):
                world.resolve(belief, trait)
        self._close()
        for belief in mine:
            belief.lock()

    def _close(self) -> None:
        before = beliefs = self._beliefs
        for number, kept in self._new.items():
            beliefs = beliefs.insert(number, kept)
        early, self._early = self._early, []
        self._beliefs, self._is_locked = beliefs, True
        self.mind.world.undoing.add(lambda: self._open_again(before, early))

    def _open_again(self, beliefs: HashTrieMap[int, Belief | None], early: list[tuple[Belief, str]]) -> None:
        self._beliefs, self._is_locked, self._holders, self._early = beliefs, False, None, early

    def keep(self, belief: Belief) -> None:
        """Hold a belief that was made for this state."""
        self._check_open()
        self.note_given(belief.own_traits)
        self.forget_early()
        self._new[belief.subject.number] = belief

    @property
    def early(self) -> Sequence[tuple[Belief, str]]:
        """For which beliefs a value of which traits was made while the state could still change, in that order."""
        return self._early

    def note_early(self, belief: Belief, trait: str) -> None:
        """Note that a value was made while the state could still change."""
        self._early.append((belief, trait))  # once that is taken back, nothing is there to be dropped

    def note_given(self, traits: Mapping[str, Any]) -> None:
        """Note which minds are written into a belief as they are: such a one is not made again."""
        self._given.update(each.number for each in traits.values() if _is_mind(each))

    def forget_early(self) -> None:
        """Drop what was made for its beliefs, but for minds that are in use: went on since, were given to others."""
        kept: list[tuple[Belief, str]] = []
        in_use: set[int] = set()
        for belief, trait in reversed(self._early):
            resolved = belief.made.get(trait)
            if resolved is None:
                continue
            states = {each.number for each in getattr(resolved.value, "states", ())}
            given = _is_mind(resolved.value) and resolved.value.number in self._given
            if resolved.went_on or given or not in_use.isdisjoint(states):
                kept.append((belief, trait))
                in_use.update(each.number for each in resolved.value.state.all_read())
            else:
                resolved.undo()
                belief.forget_made(trait)
        self._early = kept[::-1]
        self._holders = None

    def holders_index(self) -> Holders:
        """Return who holds whom here; what is new is looked at when it is first asked for."""
        if self._holders is None:
            holders = self._base_holders()
            for number, belief in self._new.items():
                holders = holders.with_belief(self.mind.world, number, belief)
            if not self._is_locked:
                return holders
            self._holders = holders
        return self._holders

    def restore(
        self, new: dict[int, Belief | None], *, is_locked: bool, early: Iterable[tuple[Belief, str]] = ()
    ) -> None:
        """Be as it was when it was saved; the state that it is built on is already."""
        before = self.base_state
        beliefs: HashTrieMap[int, Belief | None] = before._beliefs if isinstance(before, State) else HashTrieMap()
        for number, belief in new.items() if is_locked else ():
            beliefs = beliefs.insert(number, belief)
        self._beliefs, self._new, self._is_locked, self._early = beliefs, new, is_locked, list(early)
        for belief in filter(None, () if is_locked else new.values()):
            self.note_given(belief.own_traits)

    # -- how

    @property
    def _union(self) -> StateView | None:
        """The states that this mind began with, if they are a union and nothing here says otherwise."""
        origin = self.mind.origin_state
        return origin if origin is not None and not isinstance(origin, State) else None

    def _base_holders(self) -> Holders:
        """Go back to a state whose index is there, and build on it, without recursion."""
        chain: list[State] = []
        before = self.base_state
        while isinstance(before, State) and before._holders is None:
            chain.append(before)
            before = before.base_state
        holders = before._holders if isinstance(before, State) and before._holders is not None else Holders()
        for state in reversed(chain):
            for number, belief in state._new.items():
                holders = holders.with_belief(self.mind.world, number, belief)
            state._holders = holders
        return holders

    def _belief(
        self,
        subject: Subject | None,
        label: str | None,
        bases: Iterable[Node | str | Subject],
        traits: Mapping[str, Any] | None,
    ) -> Belief:
        from dam_beliefs.belief import Belief

        self._check_open()
        world = self.mind.world
        self._check_mine(subject)
        where = label if label is not None else "a belief without a label"
        found = read_bases(world, bases, where, self)
        names = frozenset[str]().union(*(base.names for base in found))
        own, operations = read_traits(world, names, {} if traits is None else traits, where, self)
        with world.undoing.all_or_nothing():
            belief = Belief(self, subject or world.add_subject(label), found, own, operations)
            check_whole(world, belief, dict.fromkeys((*own, *operations)))
        return belief

    def _keep(self, belief: Belief) -> Belief:
        self.keep(belief)
        return belief

    def _check_mine(self, subject: Subject | None) -> None:
        if subject is not None and subject.world is not self.mind.world:
            raise ForeignState(f"{subject.name} is of another world than {self.name}")

    def _check_open(self) -> None:
        if self._is_locked or self._is_being_locked:
            raise Locked(self.name, "make a new one with mind.create_state(tick)")


def _is_mind(value: Any) -> bool:
    from dam_beliefs.mind import Mind

    return isinstance(value, Mind)
