"""What is kept of entities: versions that do not change, with their lineage, and what differs between them."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from dam_entities import (
    MISSING,
    Change,
    Child,
    CyclicEntity,
    Entity,
    EntityRegistry,
    IdentityFixed,
    NotStorable,
    Store,
    UnknownEntity,
    UnknownLineage,
    VersionConflict,
)
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator


class Leaf(Entity):
    score: float = 0.0


class Node(Entity):
    name: str = ""
    leaves: list[Leaf] = []
    by_name: dict[str, list[Leaf]] = {}
    pair: tuple[Leaf, ...] = ()
    members: set[Leaf] = set()
    inner: Node | None = None
    anything: Any = None


@pytest.fixture
def store() -> Store:
    return Store()


def test_what_is_registered_is_kept_with_all_in_it(store):
    """Each entity as a version of its own; the very object comes back, with the ids that it had."""
    leaf = Leaf(score=1.0)
    node = Node(leaves=[leaf])
    ids = node.ecs_id, leaf.ecs_id

    assert store.register(node) is node
    assert (node.ecs_id, leaf.ecs_id) == ids
    assert len(store) == 2
    assert all(each in store for each in ids)


def test_registering_again_without_a_change_keeps_nothing(store):
    """It is the same version still."""
    node = store.register(Node(leaves=[Leaf()]))
    before = node.ecs_id
    node.name = node.name
    store.register(node)

    assert (node.ecs_id, len(store)) == (before, 2)


CHANGES = {
    "a field": lambda node: setattr(node, "name", "b"),
    "a field that is deleted and set": lambda node: (delattr(node, "name"), setattr(node, "name", "b")),
    "an entity in a list": lambda node: setattr(node.leaves[0], "score", 9.0),
    "a list that grows": lambda node: node.leaves.append(Leaf()),
    "a list that is extended": lambda node: node.leaves.extend([Leaf()]),
    "a list that is added to": lambda node: node.leaves.__iadd__([Leaf()]),
    "a list that is repeated": lambda node: node.leaves.__imul__(2),
    "a list that shrinks": lambda node: node.leaves.pop(),
    "an item of a list": lambda node: node.leaves.__setitem__(0, Leaf()),
    "a slice of a list": lambda node: node.leaves.__setitem__(slice(0, 1), []),
    "a list turned round": lambda node: node.leaves.reverse(),
    "an item inserted": lambda node: node.leaves.insert(0, Leaf()),
    "a key of a dict": lambda node: node.by_name.__setitem__("new", []),
    "a key taken from a dict": lambda node: node.by_name.pop("a"),
    "a dict updated": lambda node: node.by_name.update(b=[]),
    "a dict joined": lambda node: node.by_name.__ior__({"b": []}),
    "a dict's default": lambda node: node.by_name.setdefault("b", []),
    "a list in a dict": lambda node: node.by_name["a"].append(Leaf()),
    "a list put into a dict": lambda node: node.by_name.setdefault("b", []).append(Leaf()),
    "an entity in a list in a dict": lambda node: setattr(node.by_name["a"][0], "score", 9.0),
    "an entity in a tuple": lambda node: setattr(node.pair[0], "score", 9.0),
    "an entity in a set": lambda node: setattr(next(iter(node.members)), "score", 9.0),
    "a set that grows": lambda node: node.members.add(Leaf()),
    "a set that shrinks": lambda node: node.members.pop(),
    "an entity far below": lambda node: setattr(node.inner.inner, "name", "deep"),
    "a value of a type of its own": lambda node: node.anything.append(1),
}


@pytest.fixture
def tree(store) -> Node:
    """Of every kind of container."""
    return store.register(
        Node(
            leaves=[Leaf(score=1.0), Leaf(score=2.0)],
            by_name={"a": [Leaf(score=3.0)]},
            pair=(Leaf(score=4.0),),
            members={Leaf(score=5.0)},
            inner=Node(name="one", inner=Node(name="two")),
            anything=[1, 2],
        )
    )


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_noticed(store, tree, change):
    """And kept as another version, while the one before reads as it was."""
    first, shown = tree.ecs_id, content(tree)
    change(tree)

    assert store.has_diverged(tree)
    store.register(tree)
    assert tree.ecs_id != first
    assert tree.parent_id == first
    assert tree.forked_at is not None
    assert content(store.get(first)) == shown
    assert content(store.get(tree.ecs_id)) == content(tree)
    assert not store.has_diverged(tree)


def content(value: Any) -> Any:
    """Return what an entity holds, without what makes its identity."""
    if isinstance(value, Entity):
        return {name: content(item) for name, item in value if name not in Entity.model_fields}
    if isinstance(value, dict):
        return {key: content(item) for key, item in value.items()}
    if isinstance(value, set):
        return sorted(map(content, value), key=repr)
    return [content(item) for item in value] if isinstance(value, list | tuple) else value


def test_a_copy_is_changed_alone(store, tree):
    """Nothing of what is handed out is what is kept."""
    copied = store.get(tree.ecs_id, Node)
    copied.leaves[0].score = 99.0
    copied.by_name["a"].clear()

    assert copied.live_id != tree.live_id
    assert not store.has_diverged(tree)
    assert content(store.get(tree.ecs_id)) == content(tree)


def test_unchanged_parts_are_shared_between_versions(store, tree):
    """Only the path down to the change is new."""
    before = len(store)
    tree.inner.inner.name = "deep"
    store.register(tree)

    assert len(store) - before == 3
    old, new = (store.state.version(ecs_id) for ecs_id in (tree.parent_id, tree.ecs_id))
    assert set(old.children) & set(new.children) == set(old.children) - {tree.inner.parent_id}


def test_one_entity_at_two_places_is_one_entity(store):
    """In a version as in a copy of it."""
    leaf = Leaf()
    node = store.register(Node(leaves=[leaf, leaf], pair=(leaf,)))

    copied = store.get(node.ecs_id)
    assert len(store) == 2
    assert copied.leaves[0] is copied.leaves[1] is copied.pair[0]


def test_lineage_and_history(store):
    """All versions of an entity in the order in which they were kept; and the way to one of them."""
    leaf = store.register(Leaf(score=0.0))
    ids = [leaf.ecs_id]
    ids += [store.fork(leaf, score=score).ecs_id for score in (1.0, 2.0)]
    other = store.get(ids[0])
    ids.append(store.fork(other, score=-1.0).ecs_id)

    assert [version.ecs_id for version in store.lineage(leaf.lineage_id)] == ids
    assert [version.ecs_id for version in store.history(ids[2])] == ids[:3]
    assert [version.ecs_id for version in store.history(ids[3])] == [ids[0], ids[3]]
    assert store.latest(leaf.lineage_id).score == -1.0
    assert {version.created_at for version in store.lineage(leaf.lineage_id)} == {leaf.created_at}


def test_the_difference_of_two_versions(store, tree):
    """Which fields, at which paths, what before and after; nothing of what both share."""
    first = tree.ecs_id
    tree.name = "root"
    tree.leaves[1].score = 7.0
    tree.by_name["b"] = []
    added = Leaf()
    tree.pair = (*tree.pair, added)
    store.register(tree)

    assert store.diff(first, first) == ()
    changes = {change.path: change for change in store.diff(first, tree.ecs_id)}
    assert changes["name"] == Change("name", "", "root")
    assert changes["leaves.1.score"] == Change("leaves.1.score", 2.0, 7.0)
    assert changes["pair.1"] == Change("pair.1", MISSING, Child(added.ecs_id))
    assert set(changes) == {"name", "leaves.1.score", "pair.1", "by_name.b"}
    assert changes["by_name.b"].before is MISSING


def test_an_entity_that_holds_itself_is_refused_by_name(store):
    """With the place; nothing is kept, nothing is changed."""
    node = Node(name="a", inner=Node())
    node.inner.inner = node
    with pytest.raises(CyclicEntity, match=rf"Node {str(node.ecs_id)[:8]} holds itself at inner\.inner: keep the id"):
        store.register(node)
    assert len(store) == 0

    kept = store.register(Node(inner=Node()))
    kept.inner.leaves.append(kept)
    with pytest.raises(CyclicEntity, match=r"holds itself at inner\.leaves\.0"):
        store.register(kept)
    assert len(store) == 2


def test_what_cannot_be_copied_is_refused_by_name(store):
    """With the place and the type."""
    node = Node(anything={"lock": threading.Lock()})
    with pytest.raises(NotStorable, match=r"anything\.lock is a lock, of which no copy can be made"):
        store.register(node)
    assert len(store) == 0


@dataclass
class Point:
    x: int
    y: list[int]


class Plain(BaseModel):
    x: int = 0


@pytest.mark.parametrize("value", [Point(1, [2]), Plain(x=1), bytearray(b"a"), [Point(1, [])], {1: Plain()}])
def test_values_of_other_types_are_kept_as_copies(store, value):
    """Compared each time, since they do not report their changes."""
    node = store.register(Node(anything=value))
    assert not store.has_diverged(node)
    kept = copy.deepcopy(value)

    held = node.anything
    held = held[0] if isinstance(held, list) else held[1] if isinstance(held, dict) else held
    if isinstance(held, bytearray):
        held += b"b"
    else:
        held.x = 99

    assert store.has_diverged(node)
    assert store.get(node.ecs_id).anything == kept


class Odd:
    """Cannot be compared."""

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None


def test_what_cannot_be_compared_counts_as_changed(store):
    """Every time; that is said of no entity without it."""
    node = store.register(Node(anything=Odd()))
    assert store.has_diverged(node)


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (1, 1.0), (0.0, -0.0), ("a", b"a"), ((1,), [1]), ({1}, frozenset({1}))]
)
def test_what_is_equal_and_of_another_type_is_another_value(store, before, after):
    """And is kept as what it is."""
    node = store.register(Node(anything=before))
    node.anything = after
    store.register(node)

    assert node.parent_id is not None
    kept = store.get(node.ecs_id).anything
    assert isinstance(kept, type(after))
    assert repr(kept) == repr(after)


def test_not_a_number_is_what_it_was(store):
    """It is not taken for changed each time."""
    node = store.register(Node(anything=[float("nan")]))
    assert not store.has_diverged(node)
    assert not store.has_diverged(store.get(node.ecs_id))


@pytest.mark.parametrize("name", ["ecs_id", "live_id", "lineage_id", "parent_id", "created_at", "forked_at"])
def test_identity_is_not_assigned(name):
    """It is the registry's."""
    leaf = Leaf()
    with pytest.raises(IdentityFixed, match=f"{name} of Leaf"):
        setattr(leaf, name, uuid4())
    with pytest.raises(IdentityFixed):
        delattr(leaf, name)


