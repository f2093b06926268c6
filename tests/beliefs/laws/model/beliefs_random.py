"""
Random worlds: a script of what is done, and a stage that does it to the package and to the reference model alike.

A script is plain data, so that a counterexample can be read, and played again on another world.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import beliefs_model as model
from beliefs_model import ModelNode, ModelTrait
from dam_beliefs import Belief, CannotCompose, State, Subject, World
from hypothesis import strategies as st

PLACES = ("inn", "forge", "mill")

TRAITTYPES: Mapping[str, Any] = {
    "rank": "int",
    "color": "str",
    "tags": {"type": "str", "container": "list"},
    "facts": "mapping",
    "home": "Subject",
    "skills": {"type": "str", "container": "list", "composable": True},
    "badges": {"type": "str", "container": "list", "composable": True, "own": "replace"},
    "friends": {"type": "Subject", "container": "list", "composable": True},
    "motto": {"type": "str", "composable": True},
}
MODEL_TRAITS: dict[str, ModelTrait] = {
    "rank": ModelTrait(),
    "color": ModelTrait(),
    "tags": ModelTrait(operate=model.operate_on_list),
    "facts": ModelTrait(operate=model.operate_on_mapping),
    "home": ModelTrait(),
    "skills": ModelTrait(composable=True, join=model.join_lists, operate=model.operate_on_list),
    "badges": ModelTrait(composable=True, own="replace", join=model.join_lists, operate=model.operate_on_list),
    "friends": ModelTrait(composable=True, join=model.join_lists, operate=model.operate_on_list),
    "motto": ModelTrait(composable=True),
}
LISTS = ("tags", "skills", "badges", "friends")
REFERENCES = ("home", "friends")

_letters = st.sampled_from("abcd")
_places = st.sampled_from(PLACES)
_flat = st.dictionaries(_letters, st.integers(0, 2), max_size=2)


def _value(trait: str) -> st.SearchStrategy[Any]:
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "rank": st.integers(0, 3),
        "color": _letters,
        "motto": st.sampled_from(["aye", "nay"]).map(lambda text: "".join(list(text))),  # equal, never the same object
        "facts": _flat,
        "home": _places,
        "friends": st.lists(_places, max_size=2),
    }
    return st.none() | kinds.get(trait, st.lists(_letters, max_size=3))


def _operation(trait: str) -> st.SearchStrategy[tuple[str, Any]]:
    if trait == "facts":
        given = st.tuples(st.sampled_from(["merge", "replace"]), _flat) | st.tuples(
            st.just("remove"), st.lists(_letters, max_size=2)
        )
    else:
        items = _places if trait == "friends" else _letters
        given = st.tuples(st.sampled_from(["append", "remove", "replace"]), st.lists(items, max_size=2))
    plain = given.map(lambda pair: (f"{trait}.{pair[0]}", pair[1]))
    conditional = st.tuples(given, st.integers(0, 3)).map(
        lambda both: (f"{trait}.{both[0][0]}", {"value": both[0][1], "if": f"rank >= {both[1]}"})
    )
    return plain | conditional


def _traits(used: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    entries: list[st.SearchStrategy[tuple[str, Any]]] = []
    for trait in used:
        entries.append(st.tuples(st.just(trait), _value(trait)))
        if trait in (*LISTS, "facts"):
            entries.append(_operation(trait))
    return st.lists(st.one_of(entries), max_size=3).map(dict)


@dataclass(frozen=True)
class Script:
    """What is done, one tick after the other."""

    used: tuple[str, ...]
    archetypes: tuple[tuple[tuple[int, ...], dict[str, Any]], ...]
    """Bases by their places among all that was made before, and traits."""
    ticks: tuple[tuple[tuple[Any, ...], ...], ...]
    """``new`` with bases and traits; ``version`` and ``put`` of the subject that comes at a place; ``remove``."""


@st.composite
def scripts(
    draw: st.DrawFn,
    traits: tuple[str, ...] = tuple(TRAITTYPES),
    archetypes: int = 5,
    ticks: int = 3,
    acts: int = 5,
    removals: bool = True,
) -> Script:
    """Random graphs: diamonds, chains, versions, old versions as bases; about one or two traits and a rank."""
    used = tuple(draw(st.lists(st.sampled_from(traits), min_size=1, max_size=2, unique=True)))
    used = tuple(dict.fromkeys((*used, "rank")))
    bases = st.lists(st.integers(0, 30), max_size=3).map(tuple)
    said = _traits(used)
    kinds = draw(st.lists(st.tuples(bases, said), max_size=archetypes))
    which = st.integers(0, 30)
    act = st.one_of(
        st.tuples(st.just("new"), bases, said),
        st.tuples(st.just("version"), which, said),
        st.tuples(st.just("put"), which, bases, said),
        *([st.tuples(st.just("remove"), which)] if removals else []),
    )
    steps = draw(st.lists(st.lists(act, min_size=1, max_size=acts).map(tuple), min_size=1, max_size=ticks))
    return Script(used, tuple(kinds), tuple(steps))


@dataclass
class Stage:
    """A world and its model, to which the same is done."""

    script: Script
    caching: bool = True
    world: World = field(init=False)
    pairs: list[tuple[Belief, ModelNode]] = field(default_factory=list)
    """All beliefs that were made, old versions too."""
    valid: dict[Subject, tuple[Belief, ModelNode]] = field(default_factory=dict)
    """What holds at the newest tick."""
    nodes: list[tuple[Any, ModelNode]] = field(default_factory=list)
    """All that can be a base."""

    def __post_init__(self) -> None:
        self.world = World(caching=self.caching)
        for label, kind in TRAITTYPES.items():
            self.world.add_traittype(label, kind)
        self.root = self.world.add_archetype("Thing", names=TRAITTYPES)
        self.root_model = ModelNode("Thing", False, [], {})
        for place in PLACES:
            self.world.state.add_belief(label=place, bases=[self.root])
        for number, (bases, traits) in enumerate(self.script.archetypes):
            found = self._bases(bases)
            label = f"Kind{number}"
            made = self.world.add_archetype(label, bases=[one for one, _ in found], traits=traits)
            self.nodes.append((made, ModelNode(label, False, [one for _, one in found], *split(traits))))

    def play(self) -> Iterator[State]:
        """Do it, and yield after each tick: once as it stands open, once when it is locked."""
        for number, acts in enumerate(self.script.ticks):
            state = self.world.state if number == 0 else self.world.mind.create_state(10 * number)
            for act in acts:
                self._act(state, *act)
            yield state
            state.lock()
            yield state

    def _act(self, state: State, what: str, *given: Any) -> None:
        if what == "new":
            self._new(state, *given)
            return
        if not self.valid:
            return
        subject = list(self.valid)[given[0] % len(self.valid)]
        belief, node = self.valid[subject]
        if what == "version":
            made = belief.with_traits(state, given[1])
            self._keep(made, ModelNode(made.name, True, [node], *split(given[1])))
        elif what == "put":
            found = self._bases(given[1])
            made = state.put(subject, bases=[*(one for one, _ in found), self.root], traits=given[2])
            self._keep(made, self._belief_node(made.name, found, given[2]))
        else:
            state.remove(subject)
            del self.valid[subject]

    def _new(self, state: State, bases: tuple[int, ...], traits: dict[str, Any]) -> None:
        found = self._bases(bases)
        made = state.add_belief(bases=[*(one for one, _ in found), self.root], traits=traits)
        self._keep(made, self._belief_node(made.name, found, traits))

    def _belief_node(self, name: str, found: list[tuple[Any, ModelNode]], traits: dict[str, Any]) -> ModelNode:
        return ModelNode(name, True, [*(one for _, one in found), self.root_model], *split(traits))

    def _bases(self, places: tuple[int, ...]) -> list[tuple[Any, ModelNode]]:
        if not self.nodes:
            return []
        return list(dict.fromkeys(self.nodes[place % len(self.nodes)] for place in places))

    def _keep(self, belief: Belief, node: ModelNode) -> None:
        self.pairs.append((belief, node))
        self.nodes.append((belief, node))
        self.valid[belief.subject] = (belief, node)


def split(traits: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return own values and operations as the model has them."""
    own: dict[str, Any] = {}
    operations: dict[str, list[Any]] = {}
    for key, given in traits.items():
        trait, _, operation = key.partition(".")
        if not operation:
            own[trait] = tuple(given) if isinstance(given, list) else given
            continue
        condition = None
        if isinstance(given, dict) and set(given) == {"value", "if"}:
            condition = ("rank", int(given["if"].removeprefix("rank >= ")))
            given = given["value"]
        operations.setdefault(trait, []).append((operation, given, condition))
    return own, operations


def plain(value: Any) -> Any:
    """Return a value of the package as the model has it."""
    if isinstance(value, Subject):
        return value.label
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    if isinstance(value, Mapping):
        return dict(value)
    return value


def answer(belief: Belief, trait: str, **at: Any) -> Any:
    """Return what the package says, an error by its class."""
    try:
        return plain(belief.get_trait(trait, **at))
    except CannotCompose:
        return CannotCompose


def model_answer(node: ModelNode, trait: str) -> Any:
    """Return what the model says, an error by the package's class of the same meaning."""
    try:
        return model.value(node, trait, MODEL_TRAITS)
    except model.CannotJoin:
        return CannotCompose
