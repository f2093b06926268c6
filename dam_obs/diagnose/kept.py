"""
Executions of a system that are kept whole, beyond their numbers: all of them, or so many drawn by chance.

Handles and features are Python objects, a few hundred bytes for each execution. A run of an hour has millions, and
neither a law nor a picture becomes better by more than some thousand. Each execution has the same chance to
be among them, and the same events give the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final, NamedTuple

from dam_obs.trace.events import Scalar

MOST_KEPT: Final = 20_000
"""As many as a cost model is fitted to; some 10 MB."""

_SEED: Final = 20260113


class KeptExecution(NamedTuple):
    """What is kept of an execution."""

    chance: float
    row: int
    """Its place in the columns of its system."""
    handle: str
    features: Mapping[str, Scalar]


class Kept:
    """Some executions of one system."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._random = Random(_SEED)  # noqa: S311 - a sample, not a secret
        self._below = 1.0
        """Only with a lower number an execution is kept: as many as there is room for have one."""
        self._found: list[KeptExecution] = []

    def add(self, row: int, handle: str, features: Mapping[str, Scalar]) -> None:
        """Keep an execution, or not."""
        chance = self._random.random()
        if chance >= self._below:
            return
        self._found.append(KeptExecution(chance, row, handle, features))
        if len(self._found) >= 2 * self._most:
            self._cut()

    def executions(self) -> list[KeptExecution]:
        """Return what is kept, in the order in which it came."""
        if len(self._found) > self._most:
            self._cut()
        return self._found

    def _cut(self) -> None:
        self._found.sort()
        self._below = self._found[self._most].chance
        del self._found[self._most :]
        self._found.sort(key=lambda one: one.row)
