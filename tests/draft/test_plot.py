"""The picture of a cost model, and the table that says the same."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from dam_obs.diagnose.report import Point
from dam_obs.draft.plot import HEIGHT, WIDTH, plot
from dam_obs.draft.ranges import Range, range_table

MS = 1_000_000
SVG = "{http://www.w3.org/2000/svg}"


def points(*values, status="success", feature="size"):
    """Executions: the value of their feature, and their milliseconds."""
    return [
        Point(handle="", duration_ns=round(ms * MS), status=status, features={feature: value}) for value, ms in values
    ]


def circles(picture):
    return [
        (float(each.get("cx")), float(each.get("cy"))) for each in ElementTree.fromstring(picture).iter(f"{SVG}circle")
    ]


def model_path(picture):
    return [each.get("d") for each in ElementTree.fromstring(picture).iter(f"{SVG}path") if each.get("stroke-width")]


def test_each_success_is_a_dot_and_all_are_within(system):
    """Longer is higher, larger is further right."""
    seen = [*points((10, 4), (20, 8), (30, 6)), *points((99, 99), status="error")]
    dots = circles(plot(system(points=seen)))

    assert len(dots) == 3
    assert [x for x, _ in dots] == sorted(x for x, _ in dots)
    assert dots[0][1] > dots[2][1] > dots[1][1]
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in dots)


def test_a_model_goes_through_the_dots_that_it_describes_exactly(system, cost):
    """Line and dots have the same axes, and the line is at the quantile."""
    exact = cost(coefficients={"intercept": 1e6, "slope": 1e6}, quantile_factor=2.0)
    picture = plot(system(points=points((0, 2), (10, 22), (5, 12)), cost=exact))
    (path,) = model_path(picture)
    ends = re.findall(r"[\d.]+ [\d.]+", path)

    dots = circles(picture)
    assert [f"{x:.1f} {y:.1f}" for x, y in dots[:2]] == [ends[0], ends[-1]]


@pytest.mark.parametrize(
    ("family", "features", "values"),
    [
        ("constant", [], [3, 4, 5]),
        ("power", ["size"], [3, 4, 5]),
        ("nlogn", ["size"], [3, 400, 50_000]),
        ("linear", ["size", "count"], [3, 4, 5]),
        ("category", ["size"], ["a", "b", "a"]),
        ("category", ["size"], [True, False, True]),
    ],
)
def test_every_family_is_drawn(system, cost, family, features, values):
    """As a line, or as a dash for each execution where there is no one line."""
    numbers = dict.fromkeys(["intercept", "slope", "slope_2", "scale", "exponent", "exponent_2"], 1.0)
    model = cost(family=family, features=features, coefficients=numbers, categories={"a": 5e6, "True": 5e6})
    seen = [
        each.model_copy(update={"features": each.features | {"count": 2}})
        for each in points(*((value, 3 + place) for place, value in enumerate(values)))
    ]
    picture = plot(system(points=seen, cost=model))

    assert len(circles(picture)) == len(values)
    assert len(model_path(picture)) == 1


@pytest.mark.parametrize(
    "seen",
    [[], points((1, 1)), points((1, 1), (1, 2), feature="other"), points(([], 1), ([], 2)), points((1, 0), (2, 0))],
)
def test_without_anything_to_draw_there_is_no_picture(system, seen):
    """Nothing is better than an empty frame."""
    assert plot(system(points=seen)) is None


def test_a_model_that_cannot_be_computed_is_left_out(system, cost):
    """A report may hold anything."""
    for broken in (cost(coefficients={}), cost(coefficients={"intercept": 1e308, "slope": 1e308})):
        picture = plot(system(points=points((1, 1), (2, 2)), cost=broken))
        assert len(circles(picture)) == 2
        assert model_path(picture) == []


def test_the_table_says_what_the_picture_shows(system, cost):
    """Ranges of about as many executions each; how many took longer than the model said."""
    exact = cost(coefficients={"intercept": 0.0, "slope": 1e6}, quantile_factor=1.0)
    seen = points(*((size, size + size % 2) for size in range(1, 9)))
    table = range_table(system(points=seen, cost=exact))

    assert table.feature == "`size`"
    assert table.rows[0] == Range(values="1 to 2", executions="2", median="2 ms", model="1.5 ms", above="50%")
    assert [row.values for row in table.rows] == ["1 to 2", "3 to 4", "5 to 6", "7 to 8"]


def test_equal_numbers_are_in_one_row_and_categories_have_their_own(system, cost):
    """A feature of two values has two rows, one of one value no table."""
    two = range_table(system(points=points((1, 1), (1, 2), (1, 3), (1, 4), (2, 5))))
    one = range_table(system(points=points((1, 1), (1, 2))))
    named = range_table(system(points=points(("b|", 1), ("a", 2), ("b|", 3)), cost=cost(family="category")))

    assert [(row.values, row.executions) for row in two.rows] == [("1", "4"), ("2", "1")]
    assert one is None
    assert [(row.values, row.executions, row.model) for row in named.rows][:1] == [("`b¦`", "2", "4.34 ms")]
