"""
What the page says, as data: every figure in words, every share as a width, nothing left to figure out.

The templates only lay these out. Text that came from the run is still raw here; the
templates' environment makes it safe to show, wherever it is put.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from dam_obs.diagnose.report import Absent, Verdict

PartKind = Literal["on-cpu", "run-queue", "block-io", "awaiting", "other"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure with its name."""

    label: str
    value: str
    note: str = ""
    """What makes the figure understandable, or doubtful."""
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A cell of a table that can be sorted."""

    text: str
    value: float | None
    """What it is sorted by; `None`: not measured, sorted last."""


@dataclass(frozen=True, slots=True)
class StatusCount:
    """Executions that ended with one status."""

    status: str
    text: str
    share: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a system's wall time."""

    kind: PartKind
    label: str
    meaning: str
    left: float
    """Where it starts in the bar, 0 to 100."""
    width: float
    time: str
    share: str
    measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeView:
    """Where wall time went; the parts add up to it."""

    wall: str
    parts: list[Part]
    summary: str
    """The same in a sentence, for those who do not see the bar."""
    note: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A trait in short, or several of one class."""

    text: str
    doubtful: bool
    note: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with what belongs under it."""

    drawing: Markup
    x_name: str
    caption: str
    upper_line: str
    """What the dashed line is; empty if there is none."""


@dataclass(frozen=True, slots=True)
class Table:
    """A small table: the first column names, the others are told whether they hold numbers."""

    title: str
    columns: list[tuple[str, Literal["text", "name", "number"]]]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class StackLine:
    """A frame of a hot stack."""

    function: str
    place: str


@dataclass(frozen=True, slots=True)
class Stack:
    """A hot stack, innermost frame first."""

    samples: str
    share: str
    width: float
    frames: list[StackLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitView:
    """An inferred trait with what speaks for it and against it."""

    name: str
    arguments: str
    confidence: str
    width: float
    doubtful: bool
    evidence: list[str]
    rival: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostView:
    """The cost model in words."""

    expression: str
    """Typical milliseconds."""
    family: str
    facts: list[Fact]
    warnings: list[str]
    rejected: list[str]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, as a row with a bar."""

    kind: str
    """What it is coloured by."""
    label: str
    meaning: str
    width: float
    """0 to 100."""
    time: str
    share: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """Executions in flight over the run, as the outline of an area."""

    path: Markup
    box: str
    """Of the drawing: its ``viewBox``."""
    highest: str
    lasted: str
    summary: str
    """The same in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhereView:
    """Where time went beyond the parts of wall time."""

    awaited: list[Share]
    """What the time awaiting was spent on; empty where waits have no names."""
    awaited_note: str
    places: Table | None
    gaps: list[Share]
    """What is covered by executions below, and what the rest is; empty where there are none below."""
    gaps_note: str
    flight: Flight | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemView:
    """The section of one system, and its row in the overview."""

    anchor: str
    name: str
    module: str
    """What stands before the name; empty if nothing does."""
    layer: str
    operation: str
    executions: Figure
    statuses: list[StatusCount]
    p50: Figure
    p95: Figure
    total: Figure
    on_cpu: Figure
    samples: Figure
    time: TimeView
    where: WhereView
    critical: Figure
    """Its share of critical paths."""
    pools: list[str]
    chips: list[Chip]
    facts: list[Fact]
    latency: Chart | None
    cost_chart: Chart | None
    cost: CostView
    traits: list[TraitView]
    tables: list[Table]
    """What it touched, and how it failed; only tables that have rows."""
    stacks: list[Stack]
    no_stacks: str
    """Why there are none; empty if there are some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityView:
    """How far to trust the rest."""

    verdict: Verdict
    plain: str
    """The verdict in a sentence."""
    reasons: list[str]
    facts: list[Fact]
    absent: list[Absent]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlameView:
    """The flame graph as the page's script reads it: flat lists, parents before their children."""

    names: list[str]
    places: list[str]
    """Files with their lines."""
    nodes: list[int]
    """Three numbers for each node: its parent (-1: none), its name, its place; see `samples`."""
    samples: list[int]
    cut: str
    """How many nodes were left out, the smallest ones, to keep the page usable; empty if none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """The whole page."""

    title: str
    program: str
    run_id: str
    started: str
    started_iso: str
    lasted: str
    ended: str
    """How the program ended, in words."""
    failed: bool
    host: str
    version: str
    quality: QualityView
    systems: list[SystemView]
    flame: FlameView | None
    no_flame: str
    processes: Table | None
    faults: Table | None
    sampler: str
