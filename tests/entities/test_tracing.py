"""What is kept of the entities that a function is given and returns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from dam_entities import Call, CallableRegistry, Entity, EntityRegistry, entity_tracer, hookimpl
from pydantic import BaseModel


class Grade(Entity):
    score: float = 0.0


class Student(Entity):
    name: str = "Bob"
    age: int = 18
    grades: list[Grade] = []


class Graduate(Entity):
    name: str = ""
    grade: Grade | None = None


class Calls:
    """Hears of every call."""

    def __init__(self) -> None:
        self.seen: list[Call] = []

    @hookimpl
    def dam_entities_execute(self, call: Call) -> None:
        self.seen.append(call)

    @property
    def last(self) -> dict[str, list[tuple[str, Any]]]:
        touched = self.seen[-1].touched
        return {
            kind: [(known.path, known.ecs_id) for known in getattr(touched, kind)]
            for kind in ("read", "forked", "created")
        }


@pytest.fixture
def calls(runtime) -> Calls:
    plugin = Calls()
    runtime.plugins.register(plugin)
    return plugin


def test_what_was_changed_before_the_call_is_forked(runtime, calls):
    """Before the function sees it."""
    seen = []

    @CallableRegistry.register("look")
    def look(student: Student) -> None:
        seen.append(student.ecs_id)

    bob = EntityRegistry.register(Student())
    first = bob.ecs_id
    bob.age = 19
    CallableRegistry.execute("look", {"student": bob})

    assert bob.parent_id == first
    assert seen == [bob.ecs_id]
    assert calls.last == {"read": [("student", bob.ecs_id)], "forked": [("student", bob.ecs_id)], "created": []}


def test_what_the_call_changes_is_forked_after_it(runtime, calls):
    """Wherever in the input it is, and with all that holds it."""

    @CallableRegistry.register("raise_grades")
    def raise_grades(students: dict[str, list[Student]], *others: Student) -> None:
        students["a"][0].grades[0].score += 1
        others[0].age += 1

    one, two = Student(grades=[Grade(), Grade()]), Student()
    runtime.register(one, two)
    first = one.ecs_id, one.grades[0].ecs_id, one.grades[1].ecs_id, two.ecs_id
    CallableRegistry.execute("raise_grades", {"students": {"a": [one]}, "others": [two]})

    assert (one.parent_id, one.grades[0].parent_id, two.parent_id) == (first[0], first[1], first[3])
    assert one.grades[1].ecs_id == first[2]
    assert dict(calls.last["read"]) == {"students.a.0": first[0], "others.0": first[3]}
    assert dict(calls.last["forked"]) == {
        "students.a.0": one.ecs_id,
        "students.a.0.grades.0": one.grades[0].ecs_id,
        "others.0": two.ecs_id,
    }


def test_what_the_call_makes_is_kept(runtime, calls):
    """Deep inside containers, with the paths."""

    @CallableRegistry.register("make")
    def make() -> dict[str, Any]:
        return {"a": [Student(grades=[Grade()])], "b": ({"c": Grade()},), "d": 5}

    made = CallableRegistry.execute("make")
    student, grade = made["a"][0], made["b"][0]["c"]

    assert dict(calls.last["created"]) == {
        "result.a.0": student.ecs_id,
        "result.a.0.grades.0": student.grades[0].ecs_id,
        "result.b.0.c": grade.ecs_id,
    }
    assert all(each.ecs_id in runtime.store for each in (student, student.grades[0], grade))


def test_a_function_that_returns_its_input_keeps_the_lineage(runtime):
    """The very object comes back."""

    @CallableRegistry.register("older")
    def older(student: Student) -> Student:
        student.age += 1
        return student

    bob = EntityRegistry.register(Student())
    first = bob.ecs_id
    assert CallableRegistry.execute("older", {"student": bob}) is bob
    assert [version.ecs_id for version in EntityRegistry.lineage(bob.lineage_id)] == [first, bob.ecs_id]


@pytest.mark.parametrize("how", ["copied", "made anew"])
def test_a_pure_function_keeps_the_lineage(runtime, how):
    """It returns another object of the same type; its input is as it was."""

    @CallableRegistry.register("older")
    def older(student: Student) -> Student:
        if how == "copied":
            return student.model_copy(update={"age": student.age + 1})
        return Student(name=student.name, age=student.age + 1)

    bob = EntityRegistry.register(Student())
    older_bob = CallableRegistry.execute("older", {"student": bob})

    assert (bob.age, older_bob.age) == (18, 19)
    assert older_bob.lineage_id == bob.lineage_id
    assert older_bob.parent_id == bob.ecs_id
    assert older_bob.created_at == bob.created_at
    assert older_bob.derived_from == ()


def test_a_function_that_returns_another_type_starts_a_lineage(runtime):
    """And what it was made from is recorded, all of it."""

    @CallableRegistry.register("graduate")
    def graduate(student: Student, grade: Grade) -> Graduate:
        return Graduate(name=student.name, grade=grade)

    bob, grade = Student(), Grade(score=1.0)
    runtime.register(bob, grade)
    made = CallableRegistry.execute("graduate", {"student": bob, "grade": grade})

    assert made.lineage_id not in (bob.lineage_id, grade.lineage_id)
    assert (made.parent_id, made.derived_from) == (None, (bob.ecs_id, grade.ecs_id))
    assert made.grade is grade
    assert runtime.store.get(made.ecs_id).derived_from == made.derived_from


def test_of_several_inputs_of_a_type_none_goes_on(runtime):
    """It is not for us to say which."""

    @CallableRegistry.register("merge")
    def merge(one: Student, two: Student) -> Student:
        return Student(name=one.name + two.name)

    one, two = Student(name="a"), Student(name="b")
    runtime.register(one, two)
    made = CallableRegistry.execute("merge", {"one": one, "two": two})
    assert (made.parent_id, made.derived_from) == (None, (one.ecs_id, two.ecs_id))


def test_several_entity_arguments_keep_one_dag(runtime):
    """What two of them share is one entity before and after."""

    @CallableRegistry.register("share")
    def share(one: Student, two: Student) -> None:
        one.grades[0].score += 1

    grade = Grade()
    one, two = Student(grades=[grade]), Student(grades=[grade])
    runtime.register(one, two)
    before = one.ecs_id, two.ecs_id
    CallableRegistry.execute("share", {"one": one, "two": two})

    assert (one.parent_id, two.parent_id) == before
    versions = [runtime.store.state.version(each.ecs_id) for each in (one, two)]
    assert versions[0].children == versions[1].children == (grade.ecs_id,)
    assert len(runtime.store.lineage(grade.lineage_id)) == 2


def test_a_call_that_raises_keeps_nothing_of_what_it_did(runtime):
    """Its exception is the very one."""
    error = KeyError("x")

    @CallableRegistry.register("fail")
    def fail(student: Student) -> None:
        student.age = 99
        raise error

    bob = EntityRegistry.register(Student())
    first = bob.ecs_id
    with pytest.raises(KeyError) as raised:
        CallableRegistry.execute("fail", {"student": bob})

    assert raised.value is error
    assert (bob.ecs_id, len(runtime.store)) == (first, 1)


def test_a_result_that_cannot_be_kept_keeps_nothing(runtime):
    """What is kept after a call is kept whole, or not at all."""

    @CallableRegistry.register("cycle")
    def cycle(student: Student) -> Graduate:
        student.age = 99
        made = Graduate()
        object.__getattribute__(made, "__dict__")["name"] = made
        return made

    bob = EntityRegistry.register(Student())
    first = bob.ecs_id
    with pytest.raises(ValueError, match="holds itself at name"):
        CallableRegistry.execute("cycle", {"student": bob})
    assert (bob.ecs_id, len(runtime.store)) == (first, 1)


def test_a_function_is_traced_when_it_is_called_itself(runtime):
    """Not only by its name; also without having one."""

    @entity_tracer
    def older(student: Student) -> Student:
        student.age += 1
        return student

    bob = EntityRegistry.register(Student())
    first = bob.ecs_id
    assert older(bob).parent_id == first
    with pytest.raises(TypeError, match="older"):
        older(bob, 1, 2)


def test_coroutine_functions_and_generators_are_traced(runtime):
    """What they change is kept when they end, what generators yield when they do."""

    @entity_tracer
    async def later(student: Student) -> Student:
        student.age += 1
        await asyncio.sleep(0)
        return student

    @entity_tracer
    def many(student: Student) -> Iterator[Grade]:
        for score in range(3):
            student.age += 1
            yield Grade(score=score)

    @entity_tracer
    async def amany(student: Student) -> AsyncIterator[Grade]:
        for score in range(3):
            student.age += 1
            yield Grade(score=score)

    async def collect(student: Student) -> list[Grade]:
        return [grade async for grade in amany(student)]

    bob = EntityRegistry.register(Student())
    first = bob.ecs_id
    assert asyncio.run(later(bob)).parent_id == first
    for made in (list(many(bob)), asyncio.run(collect(bob))):
        assert all(grade.ecs_id in runtime.store for grade in made)
        assert {grade.derived_from for grade in made} == {made[0].derived_from}
    assert [version.values["age"] for version in EntityRegistry.lineage(bob.lineage_id)] == list(range(18, 26))

    going = many(bob)
    next(going)
    bob.age = 100
    going.close()
    assert not EntityRegistry.has_diverged(bob)


class Options(BaseModel):
    strict: bool = False


def test_what_is_no_entity_is_let_through(runtime):
    """As the very object."""
    options, other = Options(), object()

    @entity_tracer
    def through(options: Options, other: object) -> tuple[Options, object]:
        return options, other

    given = through(options, other)
    assert given[0] is options
    assert given[1] is other
    assert len(runtime.store) == 0
