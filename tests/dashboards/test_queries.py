"""Queries name figures that the pipeline makes, and labels that those have."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import pytest

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\[[^\]]*\]|\$\w+|[a-zA-Z_:][a-zA-Z0-9_:]*|\d[\w.]*|[^\s]')
_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = {"or", "and", "unless", "bool", "offset"}


@dataclass(frozen=True)
class Words:
    """What an expression names."""

    selected: dict[str, set[str]]
    """Metrics, with the labels in their braces."""
    grouped: set[str]
    """Labels by which something is summed or matched."""


def words(expr: str) -> Words:
    """Take an expression apart."""
    tokens = _TOKEN.findall(expr)
    selected: dict[str, set[str]] = {}
    grouped: set[str] = set()
    metric, at = "", 0
    while at < len(tokens):
        token, after = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else ""
        if token in _LISTS and after == "(":
            end = tokens.index(")", at)
            grouped |= {each for each in tokens[at + 2 : end] if each != ","}
            at = end
        elif token == "{":
            end = tokens.index("}", at)
            inside = tokens[at + 1 : end]
            selected[metric] |= {
                name for name, sign in itertools.pairwise(inside) if sign in "=!" and re.match(r"[a-z_]", name)
            }
            at = end
        elif re.match(r"[a-zA-Z_:]", token) and after not in ("(", *_LISTS) and token not in _WORDS:
            metric = token
            selected.setdefault(metric, set())
        at += 1
    return Words(selected, grouped)


def panels(page):
    return [each for each in page["panels"] if each["type"] not in ("row", "text")]


def expressions(page):
    """Every expression of a page, where it stands, with the legend and the values of variables that it asks for."""
    for panel in panels(page):
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for variable in page["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
            yield f"${variable['name']}", f"count by ({label}) ({metric})"


@pytest.mark.parametrize(
    ("expr", "selected", "grouped"),
    [
        ("up", {"up": set()}, set()),
        ('rate(a_total{x="1", y=~"b{2}"}[$__range])', {"a_total": {"x", "y"}}, set()),
        (
            "sum by (le, z) (a) / on (z) group_left (w) (b > 0) or 0 * c",
            {"a": set(), "b": set(), "c": set()},
            {"le", "z", "w"},
        ),
        ('a{x!="1"} unless a offset 5m', {"a": {"x"}}, set()),
        ("a unless a offset $__range", {"a": set()}, set()),
        ("histogram_quantile(0.95, a_bucket)", {"a_bucket": set()}, set()),
    ],
)
def test_expressions_are_taken_apart(expr, selected, grouped):
    """The tests below see what an expression names."""
    assert words(expr) == Words(selected, grouped)


def test_every_metric_is_one_that_the_pipeline_makes(dashboard, figures):
    """A panel for a metric that nothing emits would be empty for ever."""
    for place, expr in expressions(dashboard):
        named = words(expr).selected
        assert named, place
        assert named.keys() <= figures.keys(), place


def test_every_label_is_one_that_its_metric_has(dashboard, figures):
    """A label that a metric has not makes a test that nothing passes, or groups by nothing."""
    for place, expr in expressions(dashboard):
        found = words(expr)
        for metric, labels in found.selected.items():
            assert labels <= figures[metric], f"{place}: {metric}"
            assert found.grouped <= figures[metric], f"{place}: {metric}"


def test_legends_name_labels_that_are_left(dashboard):
    """What is summed away cannot be shown."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
            assert named <= words(target["expr"]).grouped, panel["title"]


def test_lines_of_a_panel_can_be_told_apart(dashboard):
    """What an expression is grouped by stands in its legend or in its table; `le` is the axis of a heatmap."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            left = words(target["expr"]).grouped - {"le"}
            if panel["type"] == "table":
                shown = next(each["options"] for each in panel["transformations"] if each["id"] == "organize")
                assert left <= shown["includeByName"].keys(), panel["title"]
            else:
                assert left == set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))) - {"le"}, panel[
                    "title"
                ]


def test_columns_of_tables_are_filled(dashboard):
    """Each column is a label that the queries leave, or the values of one of them."""
    for panel in panels(dashboard):
        if panel["type"] != "table":
            continue
        values = {f"Value #{each['refId']}" for each in panel["targets"]}
        labels = set.intersection(*(words(each["expr"]).grouped - {"le"} for each in panel["targets"]))
        shown = next(each["options"] for each in panel["transformations"] if each["id"] == "organize")
        assert shown["includeByName"].keys() == values | labels, panel["title"]
