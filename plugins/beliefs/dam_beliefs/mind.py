"""`Mind`: somebody's knowledge over time, one state after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dam_beliefs.errors import BadTick, ForeignState, Locked
from dam_beliefs.keys import CALL, DEFAULT_TICK, is_tick
from dam_beliefs.plain import frozen
from dam_beliefs.union_state import UnionState

if TYPE_CHECKING:
    from dam_beliefs.state import State
    from dam_beliefs.state_view import StateView
    from dam_beliefs.subject import Subject
    from dam_beliefs.world import World


class Mind:
    """
    States, each built on the one before. What a mind knew at a tick stays what it knew.

    Its first state may be a `UnionState`: then it knows from the beginning what several others knew.
    """

    __slots__ = ("_states", "number", "origin_state", "parent", "props", "self_subject", "world")

    def __init__(
        self,
        world: World,
        parent: Mind | None = None,
        self_subject: Subject | None = None,
        props: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Make a mind without a state.

        Args:
            world: That it is part of.
            parent: In whose states its owner is; `None` for the world's own.
            self_subject: Whose mind it is.
            props: What its recipe says of it, for those who use it.
        """
        self.world = world
        self.parent = parent
        self.self_subject = self_subject
        self.props: Mapping[str, Any] = frozen(dict(props or {}))
        self.number = world.next_number("mind", self)
        self.origin_state: StateView | None = None
        self._states: list[State] = []

    @classmethod
    def create(cls, state: StateView, props: Any = None, subject: Subject | None = None) -> Mind:
        """
        Make a mind with one empty state.

        Args:
            state: Its owner's; what the mind's knowledge is about.
            props: ``default_tick``: the tick of its first state, that of `state` if it is not said. All else is kept as
                its `props`.
            subject: Its owner.

        Raises:
            BadTick: `default_tick` is later than `state`, or no tick.
        """
        given = dict(props or {})
        tick = given.pop(DEFAULT_TICK, None)
        tick = state.tick if tick is None else tick
        of = f"the mind of {subject.name if subject else 'nobody'}"
        if not is_tick(tick):
            raise BadTick(f"{DEFAULT_TICK} of {of}", tick, state.tick)
        if tick > state.tick:
            why = f"is later than tick {state.tick}, at which {of} is made; give that one or an earlier one"
            raise BadTick(f"{DEFAULT_TICK} of {of}", tick, state.tick, why)
        given.pop(CALL, None)
        mind = cls(state.mind.world, state.mind, subject, given)
        mind.add_state(tick, state).lock()
        return mind

    @classmethod
    def compose(cls, minds: Sequence[Mind], state: StateView, subject: Subject | None = None) -> Mind:
        """
        Make a mind that knows what others know at the tick of `state`.

        Args:
            minds: The first one counts first where two say something else.
            state: Its owner's.
            subject: Its owner.
        """
        mind = cls(state.mind.world, state.mind, subject)
        mind.origin_state = UnionState(mind, state.tick, [each.state_at(state.tick) for each in minds])
        return mind

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"mind of {self.self_subject.name if self.self_subject else 'the world'}"

    @property
    def states(self) -> tuple[State, ...]:
        """All that it had so far, the first one first, without a union that it began with."""
        return tuple(self._states)

    @property
    def state(self) -> StateView:
        """The newest one."""
        newest = self._states[-1] if self._states else self.origin_state
        if newest is None:
            raise ForeignState(f"the {self.name} has no state yet: make one with create_state(tick)")
        return newest

    def create_state(self, tick: int, ground_state: StateView | None = None) -> State:
        """
        Begin a new tick, which knows all that the newest state knows; that one is locked.

        Args:
            tick: After that of the newest state.
            ground_state: Of the parent mind: what is to be learned from.

        Raises:
            BadTick: It is not after it.
        """
        return self.world.tick(self, tick, ground_state)

    def state_at(self, tick: int) -> StateView:
        """
        Return the state that is valid at a tick.

        Raises:
            ForeignState: It has none yet then.
        """
        for state in reversed(self._states):
            if state.tick <= tick:
                return state
        if self.origin_state is not None and self.origin_state.tick <= tick:
            return self.origin_state
        raise ForeignState(f"the {self.name} has no state at tick {tick} yet")

    def states_valid_at(self, tick: int) -> Iterator[StateView]:
        """Yield the state that is valid at a tick, if there is one."""
        try:
            yield self.state_at(tick)
        except ForeignState:
            return

    # -- for the world

    def add_state(self, tick: int, ground_state: StateView | None, *, may_share_tick: bool = False) -> State:
        """Make the next state; see `create_state`."""
        from dam_beliefs.state import State

        base = self._states[-1] if self._states else self.origin_state
        if not is_tick(tick) or (base is not None and not _follows(tick, base.tick, may_share_tick)):
            raise BadTick(f"a state of the {self.name}", tick, base.tick if base is not None else None)
        with self.world.undoing.all_or_nothing():
            if base is not None:
                base.lock()
            state = State(self, tick, ground_state, base)
            self._append(state)
            self.world.undoing.add(lambda: self.take_back(state))
        return state

    def restore_state(self, tick: int, ground_state: StateView | None) -> State:
        """Make the next state of a mind that is loaded; what is in it comes later."""
        from dam_beliefs.state import State

        state = State(self, tick, ground_state, self._states[-1] if self._states else self.origin_state)
        self._append(state)
        return state

    def take_back(self, state: State) -> None:
        """
        Drop the newest state.

        Raises:
            Locked: Another one is built on it.
        """
        if state not in self._states:
            return
        if self._states[-1] is not state:
            raise Locked(state.name, f"the {self.name} went on to {self._states[-1].name}")
        self._states.pop()
        if self.origin_state is state:
            self.origin_state = None

    def _append(self, state: State) -> None:
        self._states.append(state)
        if self.origin_state is None:
            self.origin_state = state

    def __repr__(self) -> str:
        return f"<Mind {self.number}, {self.name}, {len(self._states)} states>"


def _follows(tick: int, before: int, may_share_tick: bool) -> bool:
    return tick > before or (may_share_tick and tick == before)
