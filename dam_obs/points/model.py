"""
Trace points as data: what is traced, what it carries, and where it is found in code.

Values only. `load` makes them of TOML files, `attach` and `hosts` act on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dam_obs.points.paths import ReadPath
from dam_obs.trace.events import Kind
from dam_obs.trace.layers import Layer

DataType = Literal["str", "int", "float", "bool"]
Plain = str | int | float | bool


@dataclass(frozen=True, slots=True)
class FunctionName:
    """A function as ``module:qualname``."""

    module: str
    qualname: str

    def __str__(self) -> str:
        return f"{self.module}:{self.qualname}"


@dataclass(frozen=True, slots=True)
class HookName:
    """A pluggy hook; of one project or, without one, of every project that has a hook of this name."""

    hook: str
    project: str | None = None

    def __str__(self) -> str:
        return f"{self.project or '*'}::{self.hook}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedRule:
    """What counts as blocked: a refusal is a value, not an exception."""

    path: ReadPath
    values: tuple[Plain, ...] = ()
    """Blocked if the value is one of these; a number never equals a boolean."""
    is_none: bool | None = None
    """Blocked if the value is (`True`) or is not (`False`) `None`."""
    reason: ReadPath | None = None
    """Where to read why; the output then is ``blocked: `` and that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataField:
    """A piece of data that the point carries: ``dam.data.<name>``."""

    name: str
    type: DataType
    meaning: str
    path: ReadPath | None = None
    """Where to read it; `None`: the program sets it by hand, or a target says where."""


@dataclass(frozen=True, slots=True)
class AttributeRead:
    """Where to read the value of an attribute, and what type it has."""

    path: ReadPath
    type: DataType


Attributes = Mapping[str, Plain | AttributeRead]
"""By their whole names, which a convention gives them (``gen_ai.operation.name``): constants, and what is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Where to read what a span says besides its data. `None`: not read."""

    component: ReadPath | None = None
    """Default: the target's class or function, as ``module:qualname``."""
    input: ReadPath | None = None
    output: ReadPath | None = None
    command: ReadPath | None = None
    """The command of a system's execution, whose features explain its cost."""
    system: ReadPath | None = None
    """The object, class or function that is the system; it names the component unless `component` does."""
    gives: ReadPath | None = None
    """An object that stands for work that starts later."""
    given: ReadPath | None = None
    """Such an object: the span gets a link to the one that gave it."""
    blocked: BlockedRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place in code where a point is found."""

    place: FunctionName | HookName
    reads: Reads = Reads()
    """The point's, with what the target says otherwise."""
    data: Mapping[str, ReadPath] = field(default_factory=dict)
    """By the name of the data; likewise."""
    attributes: Attributes = field(default_factory=dict)
    """Likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePoint:
    """A named place worth a span."""

    layer: Layer
    operation: str
    meaning: str
    kind: Kind = "span"
    level: Literal["debug", "info", "warn"] = "info"
    own_threads: bool = False
    """What its work has threads do counts as its own in measured runs."""
    fold_below_us: int = 0
    """Shorter spans are counted on the one around them instead of being recorded; 0: none are."""
    data: tuple[DataField, ...] = ()
    attributes: Attributes = field(default_factory=dict)
    """What its spans carry beside ``dam.*``, and events do not."""
    targets: tuple[Target, ...] = ()
    """None for a point that the program records by hand."""

    @property
    def name(self) -> str:
        """The span's name: ``focus.gate_check``."""
        return f"{self.layer.name}.{self.operation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePointFile:
    """What one trace-point file holds."""

    path: Path
    host: str
    """What its points belong to."""
    requires: str | None
    """A module without which the points do not apply."""
    points: tuple[TracePoint, ...]
    only_named: bool = False
    """Of the hooks of the pluggy project of the host's name, those that no point names are no spans."""