def pickled(node: Node) -> Node:
    return pickle.loads(pickle.dumps(node))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, Node.model_copy, pickled])
def test_a_python_copy_goes_on_from_the_same_version(store, tree, copied):
    """Its changes are its own."""
    other = copied(tree)
    assert not store.has_diverged(other)
    other.leaves.pop()
    other.by_name["a"].append(Leaf())

    assert store.has_diverged(other)
    assert not store.has_diverged(tree)
    store.register(other)
    assert other.parent_id == tree.ecs_id


def test_a_dump_read_back_is_the_same_version(store, tree):
    """Whatever pydantic made of it."""
    tree.anything = None
    store.register(tree)
    again = Node.model_validate_json(tree.model_dump_json())

    assert not store.has_diverged(again)
    again.name = "else"
    assert store.register(again).parent_id == tree.ecs_id


class Extra(Entity):
    model_config = ConfigDict(extra="allow")

    known: int = 0
    named: int = Field(default=0, alias="theAlias")
    _seen: list[int] = PrivateAttr(default_factory=list)


def test_extra_values_aliases_and_private_ones(store):
    """Extra values are kept and watched; private ones are not a version's business."""
    entity = store.register(Extra(known=1, theAlias=2, more=[1]))
    entity._seen.append(1)
    assert not store.has_diverged(entity)
    entity.more.append(2)
    assert store.has_diverged(entity)

    copied = store.get(entity.ecs_id)
    assert (copied.known, copied.named, copied.more, copied._seen) == (1, 2, [1], [])


