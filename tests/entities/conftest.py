"""A runtime of the test's own, active while it lasts, with the entities of a school."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dam_entities import Entity, Runtime, plugin_manager


class Grade(Entity):
    subject: str = ""
    score: float = 0.0


class Student(Entity):
    name: str = "Bob"
    age: int = 18
    major: str = "physics"
    grades: list[Grade] = []
    friends: dict[str, Student] = {}
    tags: set[str] = set()
    pair: tuple[Grade, ...] = ()

    @property
    def shown(self) -> str:
        return f"{self.name} ({self.age})"


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """Nothing is kept in it yet."""
    made = Runtime(plugins=plugin_manager(installed=False))
    with made.active():
        yield made


@pytest.fixture
def student_of():
    """Makes students with grades of these scores."""

    def make(*scores: float, **fields: object) -> Student:
        return Student(grades=[Grade(score=score) for score in scores], **fields)

    return make


@pytest.fixture
def school():
    """The types."""
    return {"Student": Student, "Grade": Grade}
