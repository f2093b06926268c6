"""The test list of the design, and its practical example, by their names."""

from __future__ import annotations

import pytest
from dam_entities import CallableRegistry, Entity, EntityRegistry


class Student(Entity):
    name: str
    age: int
    major: str


class GraduateStudent(Entity):
    name: str
    age: int
    undergraduate_degree: str


@pytest.fixture
def student(runtime) -> Student:
    return EntityRegistry.register(Student(name="Bob", age=18, major="physics"))


def test_references(student):
    """Inputs that refer to an entity's field are resolved."""

    @CallableRegistry.register("pay")
    def pay(student_age: int, bonus_amount: float) -> float:
        return student_age + bonus_amount

    data = {"student_age": f"@{student.ecs_id}.age", "bonus_amount": 100.5}
    assert CallableRegistry.execute("pay", data) == 118.5


def test_tracing(student):
    """An entity that is mutated forks before the call, for what was done to it then, and after it."""

    @CallableRegistry.register("birthday")
    def birthday(student: Student) -> None:
        student.age += 1

    student.age = 20
    CallableRegistry.execute("birthday", {"student": student})
    assert [version.values["age"] for version in EntityRegistry.history(student.ecs_id)] == [18, 20, 21]


def test_combined(student):
    """A value by reference, and an entity that the function modifies."""

    @CallableRegistry.register("copy_age")
    def copy_age(age: int, student: Student) -> Student:
        student.age = age * 2
        return student

    first = student.ecs_id
    changed = CallableRegistry.execute("copy_age", {"age": f"@{first}.age", "student": f"@{first}"})
    assert (changed.age, changed.parent_id, changed.lineage_id) == (36, first, student.lineage_id)
    assert EntityRegistry.get(first).age == 18


@pytest.mark.parametrize("isolation", ["in this process", "fork"])
def test_practical_example(runtime, student, isolation):
    """A student becomes a graduate student: only that comes back, with a lineage of its own."""

    @CallableRegistry.register("transform_student")
    def transform_student(student: Student) -> GraduateStudent:
        EntityRegistry.register(Student(name="temporary", age=0, major=""))
        return GraduateStudent(name=student.name, age=student.age, undergraduate_degree=student.major)

    data = {"student": f"@{student.ecs_id}"}
    if isolation == "fork":
        graduate = runtime.execute_isolated("transform_student", data, isolation="fork").value
        assert len(runtime.store) == 2
    else:
        graduate = CallableRegistry.execute("transform_student", data)

    assert isinstance(graduate, GraduateStudent)
    assert (graduate.name, graduate.age, graduate.undergraduate_degree) == ("Bob", 18, "physics")
    assert graduate.lineage_id != student.lineage_id
    assert graduate.derived_from == (student.ecs_id,)
    assert EntityRegistry.get(graduate.ecs_id).age == 18