class Normalizing(Entity):
    text: str = ""

    @field_validator("text")
    @classmethod
    def more(cls, value: str) -> str:
        return value + "!"

    def model_post_init(self, context: object) -> None:
        self.text = self.text + "?"


def test_a_copy_is_not_validated_again(store):
    """It is what was kept, not what the class would make of that."""
    entity = store.register(Normalizing(text="a"))
    assert entity.text == "a!?"
    assert store.get(entity.ecs_id).text == "a!?"


def test_what_is_unknown_is_said(store):
    """With what there is."""
    leaf = store.register(Leaf())
    with pytest.raises(UnknownEntity, match=r"no entity has the id .* \(1 versions are registered\)"):
        store.get(uuid4())
    with pytest.raises(UnknownLineage, match="no entity is of the lineage"):
        store.lineage(uuid4())
    with pytest.raises(TypeError, match=f"Leaf {str(leaf.ecs_id)[:8]} is no Node"):
        store.get(leaf.ecs_id, Node)
    with pytest.raises(ValueError, match="Leaf has no field 'scor'"):
        store.fork(leaf, scor=1.0)


def test_a_branch_is_not_seen_outside(store):
    """Nor does it see what comes later."""
    leaf = store.register(Leaf())
    branch = store.branch()
    inside = branch.fork(branch.get(leaf.ecs_id), score=1.0)
    outside = store.fork(leaf, score=2.0)

    assert inside.ecs_id not in store
    assert outside.ecs_id not in branch


