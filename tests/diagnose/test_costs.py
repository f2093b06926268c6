from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dam_obs.diagnose.costs import MIN_EXECUTIONS, fit_cost, predict
from dam_obs.diagnose.report import CostModel

MS = 1_000_000
KINDS = {"text": 1.0, "zip": 4.0, "png": 9.0}


class Command(NamedTuple):
    size: int
    kind: str
    width: int
    urgent: bool


class Law(NamedTuple):
    family: str
    features: tuple[str, ...]
    cost: Callable[[Command], float]
    """In nanoseconds."""


LAWS = (
    Law("constant", (), lambda command: 5 * MS),
    Law("linear", ("size",), lambda command: 1 * MS + 3.0 * command.size),
    Law("nlogn", ("size",), lambda command: 30_000 + 0.2 * command.size * math.log2(1 + command.size)),
    Law("power", ("size",), lambda command: 10_000 * command.size**0.5),
    Law("power", ("size",), lambda command: 1e-3 * command.size**1.5),
    Law("category", ("kind",), lambda command: KINDS[command.kind] * MS),
    Law("category", ("urgent",), lambda command: (2 if command.urgent else 8) * MS),
    Law("category_linear", ("kind", "size"), lambda command: KINDS[command.kind] * MS + 2.0 * command.size),
    Law("category_slopes", ("kind", "size"), lambda command: 200_000 + KINDS[command.kind] * command.size),
    Law("linear", ("size", "width"), lambda command: 100_000 + command.size + 40_000.0 * command.width),
    Law("quadratic", ("width",), lambda command: 200_000 + 300.0 * command.width**2),
    Law("power", ("size", "width"), lambda command: 100.0 * command.size**0.5 * command.width**1.2),
)


def executions(
    law: Law, seed: int, count: int = 200, noise: float = 0.1, outliers: float = 0.05
) -> tuple[NDArray[np.int64], list[Command]]:
    """Play a law: durations with noise that multiplies, and some that took ten times as long."""
    chance = np.random.default_rng(seed)
    commands = [
        Command(
            size=int(np.exp(chance.uniform(np.log(1e3), np.log(1e7)))),
            kind=str(chance.choice(list(KINDS))),
            width=int(chance.integers(1, 200)),
            urgent=bool(chance.random() < 0.4),
        )
        for _ in range(count)
    ]
    durations = np.array([law.cost(command) for command in commands]) * np.exp(chance.normal(0, noise, count))
    durations[chance.random(count) < outliers] *= 10
    return durations.astype(np.int64), commands


def fit(durations: NDArray[np.int64], commands: list[Command]) -> CostModel:
    return fit_cost(durations, [command._asdict() for command in commands])


@cache
def fitted(law: Law, seed: int) -> CostModel:
    return fit(*executions(law, seed, count=300))


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.family}-{'-'.join(law.features)}")
class TestLaws:
    def test_the_law_is_found(self, law: Law, seed: int) -> None:
        """Family and features are named in spite of 10 % noise, 5 % outliers and features that do not matter."""
        model = fitted(law, seed)

        assert (model.family, model.features, model.warnings) == (law.family, list(law.features), [])

    def test_the_law_predicts(self, law: Law, seed: int) -> None:
        """New commands cost what the law says, within some per cent, and the stated error is about the true one."""
        model = fitted(law, seed)
        _, fresh = executions(law, seed + 1000)
        predicted = np.array([predict(model, command._asdict()) for command in fresh])
        true = np.array([law.cost(command) for command in fresh])

        assert np.median(np.abs(predicted / true - 1)) < 0.05
        assert model.held_out is not None
        assert model.held_out.mdape == pytest.approx(0.072, abs=0.025)  # of 10 % noise and 5 % outliers
        assert abs(model.held_out.bias) < 0.05

    def test_the_quantile_holds_for_new_executions(self, law: Law, seed: int) -> None:
        """About a tenth of executions never seen take longer than the quantile says, as is stated."""
        model = fitted(law, seed)
        durations, fresh = executions(law, seed + 1000, count=600)
        stated = np.array([predict(model, command._asdict()) for command in fresh]) * model.quantile_factor

        assert float(np.mean(durations > stated)) == pytest.approx(0.1, abs=0.06)
        assert model.held_out is not None
        assert model.held_out.under_rate == pytest.approx(0.1, abs=0.03)


