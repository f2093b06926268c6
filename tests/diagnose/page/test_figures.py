"""What is drawn is what was measured."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.page.figures import cost_plot, histogram, number
from dam_obs.diagnose.report import Point

MS = 1_000_000


def points(*durations_ms, status="success", **features):
    """Make executions; a feature given as a list has one value for each."""
    return [
        Point(
            handle=f"sys_1_{place:04x}",
            duration_ns=round(duration * MS),
            status=status,
            features={name: values[place] for name, values in features.items()},
        )
        for place, duration in enumerate(durations_ms)
    ]


class TestHistogram:
    @given(st.lists(st.integers(min_value=0, max_value=10**13), min_size=1, max_size=60))
    def test_counts_every_execution_once(self, durations):
        """No execution falls between two bars, or into both."""
        from dam_obs.diagnose.report import Quantiles

        ordered = sorted(durations)
        spread = dict.fromkeys(("p50_ns", "p90_ns", "p95_ns", "p99_ns"), ordered[len(ordered) // 2])
        latency = Quantiles(count=len(ordered), mean_ns=1.0, min_ns=ordered[0], max_ns=ordered[-1], **spread)
        all_points = [Point(handle="sys_1_0", duration_ns=one, status="success", features={}) for one in durations]

        rows = histogram(all_points, latency)

        assert sum(bar.top - bar.bottom for bar in rows.bars) == len(durations)

    def test_stacks_statuses(self, system):
        """Failures stand on the successes of the same duration, not before them."""
        mixed = points(1, 1, 1) + points(1, status="error")
        rows = histogram(mixed, system().latency)
        first = [bar for bar in rows.bars if bar.left == rows.bars[0].left]
        assert [(bar.status, bar.bottom, bar.top) for bar in first] == [("success", 0, 3), ("error", 3, 4)]

    def test_marks_quantiles_of_all_executions(self, system):
        """The rules are the report's quantiles, whatever part of the executions is drawn."""
        rows = histogram(points(3), system().latency)
        assert [mark.at for mark in rows.quantiles] == [4 * MS, 6 * MS, 6 * MS]

    def test_nothing_to_draw(self, system):
        """Without executions there is no chart."""
        assert histogram([], system().latency) is None


class TestCostPlot:
    def test_draws_the_model_through_the_executions(self, system, cost):
        """The line is what the model predicts, its quantile that times the factor."""
        law = cost(
            family="linear",
            features=["size"],
            coefficients={"intercept": 1.0 * MS, "slope": 2.0 * MS},
            quantile_factor=1.5,
        )
        rows = cost_plot(system(cost=law, points=points(3, 5, 7, size=[1, 2, 3])))

        assert rows.x_name == "size"
        assert (rows.curve[0].x, rows.curve[-1].x) == (1, 3)
        assert (rows.curve[0].median, rows.curve[-1].median) == pytest.approx((3 * MS, 7 * MS))
        assert rows.curve[-1].quantile == pytest.approx(10.5 * MS)
        assert [dot.y for dot in rows.dots] == [3 * MS, 5 * MS, 7 * MS]

    def test_constant_is_set_against_the_feature_that_says_most(self, system):
        """Of two features, the one whose order follows the durations is drawn."""
        rows = cost_plot(
            system(features=["noise", "size"], points=points(1, 2, 3, 4, noise=[5, 1, 6, 2], size=[10, 20, 30, 40]))
        )
        assert rows.x_name == "size"
        assert {point.median for point in rows.curve} == {4.0 * MS}

    def test_constant_without_features_is_set_over_the_run(self, system):
        """With nothing to set them against, executions stand in their order."""
        rows = cost_plot(system(features=[], points=points(1, 2, 3)))
        assert (rows.x_name, [dot.x for dot in rows.dots]) == ("", [1, 2, 3])

    def test_categories_stand_side_by_side(self, system, cost):
        """A model by category has one short line for each."""
        law = cost(
            family="category",
            features=["kind"],
            coefficients={"intercept": 1.0 * MS},
            categories={"a": 1.0 * MS, "b": 9.0 * MS},
        )
        rows = cost_plot(system(cost=law, features=["kind"], points=points(1, 9, 1, 9, kind=["a", "b", "a", "b"])))
        assert [tick.label for tick in rows.x.ticks] == ["a", "b"]
        assert [(round(point.x), point.median) for point in rows.curve] == [
            (0, 1.0 * MS),
            (0, 1.0 * MS),
            (1, 9.0 * MS),
            (1, 9.0 * MS),
        ]

    @pytest.mark.parametrize(
        ("family", "slopes"), [("category_linear", {}), ("category_slopes", {"a": 0.1 * MS, "b": 0.3 * MS})]
    )
    def test_category_and_number_have_a_named_line_for_each_category(self, system, cost, family, slopes):
        """Lines are named at the end where they are apart, and the names do not touch."""
        law = cost(
            family=family,
            features=["kind", "size"],
            coefficients={"intercept": 1.0 * MS, "slope": 0.1 * MS},
            categories={"a": 1.0 * MS, "b": 9.0 * MS},
            slopes=slopes,
        )
        rows = cost_plot(system(cost=law, points=points(2, 10, 3, 11, kind=["a", "b", "a", "b"], size=[1, 2, 3, 4])))
        assert {label.label for label in rows.labels} == {"a", "b"}
        assert len({point.curve for point in rows.curve}) == 2

    def test_second_feature_is_held_at_its_middle(self, system, cost):
        """A line over one of two features says at what the other was held."""
        law = cost(
            family="linear",
            features=["size", "depth"],
            coefficients={"intercept": 0.0, "slope": 1.0 * MS, "slope_2": 1.0 * MS},
        )
        rows = cost_plot(
            system(
                cost=law, features=["size", "depth"], points=points(2, 3, 4, 5, size=[1, 2, 3, 4], depth=[7, 1, 7, 7])
            )
        )
        assert rows.held == {"depth": "7"}

    def test_executions_without_the_feature_are_counted(self, system):
        """What is not drawn is said."""
        some = points(1, 2, 3, size=[1, 2, 3]) + points(4)
        assert cost_plot(system(points=some)).left_out == 1

    @pytest.mark.parametrize("size", [math.nan, math.inf, -math.inf, 10**400, True, None, "many", 0, -5, 1e-300, 2**63])
    def test_any_value_of_a_feature(self, system, size):
        """A value that cannot be drawn leaves its execution out, and the others in."""
        some = points(1, 2, 3, size=[1, 2, size])
        rows = cost_plot(system(points=some))
        assert len(rows.dots) == (3 if number(size) is not None else 2)
        assert rows.x.low < rows.x.high


def test_numbers_are_numbers():
    """Truth values are names, not numbers."""
    assert [number(value) for value in (1, 2.5, True, "3", None, 10**400)] == [1.0, 2.5, None, None, None, None]
