"""
Draw the charts: Altair says once what each kind looks like, vl-convert makes an SVG of it and the rows.

A chart's shape is built once in a process (Altair takes longer to build and check one than
vl-convert to draw it); after that only the rows change. Everything that differs between two
charts is in the rows: also the ends and the marks of the axes. No text from a run is in a
shape, so none can become part of a Vega expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final, Literal

import altair as alt
import vl_convert
from markupsafe import Markup

from dam_obs.diagnose.page.figures import Axis, CostPlot, Histogram
from dam_obs.diagnose.page.svg import themed

WIDTH: Final = 430
HEIGHT: Final = 190
FONT_SIZE: Final = 12

INK: Final = "#010101"
GRID: Final = "#010102"
MODEL: Final = "#010103"
PAPER: Final = "#010104"
SUCCESS: Final = "#010111"
BLOCKED: Final = "#010112"
ERROR: Final = "#010113"
OTHER: Final = "#010114"

COLOURS: Final = {
    INK: "--ink-soft",
    GRID: "--line",
    MODEL: "--ink",
    PAPER: "--paper",
    SUCCESS: "--success",
    BLOCKED: "--blocked",
    ERROR: "--error",
    OTHER: "--ink-soft",
}
"""Stand-in to the custom property of ``page.css``."""


@dataclass(frozen=True, slots=True)
class Sign:
    """How an execution of one status is drawn."""

    colour: str
    sign: str
    """An SVG path."""
    weight: float
    """Width of its stroke."""


MARKS: Final = {
    "success": Sign(SUCCESS, "M0,0h.01", 4.5),
    "blocked": Sign(BLOCKED, "M-1,-.7h2M-1,.7h2", 1.6),
    "error": Sign(ERROR, "M-1,-1L1,1M-1,1L1,-1", 1.6),
}
"""By status; colour and sign say the same, so that neither is needed alone: a dot, two bars, a cross."""

_OTHER_MARK: Final = Sign(OTHER, "M0,-1L1,1L-1,1Z", 1.2)

Scale = Literal["log", "linear"]


def draw_histogram(rows: Histogram, title: str) -> Markup:
    """Draw how long executions took, with the quantiles as rules."""
    lanes = {f"lane_{place}": [_aligned(asdict(mark), rows.x)] for place, mark in enumerate(rows.quantiles)}
    return _draw(
        _histogram_shape(),
        {"bars": [{**asdict(bar), "colour": _mark(bar.status).colour} for bar in rows.bars], **lanes},
        (rows.x, rows.y),
        title,
    )


def draw_cost(rows: CostPlot, title: str) -> Markup:
    """Draw executions against a feature, with the cost model's line at the median and at its quantile."""
    dots = [{"x": dot.x, "y": dot.y, **asdict(_mark(dot.status))} for dot in rows.dots]
    curve = _inside([asdict(point) for point in rows.curve], rows.y)
    return _draw(
        _cost_shape("log" if rows.x.log else "linear", "log" if rows.y.log else "linear"),
        {
            "dots": dots,
            "curve": curve,
            "upper": [] if rows.has_many_lines else curve,
            "curve_labels": [asdict(label) for label in rows.labels],
        },
        (rows.x, rows.y),
        title,
    )


def _draw(shape: dict[str, Any], rows: dict[str, Any], axes: tuple[Axis, Axis], title: str) -> Markup:
    x, y = axes
    chart = {
        **shape,
        "datasets": {
            **rows,
            "x_ticks": [asdict(tick) for tick in x.ticks],
            "y_ticks": [asdict(tick) for tick in y.ticks],
            "corners": [{"x": x.low, "y": y.low}, {"x": x.high, "y": y.high}],
        },
    }
    return themed(vl_convert.vegalite_to_svg(chart), COLOURS, title=title)


@cache
def _histogram_shape() -> dict[str, Any]:
    x, y = _position("log"), _position("linear")
    bars = (
        _layer("bars")
        .mark_rect(strokeWidth=1, stroke=PAPER, aria=False)
        .encode(
            x=alt.X("left:Q", **x),
            x2="right:Q",
            y=alt.Y("bottom:Q", **y),
            y2="top:Q",
            fill=alt.Fill("colour:N", scale=None),
        )
    )
    rules, labels = zip(*(_quantile(lane, x) for lane in range(3)), strict=True)
    return _shape([*_axes(x, y), bars, *rules, *labels], above=44)


