"""Cost models as Python source."""

from __future__ import annotations

import ast
import enum
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.columns import Columns
from dam_obs.diagnose.families import Fitted
from dam_obs.draft.as_draft import CLASS, as_draft
from dam_obs.draft.costs import cost_source
from dam_obs.draft.sandbox import DraftCode, ask
from dam_obs.draft.write import draft_source

LINEAR = {"intercept": 3_100_000.0, "slope": 2_100.0}


class Kind(enum.Enum):
    """A category of files."""

    ZIP = 1
    PNG = 2


def predict(source, **fields):
    """Run drafted source, which is made of our own numbers here, on a command with these fields."""
    scope = {"cmd": SimpleNamespace(**fields), "math": math, "Enum": enum.Enum}
    exec("\n".join(source.setup), scope)
    return eval(source.expression, scope)


@pytest.mark.parametrize(
    ("given", "expression"),
    [
        ({}, "max(1, round((3.1 + 0.0021 * cmd.size) * 1.4))"),
        ({"quantile_factor": 1.0}, "max(1, round(3.1 + 0.0021 * cmd.size))"),
        ({"coefficients": LINEAR | {"intercept": 0.0}}, "max(1, round(0.0021 * cmd.size * 1.4))"),
        ({"coefficients": LINEAR | {"slope": -2_100.0}}, "max(1, round((3.1 - 0.0021 * cmd.size) * 1.4))"),
        ({"features": ["len(entry)"]}, "max(1, round((3.1 + 0.0021 * len(cmd.entry)) * 1.4))"),
        ({"features": ["entry.size"]}, "max(1, round((3.1 + 0.0021 * cmd.entry.size) * 1.4))"),
        (
            {"features": ["size", "width"], "coefficients": LINEAR | {"slope_2": 70_000.0}},
            "max(1, round((3.1 + 0.0021 * cmd.size + 0.07 * cmd.width) * 1.4))",
        ),
        (
            {"family": "power", "coefficients": {"scale": 1_500.0, "exponent": 0.75}},
            "max(1, round(0.0015 * max(cmd.size, 1) ** 0.75 * 1.4))",
        ),
        (
            {"family": "nlogn", "coefficients": LINEAR},
            "max(1, round((3.1 + 0.0021 * max(cmd.size, 0) * math.log2(1 + max(cmd.size, 0))) * 1.4))",
        ),
        (
            {"family": "quadratic", "coefficients": LINEAR},
            "max(1, round((3.1 + 0.0021 * max(cmd.size, 0) ** 2) * 1.4))",
        ),
        (
            {
                "family": "category",
                "features": ["kind"],
                "coefficients": {"intercept": 2e6},
                "categories": {"ZIP": 5e6},
            },
            "max(1, round(category_ms.get(category, 2.0) * 1.4))",
        ),
        (
            {
                "family": "category_slopes",
                "features": ["kind", "size"],
                "coefficients": LINEAR,
                "categories": {"ZIP": 5e6},
                "slopes": {"ZIP": 1e3},
            },
            "max(1, round((category_ms.get(category, 3.1) + slope_ms.get(category, 0.0021) * cmd.size) * 1.4))",
        ),
        ({"family": "constant", "features": [], "coefficients": {"intercept": 3e6}}, "4"),
        ({"family": "constant", "features": [], "coefficients": {"intercept": 30.0}}, "1"),
        (
            {"coefficients": {"intercept": 3_123_456.7, "slope": 1.23456}},
            "max(1, round((3.123 + 1.235e-06 * cmd.size) * 1.4))",
        ),
    ],
)
def test_each_family_is_an_expression_in_milliseconds(system, cost, given, expression):
    """Digits as many as a prediction is good for; the quantile's factor stays in sight."""
    assert cost_source(system(cost=cost(**given))).expression == expression


LAWS = [
    Fitted("linear", ("size",), {"intercept": 3.1e6, "slope": 2_100.0}),
    Fitted("linear", ("size", "width"), {"intercept": 3.1e6, "slope": 2_100.0, "slope_2": 9e4}),
    Fitted("power", ("size",), {"scale": 1.5e4, "exponent": 0.8125}),
    Fitted("power", ("size", "width"), {"scale": 1.5e4, "exponent": 0.8125, "exponent_2": 0.5}),
    Fitted("nlogn", ("size",), {"intercept": 2e6, "slope": 31.0}),
    Fitted("quadratic", ("size",), {"intercept": 2e6, "slope": 0.031}),
    Fitted("category", ("kind",), {"intercept": 2e6}, {"ZIP": 3e8, "PNG": 4e7}),
    Fitted("category_linear", ("kind", "size"), {"intercept": 2e6, "slope": 55.0}, {"ZIP": 3e8, "PNG": 4e7}),
    Fitted(
        "category_slopes",
        ("kind", "size"),
        {"intercept": 2e6, "slope": 55.0},
        {"ZIP": 3e8, "PNG": 4e7},
        {"ZIP": 120.0, "PNG": -0.5},
    ),
    Fitted("constant", (), {"intercept": 2e7}),
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.family}-{len(law.features)}")
@given(size=st.integers(1, 10**9), width=st.integers(1, 10**4), kind=st.sampled_from([*Kind, "TXT"]))
def test_the_draft_predicts_what_the_model_predicts(system, cost, law, size, width, kind):
    """The diagnosis' own law and its draft say the same, up to the digits that are kept."""
    named = kind.name if isinstance(kind, Kind) else kind
    row = Columns(
        np.array([1.0]),
        {"size": np.array([float(size)]), "width": np.array([float(width)])},
        {"kind": np.array([named])},
    )
    expected_ms = float(law.predict(row)[0]) / 1e6 * 1.3

    model = cost(
        family=law.family,
        features=list(law.features),
        coefficients=law.coefficients,
        categories=law.categories,
        slopes=law.slopes,
        quantile_factor=1.3,
    )
    drafted = predict(cost_source(system(cost=model)), size=size, width=width, kind=kind)
    assert drafted == pytest.approx(max(1, expected_ms), rel=2e-3, abs=0.51)