def test_two_versions_with_one_id_are_refused(store):
    """A version does not change."""
    leaf = store.register(Leaf(score=1.0))
    other = Store()
    other.register(Leaf(ecs_id=leaf.ecs_id, score=2.0))

    with pytest.raises(VersionConflict, match=f"another version has the id {leaf.ecs_id}"):
        store.add(other.state.below([leaf.ecs_id]))
    assert store.get(leaf.ecs_id).score == 1.0


def test_threads_lose_nothing(store):
    """Whoever is faster."""
    barrier = threading.Barrier(8)
    made: list[list[Leaf]] = [[] for _ in range(8)]

    def work(mine: list[Leaf]) -> None:
        barrier.wait(60)
        mine.extend(store.register(Leaf(score=float(number))) for number in range(100))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(store) == 800
    assert all(leaf.ecs_id in store for mine in made for leaf in mine)


def test_a_live_entity_does_not_keep_those_that_held_it():
    """They are gone when nobody holds them."""
    store, leaf = Store(), Leaf()
    holders = [weakref.ref(store.register(Node(leaves=[leaf]))) for _ in range(10)]
    gc.collect()

    assert [holder() for holder in holders] == [None] * 10


def test_the_registry_of_the_program(runtime):
    """`EntityRegistry` is the active runtime's store; ids may be text."""
    leaf = EntityRegistry.register(Leaf(score=1.0))
    first = leaf.ecs_id
    EntityRegistry.fork(leaf, score=2.0)

    assert EntityRegistry.get(str(first)).score == 1.0
    assert EntityRegistry.latest(leaf.lineage_id).score == 2.0
    assert [each.ecs_id for each in EntityRegistry.lineage(leaf.lineage_id)] == [first, leaf.ecs_id]
    assert [each.ecs_id for each in EntityRegistry.history(leaf.ecs_id)] == [first, leaf.ecs_id]
    assert EntityRegistry.diff(first, leaf.ecs_id) == (Change("score", 1.0, 2.0),)
    assert not EntityRegistry.has_diverged(leaf)
    with EntityRegistry.create_branch() as branch:
        inside = EntityRegistry.merge_entity(Leaf())
        assert inside.ecs_id in branch.store
    assert inside.ecs_id not in runtime.store


def test_a_long_chain_is_kept(store):
    """Longer than Python's stack would take."""
    chain = Node(name="end")
    for _ in range(3_000):
        chain = Node(inner=chain)
    store.register(chain)
    first = chain.ecs_id
    end = chain
    while end.inner is not None:
        end = end.inner
    end.name = "changed"
    store.register(chain)

    (change,) = store.diff(first, chain.ecs_id)
    assert (change.path.count("inner"), change.before, change.after) == (3_000, "end", "changed")
    assert len(store) == 2 * 3_001
    end.inner = chain
    with pytest.raises(CyclicEntity):
        store.register(chain)
    end.inner = None


def test_a_container_that_holds_itself_is_refused():
    """When it is put in."""
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="or a container in it, holds itself at anything"):
        Node(anything=circle)
    node = Node()
    with pytest.raises(CyclicEntity):
        node.anything = circle
