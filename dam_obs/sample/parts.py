"""
The profiles of a run's samplers, each folded as soon as its sampler has ended.

A long run has many of them. What they take together is bounded by the number of stacks in them: when
there are too many, equal stacks of an execution are put together wherever they stand, and if that is
not enough, every second look goes, in all parts alike. What went is counted.

Folding takes a while, so it has a thread of its own; its faults are told at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dam_obs.sample.folding import EverySecond, Part, fold, join, shrink
from dam_obs.sample.profile import BrokenProfile, ProfileSize, measure_profile
from dam_obs.trace.redact import Redactor

MOST_ROWS = 400_000
"""Stacks that are kept of one run, equal ones in a row counted once: some 50 MB."""

SHRUNK_TO = 0.75
"""Of `MOST_ROWS`, there may be so many after they have been shrunk; else it would have to be done for each part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What there is at the end."""

    size: ProfileSize
    """What was sampled; more than what was kept where looks were let go."""
    rows: int
    """0: there is nothing."""
    let_go: int
    """Looks that were let go to hold the bound."""
    broken: str | None
    """Why a profile could not be read, or kept."""
    broken_s: float
    """Time that the samplers of such profiles had sampled."""


class Parts:
    """Folds profiles, and holds them within the bound."""

    def __init__(self, folder: Path, redactor: Redactor, most_rows: int | None = None) -> None:
        """Keep parts in `folder`, private to us."""
        self._folder = folder
        self._redactor = redactor
        self._most_rows = MOST_ROWS if most_rows is None else most_rows
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="dam-obs-fold")
        self._parts: list[Part] = []
        self._count = 0
        self._halvings: list[EverySecond] = []
        self._stacks = self._ticks = self._process_ticks = self._let_go = 0
        self._broken: str | None = None
        self._broken_s = 0.0

    def add(self, raw: Path, *, each: int, seconds: float, native: bool = False, pid: int | None = None) -> None:
        """
        Take over what a sampler wrote, in the background.

        Args:
            raw: The file; it is gone afterwards.
            each: As many looks at the rate asked for as one of its looks stands for.
            seconds: How long the sampler sampled.
            native: Whether it has frames of native code.
            pid: The process, where only one was sampled.
        """
        fold_it = partial(fold, redactor=self._redactor, each=each, native=native, pid=pid)
        self._worker.submit(self._take, raw, seconds, fold_it)

    def close(self) -> Kept:
        """Wait until all is folded, and say what there is."""
        self._worker.shutdown(wait=True)
        return Kept(
            size=ProfileSize(stacks=self._stacks, ticks=self._ticks, process_ticks=self._process_ticks),
            rows=sum(part.rows for part in self._parts),
            let_go=self._let_go,
            broken=self._broken,
            broken_s=self._broken_s,
        )

    def write(self, target: Path) -> None:
        """
        Make one profile of all parts.

        Raises:
            BrokenProfile: one of them was tampered with.
        """
        join([part.path for part in self._parts if part.rows], target)

    # -- in the background

    def _take(self, raw: Path, seconds: float, fold_it: Callable[[Path, Path], Part]) -> None:
        self._count += 1
        try:
            size = measure_profile(raw)
            part = fold_it(raw, self._folder / f"part-{self._count:06d}.json")
            raw.unlink(missing_ok=True)
            for halving in self._halvings:
                part = self._shrunk(part, halving)
            self._parts.append(part)
            self._hold()
        except BrokenProfile as error:
            self._break(error.why, seconds)
            return
        except OSError as error:
            self._break(error.strerror or type(error).__name__, seconds)
            return
        self._stacks += size.stacks
        self._ticks += size.ticks
        self._process_ticks += size.process_ticks

    def _break(self, why: str, seconds: float) -> None:
        self._broken = why
        self._broken_s += seconds

    def _hold(self) -> None:
        """Shrink all parts if there are too many stacks in them."""
        if self._rows <= self._most_rows:
            return
        self._parts = [self._shrunk(part) for part in self._parts]
        while self._rows > self._most_rows * SHRUNK_TO:
            self._halvings.append(EverySecond())
            self._parts = [self._shrunk(part, self._halvings[-1]) for part in self._parts]

    @property
    def _rows(self) -> int:
        return sum(part.rows for part in self._parts)

    def _shrunk(self, part: Part, halve: EverySecond | None = None) -> Part:
        smaller = shrink(part, halve)
        self._let_go += part.seen - smaller.seen
        return smaller
