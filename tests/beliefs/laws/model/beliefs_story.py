"""
Random stories of people with minds: what happens, so written that any world can live through it.

A story says everything by labels and by subjects' numbers. So it can be begun in one world, and go on in that one and
in another that was loaded from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dam_beliefs import Belief, BeliefsError, Mind, State, Subject, World
from dam_beliefs.state_view import StateView
from hypothesis import strategies as st

LISTED = {"type": "str", "container": "list", "composable": True}
TRAITTYPES = {
    "name": "str",
    "rank": "int",
    "skills": LISTED,
    "friend": "Subject",
    "pals": {"type": "Subject", "container": "list", "composable": True},
    "mind": {"type": "Mind", "composable": True},
}
REFERENCES = ("friend", "pals")
PLACES = ("inn", "forge", "mill")
KINDS = ("Mental", "Villager", "Smith", "Forgetful", "Elder")

Act = tuple[Any, ...]


def begin(caching: bool = True, **mind: Any) -> World:
    """Return a world with three places, and kinds of people who know of them."""
    world = World(caching=caching)
    for label, kind in {**TRAITTYPES, "mind": {"type": "Mind", "composable": True, **mind}}.items():
        world.add_traittype(label, kind)
    world.add_archetype("Thing", names=TRAITTYPES)
    for number, place in enumerate(PLACES):
        traits = {"name": place.title(), "skills": [place, "a"], "pals": PLACES[:number]}
        world.state.add_belief(label=place, bases=["Thing"], traits=traits)
    world.add_archetype("Mental", traits={"mind": {"_call": "create"}})
    world.add_archetype(
        "Villager", traits={"mind.append": {"inn": ["name", "pals"]}, "skills": ["walk"], "pals": ["inn"]}
    )
    world.add_archetype("Smith", traits={"mind": {"forge": ["name", "skills"]}, "friend": "forge"})
    world.add_archetype("Forgetful", traits={"mind.remove": ["inn"], "mind.replace": {"forge": ["skills"]}})
    told = {"mill": {"traits": ["name", "pals"], "if": "rank >= 2"}}
    world.add_archetype("Elder", bases=["Mental"], traits={"mind.append": told, "rank": 2})
    for kinds in (["Mental", "Villager"], ["Smith", "Villager"], ["Elder"]):
        world.state.add_belief(bases=[*kinds, "Thing"])
    return world


_places = st.sampled_from(PLACES)
_traits_told = st.lists(st.sampled_from(["name", "skills", "pals", "friend"]), max_size=2, unique=True)
_told = st.dictionaries(_places, _traits_told, max_size=2)
_entry = st.one_of(
    st.tuples(st.just("name"), st.none() | st.sampled_from(["Ann", "Bob"])),
    st.tuples(st.just("rank"), st.none() | st.integers(0, 3)),
    st.tuples(st.just("skills"), st.none() | st.lists(st.sampled_from("abc"), max_size=2)),
    st.tuples(st.just("skills.remove"), st.lists(st.sampled_from("abc"), max_size=2)),
    st.tuples(st.just("friend"), st.none() | _places),
    st.tuples(st.just("pals"), st.none() | st.lists(_places, max_size=2)),
    st.tuples(st.just("pals.append"), st.lists(_places, max_size=2)),
    st.tuples(st.just("mind"), st.none() | st.just({"_call": "create"}) | _told),
    st.tuples(st.just("mind.append"), _told),
    st.tuples(st.just("mind.replace"), _told),
    st.tuples(st.just("mind.remove"), st.lists(_places, max_size=2)),
)
_traits = st.lists(_entry, max_size=3).map(dict)
_which = st.sampled_from([3, 4, 5, 6, 7, 8, 0, 1, 2])
_bases = st.lists(st.sampled_from(KINDS) | _which, max_size=3).map(tuple)
_act = st.one_of(
    st.tuples(st.just("add"), _bases, _traits),
    st.tuples(st.just("add"), _bases, _traits),
    st.tuples(st.just("version"), _which, _traits),
    st.tuples(st.just("version"), _which, _traits),
    st.tuples(st.just("set"), _which, _entry),
    st.tuples(st.just("put"), _which, _bases, _traits),
    st.tuples(st.just("remove"), _which),
    st.tuples(st.just("tick")),
    st.tuples(st.just("tick")),
    st.tuples(st.just("lock")),
    st.tuples(st.just("read"), _which),
    st.tuples(st.just("learn"), _which, _which, _traits_told, st.booleans()),
    st.tuples(st.just("forget"), _which, _which, st.booleans()),
)


def stories(max_size: int = 12) -> st.SearchStrategy[list[Act]]:
    """Return what may happen."""
    return st.lists(_act, min_size=1, max_size=max_size)


def live(world: World, act: Act) -> Any:
    """Have a world live through one act; return what it answers, an error by its class and text."""
    what, *given = act
    try:
        return _ACTS[what](world, *given)
    except BeliefsError as error:
        return type(error).__name__, str(error)


def _open(world: World) -> State:
    """Return the newest state, or begin one."""
    return world.mind.create_state(world.state.tick + 10) if world.state.is_locked else world.state


def _subject(world: World, which: int) -> Subject:
    return world.subjects[which % len(world.subjects)]


def _found(world: World, bases: tuple[Any, ...]) -> list[Any]:
    named = [each if isinstance(each, str) else _subject(world, each) for each in bases]
    return [*dict.fromkeys(named), world.archetypes["Thing"]]


def _add(world: World, bases: tuple[Any, ...], traits: dict[str, Any]) -> None:
    state = _open(world)
    state.add_belief(bases=_found(world, bases), traits=traits)


def _belief(world: World, which: int) -> Belief | None:
    return world.state.get_belief(_subject(world, which))


def _version(world: World, which: int, traits: dict[str, Any]) -> None:
    belief = _belief(world, which)
    if belief is not None:
        belief.with_traits(_open(world), traits)


def _set(world: World, which: int, entry: tuple[str, Any]) -> None:
    belief = _belief(world, which)
    if belief is not None:
        belief.set_trait(*entry)


def _put(world: World, which: int, bases: tuple[Any, ...], traits: dict[str, Any]) -> None:
    _open(world).put(_subject(world, which), bases=_found(world, bases), traits=traits)


def _remove(world: World, which: int) -> None:
    subject = _subject(world, which)
    if subject.label is None:  # what is known of places is told by label
        _open(world).remove(subject)


def _tick(world: World) -> None:
    world.mind.create_state(world.state.tick + 10)


def _lock(world: World) -> None:
    world.state.lock()


def _read(world: World, which: int) -> Any:
    belief = _belief(world, which)
    return {trait: shown(value) for trait, value in belief.get_traits().items()} if belief is not None else None


def _mind_of(world: World, which: int) -> Mind | None:
    belief = _belief(world, which)
    return belief.get_trait("mind") if belief is not None else None


def _learn(world: World, who: int, whom: int, traits: list[str], lock: bool) -> None:
    mind, source = _mind_of(world, who), _belief(world, whom)
    if mind is not None and source is not None:
        state = _thinking(world, mind)
        state.learn_about(source, traits)
        if lock:
            state.lock()


def _forget(world: World, who: int, whom: int, lock: bool) -> None:
    mind = _mind_of(world, who)
    if mind is not None:
        state = _thinking(world, mind)
        state.remove(_subject(world, whom))
        if lock:
            state.lock()


def _thinking(world: World, mind: Mind) -> State:
    newest = mind.state
    if isinstance(newest, State) and not newest.is_locked:
        return newest
    return mind.create_state(newest.tick + 1, world.state)


_ACTS = {
    "add": _add,
    "version": _version,
    "set": _set,
    "put": _put,
    "remove": _remove,
    "tick": _tick,
    "lock": _lock,
    "read": _read,
    "learn": _learn,
    "forget": _forget,
}


def shown(value: Any) -> Any:
    """Return a value without identities: subjects by their numbers, minds by what they knew at each tick."""
    if isinstance(value, Subject):
        return value.number
    if isinstance(value, tuple):
        return tuple(shown(each) for each in value)
    if isinstance(value, Mind):
        return {state.tick: knowledge(state) for state in every_state(value)}
    return dict(value) if isinstance(value, Mapping) else value


def every_state(mind: Mind) -> list[StateView]:
    """Return all states of a mind, with the union that it began with."""
    first = [mind.origin_state] if mind.origin_state is not None and mind.origin_state not in mind.states else []
    return [*first, *mind.states]


def knowledge(state: StateView) -> dict[int, dict[str, Any]]:
    """Return what a state knows: subjects' numbers, each with its traits; of a mind its owner alone."""
    return {belief.subject.number: told(belief) for belief in state.get_beliefs()}


def told(belief: Belief) -> dict[str, Any]:
    """Return what a belief answers to every question."""
    answers: dict[str, Any] = {}
    for trait in sorted(belief.names):
        try:
            value = belief.get_trait(trait)
            answers[trait] = (_brief(value), belief.world.is_said(belief, trait))
        except BeliefsError as error:
            answers[trait] = type(error).__name__
    return answers


def _brief(value: Any) -> Any:
    if isinstance(value, Mind):
        return ("mind of", value.self_subject.number if value.self_subject else None)
    return shown(value)


def minds(world: World) -> list[Mind]:
    """Return the world's mind, and all that beliefs of any mind have, or know of, by now."""
    found = {id(world.mind): world.mind}
    waiting = [world.mind]
    while waiting:
        for state in every_state(waiting.pop()):
            for belief in state.get_beliefs():
                value = belief.get_trait("mind") if belief.is_locked and "mind" in belief.names else None
                if isinstance(value, Mind) and id(value) not in found:
                    found[id(value)] = value
                    waiting.append(value)
    return list(found.values())


def locked_states(world: World) -> list[StateView]:
    """Return all states that are history."""
    return [state for mind in minds(world) for state in every_state(mind) if state.is_locked]
