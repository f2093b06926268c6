"""Charts are small inline SVG in the colours of the page's theme."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from dam_obs.diagnose.page.charts import COLOURS, draw_cost, draw_histogram
from dam_obs.diagnose.page.figures import cost_plot, histogram
from dam_obs.diagnose.page.svg import themed
from dam_obs.diagnose.report import Point

EVIL = "</svg><script>alert(1)</script>\"'& \u202e"


def elements(drawing, tag):
    return ElementTree.fromstring(drawing).iter(tag)


def test_histogram_has_bars_and_labelled_quantiles(system):
    """All three quantiles are named, and the bars are in the colour of their status."""
    drawing = draw_histogram(histogram(system().points, system().latency), "title")
    said = [element.text for element in elements(drawing, "text")]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in said[-3:]] == ["p50 4 ms", "p95 6 ms", "p99 6 ms"]
    assert sum(path.get("fill") == "var(--success)" for path in elements(drawing, "path")) == 3


def test_every_status_has_its_own_sign(system):
    """Status can be told without colour: the drawn paths differ."""
    statuses = ("success", "error", "blocked", "unheard-of")
    points = [
        Point(handle="sys_1_0", duration_ns=1000 * (place + 1), status=status, features={})
        for place, status in enumerate(statuses)
    ]
    drawing = draw_cost(cost_plot(system(points=points, features=[])), "title")
    signs = {path.get("d") for path in elements(drawing, "path") if path.get("opacity") == "0.6"}
    assert len(signs) == 4


def test_no_stand_in_colour_is_left(system):
    """Each colour of a chart is one of the theme's."""
    for drawing in (
        draw_histogram(histogram(system().points, system().latency), "title"),
        draw_cost(cost_plot(system()), "title"),
    ):
        assert not [colour for colour in COLOURS if colour in drawing]
        used = {element.get(name) for element in elements(drawing, "*") for name in ("fill", "stroke")}
        assert all(colour.startswith("var(--") for colour in used - {None, "none", "transparent"})


@pytest.mark.parametrize("category", [EVIL, "x" * 10_000, "", "🧪", "\x00"])
def test_names_in_a_chart_are_text(system, category):
    """A category's name is drawn, whatever it looks like, and bounded."""
    points = [
        Point(handle="sys_1_0", duration_ns=1000 + place, status="success", features={"kind": kind})
        for place, kind in enumerate((category, "other"))
    ]
    drawing = draw_cost(cost_plot(system(points=points, features=["kind"])), category or "title")
    assert {element.tag for element in elements(drawing, "*")} <= {"svg", "g", "path", "line", "text"}
    assert all(len(element.text or "") < 40 for element in elements(drawing, "text"))


def test_title_is_for_those_who_do_not_see_the_chart(system):
    """A chart is an image with a name."""
    root = ElementTree.fromstring(draw_cost(cost_plot(system()), 'A "title" <here>'))
    assert (root.get("role"), root.get("aria-label")) == ("img", 'A "title" <here>')


def test_only_known_elements_and_attributes_pass():
    """Whatever an SVG could do beside drawing is left out."""
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" onload="x()" style="a:b">'
        '<script>x()</script><g id="g"><path d="M0,0.123456h1" fill="#010101" onclick="x()"/>'
        '<image href="http://example.org"/></g><foreignObject/></svg>'
    )
    assert themed(drawing, {"#010101": "--ink"}, title="t") == (
        '<svg viewBox="0 0 1 1" class="chart" role="img" aria-label="t">'
        '<g><path d="M0,0.1h1" fill="var(--ink)" /></g></svg>'
    )


def test_text_that_looks_like_a_colour_stays_text():
    """Only attributes are replaced, not what a name says."""
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><text fill="#010101">fill="#010101"</text></svg>'
    assert '<text fill="var(--ink)">fill="#010101"</text>' in themed(drawing, {"#010101": "--ink"}, title="t")