class TestHonesty:
    @pytest.mark.parametrize("noise", [0.02, 0.1, 0.5, 1.0])
    @pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
    def test_noise_is_no_law(self, seed: int, noise: float) -> None:
        """A cost that no feature explains stays constant, however much it varies."""
        assert fit(*executions(LAWS[0], seed, noise=noise)).family == "constant"

    def test_a_cost_that_varies_without_a_reason_is_warned_of(self) -> None:
        """The error above the bound is stated in words."""
        model = fit(*executions(LAWS[0], 1, noise=1.5))

        assert model.family == "constant"
        (warning,) = model.warnings
        assert warning.startswith("executions differ by ")
        assert warning.endswith("from the typical one, and no feature says why")

    def test_a_law_that_misses_by_half_is_not_taken(self) -> None:
        """Better than the constant is not good enough to schedule by."""
        model = fit(*executions(LAWS[3], 1, count=400, noise=1.1, outliers=0))

        assert model.family == "constant"
        (warning,) = model.warnings
        assert "is the best law and misses by" in warning
        assert warning.endswith("more than 50%: the cost stays constant")

    @pytest.mark.parametrize(
        ("cost", "features"),
        [
            (lambda command: (1 if command.size < 100_000 else 9) * MS, {"size"}),
            (lambda command: 100_000 + 0.1 * command.size * command.width, {"size", "width"}),
            (lambda command: (2 if (command.kind == "png") == command.urgent else 12) * MS, {"kind", "urgent"}),
        ],
        ids=["threshold", "product", "only together"],
    )
    def test_a_law_of_no_family_is_never_a_confident_one(
        self, cost: Callable[[Command], float], features: set[str]
    ) -> None:
        """The nearest law misses, and is warned of, by the names of the features; so it is not drafted."""
        model = fit(*executions(Law("none", (), cost), 1, count=240))

        told = model.warnings[-1]
        assert told.endswith("in a way that no law tried says")
        assert features & set(told.replace(",", "").split())

    @pytest.mark.parametrize(("count", "quantile"), [(1, 1), (2, 2), (MIN_EXECUTIONS - 1, 18)])
    def test_too_few_executions_stay_constant(self, count: int, quantile: int) -> None:
        """The median is given, no error is claimed, and the warning says why."""
        durations = np.arange(1, count + 1, dtype=np.int64) * MS
        model = fit_cost(durations, [{"size": n} for n in range(count)])

        assert (model.family, model.coefficients) == ("constant", {"intercept": float(np.median(durations))})
        assert model.held_out is None
        assert model.warnings == [f"only {count} successful executions, less than 20: the cost stays constant"]
        assert predict(model, {}) == pytest.approx(float(np.median(durations)))
        assert model.quantile_factor * model.coefficients["intercept"] == quantile * MS

    def test_no_success_costs_nothing_and_says_so(self) -> None:
        """There is nothing to go by, and nothing raises."""
        model = fit_cost(np.array([], dtype=np.int64), [])

        assert (model.family, model.coefficients, model.quantile_factor) == ("constant", {"intercept": 0.0}, 1.0)
        assert model.warnings == ["no execution succeeded, less than 20: the cost stays constant"]

    @pytest.mark.parametrize("seed", range(4))
    def test_two_kinds_of_executions_are_no_law(self, seed: int) -> None:
        """No feature knows a hit from a miss: one that shifts the median from the one to the other explains nothing."""
        durations, commands = executions(LAWS[0], seed, count=200)
        slow = np.random.default_rng(seed + 100).random(200) < 0.38
        model = fit(np.where(slow, durations * 8, durations), commands)

        assert (model.family, len(model.warnings)) == ("constant", 1)
        assert model.warnings[0].startswith("executions ")

    def test_a_drift_is_no_law_of_what_counts_up(self) -> None:
        """An identifier follows any drift: it is refused, the cost stays constant, and both are told."""
        durations, commands = executions(LAWS[0], 1, count=200)
        starts = np.arange(200, dtype=np.int64) * 10 * MS
        drifting = (durations * np.linspace(1.0, 3.0, 200)).astype(np.int64)
        features = [command._asdict() | {"number": 7000 + at} for at, command in enumerate(commands)]

        model = fit_cost(drifting, features, starts)

        assert (model.family, model.features) == ("constant", [])
        assert len(model.warnings) == 1
        assert model.warnings[0].endswith(
            "; number went along with the time, so only a run with its values in mixed order tells which it was"
        )
        assert "number: went along with the time; mix the order of its values to see what it costs" in model.rejected

    def test_what_counts_up_does_not_hide_a_law(self) -> None:
        """A cost that follows another feature is found beside it, also when executions are not in order."""
        durations, commands = executions(LAWS[1], 1, count=200)
        order = np.random.default_rng(3).permutation(200)
        features = [command._asdict() | {"number": at} for command, at in zip(commands, order.tolist(), strict=True)]

        model = fit_cost(durations, features, order * MS)

        assert (model.family, model.features, model.warnings) == ("linear", ["size"], [])

    def test_why_a_feature_is_of_no_use_is_told(self) -> None:
        """Features that do not vary, are missing, mixed or too many are named with the reason."""
        durations, commands = executions(LAWS[0], 3, count=40)
        features: list[dict[str, Any]] = [
            {
                "page": 4096,
                "name": f"file {n}",
                "note": "x" * 100 if n % 2 else "y" * 100,
                "level": n if n % 2 else "high",
                "ratio": math.inf if n % 2 else 1.0,
                **({"rare": n} if n < 10 else {}),
            }
            for n in range(len(commands))
        ]

        assert fit_cost(durations, features).rejected == [
            "level: numbers and text mixed",
            "name: 40 different values, more than 12",
            "note: long text",
            "page: always 4096",
            "rare: only 10 of 40 executions have it",
            "ratio: not finite",
        ]

    def test_the_length_of_a_category_is_no_feature(self) -> None:
        """A text that is a category says more than its length does."""
        durations, commands = executions(LAWS[5], 5)
        kinds = {"text": "t", "zip": "zz", "png": "ppp"}
        features = [{"kind": kinds[one.kind], "len(kind)": len(kinds[one.kind])} for one in commands]

        model = fit_cost(durations, features)

        assert model.features == ["kind"]
        assert "len(kind): kind says it better" in model.rejected

    def test_laws_that_were_tried_are_told(self) -> None:
        """What else came close, by how much it missed, and what it lost to."""
        model = fit(*executions(LAWS[1], 1))

        assert model.family == "linear"
        assert len(model.rejected) == 5
        assert all(" in " in line or " by " in line for line in model.rejected)
        assert any(line.startswith("nlogn in size: off by ") and "linear in size" in line for line in model.rejected)

    def test_an_execution_without_the_feature_is_left_out(self) -> None:
        """One in a hundred that lacks its features does not end the fit."""
        durations, commands = executions(LAWS[1], 5)
        features: list[dict[str, Any]] = [command._asdict() for command in commands]
        features[7] = {}

        assert fit_cost(durations, features).features == ["size"]


