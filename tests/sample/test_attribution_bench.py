"""The benchmark's programs in a reduced form: nothing goes to the wrong execution, on however busy a machine."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SAMPLED = ("tasks", "threads", "generators", "recursion", "short", "subprocesses", "forks", "pools")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("attribution_benchmark", BENCHMARKS / "attribution.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_all_scenarios_are_tried(benchmark: ModuleType) -> None:
    """One that is new is in this table, too."""
    assert benchmark.SAMPLED == SAMPLED


@pytest.mark.parametrize("scenario", SAMPLED)
def test_samples(benchmark: ModuleType, tmp_path: Path, scenario: str) -> None:
    """Each sample inside an execution is claimed, and by that one."""
    score = benchmark.measure(scenario, rate_hz=100, seconds=2, folder=tmp_path)

    assert score.absent is None
    assert (score.wrong, score.unclaimed) == (0, 0), score.examples
    assert score.right > 0


def test_waits(benchmark: ModuleType, tmp_path: Path) -> None:
    """No execution has a wait that is not its own, and those that have one have it."""
    score = benchmark.measure(benchmark.WAITS, rate_hz=50, seconds=4, folder=tmp_path)

    if score.absent is not None:
        pytest.skip(f"no off-CPU evidence here: {score.absent}")
    assert score.wrong == 0, score.examples
    assert score.right > score.unclaimed