def test_flags_are_categories_by_their_text(system, cost):
    """`True` and ``"True"`` are the same category, as in the trace."""
    model = cost(
        family="category", features=["deep"], coefficients={"intercept": 1e6}, categories={"True": 9e6, "False": 2e6}
    )
    source = cost_source(system(cost=model))

    assert source.setup == ("category = str(cmd.deep)", 'category_ms = {"False": 2.0, "True": 9.0}')
    assert not source.imports_enum
    assert [predict(source, deep=deep) for deep in (True, False, None)] == [13, 3, 1]


@pytest.mark.parametrize("size", [-(10**9), -1, 0, 1])
@pytest.mark.parametrize(
    ("family", "numbers"),
    [("linear", LINEAR), ("nlogn", LINEAR), ("quadratic", LINEAR), ("power", {"scale": 1.0, "exponent": -2.0})],
)
def test_a_prediction_is_at_least_one_millisecond(system, cost, family, numbers, size):
    """Whatever a command holds: 0 would say that nothing is known."""
    source = cost_source(system(cost=cost(family=family, coefficients=numbers)))

    assert predict(source, size=size) >= 1


@pytest.mark.parametrize(
    ("quantile", "milliseconds"), [(0.5, "18"), (0.9, "41"), (0.93, "52"), (0.95, "52"), (0.99, "80"), (0.999, "93")]
)
def test_a_model_with_warnings_is_the_latency_that_was_seen(system, cost, quantile, milliseconds):
    """At the stated quantile, or the next higher one that is known; and it says why."""
    source = cost_source(system(cost=cost(warnings=["only 9 executions"], quantile=quantile)))

    assert (source.expression, source.why_constant) == (milliseconds, ("only 9 executions",))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"features": ["pages of it"]}, "its feature is not a public field of the command"),
        ({"features": ["file_size(path)"]}, "a draft may not look at files"),
        ({"features": []}, "it has 0 features"),
        ({"features": ["a", "b", "c"]}, "it has 3 features"),
        ({"coefficients": {}}, "its coefficient slope is missing"),
        ({"coefficients": LINEAR | {"slope": float("nan")}}, "one of its numbers is not finite"),
        ({"coefficients": LINEAR | {"intercept": float("inf")}}, "one of its numbers is not finite"),
        ({"quantile_factor": 0.0}, "its quantile factor is not positive"),
        ({"quantile_factor": -1.0}, "its quantile factor is not positive"),
        ({"family": "category", "features": ["kind"]}, "it has 0 categories"),
        (
            {"family": "category", "features": ["kind"], "categories": {str(i): 1e6 for i in range(51)}},
            "it has 51 categories",
        ),
        ({"family": "category", "features": ["a", "b"], "categories": {"x": 1e6}}, "it has 2 features, not 1"),
        ({"family": "category_linear", "features": ["a"], "categories": {"x": 1e6}}, "it has 1 features, not 2"),
        (
            {"family": "category_slopes", "features": ["kind", "size"], "categories": {"x": 1e6}, "slopes": {"y": 1.0}},
            "its categories are not those of its slopes",
        ),
        ({"family": "category", "features": ["kind"], "categories": {"x" * 500: 1e6}}, "a str that is no plain"),
        ({"family": "constant", "features": [], "coefficients": {"intercept": 1e308}, "quantile_factor": 1e300}, ""),
    ],
)
def test_a_model_that_cannot_be_written_is_the_latency_that_was_seen(system, cost, given, why):
    """Never a repaired model: a constant, and the reason."""
    source = cost_source(system(cost=cost(**given)))

    assert source.expression == "41"
    assert len(source.why_constant) == 1
    assert why in source.why_constant[0]


def test_a_slope_for_each_category_is_drafted_read_back_and_asked(system, cost):
    """The whole way: checked as a draft, read from a source as what is declared, and run on recorded commands."""
    law = cost(
        family="category_slopes",
        features=["kind", "size"],
        coefficients={"intercept": 1e6, "slope": 2e6},
        categories={"ZIP": 2e6, "PNG": 5e6},
        slopes={"ZIP": 1e6, "PNG": 10e6},
        quantile_factor=1.0,
    )
    module = ast.parse(draft_source(system(cost=law), "run"))
    (owner,) = (node for node in module.body if isinstance(node, ast.ClassDef))
    declared = as_draft(module, owner.body[-1], is_method=True)

    kinds = ("ZIP", "PNG", "TXT")
    commands = [{"kind": kind, "size": size} for kind in kinds for size in (1, 100)]
    answers = ask(DraftCode(text=declared.draft, class_name=CLASS), commands).answers

    assert [answer.time_ms() for answer in answers] == [3, 102, 15, 1005, 3, 201]
