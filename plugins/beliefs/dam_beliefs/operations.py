"""Gathering the operations on a trait: own first, then breadth first, down to the level of the base value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dam_beliefs.condition import parse
from dam_beliefs.inheritance import Base
from dam_beliefs.node import Node, search
from dam_beliefs.value_types.base import Making, Operation

IF = "if"
VALUE = "value"


def gather(making: Making, base: Base) -> tuple[tuple[Operation, ...], frozenset[int]]:
    """
    Return the operations that apply, nearest first, and the `id` of all nodes that were asked.

    The whole level counts on which the base value is found, the furthest one of a value with several sources; what
    lies further away does not. What a value that was handed on has in it already is not asked again. Nobody is asked
    of a plain trait on which there are no operations anywhere.

    Raises:
        BadCondition, CircularTrait: Whether one applies cannot be said.
    """
    world = making.world
    if making.trait not in world.operated and not world.value_type(world.traittypes[making.trait]).makes:
        return (), frozenset()
    gathered: list[Operation] = []
    asked = set(base.covered)
    for _, node in reached(making.belief, base, making.trait):
        asked.add(id(node))
        if making.trait in node.all_operations:
            gathered.extend(_of(node, making))
    return tuple(gathered), frozenset(asked)


def reached(belief: Node, base: Base, trait: str | None = None) -> Iterator[tuple[int, Node]]:
    """
    Yield the nodes whose operations count, nearest first, each with its level; 0 is the belief itself.

    With `trait` versions that say nothing of it are left out.
    """
    wanted = set(base.nodes)
    for number, level in search(belief, trait):
        for node in level:
            if id(node) not in base.covered:
                yield number, node
        wanted.difference_update(id(node) for node in level)
        if not wanted:
            return


def _of(node: Node, making: Making) -> Iterator[Operation]:
    for key, value in node.own_operations(making.trait).items():
        if is_conditional(value):
            if applies(value[IF], making):
                yield Operation(key, value[VALUE], node)
        else:
            yield Operation(key, value, node)


def is_conditional(value: Any) -> bool:
    """Say whether what is given with an operation is ``{"value": ..., "if": "..."}``."""
    return isinstance(value, Mapping) and set(value) == {VALUE, IF}


def applies(condition: str, making: Making) -> bool:
    """
    Say whether a condition holds for the belief.

    Raises:
        BadCondition: It cannot be read, or compares what has no order.
        CircularTrait: It asks for the very trait that it decides on.
    """
    world, belief = making.world, making.belief
    if world.value_type(world.traittypes[making.trait]).makes:  # whoever asks for it is noticed while it is made
        return parse(condition).holds(belief.get_trait)
    with world.deciding(belief, making.trait):
        return parse(condition).holds(belief.get_trait)
