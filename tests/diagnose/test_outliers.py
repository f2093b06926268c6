"""Five executions in a hundred that are far off, wherever they are, change neither the law nor its numbers by much."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from dam_obs.diagnose.costs import fit_cost, predict
from dam_obs.diagnose.report import CostModel

MS = 1_000_000
COUNT = 160
KINDS = {"text": 1.0, "zip": 4.0, "png": 9.0}


class Command(NamedTuple):
    size: int
    kind: str
    level: int


Cost = Callable[[Command], float]
LAWS: dict[str, Cost] = {
    "linear": lambda command: MS + 3.0 * command.size,
    "nlogn": lambda command: 30_000 + 0.2 * command.size * math.log2(1 + command.size),
    "power": lambda command: 10_000 * command.size**0.5,
    "category": lambda command: KINDS[command.kind] * MS,
    "category_linear": lambda command: KINDS[command.kind] * MS + 2.0 * command.size,
    "category_slopes": lambda command: 200_000 + KINDS[command.kind] * command.size,
    "constant": lambda command: 5.0 * MS,
}

Rows = NDArray[np.int64]
PLACES: dict[str, tuple[Callable[[list[Command], np.random.Generator], Rows], float]] = {
    "anywhere": (lambda commands, chance: chance.permutation(COUNT), 10.0),
    "much too short": (lambda commands, chance: chance.permutation(COUNT), 0.1),
    "a thousand times": (lambda commands, chance: chance.permutation(COUNT), 1000.0),
    "the smallest": (lambda commands, chance: np.argsort([command.size for command in commands]), 10.0),
    "one kind": (lambda commands, chance: np.flatnonzero([command.kind == "zip" for command in commands]), 10.0),
    "the first": (lambda commands, chance: np.arange(COUNT), 10.0),
}


@cache
def commands_of(seed: int) -> list[Command]:
    chance = np.random.default_rng(seed)
    return [
        Command(
            size=int(np.exp(chance.uniform(np.log(1e3), np.log(1e7)))),
            kind=str(chance.choice(list(KINDS))),
            level=int(chance.integers(1, 9)),
        )
        for _ in range(COUNT)
    ]


@cache
def fitted(name: str, place: str | None) -> CostModel:
    """Fit a law with noise of 10 % and, at `place`, one outlier in twenty."""
    commands, chance = commands_of(1), np.random.default_rng(2)
    cost = np.array([LAWS[name](command) for command in commands]) * np.exp(chance.normal(0, 0.1, COUNT))
    if place is not None:
        rows, times = PLACES[place]
        cost[rows(commands, chance)[: COUNT // 20]] *= times
    starts = np.arange(COUNT, dtype=np.int64) * MS
    return fit_cost(cost.astype(np.int64), [command._asdict() for command in commands], starts)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "name",
    [name if name == "linear" else pytest.param(name, marks=pytest.mark.slow) for name in LAWS],
)
def test_outliers_change_a_law_by_little(name: str, place: str) -> None:
    """Family, features and predictions stay, and nothing is warned of."""
    clean, spoilt = fitted(name, None), fitted(name, place)
    before, after = (
        np.array([predict(model, command._asdict()) for command in commands_of(3)]) for model in (clean, spoilt)
    )
    off = np.abs(after / before - 1)

    assert (clean.family, spoilt.family, spoilt.features) == (name, name, clean.features)
    assert (float(np.median(off)) < 0.03, float(off.max()) < 0.15, spoilt.warnings) == (True, True, [])
