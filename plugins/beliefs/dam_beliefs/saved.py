"""Reading what `saving` wrote: the same world again, minds at the tick at which they stood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dam_beliefs.archetype import Archetype
from dam_beliefs.belief import Belief
from dam_beliefs.errors import BadWorld
from dam_beliefs.inheritance import Base, Part
from dam_beliefs.mind import Mind
from dam_beliefs.plain import MISSING, frozen
from dam_beliefs.resolution import Resolved
from dam_beliefs.saving import SUBJECT
from dam_beliefs.state import State
from dam_beliefs.state_view import StateView
from dam_beliefs.union_state import UnionState
from dam_beliefs.value_types.base import Operation

if TYPE_CHECKING:
    from dam_beliefs.node import Node
    from dam_beliefs.world import World


def load_saved(world: World, data: Any) -> None:
    """
    Fill a world that has traittypes and nothing else yet.

    Raises:
        BadWorld: It is nothing that `saving` wrote.
    """
    try:
        _Loading(world, data).load()
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise BadWorld("saved", f"is not what was written by World.save ({type(error).__name__}: {error})") from error


class _Loading:
    """One loading: subjects, minds and states first, then nodes, then what was made."""

    def __init__(self, world: World, data: Mapping[str, Any]) -> None:
        self._world = world
        self._data = data
        self._states: list[StateView] = []
        self._nodes: list[Node] = []

    def load(self) -> None:
        world, data = self._world, self._data
        for label in data["subjects"]:
            world.check_label(label)
            world.add_subject(label)
        world.start_afresh()
        self._make_minds()
        self._make_states()
        for node in data["nodes"]:
            self._nodes.append(self._node(node))
        for told, node in zip(data["nodes"], self._nodes, strict=True):
            for trait, value in told.get("traits", {}).items():
                node.restore(trait, self._value(trait, value))
        self._fill_states()
        for told, node in zip(data["nodes"], self._nodes, strict=True):
            if isinstance(node, Belief):
                node.made.update({trait: self._made(trait, made, node) for trait, made in told.get("made", {}).items()})
                node.is_locked = told.get("locked", True)

    def _make_minds(self) -> None:
        for told in self._data["minds"]:
            parent = self._world.minds[told["parent"]] if told["parent"] is not None else None
            owner = self._world.subjects[told["self"]] if told["self"] is not None else None
            Mind(self._world, parent, owner, told.get("props"))
        self._world.mind = self._world.minds[0]

    def _make_states(self) -> None:
        for told in self._data["states"]:
            mind = self._world.minds[told["mind"]]
            if "components" in told:
                state: StateView = UnionState(mind, told["tick"], [self._states[each] for each in told["components"]])
                mind.origin_state = state
            else:
                ground = self._states[told["ground"]] if told["ground"] is not None else None
                state = mind.restore_state(told["tick"], ground)
            self._states.append(state)

    def _node(self, told: Mapping[str, Any]) -> Node:
        if "union" in told:
            return self._joined(told)
        bases = tuple(self._nodes[each] for each in told["bases"])
        operations = {trait: self._operations(named) for trait, named in told["operations"].items()}
        self._world.operated.update(operations)
        if "archetype" in told:
            label = told["archetype"]
            own = dict.fromkeys(told["traits"])
            made = self._world.archetypes[label] = Archetype(label, bases, own, operations, tuple(told["names"]))
            return made
        kinds = tuple(each for place in told["kinds"] if isinstance(each := self._nodes[place], Archetype))
        subject = self._world.subjects[told["subject"]]
        return Belief(self._states[told["state"]], subject, bases, dict.fromkeys(told["traits"]), operations, kinds)

    def _operations(self, told: Mapping[str, Any]) -> dict[str, Any]:
        return {key: frozen(self._given(value)) for key, value in told.items()}

    def _given(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._given(each) for each in value]
        if isinstance(value, dict):
            if set(value) == {SUBJECT}:
                return self._world.subjects[value[SUBJECT]]
            return {key: self._given(each) for key, each in value.items()}
        return value

    def _joined(self, told: Mapping[str, Any]) -> Node:
        union = self._states[told["union"]]
        if not isinstance(union, UnionState):
            raise BadWorld("saved, nodes", f"state {told['union']} is no union")
        subject = self._world.subjects[told["subject"]]
        joined = union.join(subject, tuple(self._belief(each) for each in told["bases"]), told["traits"])
        union.restore(joined)
        return joined

    def _fill_states(self) -> None:
        for told, state in zip(self._data["states"], self._states, strict=True):
            if isinstance(state, State):
                new = {subject: self._belief(place) if place is not None else None for subject, place in told["new"]}
                early = [(self._belief(place), trait) for place, trait in told["early"]]
                state.restore(new, is_locked=told["locked"], early=early)

    def _belief(self, place: int) -> Belief:
        node = self._nodes[place]
        if not isinstance(node, Belief):
            raise BadWorld("saved, states", f"node {place} is no belief")
        return node

    def _value(self, trait: str, value: Any) -> Any:
        return self._world.load_value(trait, value)

    def _made(self, trait: str, told: Mapping[str, Any], belief: Belief) -> Resolved:
        parts = tuple(Part(self._nodes[place], self._value(trait, value)) for place, value in told["parts"])
        value = self._value(trait, told["value"])
        before = (part.node.made.get(trait) for part in parts if isinstance(part.node, Belief))
        handed_on = frozenset[int]().union(*(each.covered for each in before if each is not None))
        nodes = frozenset(id(part.node) for part in parts)
        base = Base(value if told["is_said"] else MISSING, parts, nodes, handed_on)
        operations = tuple(
            Operation(key, self._nodes[place].own_operations(trait).get(key), self._nodes[place])
            for place, key in told["operations"]
        )
        covered = frozenset(id(self._nodes[place]) for place in told["covered"])
        states = tuple(each for place in told["states"] if isinstance(each := self._states[place], State))
        last = self._states[told["last"]] if told["last"] is not None else None
        return Resolved(value, base, operations, states, covered, last)
