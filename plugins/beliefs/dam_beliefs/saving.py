"""
A whole world as plain data: all that is reachable from its mind, each thing once, by its place in a list.

Nodes stand after their bases, so that `saved` reads them in one go. What was made for a belief is saved with it: a mind
goes on after loading where it stood.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from dam_beliefs.archetype import Archetype
from dam_beliefs.belief import Belief
from dam_beliefs.mind import Mind
from dam_beliefs.state import State
from dam_beliefs.state_view import StateView
from dam_beliefs.subject import Subject
from dam_beliefs.union_state import UnionState
from dam_beliefs.value_types.base import json_value

if TYPE_CHECKING:
    from dam_beliefs.node import Node
    from dam_beliefs.resolution import Resolved
    from dam_beliefs.world import World

SUBJECT: Final = "_subject"
"""Marks the number of a subject among what is given with an operation."""


def to_data(world: World) -> dict[str, Any]:
    """
    Return a world as JSON has it.

    Raises:
        NotSavable: A value cannot be plain data.
    """
    found = _Reached(world)
    nodes = {id(node): place for place, node in enumerate(found.nodes)}
    return {
        "tick": world.minds[0].states[0].tick,
        "traittypes": {label: each.to_data() for label, each in world.traittypes.items()},
        "saved": {
            "subjects": [subject.label for subject in world.subjects],
            "minds": [_mind(world, found, mind) for mind in found.minds],
            "states": [_state(found, state, nodes) for state in found.states],
            "nodes": [_node(world, found, node, nodes) for node in found.nodes],
        },
    }


class _Reached:
    """What is reachable from a world's mind and archetypes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._minds: dict[int, Mind] = {}
        self._states: dict[int, StateView] = {}
        self._nodes: dict[int, Node] = {}
        self._waiting: list[Any] = [world.mind, *world.archetypes.values()]
        while self._waiting:
            self._reach(self._waiting.pop())
        self.minds = sorted(self._minds.values(), key=lambda each: each.number)
        self.states = sorted(self._states.values(), key=lambda each: each.number)
        self.nodes = _bases_first(list(self._nodes.values()))
        self.place_of_mind = {each.number: place for place, each in enumerate(self.minds)}
        self.place_of_state = {each.number: place for place, each in enumerate(self.states)}

    def _reach(self, thing: Any) -> None:
        if isinstance(thing, Mind) and thing.number not in self._minds:
            self._minds[thing.number] = thing
            self._waiting += [*thing.states, thing.origin_state, thing.parent]
        elif isinstance(thing, StateView) and thing.number not in self._states:
            self._states[thing.number] = thing
            self._waiting += [thing.mind]
            if isinstance(thing, UnionState):
                self._waiting += [*thing.component_states, *(each for each in thing.joined if each.made)]
            elif isinstance(thing, State):
                self._waiting += [thing.ground_state, thing.base_state, *thing.new_beliefs.values()]
                self._waiting += [belief for belief, _ in thing.early]
        elif isinstance(thing, (Archetype, Belief)) and id(thing) not in self._nodes:
            self._nodes[id(thing)] = thing
            self._waiting += [*thing.bases, *thing.own_traits.values()]
            if isinstance(thing, Belief):
                self._waiting += [thing.state, *thing.kinds]
                self._made(thing)

    def _made(self, belief: Belief) -> None:
        for resolved in belief.made.values():
            self._waiting += [resolved.value, resolved.last, *(part.value for part in resolved.base.parts)]
            self._waiting += [part.node for part in resolved.base.parts]


def _bases_first(nodes: list[Node]) -> list[Node]:
    """Put each node after its bases and kinds; otherwise archetypes first, and beliefs by state and subject."""
    placed: dict[int, Node] = {}
    waiting = sorted(nodes, key=_age, reverse=True)
    while waiting:
        node = waiting[-1]
        kinds = node.kinds if isinstance(node, Belief) else ()
        before = [each for each in (*node.bases, *kinds) if id(each) not in placed]
        if before:
            waiting.extend(before)
            continue
        placed.setdefault(id(node), node)
        waiting.pop()
    return list(placed.values())


