"""What the hooks are asked with, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from dam_entities.callables import Entry
from dam_entities.entity import Entity, str_of
from dam_entities.state import State
from dam_entities.touched import Known, Touched, summary_of
from dam_entities.version import Version

MAX_RESULT_BYTES: Final = 64 * 1024 * 1024
"""Of an isolated call, unless it is told otherwise."""

TIMEOUT_S: Final = 60.0
"""Of an isolated call, unless it is told otherwise."""

Isolation: TypeAlias = Literal["auto", "fork", "forkserver", "spawn"]


@dataclass(frozen=True, slots=True)
class Registering:
    """Entities to be kept as they are now."""

    entities: tuple[Entity, ...]

    @property
    def summary(self) -> str:
        """Which they are, in short."""
        shown = ", ".join(str_of(entity) for entity in self.entities[:5])
        return shown + (f" and {len(self.entities) - 5} more" if len(self.entities) > 5 else "")


@dataclass(frozen=True, slots=True)
class Registered:
    """What was kept of them."""

    created: tuple[Known, ...]
    forked: tuple[Known, ...]

    @property
    def summary(self) -> str:
        """How many, in words."""
        return f"{len(self.created)} created, {len(self.forked)} forked"

    @property
    def created_summary(self) -> str:
        """What was created, ``path=id`` each."""
        return summary_of(self.created)

    @property
    def forked_summary(self) -> str:
        """What was forked, ``path=id`` each."""
        return summary_of(self.forked)


@dataclass(frozen=True, slots=True)
class Forking:
    """An entity that gets other values."""

    entity: Entity
    changes: Mapping[str, Any]

    @property
    def summary(self) -> str:
        """Which entity, and the fields that change."""
        return f"{str_of(self.entity)}: {', '.join(self.changes)}"


@dataclass(frozen=True, slots=True)
class Forked:
    """The version that came of it, and the one that it came from: the same if nothing was different."""

    before: UUID
    after: UUID

    @property
    def is_new(self) -> bool:
        """Whether anything was different."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Resolving:
    """Input of a call, with references in it."""

    data: Any
    state: State
    """What they are resolved against."""


@dataclass(frozen=True, slots=True)
class Call:
    """A registered function and its input."""

    entry: Entry
    data: Mapping[str, Any]
    """As it was given, with references."""
    touched: Touched = field(default_factory=Touched)

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.entry.name


@dataclass(frozen=True, slots=True)
class Executed:
    """A call that has come to its end."""

    value: Any
    """What the function returned, the very object."""
    touched: Touched


@dataclass(frozen=True, slots=True)
class Merging:
    """Versions that come from a branch."""

    versions: tuple[Version, ...]
    """Children before those that hold them."""
    origin: str
    """Where they come from."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What was added."""

    ecs_ids: tuple[UUID, ...]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.ecs_ids)

    @property
    def summary(self) -> str:
        """How many, in words."""
        return f"{len(self.ecs_ids)} versions"


@dataclass(frozen=True, slots=True)
class Isolating:
    """A call that is to run in a process of its own."""

    call: Call
    timeout_s: float
    isolation: Isolation
    max_result_bytes: int
    is_async: bool
    """The answer has to be an awaitable: an event loop must not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUse:
    """What a child process used, as the kernel counted it."""

    cpu_ns: int
    """User and system time."""
    peak_memory_bytes: int
    blocks_read: int
    blocks_written: int
    wall_ns: int


@dataclass(frozen=True, slots=True)
class ChildEnded:
    """A process of an isolated call that is over."""

    name: str
    """Of the function."""
    pid: int | None
    outcome: str
    """``returned``, or the name of the error."""
    isolation: Isolation
    used: ResourceUse | None


@dataclass(frozen=True, slots=True)
class Isolated:
    """What came back."""

    value: Any
    used: ResourceUse
    isolation: Isolation
    """How the child was made; never ``auto``."""
    pid: int
    merged: Merged
    touched: Touched
