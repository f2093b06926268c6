"""References in the input of a call: what they stand for, and what is said of those that stand for nothing."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from dam_entities import (
    BadReference,
    CallableRegistry,
    DeadPath,
    MalformedReference,
    UnknownReference,
    resolve_entity_references,
)


@pytest.fixture
def bob(runtime, school):
    """With grades, friends, tags."""
    student, grade = school["Student"], school["Grade"]
    made = student(
        name="Bob",
        age=18,
        grades=[grade(subject="math", score=1.5), grade(score=2.5)],
        friends={"best": student(name="Eve"), "7": student(name="Ada")},
        tags={"a"},
        pair=(grade(score=3.5),),
    )
    runtime.register(made)
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".age", 18),
        (".name", "Bob"),
        (".grades.1.score", 2.5),
        (".grades.0.subject", "math"),
        (".friends.best.name", "Eve"),
        (".friends.7.age", 18),
        (".pair.0.score", 3.5),
        (".tags", {"a"}),
        (".shown", "Bob (18)"),
        (".friends.best.shown", "Eve (18)"),
        (".parent_id", None),
    ],
)
def test_a_path_leads_to_a_value(bob, path, value):
    """Through attributes, keys, positions and properties."""
    assert resolve_entity_references(f"@{bob.ecs_id}{path}") == value


def test_without_a_path_it_is_the_entity(bob):
    """A copy of it, with all in it."""
    resolved = resolve_entity_references(f"@{bob.ecs_id}")
    assert resolved.ecs_id == bob.ecs_id
    assert resolved is not bob
    assert resolved.grades[1].score == 2.5


def test_everything_in_lists_and_mappings_is_resolved(bob):
    """Keys, and things of other types, stay the very objects they are."""
    other = object()
    age, name = f"@{bob.ecs_id}.age", f"@{str(bob.ecs_id).upper()}.name"
    given = {"a": [age, {"b": (name, 5)}], "@@b": other, age: "x"}

    resolved = resolve_entity_references(given)
    assert resolved == {"a": [18, {"b": ("Bob", 5)}], "@@b": other, age: "x"}
    assert given["a"][0] == age


@pytest.mark.parametrize(("text", "value"), [("@@bob", "@bob"), ("@@", "@"), ("@@@", "@@"), ("a@b", "a@b"), ("", "")])
def test_two_ats_are_one(runtime, text, value):
    """And an @ elsewhere is nothing special."""
    assert resolve_entity_references(text) == value


def test_a_lineage_stands_for_its_newest_version(runtime, bob):
    """An ecs_id for the version that it is."""
    first = bob.ecs_id
    runtime.fork(bob, age=30)

    assert resolve_entity_references([f"@{first}.age", f"@{bob.ecs_id}.age", f"@{bob.lineage_id}.age"]) == [18, 30, 30]


def test_one_entity_is_one_object_in_one_input(bob):
    """Also where it is reached by another path."""
    one, two, best = resolve_entity_references([f"@{bob.ecs_id}", f"@{bob.ecs_id}", f"@{bob.ecs_id}.friends.best"])
    assert one is two
    assert one.friends["best"] is best


BAD = {
    "no uuid": ("@bob", MalformedReference, r"is no reference: write @<uuid>"),
    "half a uuid": ("@1234-5678", MalformedReference, "is no reference"),
    "a dot too many": ("@{id}.", MalformedReference, "is no reference"),
    "two dots": ("@{id}..age", MalformedReference, "is no reference"),
    "text behind": ("@{id} age", MalformedReference, "is no reference"),
    "unknown": ("@{other}.age", UnknownReference, r"refers to an entity that is not registered \(\d+ versions are\)"),
    "a field that is not there": ("@{id}.agge", DeadPath, "leads nowhere in Student .*: .* did you mean age\\?"),
    "a field further on": ("@{id}.grades.0.scor", DeadPath, r"as far as grades\.0 in Student .*did you mean score\?"),
    "a position too far": ("@{id}.grades.2", DeadPath, "there is no position 2: this list has 2 items"),
    "a position that is none": ("@{id}.grades.-1", DeadPath, "entered by a position"),
    "a huge position": ("@{id}.grades." + "9" * 5000, DeadPath, "there is no position 9"),
    "a key that is not there": ("@{id}.friends.bst", DeadPath, r"no key 'bst': did you mean best\?"),
    "a set": ("@{id}.tags.0", DeadPath, "a set has no positions"),
    "a number's part": ("@{id}.age.real", DeadPath, "a int has no parts"),
    "private": ("@{id}._mark", DeadPath, "_mark is private"),
    "dunder": ("@{id}.__class__.__mro__", DeadPath, "__class__ is private"),
    "dunder of a value": ("@{id}.name.__class__", DeadPath, "__class__ is private"),
    "a method": ("@{id}.model_dump", DeadPath, "no field 'model_dump'"),
    "a method of a value": ("@{id}.friends.keys", DeadPath, "no key 'keys'"),
    "what is of the object only": ("@{id}.live_id", DeadPath, "no field 'live_id'"),
}


@pytest.mark.parametrize(("text", "error", "message"), BAD.values(), ids=BAD)
def test_a_reference_to_nothing_is_said(bob, text, error, message):
    """With the reference and its place; before anything runs."""
    text = text.format(id=bob.ecs_id, other=uuid4()) if "{" in text else text
    with pytest.raises(error, match=message) as raised:
        resolve_entity_references({"students": [text]})

    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, BadReference)
    assert raised.value.where == "students.0"
    assert "at students.0 " in str(raised.value)
    assert len(str(raised.value)) < 500


def test_validation_comes_after_resolving(runtime, bob):
    """A value of the wrong type is pydantic's to refuse, and the function does not run."""
    ran = []

    @CallableRegistry.register("grow")
    def grow(age: int) -> int:
        ran.append(age)
        return age + 1

    assert CallableRegistry.execute("grow", {"age": f"@{bob.ecs_id}.age"}) == 19
    kept = len(runtime.store)
    for wrong in (f"@{bob.ecs_id}.name", f"@{bob.ecs_id}", f"@{bob.ecs_id}.nam"):
        with pytest.raises(ValueError, match=r"validation error for grow|did you mean"):
            CallableRegistry.execute("grow", {"age": wrong})
    assert (ran, len(runtime.store)) == ([18], kept)


def test_all_references_of_an_input_see_one_state(runtime, bob):
    """Whatever other tasks do to the registry meanwhile."""
    lineage = bob.lineage_id
    seen = []

    @CallableRegistry.register("look")
    async def look(ages: list[int]) -> None:
        seen.append(set(ages))

    async def change() -> None:
        for age in range(100, 150):
            runtime.fork(bob, age=age)
            await asyncio.sleep(0)

    async def read() -> None:
        for _ in range(50):
            await CallableRegistry.aexecute("look", {"ages": [f"@{lineage}.age"] * 20})
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(change(), read(), read())

    asyncio.run(both())
    assert {len(ages) for ages in seen} == {1}
    assert len(set.union(*seen)) > 1