def _age(node: Node) -> tuple[int, int, str]:
    if isinstance(node, Belief):
        return (1 + node.state.number, node.subject.number, "")
    return (0, 0, node.name)


def _mind(world: World, found: _Reached, mind: Mind) -> dict[str, Any]:
    return {
        "parent": found.place_of_mind[mind.parent.number] if mind.parent is not None else None,
        "self": mind.self_subject.number if mind.self_subject is not None else None,
        "props": json_value(mind.props),
    }


def _state(found: _Reached, state: StateView, nodes: dict[int, int]) -> dict[str, Any]:
    told: dict[str, Any] = {"mind": found.place_of_mind[state.mind.number], "tick": state.tick}
    if isinstance(state, UnionState):
        return {**told, "components": [found.place_of_state[each.number] for each in state.component_states]}
    if not isinstance(state, State):
        raise TypeError(f"a state of an unknown kind: {type(state).__name__}")
    ground = state.ground_state
    return {
        **told,
        "ground": found.place_of_state[ground.number] if ground is not None else None,
        "locked": state.is_locked,
        "new": [
            [subject, nodes[id(belief)] if belief is not None else None]
            for subject, belief in state.new_beliefs.items()
        ],
        "early": [[nodes[id(belief)], trait] for belief, trait in state.early if trait in belief.made],
    }


def _node(world: World, found: _Reached, node: Node, nodes: dict[int, int]) -> dict[str, Any]:
    if isinstance(node, Belief) and isinstance(node.state, UnionState):
        return {
            "union": found.place_of_state[node.state.number],
            "subject": node.subject.number,
            "bases": [nodes[id(base)] for base in node.bases],
            "traits": {trait: _dump(world, found, trait, value) for trait, value in node.own_traits.items()},
            "made": {trait: _made(world, found, trait, each, nodes) for trait, each in node.made.items()},
        }
    told: dict[str, Any] = {
        "bases": [nodes[id(base)] for base in node.bases],
        "traits": {trait: _dump(world, found, trait, value) for trait, value in node.own_traits.items()},
        "operations": {trait: _plain(named) for trait, named in node.all_operations.items()},
    }
    if isinstance(node, Archetype):
        return {"archetype": node.label, "names": list(node.declared), **told}
    if not isinstance(node, Belief):
        raise TypeError(f"a node of an unknown kind: {type(node).__name__}")
    return {
        "state": found.place_of_state[node.state.number],
        "subject": node.subject.number,
        "locked": node.is_locked,
        "kinds": [nodes[id(each)] for each in node.kinds],
        **told,
        "made": {trait: _made(world, found, trait, each, nodes) for trait, each in node.made.items()},
    }


def _made(world: World, found: _Reached, trait: str, resolved: Resolved, nodes: dict[int, int]) -> dict[str, Any]:
    return {
        "value": _dump(world, found, trait, resolved.value),
        "is_said": resolved.found,
        "parts": [[nodes[id(part.node)], _dump(world, found, trait, part.value)] for part in resolved.base.parts],
        "operations": [[nodes[id(each.source)], each.key] for each in resolved.operations],
        "covered": sorted(nodes[each] for each in resolved.covered if each in nodes),
        "states": [found.place_of_state[each.number] for each in resolved.states],
        "last": found.place_of_state[resolved.last.number] if resolved.last is not None else None,
    }


def _dump(world: World, found: _Reached, trait: str, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, Mind):
        return {"_mind": found.place_of_mind[value.number]}
    return world.value_type(world.traittypes[trait]).dump(value, world)


def _plain(value: Any) -> Any:
    """Return what is given with operations; subjects in it by their numbers."""
    if isinstance(value, Subject):
        return {SUBJECT: value.number}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return json_value(value)
