"""
References: strings in the input of a call that stand for a value of a registered entity.

``@<uuid>`` is the entity, ``@<uuid>.path.to.value`` a value in it. The uuid is that of a version
(``ecs_id``), which never changes, or of a lineage, which stands for its newest version. A path
goes through attributes, keys of mappings and positions in lists. ``@@`` is a plain ``@``.

All references of one input are resolved against one `State`, and a version that is referred to
twice is one object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from dam_entities.errors import DeadPath, MalformedReference, UnknownReference
from dam_entities.paths import NoStep, Steps
from dam_entities.state import State
from dam_entities.touched import Known, summary_of
from dam_entities.version import Version

_REFERENCE: Final = re.compile(
    r"@([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})((?:\.[^.]+)*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Reference:
    """One that was resolved."""

    text: str
    where: str
    """Its place in the input: ``students.0``"""
    ecs_id: UUID
    """The version that it was resolved in."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Input without references."""

    data: Any
    references: tuple[Reference, ...]

    @property
    def count(self) -> int:
        """How many references there were."""
        return len(self.references)

    @property
    def summary(self) -> str:
        """What they were resolved in, ``place=id`` each."""
        return summary_of([Known(each.ecs_id, each.where) for each in self.references])


def resolve(data: Any, state: State) -> Resolved:
    """
    Replace every reference in lists, tuples and the values of mappings; other things stay the very objects they are.

    Raises:
        MalformedReference: A string begins with one ``@`` and is no reference.
        UnknownReference: It refers to an entity that `state` does not have.
        DeadPath: Its path leads to nothing, or to something private.
    """
    resolving = _Resolving(state)
    return Resolved(resolving.value(data, ""), tuple(resolving.references))


class _Resolving:
    def __init__(self, state: State) -> None:
        self._state = state
        self._steps = Steps(state)
        self.references: list[Reference] = []

    def value(self, data: Any, where: str) -> Any:
        if isinstance(data, str):
            return self._text(data, where)
        if isinstance(data, Mapping):
            return {key: self.value(item, f"{where}.{key}".lstrip(".")) for key, item in data.items()}
        if type(data) in (list, tuple):
            return type(data)(self.value(item, f"{where}.{index}".lstrip(".")) for index, item in enumerate(data))
        return data

    def _text(self, text: str, where: str) -> Any:
        if not text.startswith("@"):
            return text
        if text.startswith("@@"):
            return text[1:]
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise MalformedReference(text, where)
        version = self._version(UUID(found[1]), text, where)
        self.references.append(Reference(text, where, version.ecs_id))
        return self._follow(version, found[2].split(".")[1:], text, where)

    def _version(self, named: UUID, text: str, where: str) -> Version:
        line = self._state.lines.get(named)
        version = self._state.versions.get(named if line is None else next(iter(line)))
        if version is None:
            raise UnknownReference(text, where, len(self._state))
        return version

    def _follow(self, version: Version, path: list[str], text: str, where: str) -> Any:
        here = self._steps.begin(version)
        for number, step in enumerate(path):
            try:
                here = self._steps.step(here, step)
            except NoStep as dead:
                raise DeadPath(text, where, str(version), ".".join(path[:number]), step, str(dead)) from None
        return self._steps.live(here)
