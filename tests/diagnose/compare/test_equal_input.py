"""Durations at equal input."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from dam_obs.diagnose.compare.equal_input import EqualInput, at_equal_input, with_verdicts
from dam_obs.diagnose.costs import fit_cost
from dam_obs.diagnose.report import DiagnosticReport, Point, SystemDiagnosis


@pytest.fixture
def made(report: DiagnosticReport) -> Any:
    """A maker of a system that takes some microseconds for each unit of size, of sizes in a range."""

    def make(seed: int, each_ns: float, low: int, high: int, **features: Any) -> SystemDiagnosis:
        dice = random.Random(seed)
        sizes = [dice.randint(low, high) for _ in range(150)]
        durations = [int(each_ns * size * dice.lognormvariate(0, 0.1)) for size in sizes]
        points = [
            Point(handle=f"sys_1_{n:04x}", duration_ns=ns, status="success", features={"size": size, **features})
            for n, (ns, size) in enumerate(zip(durations, sizes, strict=True))
        ]
        cost = fit_cost(np.array(durations, dtype=np.int64), [point.features for point in points])
        return report.systems[0].model_copy(update={"points": points, "cost": cost})

    return make


def judged(before: SystemDiagnosis, after: SystemDiagnosis) -> EqualInput:
    (found,) = with_verdicts([at_equal_input(before, after, 0.95)], 0.95)
    assert found is not None
    return found


def test_larger_input_is_no_slower_system(made: Any) -> None:
    """The same law over other sizes is the same, where both runs have some."""
    found = judged(made(1, 10_000, 10, 1_000), made(2, 10_000, 500, 5_000))

    assert found.verdict == "same"
    assert found.features[0].common is not None
    assert 500 <= found.features[0].common[0] <= found.features[0].common[1] <= 1_000
    assert found.executions[0] < found.of[0] == 150


def test_a_steeper_law_is_slower(made: Any) -> None:
    """By its factor, whatever the sizes were."""
    found = judged(made(1, 10_000, 10, 1_000), made(2, 15_000, 5, 700))

    assert found.verdict == "slower"
    assert found.time is not None
    assert found.time.low <= 1.5 <= found.time.high


def test_without_common_input_nothing_is_said(made: Any) -> None:
    """Not that it is the same."""
    found = judged(made(1, 10_000, 10, 1_000), made(2, 10_000, 2_000, 5_000))

    assert (found.verdict, found.time, found.executions) == ("no_overlap", None, (0, 0))
    assert found.features[0].common is None


def test_the_other_way_round_is_the_mirror(made: Any) -> None:
    """With the same executions, and the inverse ratio."""
    first, second = made(1, 10_000, 10, 1_000), made(2, 12_000, 200, 3_000)
    there, back = judged(first, second), judged(second, first)

    assert there.executions == back.executions[::-1]
    assert there.time is not None
    assert back.time is not None
    assert there.time.value == pytest.approx(1 / back.time.value)
    assert (there.verdict, back.verdict) == ("slower", "faster")


def test_without_a_law_there_is_no_equal_input(made: Any, report: DiagnosticReport) -> None:
    """A system whose cost no feature explains."""
    constant = next(system for system in report.systems if not system.cost.features)

    assert at_equal_input(constant, constant, 0.95) is None