class TestForm:
    def test_the_same_executions_give_the_same_model(self) -> None:
        """Chance is seeded, also where executions are drawn."""
        durations, commands = executions(LAWS[7], 1, count=3_000)

        assert fit(durations, commands) == fit(durations, commands)

    def test_the_range_is_that_of_the_numbers_used(self) -> None:
        """Beyond it the model says nothing."""
        durations, commands = executions(LAWS[7], 1)
        sizes = [command.size for command in commands]

        assert fit(durations, commands).valid_range == {"size": (min(sizes), max(sizes))}

    @pytest.mark.parametrize(
        ("law", "expression"),
        [
            (LAWS[0], "5"),
            (LAWS[1], "1 + 3e-06 * size"),
            (LAWS[2], "0.03 + 2e-07 * size * log2(1 + size)"),
            (LAWS[3], "0.01 * size ** 0.5"),
            (LAWS[5], "(png 9, zip 4, text 1, else 4 by kind)"),
            (
                LAWS[8],
                "(png 0.2 + 9e-06 * size, zip 0.2 + 4e-06 * size, text 0.2 + 1e-06 * size, else 0.2 + 5.11e-06 * size by kind)",  # noqa: E501
            ),
            (LAWS[9], "0.1 + 1e-06 * size + 0.04 * width"),
            (LAWS[10], "0.2 + 0.0003 * width ** 2"),
        ],
    )
    def test_the_expression_is_readable(self, law: Law, expression: str) -> None:
        """Milliseconds, three digits."""
        assert fit(*executions(law, 1, noise=1e-6, outliers=0)).expression == expression

    @pytest.mark.parametrize(
        ("law", "features", "cost"),
        [
            (LAWS[1], {"size": 1_000_000}, 4 * MS),
            (LAWS[3], {"size": 1_000_000}, 10 * MS),
            (LAWS[5], {"kind": "png"}, 9 * MS),
            (LAWS[6], {"urgent": True}, 2 * MS),
            (LAWS[7], {"kind": "zip", "size": 1_000_000}, 6 * MS),
            (LAWS[8], {"kind": "zip", "size": 1_000_000}, 4.2 * MS),
            (LAWS[10], {"width": 100}, 3.2 * MS),
        ],
    )
    def test_predict_reads_the_model(self, law: Law, features: dict[str, Any], cost: float) -> None:
        """The coefficients mean what the report says they mean."""
        model = fit(*executions(law, 1, noise=1e-6, outliers=0))

        assert predict(model, features) == pytest.approx(cost, rel=0.01)

    @pytest.mark.parametrize("features", [{}, {"size": "big"}, {"size": None}, {"size": math.nan}, {"size": 0}])
    def test_predict_says_nothing_without_its_feature(self, features: dict[str, Any]) -> None:
        """A power law has no value at zero, nor without a number."""
        model = fit(*executions(LAWS[3], 1))

        assert predict(model, features) is None

    def test_a_category_never_seen_costs_the_typical(self) -> None:
        """Something must be said, and it is the median of all."""
        durations, commands = executions(LAWS[5], 1)
        model = fit(durations, commands)

        assert predict(model, {"kind": "unheard of"}) == pytest.approx(float(np.median(durations)))

    @settings(max_examples=40, deadline=None)
    @given(
        data=st.lists(
            st.tuples(
                st.integers(0, 10**13),
                st.one_of(st.none(), st.integers(-(10**12), 10**12), st.floats(), st.text(max_size=5), st.booleans()),
                st.one_of(st.integers(0, 3), st.sampled_from(["a", "b"])),
            ),
            min_size=20,
            max_size=60,
        )
    )
    def test_nothing_a_host_records_breaks_it(self, data: list[tuple[int, Any, Any]]) -> None:
        """Whatever features and durations there are, a finite model comes out."""
        durations = np.array([row[0] for row in data], dtype=np.int64)
        starts = np.array([row[0] // 7 for row in data], dtype=np.int64)
        model = fit_cost(durations, [{"x": row[1], "y": row[2]} for row in data], starts)

        numbers = [model.quantile_factor, *model.coefficients.values(), *model.categories.values()]
        assert all(math.isfinite(number) for number in numbers)
        assert model.quantile_factor > 0
