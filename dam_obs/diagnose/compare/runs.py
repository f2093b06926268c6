"""
Compare two runs: circumstances first, then system by system what changed and what it is made of.

Each part has its own module. Here they are put together, and all figures are judged at once, of whatever
kind they are: two runs that are alike have nothing that changed in all but one case of twenty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from dam_obs.diagnose.compare.circumstances import Difference, differences, doubts
from dam_obs.diagnose.compare.equal_input import EqualInput, at_equal_input, with_verdicts
from dam_obs.diagnose.compare.figure import Figure, judged
from dam_obs.diagnose.compare.parts import time_parts
from dam_obs.diagnose.compare.resources import bytes_moved, of_processes, pace, shares
from dam_obs.diagnose.compare.side import RunSide, Spread
from dam_obs.diagnose.compare.stacks import StackChange, functions, most_changed, whole_stacks
from dam_obs.store.populations import FEWEST_SPANS, Comparison, compare

_MANY: Final = 3
"""So many systems that all change one way say something about the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemChange:
    """One system in two runs."""

    name: str
    layer: str
    operation: str
    component: str
    time: Comparison
    """Durations by their medians, errors and blocked ones."""
    mean: Figure | None
    """Mean time of an execution; `None` where the system is in one run only, as all that follows."""
    parts: tuple[Figure, ...] = ()
    """What the change of the mean is made of."""
    bytes: tuple[Figure, ...] = ()
    shares: tuple[Figure, ...] = ()
    """Executions that met a peer, started a program, failed in some way."""
    pace: tuple[Figure, ...] = ()
    equal_input: EqualInput | None = None
    functions: tuple[StackChange, ...] = ()
    stacks: tuple[StackChange, ...] = ()

    @property
    def changed(self) -> bool:
        """Tell whether anything of it surely changed."""
        stacks = [each.figure for each in (*self.functions, *self.stacks)]
        figures = [*([self.mean] if self.mean else []), *self.parts, *self.bytes, *self.shares, *stacks]
        return self.time.changed or any(figure.changed for figure in figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """Two runs."""

    before: RunSide
    after: RunSide
    level: float
    differences: tuple[Difference, ...]
    """Circumstances that were not alike."""
    doubts: tuple[str, ...]
    """Why either run is to be trusted less, and what could not be compared."""
    whole: tuple[Figure, ...]
    """Of the runs as a whole; told, not judged."""
    systems: tuple[SystemChange, ...]
    """What changed most first."""


def compare_runs(before: RunSide, after: RunSide, *, level: float) -> RunComparison:
    """
    Compare two runs.

    Args:
        before: The run to compare with.
        after: The run that is compared.
        level: Of the intervals, such as 0.95. Of what is said to have changed a share of 1 - `level` is expected
            not to have.
    """
    times = compare(before.groups, after.groups, level=level)
    systems = [_system(time, before, after, level) for time in times]
    return RunComparison(
        before=before,
        after=after,
        level=level,
        differences=tuple(differences(before.report, after.report)),
        doubts=(*doubts(before.report, "before"), *doubts(after.report, "after"), *_limits(before, after, systems)),
        whole=of_processes(before.report, after.report),
        systems=tuple(_judged(systems, level)),
    )


def _system(time: Comparison, before: RunSide, after: RunSide, level: float) -> SystemChange:
    first, second = before.systems.get(time.name), after.systems.get(time.name)
    known = first or second
    plain = SystemChange(
        name=time.name,
        layer=known.layer if known else "",
        operation=known.operation if known else "",
        component=known.system if known else time.name,
        time=time,
        mean=None,
    )
    if first is None or second is None:
        return plain
    spreads = _spread(before, time.name), _spread(after, time.name)
    mean, parts = time_parts((first, spreads[0]), (second, spreads[1]), level)
    stacks = (before.stacks or {}).get(time.name), (after.stacks or {}).get(time.name)
    return replace(
        plain,
        mean=mean,
        parts=parts,
        bytes=bytes_moved((first, spreads[0]), (second, spreads[1]), level),
        shares=shares(first, second, level),
        pace=pace((first, before), (second, after)),
        equal_input=at_equal_input(first, second, level),
        functions=tuple(functions(stacks[0], stacks[1], level, mean.scale)) if stacks[0] and stacks[1] else (),
        stacks=tuple(whole_stacks(stacks[0], stacks[1], level, mean.scale)) if stacks[0] and stacks[1] else (),
    )


def _spread(side: RunSide, name: str) -> Spread | None:
    return None if side.spreads is None else side.spreads.get(name)


def _judged(systems: list[SystemChange], level: float) -> list[SystemChange]:
    """Give verdicts to all figures at once, and keep of stacks those that changed most."""
    equal = with_verdicts([one.equal_input for one in systems], level)
    systems = [replace(one, equal_input=found) for one, found in zip(systems, equal, strict=True)]
    figures = [[figure for kind in _kinds(one) for figure in kind] for one in systems]
    return [_with(one, iter(found)) for one, found in zip(systems, judged(figures, level), strict=True)]


def _kinds(one: SystemChange) -> Iterator[Iterable[Figure]]:
    """Yield the figures of a system, kind by kind, in the order in which `_with` takes them back."""
    yield () if one.mean is None else (one.mean,)
    yield one.parts
    yield one.bytes
    yield one.shares
    yield (each.figure for each in one.functions)
    yield (each.figure for each in one.stacks)


def _with(one: SystemChange, figures: Iterator[Figure]) -> SystemChange:
    return replace(
        one,
        mean=None if one.mean is None else next(figures),
        parts=tuple(islice(figures, len(one.parts))),
        bytes=tuple(islice(figures, len(one.bytes))),
        shares=tuple(islice(figures, len(one.shares))),
        functions=most_changed([replace(each, figure=next(figures)) for each in one.functions]),
        stacks=most_changed([replace(each, figure=next(figures)) for each in one.stacks]),
    )


def _limits(before: RunSide, after: RunSide, systems: list[SystemChange]) -> Iterator[str]:
    """Say what a comparison could not look at, and what should make one doubt the machine before the program."""
    alone = [which for side, which in ((before, "before"), (after, "after")) if side.spreads is None]
    if alone:
        yield (
            f"{_runs(alone)} a report alone: how sure parts of time and bytes are is not known, "
            "and how samples are spread over executions is a guess."
        )
    bare = [
        which
        for side, which in ((before, "before"), (after, "after"))
        if side.stacks is None and side.report.quality.verdict != "refuse"
    ]
    if bare:
        yield f"{_runs(bare)} no stack: functions are not compared."
    both = [one for one in systems if one.mean is not None]
    if not both:
        yield "The runs have no system in common: there is nothing to compare."
    elif all(one.time.time is None for one in both):
        yield f"Nothing can be said: no system has {FEWEST_SPANS} executions in both runs. Let them run longer."
    verdicts = {one.time.verdict for one in both}
    if len(both) >= _MANY and len(verdicts) == 1 and verdicts <= {"slower", "faster"}:
        yield f"All {len(both)} systems got {verdicts.pop()}: look at the machine and its load before the program."


def _runs(which: list[str]) -> str:
    return "Of both runs there is" if len(which) > 1 else f"Of the run {which[0]} there is"
