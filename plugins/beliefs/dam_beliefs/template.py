"""From what is written of a belief or an archetype to what it is made of; whatever is wrong is said before that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dam_beliefs.belief import Belief
from dam_beliefs.condition import check_condition
from dam_beliefs.errors import (
    BadOperation,
    BadTick,
    BadWorld,
    UnknownBase,
    UnknownFactory,
    UnknownOperation,
    UnknownTrait,
    near,
)
from dam_beliefs.keys import CALL, is_recipe, split
from dam_beliefs.node import Node
from dam_beliefs.operations import IF, VALUE, is_conditional
from dam_beliefs.plain import each_once
from dam_beliefs.subject import Subject
from dam_beliefs.value_types.base import Unfit, ValueType

if TYPE_CHECKING:
    from dam_beliefs.state_view import StateView
    from dam_beliefs.world import World

KEYS = ("label", "bases", "traits")


def check_template(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Return a template whose keys are known.

    Raises:
        BadWorld: One is not.
    """
    if not isinstance(template, Mapping):
        raise BadWorld("a belief", f"is {template!r}: write a table with {', '.join(KEYS)}")
    where = str(template.get("label", "a belief without a label"))
    for key in template:
        if key not in KEYS:
            raise BadWorld(where, f"has no key {key!r}{near(key, KEYS)}; keys are {', '.join(KEYS)}")
    return template


def read_bases(
    world: World, bases: Iterable[Node | str | Subject], where: str, state: StateView | None
) -> tuple[Node, ...]:
    """
    Return bases, which may be written as labels.

    Raises:
        UnknownBase: There is no such archetype or belief.
        BadWorld: `bases` is no list, or has something else in it, or what is of another world.
        BadTick: It has a belief in it that is later than `state`.
    """
    if isinstance(bases, str):
        raise BadWorld(f"{where}, bases", f"is {bases!r}: write a list, [{bases!r}]")
    if not isinstance(bases, Iterable):
        raise BadWorld(f"{where}, bases", f"is {bases!r}: write a list")
    return each_once(_base(world, each, where, state) for each in bases)


def _base(world: World, base: object, where: str, state: StateView | None) -> Node:
    if isinstance(base, Node):
        return _fitting(world, base, where, state)
    if isinstance(base, str) and base in world.archetypes:
        return world.archetypes[base]
    subject = world.labelled(base) if isinstance(base, str) else base
    if isinstance(subject, Subject):
        if subject.world is not world:
            raise _foreign(where, subject.name)
        known = world.prototype(subject, state)
        if known is not None:
            return _fitting(world, known, where, state)
    if not isinstance(base, (str, Subject)):
        raise BadWorld(f"{where}, bases", f"has {base!r} in it, which is no archetype, belief or label")
    name = base if isinstance(base, str) else base.name
    raise UnknownBase(where, name, {*world.archetypes, *world.labels})


def _fitting(world: World, base: Node, where: str, state: StateView | None) -> Node:
    """Return a base that is of this world, and there already."""
    is_mine = base.world is world if isinstance(base, Belief) else world.archetypes.get(base.name) is base
    if not is_mine:
        raise _foreign(where, base.name)
    if isinstance(base, Belief) and state is not None and base.state.tick > state.tick:
        why = f"comes before tick {base.state.tick} of its base {base.name}; give a version that is there by then"
        raise BadTick(f"{where}, bases", state.tick, base.state.tick, why)
    return base


def _foreign(where: str, name: str) -> BadWorld:
    return BadWorld(f"{where}, bases", f"has {name} in it, which is of another world: load or declare it here")


def read_traits(
    world: World, names: frozenset[str] | None, traits: Mapping[str, Any], where: str, state: StateView | None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """
    Return values by trait, and operations by trait and name, as a node keeps them.

    Args:
        world: That knows the traittypes.
        names: Traits that are allowed; all if `None`, as for an archetype.
        traits: As they are written.
        where: The belief or archetype, for messages.
        state: Where a belief is made; `None` for an archetype.

    Raises:
        UnknownTrait, WrongValue, UnknownOperation, BadOperation, UnknownFactory: They cannot be.
        BadWorld, BadCondition: Likewise.
    """
    if not isinstance(traits, Mapping):
        raise BadWorld(f"{where}, traits", f"is {traits!r}: write a table")
    own, operations = split(traits, where)
    for trait in (*own, *operations):
        traittype = world.traittypes.get(trait)
        if traittype is None:
            raise UnknownTrait(where, trait, "has no traittype", world.traittypes)
        if names is not None and trait not in names:
            raise UnknownTrait(where, trait, "is named by none of its archetypes", names)
    taken = {trait: _value(world, trait, value, where, state) for trait, value in own.items()}
    for trait, named in operations.items():
        world.operated.add(trait)
        value_type = world.value_type(world.traittypes[trait])
        for key, value in named.items():
            check_operation(value_type, trait, key, value, Place(world, where, state))
    return taken, operations


def _value(world: World, trait: str, value: Any, where: str, state: StateView | None) -> Any:
    if value is None:
        return None
    traittype = world.traittypes[trait]
    value_type = world.value_type(traittype)
    if is_recipe(value) and (value_type.makes or traittype.type != "mapping"):
        factory = value[CALL]
        if not isinstance(factory, str) or factory not in value_type.factories:
            raise UnknownFactory(where, trait, factory, value_type.factories)
    return world.take(traittype, value, where, state)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written."""

    world: World
    where: str
    state: StateView | None


def check_operation(value_type: ValueType, trait: str, key: str, value: Any, place: Place) -> None:
    """
    Look at an operation before it is kept.

    Raises:
        UnknownOperation: The trait's type does not know it.
        BadOperation: What is given with it makes no sense.
        BadCondition: Its condition cannot be read.
    """
    where = place.where
    if key not in value_type.operations:
        raise UnknownOperation(where, trait, key, where, value_type.operations)
    if is_conditional(value):
        if not isinstance(value[IF], str):
            raise BadOperation(where, trait, key, where, f"has the condition {value[IF]!r}, which is no text")
        check_condition(value[IF], place.world)
        value = value[VALUE]
    try:
        value_type.check_operation(key, value, place.world, place.state)
    except Unfit as error:
        raise BadOperation(where, trait, key, where, str(error)) from error
