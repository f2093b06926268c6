"""
What a dashboard is made of: values, without a word of Grafana's JSON.

`encode` knows that. What is written here is what Grafana's user sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["none", "short", "ms", "s", "percentunit", "ops", "bytes"]
"""Of Grafana's units those that are used. ``percentunit``: 1 is 100 %. ``ops``: operations a second."""

Kind = Literal["timeseries", "stat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One PromQL expression."""

    expr: str
    legend: str = ""
    """With labels as ``{{label}}``; in a table the title of the column that its values are in."""
    exemplars: bool = False
    """Ask for examples, which lead to traces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """From which value on which colour."""

    value: float
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A panel that shows numbers over time, or what they are now."""

    title: str
    meaning: str
    """One sentence, shown where the pointer rests on the panel's corner."""
    queries: tuple[Query, ...]
    unit: Unit
    kind: Kind = "timeseries"
    width: int = 8
    height: int = 8
    stacked: bool = False
    top: float | None = None
    """Where the axis ends; `None`: where the values do."""
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: a label, or the values of a query."""

    name: str
    """The label's name, or the legend of the query."""
    title: str
    unit: Unit | None = None
    link: str | None = None
    """Where a click on a cell leads."""
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Queries side by side, one line for each set of labels that they have in common."""

    title: str
    meaning: str
    queries: tuple[Query, ...]
    columns: tuple[Column, ...]
    """From left to right; what is not named here is not shown."""
    sort_by: str
    """The title of a column, largest first."""
    width: int = 24
    height: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap:
    """A histogram over time."""

    title: str
    meaning: str
    query: Query
    unit: Unit
    width: int = 24
    height: int = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Markdown."""

    title: str
    content: str
    width: int = 24
    height: int = 6


Panel = Chart | Table | Heatmap | Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under one heading, from left to right, as many in a line as there is room for."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A field at the top in which values of a label are chosen; all of them at first."""

    name: str
    label: str
    metric: str
    """Whose values of the label are offered."""
    of: str
    """The label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    description: str
    choices: tuple[Choice, ...]
    rows: tuple[Row, ...]
