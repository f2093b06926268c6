"""
Reading a world from plain data: what people write, and what `saving` wrote.

People write ``tick``, ``traittypes``, ``archetypes`` and ``prototypes``, in any order among themselves. A saved world
has ``saved`` instead of the last two: everything that came to be in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, cast

from dam_beliefs.errors import BadWorld, BeliefsError, CyclicBases, UnknownBase, near
from dam_beliefs.keys import is_tick
from dam_beliefs.saved import load_saved

if TYPE_CHECKING:
    from dam_beliefs.node import Node
    from dam_beliefs.world import World

KEYS = ("tick", "traittypes", "archetypes", "prototypes", "saved")
NODE_KEYS = {"archetypes": ("bases", "traits", "names"), "prototypes": ("bases", "traits")}


def check_head(data: Any) -> int:
    """
    Return the tick of plain data whose keys are known.

    Raises:
        BadWorld: It is no table, has a key that is not known, or a tick that is none.
    """
    for key in _table(data, "the world"):
        if key not in KEYS:
            raise BadWorld("the world", f"has no key {key!r}{near(key, KEYS)}; keys are {', '.join(KEYS)}")
    tick = data.get("tick", 0)
    if not is_tick(tick):
        raise BadWorld("the world, tick", f"is {tick!r}, which is no whole number")
    return cast(int, tick)


def load_into(world: World, data: Any) -> None:
    """
    Fill a world that was just made, from data whose keys were looked at.

    Raises:
        BeliefsError: The data is no world; the message names label and key.
    """
    for label, each in _table(data.get("traittypes", {}), "traittypes").items():
        world.add_traittype(label, each)
    if "saved" in data:
        load_saved(world, _table(data["saved"], "saved"))
    else:
        nodes = {**_nodes(data, "archetypes"), **_nodes(data, "prototypes")}
        world.kinds_to_come = frozenset(_table(data.get("archetypes", {}), "archetypes"))
        _declare(world, nodes)
    for traittype in world.traittypes.values():
        world.value_type(traittype)


def _nodes(data: Mapping[str, Any], kind: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for label, node in _table(data.get(kind, {}), kind).items():
        where = f"{kind}, {label}"
        if not isinstance(label, str) or not label:
            raise BadWorld(kind, f"has the label {label!r}, which is no text, or an empty one")
        for key in _table(node, where):
            if key not in NODE_KEYS[kind]:
                keys = NODE_KEYS[kind]
                raise BadWorld(where, f"has no key {key!r}{near(key, keys)}; keys are {', '.join(keys)}")
        if kind == "prototypes" and label in _table(data.get("archetypes", {}), "archetypes"):
            raise BadWorld(where, "there is an archetype of that label, too")
        found[label] = (where, node)
    return found


def _declare(world: World, nodes: dict[str, tuple[str, Mapping[str, Any]]]) -> None:
    """Make archetypes and prototypes, each after its bases, and after the subjects that any of them refers to."""
    subjects = {
        label: world.add_subject(label) for label, (where, _) in nodes.items() if where.startswith("prototypes")
    }
    made: dict[str, Node] = {}
    for label in _in_order(nodes):
        where, node = nodes[label]
        bases, traits = node.get("bases", ()), _table(node.get("traits", {}), f"{where}, traits")
        with _noting(where):
            if label in subjects:
                made[label] = world.state.put(subjects[label], bases=bases, traits=traits)
            else:
                made[label] = world.add_archetype(label, bases=bases, traits=traits, names=_names(node, where))
    for label, each in made.items():
        with _noting(nodes[label][0]):
            world.check_references(each, world.state)


@contextmanager
def _noting(where: str) -> Iterator[None]:
    """Add to an error where in the data it is."""
    try:
        yield
    except BeliefsError as error:
        error.add_note(where)
        raise


def _names(node: Mapping[str, Any], where: str) -> list[str]:
    names = node.get("names", [])
    if not isinstance(names, (list, tuple)) or not all(isinstance(each, str) for each in names):
        raise BadWorld(f"{where}, names", f"is {names!r}: write a list of traits")
    return list(names)


def _in_order(nodes: dict[str, tuple[str, Mapping[str, Any]]]) -> list[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for label, (where, node) in nodes.items():
        bases = node.get("bases", ())
        if not isinstance(bases, (list, tuple)) or not all(isinstance(each, str) for each in bases):
            raise BadWorld(f"{where}, bases", f"is {bases!r}: write a list of labels")
        for base in bases:
            if base not in nodes:
                raise UnknownBase(where, base, nodes)
        sorter.add(label, *bases)
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise CyclicBases(reversed(error.args[1])) from error


def _table(data: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise BadWorld(where, f"is {type(data).__name__}: write a table")
    return data
