from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.columns import Columns, Floats
from dam_obs.diagnose.unexplained import unexplained

COUNT = 300


def bell(spread: float, seed: int = 1) -> Floats:
    """Return costs around a millisecond, with noise that multiplies."""
    drawn: Floats = 1e6 * np.exp(np.random.default_rng(seed).normal(0, spread, COUNT))
    return drawn


def lumps(share: float, times: float) -> Floats:
    """Return costs of which a share is so many times the rest, in no order."""
    slow = np.random.default_rng(2).permutation(COUNT) < share * COUNT
    return np.where(slow, bell(0.1) * times, bell(0.1))


def over_time(cost: Floats, like_time: tuple[str, ...] = ()) -> Columns:
    return Columns(cost, started=np.arange(COUNT, dtype=np.float64), like_time=list(like_time))


@pytest.mark.parametrize(
    "cost",
    [
        pytest.param(bell(0.0), id="always the same"),
        pytest.param(bell(0.1), id="a little noise"),
        pytest.param(bell(0.4), id="noise"),
        pytest.param(lumps(0.05, 10.0), id="outliers"),
        pytest.param(lumps(0.4, 1.3), id="two kinds close together"),
        pytest.param(1e6 * np.linspace(1.0, 2.0, COUNT)[np.random.default_rng(4).permutation(COUNT)], id="even"),
        pytest.param(bell(0.1) * np.linspace(1.0, 1.3, COUNT), id="a small drift"),
    ],
)
def test_what_is_fair_to_call_constant_is_left_alone(cost: Floats) -> None:
    """Noise, single outliers and small differences are no reason to warn of anything."""
    assert unexplained(over_time(cost)) == []


@pytest.mark.parametrize(("share", "times"), [(0.15, 6.0), (0.4, 2.0), (0.5, 8.0), (0.65, 9.0)])
def test_two_kinds_are_told_apart(share: float, times: float) -> None:
    """How many are of the slower kind, and how much slower it is."""
    (said,) = unexplained(over_time(lumps(share, times)))

    before, after = f"executions are of two kinds, {share:.0%} of them take ", " times as long as the rest"
    assert said.startswith(before)
    assert said.endswith(f"{after}, and no feature says which")
    assert float(said.removeprefix(before).partition(after)[0]) == pytest.approx(times, rel=0.05)


def test_two_kinds_are_told_in_spite_of_outliers() -> None:
    """One in twenty-five that took a thousand times as long does not hide the two kinds."""
    cost = lumps(0.4, 5.0)
    cost[::25] *= 1000

    assert "of two kinds" in unexplained(over_time(cost))[0]


def test_a_long_tail_is_told() -> None:
    """Nothing to cut in two, and yet some take many times as long."""
    (said,) = unexplained(over_time(1e6 * (1 + np.random.default_rng(5).pareto(0.9, COUNT))))

    assert said.startswith("a tenth of executions take more than ")


@pytest.mark.parametrize(
    "steps", [np.linspace(1.0, 3.0, COUNT), np.linspace(3.0, 1.0, COUNT)], ids=["slower", "faster"]
)
def test_a_drift_is_told(steps: Floats) -> None:
    """Either way, once the order of starts is known; without it there is nothing to see."""
    (said,) = unexplained(over_time(bell(0.1) * steps))

    assert said.startswith("the last third of executions took ")
    assert said.endswith(" times as long as the first, and no feature says why")
    assert unexplained(Columns(bell(0.1) * steps)) == []


def test_a_drift_names_what_went_along_with_it() -> None:
    """A number that only grew with time may be the cause, and the remedy is said."""
    (said,) = unexplained(over_time(bell(0.1) * np.linspace(1.0, 3.0, COUNT), ("number",)))

    assert "; number went along with the time" in said


@given(costs=st.lists(st.floats(1, 1e15), min_size=1, max_size=60))
def test_any_costs_will_do(costs: list[float]) -> None:
    """Few or many, alike or not: at most one sentence."""
    cost = np.array(costs)

    assert len(unexplained(Columns(cost, started=np.arange(len(cost), dtype=np.float64)))) <= 1


def two_features(seed: int = 3) -> Columns:
    """Return executions whose cost no feature tells, with features."""
    chance = np.random.default_rng(seed)
    columns = Columns(bell(0.2))
    columns.numbers["size"] = chance.uniform(1, 100, COUNT)
    columns.categories["kind"] = chance.choice(["a", "b", "c"], COUNT)
    columns.categories["urgent"] = chance.choice(["False", "True"], COUNT)
    columns.aside["tenant"] = chance.choice([f"t{number}" for number in range(20)], COUNT)
    return columns


def slopes(columns: Columns) -> Floats:
    return np.where(columns.categories["kind"] == "a", 0.1, 1.0) * columns.numbers["size"]


def only_together(columns: Columns) -> Floats:
    differs = (columns.categories["kind"] == "a") == (columns.categories["urgent"] == "True")
    return np.where(differs, 1.0, 5.0)


@pytest.mark.parametrize(
    ("times", "names", "least"),
    [
        (lambda columns: np.where(columns.numbers["size"] > 50, 4.0, 1.0), "size", 3.5),
        (lambda columns: np.where(columns.categories["kind"] == "a", 4.0, 1.0), "kind", 3.5),
        (lambda columns: np.where(columns.aside["tenant"] < "t15", 4.0, 1.0), "tenant", 3.5),
        (slopes, "size and kind together", 5.0),
        (only_together, "kind and urgent together", 4.5),
    ],
    ids=["threshold", "category", "category of too many values", "slope by category", "two that matter together"],
)
@pytest.mark.parametrize("beside", [False, True], ids=["constant", "law"])
def test_what_features_still_tell_is_told(times, names: str, least: float, beside: bool) -> None:
    """Whatever the form: one feature or two, tried in laws or not, beside a constant and beside another law."""
    columns = two_features()
    law = columns.numbers["size"] ** 0.5
    columns.cost = columns.cost * times(columns) * (law if beside else 1.0)

    (said,) = unexplained(columns, 1e6 * law if beside else None)

    before, after = f"executions differ by {names}, up to ", " times, in a way that no law tried says"
    assert said.startswith("beside the law, " * beside + before)
    assert said.endswith(after)
    assert float(said.partition(before)[2].removesuffix(after)) > least


@pytest.mark.parametrize("seed", range(20))
def test_features_that_tell_nothing_are_left_alone(seed: int) -> None:
    """However many there are: one that looks a little like it is chance."""
    columns = two_features(seed)

    assert unexplained(columns) == unexplained(columns, np.full(COUNT, 1e6)) == []


@pytest.mark.parametrize(
    ("cost", "said"),
    [(lumps(0.4, 5.0), "executions are of two kinds"), (bell(0.1) * np.linspace(1, 3, COUNT), "the last third")],
    ids=["two kinds", "drift"],
)
def test_what_a_law_hides_is_told(cost: Floats, said: str) -> None:
    """Executions against what the law says of them, be it never so steep."""
    columns = two_features()
    law = columns.numbers["size"] ** 2
    columns = over_time(cost * law)

    (told,) = unexplained(columns, law * 1e6)
    assert told.startswith(f"beside the law, {said}")


def test_a_long_tail_beside_a_law_is_its_quantiles() -> None:
    """The factor says as much; it is no reason to draft a constant."""
    columns = Columns(1e6 * (1 + np.random.default_rng(5).pareto(1.2, COUNT)))

    assert unexplained(columns) != []
    assert unexplained(columns, np.full(COUNT, 1e6)) == []