def _quantile(lane: int, x: dict[str, Any]) -> tuple[alt.Chart, alt.Chart]:
    """Mark one quantile by a rule and a label; each has its own lane above the bars, so no two labels meet."""
    above = -8 - 15 * lane
    at = alt.X("at:Q", **x)
    rule = _layer(f"lane_{lane}").mark_rule(stroke=MODEL, strokeDash=[3, 2], aria=False)
    text = _layer(f"lane_{lane}").mark_text(
        fill=MODEL, fontSize=FONT_SIZE, baseline="middle", align=alt.ExprRef("datum.align"), dx=alt.ExprRef("datum.dx")
    )
    return (
        rule.encode(x=at, y=alt.value(above), y2=alt.value(HEIGHT)),
        text.encode(x=at, y=alt.value(above), text="label:N"),
    )


@cache
def _cost_shape(x_scale: Scale, y_scale: Scale) -> dict[str, Any]:
    x, y = _position(x_scale), _position(y_scale)
    at = alt.X("x:Q", **x)
    dots = (
        _layer("dots")
        .mark_point(size=16, strokeCap="round", strokeWidth=alt.ExprRef("datum.weight"))
        .encode(
            x=at,
            y=alt.Y("y:Q", **y),
            stroke=alt.Stroke("colour:N", scale=None),
            shape=alt.Shape("sign:N", scale=None),
            opacity=alt.value(0.6),
        )
    )
    curve = _layer("curve").encode(x=at, detail="curve:N")
    above = _layer("upper").encode(x=at, detail="curve:N")
    middle = curve.mark_line(stroke=MODEL, strokeWidth=1.4).encode(y=alt.Y("median:Q", **y))
    band = above.mark_area(fill=MODEL, opacity=0.08).encode(y=alt.Y("median:Q", **y), y2="quantile:Q")
    upper = above.mark_line(stroke=MODEL, strokeWidth=1.2, strokeDash=[4, 3]).encode(y=alt.Y("quantile:Q", **y))
    names = (
        _layer("curve_labels")
        .mark_text(fill=MODEL, fontSize=FONT_SIZE, align=alt.ExprRef("datum.align"), baseline="bottom", dy=-2)
        .encode(x=at, y=alt.Y("y:Q", **y), text="label:N")
    )
    return _shape([*_axes(x, y), band, upper, middle, dots, names], above=10)


def _axes(x: dict[str, Any], y: dict[str, Any]) -> list[alt.Chart]:
    """Draw grid and labels from rows, and let two unseen corners set the ends of both scales."""
    ends = _layer("corners").mark_point(opacity=0, size=0).encode(x=alt.X("x:Q", **x), y=alt.Y("y:Q", **y))
    column, row = alt.X("at:Q", **x), alt.Y("at:Q", **y)
    label: dict[str, Any] = {"fill": INK, "fontSize": FONT_SIZE}
    return [
        ends,
        _layer("x_ticks").mark_rule(stroke=GRID).encode(x=column, y=alt.value(0), y2=alt.value(HEIGHT)),
        _layer("y_ticks").mark_rule(stroke=GRID).encode(y=row, x=alt.value(0), x2=alt.value(WIDTH)),
        _layer("x_ticks").mark_text(baseline="top", **label).encode(x=column, y=alt.value(HEIGHT + 8), text="label:N"),
        _layer("y_ticks")
        .mark_text(align="right", baseline="middle", **label)
        .encode(y=row, x=alt.value(-8), text="label:N"),
    ]


def _layer(rows: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name=rows))


def _position(scale: Scale) -> dict[str, Any]:
    return {"axis": None, "scale": alt.Scale(type=scale, nice=False, zero=False)}


def _shape(layers: Sequence[alt.LayerChart | alt.Chart], above: int) -> dict[str, Any]:
    """Lay `layers` over each other; margins are fixed, so that charts side by side have one scale."""
    room = {"left": 62, "right": 14, "top": above, "bottom": 26}
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, padding=room, autosize="none")
    shape: dict[str, Any] = (
        chart.configure(background="transparent", font="sans-serif").configure_view(stroke=None).to_dict()
    )
    return shape


def _mark(status: str) -> Sign:
    return MARKS.get(status, _OTHER_MARK)


def _aligned(mark: dict[str, Any], x: Axis) -> dict[str, Any]:
    """Set a label on the side of its rule where there is room."""
    beyond_middle = mark["at"] > (x.low * x.high) ** 0.5
    return {**mark, "align": "right" if beyond_middle else "left", "dx": -5 if beyond_middle else 5}


def _inside(curve: list[dict[str, Any]], y: Axis) -> list[dict[str, Any]]:
    """Leave out of a model's line what lies beyond the scale, and keep its band within."""
    return [
        {**point, "quantile": min(point["quantile"], y.high)} for point in curve if y.low <= point["median"] <= y.high
    ]
