"""
Which functions and stacks of a system took more or less time an execution, in two runs.

The time in a function is how often it was seen on the stack times the sampling period, so runs that were
sampled at other rates compare; `sampled` says how it is spread over executions, which makes its
interval. A function may have a larger share of the samples because others have fewer: its time
an execution is its own. What was seen a few times only is not looked at: such a change says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dam_obs.diagnose.compare.figure import Figure, of_means
from dam_obs.diagnose.compare.sampled import Place, Seen, Stack, SystemStacks

FEWEST_SAMPLES: Final = 10
"""Of both runs together, for a function or stack to be compared."""

KEPT: Final = 20
"""Functions, and stacks, of a system that are kept: those whose time changed most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlace:
    """A function, and the end of its file."""

    function: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChange:
    """A function, or a whole stack, in two runs."""

    frames: tuple[StackPlace, ...]
    """Outermost first; of a function that one alone."""
    samples_before: int
    samples_after: int
    figure: Figure
    """Nanoseconds an execution."""


def functions(before: SystemStacks, after: SystemStacks, level: float, scale: float) -> list[StackChange]:
    """
    Compare functions: the time in which one was on the stack.

    Args:
        before: The samples of a system in one run.
        after: Those in the other.
        level: Of the intervals.
        scale: The mean time of an execution, in nanoseconds.
    """
    seen: tuple[Mapping[Stack, Seen], Mapping[Stack, Seen]] = (
        {(each,): count for each, count in before.places.items()},
        {(each,): count for each, count in after.places.items()},
    )
    return _changes(seen, before, after, level, scale)


def whole_stacks(before: SystemStacks, after: SystemStacks, level: float, scale: float) -> list[StackChange]:
    """Compare whole stacks: the time in which one was the very stack."""
    return _changes((before.stacks, after.stacks), before, after, level, scale)


def _changes(
    seen: tuple[Mapping[Stack, Seen], Mapping[Stack, Seen]],
    before: SystemStacks,
    after: SystemStacks,
    level: float,
    scale: float,
) -> list[StackChange]:
    found = []
    for stack in sorted(seen[0].keys() | seen[1].keys()):
        first, second = seen[0].get(stack, Seen()), seen[1].get(stack, Seen())
        if stack and first.samples + second.samples >= FEWEST_SAMPLES:
            found.append(
                StackChange(
                    frames=tuple(StackPlace(function=function, file=file) for function, file in stack),
                    samples_before=first.samples,
                    samples_after=second.samples,
                    figure=_figure(_name(stack), (first, before), (second, after), level, scale),
                )
            )
    return found


def _name(stack: tuple[Place, ...]) -> str:
    return stack[-1][0]


def _figure(
    name: str, before: tuple[Seen, SystemStacks], after: tuple[Seen, SystemStacks], level: float, scale: float
) -> Figure:
    return of_means(name, "ns", before[1].moments(before[0]), after[1].moments(after[0]), level, scale)


def most_changed(changes: list[StackChange]) -> tuple[StackChange, ...]:
    """Keep those that changed most, the sure ones before the others."""

    def rank(change: StackChange) -> tuple[bool, float, int, tuple[tuple[str, str], ...]]:
        frames = tuple((frame.function, frame.file) for frame in change.frames)
        return not change.figure.changed, -abs(change.figure.change or 0.0), -len(frames), frames

    return tuple(sorted(changes, key=rank)[:KEPT])


def differential(before: Mapping[str, SystemStacks], after: Mapping[str, SystemStacks]) -> dict[Stack, tuple[int, int]]:
    """Return every stack below its system with how often it was seen in either run."""
    found: defaultdict[Stack, list[int]] = defaultdict(lambda: [0, 0])
    for side, systems in enumerate((before, after)):
        for name, system in systems.items():
            for stack, seen in system.stacks.items():
                found[((name, ""), *stack)][side] += seen.samples
    return {stack: (counts[0], counts[1]) for stack, counts in found.items()}
