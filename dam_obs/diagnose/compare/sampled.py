"""
Stacks of one run's systems, ready to be compared: how often each function and each stack was seen.

Samples of one execution are not independent of each other: a single slow one may bring a
hundred. So where the run folder is at hand they are counted by execution, and their spread is
that of executions. Of a report alone it is guessed: as if they had come by chance, the more
to an execution the longer it took.

Two frames are the same if their functions and the last two parts of their files are: two
checkouts of a program lie in different folders, and lines move.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dam_obs.diagnose.export.errors import NoSamples
from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.diagnose.flame import DEEPEST
from dam_obs.diagnose.report import DiagnosticReport, FrameNode, SystemDiagnosis
from dam_obs.sample.samples import Frame
from dam_obs.store.means import Moments, moments_of_counts
from dam_obs.store.runs import RunFolder
from dam_obs.text import printable

_PARTS_OF_A_FILE: Final = 2

Place = tuple[str, str]
"""Function and the end of its file."""
Stack = tuple[Place, ...]
"""Outermost first."""


@dataclass(slots=True)
class Seen:
    """How often something was seen in samples of a system."""

    samples: int = 0
    squares: float = 0
    """Sum over executions of the square of how often it was seen in one."""


@dataclass(slots=True)
class SystemStacks:
    """The samples of one system."""

    executions: int
    period_ns: float
    """Between two samples."""
    samples: int = 0
    places: defaultdict[Place, Seen] = field(default_factory=lambda: defaultdict(Seen))
    """Functions, with how often they were on the stack, once a sample also where they call themselves."""
    stacks: defaultdict[Stack, Seen] = field(default_factory=lambda: defaultdict(Seen))

    def moments(self, seen: Seen) -> Moments:
        """Return the time an execution, in nanoseconds."""
        return moments_of_counts(self.executions, seen.samples, seen.squares).scaled(self.period_ns)


def place(function: str, file: str) -> Place:
    """Return what a frame is compared by; safe to print."""
    parts = file.replace("\\", "/").split("/")[-_PARTS_OF_A_FILE:]
    return printable(function), printable("/".join(parts))


def period_ns(report: DiagnosticReport) -> float | None:
    """
    Return the time that one sample stands for; `None` where nobody knows.

    Counts are in looks at the rate asked for once the rate changed, else in looks that really were.
    """
    quality = report.quality
    changed = len({span.rate_hz for span in quality.rates}) > 1
    rate = quality.rate_asked_hz if changed or not quality.rate_reached_hz else quality.rate_reached_hz
    return 1e9 / rate if rate and rate > 0 else None


# -- from a run folder


def stacks_of_run(
    run: RunFolder, report: DiagnosticReport, executions: Mapping[str, int]
) -> dict[str, SystemStacks] | None:
    """
    Count the samples of a run by system and execution.

    Args:
        run: Its folder.
        report: Made of it.
        executions: How many there were, by system.

    Returns:
        `None` where there are no samples, or none that may be used.
    """
    period = period_ns(report)
    if period is None:
        return None
    try:
        samples = RunSamples(run)
    except NoSamples:
        return None
    known = {printable(name): name for name in executions}
    found: dict[str, SystemStacks] = {}
    for (branch, _), stacks in _by_execution(samples):
        name = known.get(branch)
        if name is None:
            continue
        system = found.get(name)
        if system is None:
            system = found[name] = SystemStacks(executions[name], period)
        _add_execution(system, stacks)
    return found


def _by_execution(samples: RunSamples) -> Iterator[tuple[tuple[str, str], Counter[Stack]]]:
    """Yield system, execution and its stacks."""
    places: dict[tuple[Frame, ...], Stack] = {}
    numbers: dict[Stack, int] = {}
    counts: Counter[tuple[str, str, int]] = Counter()
    for _, thread in samples.threads():
        for sampled in thread:
            if sampled.span is None or sampled.system is None:
                continue
            stack = places.get(sampled.frames)
            if stack is None:
                frames = sampled.frames[:DEEPEST]
                stack = places[sampled.frames] = tuple(place(frame.function, frame.file) for frame in frames)
            number = numbers.setdefault(stack, len(numbers))
            counts[sampled.branch, sampled.span, number] += sampled.weight
    stacks = list(numbers)
    gathered: dict[tuple[str, str], Counter[Stack]] = {}
    for (branch, span, number), weight in counts.items():
        gathered.setdefault((branch, span), Counter())[stacks[number]] += weight
    yield from gathered.items()


def _add_execution(system: SystemStacks, stacks: Counter[Stack]) -> None:
    on_stack: Counter[Place] = Counter()
    for stack, weight in stacks.items():
        system.samples += weight
        _add(system.stacks[stack], weight)
        for each in set(stack):
            on_stack[each] += weight
    for each, weight in on_stack.items():
        _add(system.places[each], weight)


def _add(seen: Seen, weight: int) -> None:
    seen.samples += weight
    seen.squares += weight * weight


# -- from a report


def stacks_of_report(report: DiagnosticReport, systems: Mapping[str, SystemDiagnosis]) -> dict[str, SystemStacks]:
    """Count the samples in a report's flame graph; systems that share a component are joined there, and left out."""
    period = period_ns(report)
    if period is None or report.flame is None:
        return {}
    branches = {node.name: node for node in report.flame.children}
    shared = Counter(system.system for system in systems.values())
    found: dict[str, SystemStacks] = {}
    for name, system in systems.items():
        branch = branches.get(system.system)
        if branch is None or shared[system.system] > 1 or system.executions < 1:
            continue
        one = found[name] = SystemStacks(system.executions, period)
        one.samples = branch.samples
        for stack, samples in walk(branch):
            one.stacks[stack].samples += samples
            for each in set(stack):
                one.places[each].samples += samples
        _guess_squares(one, [point.duration_ns for point in system.points])
    return found


def _guess_squares(one: SystemStacks, durations_ns: Sequence[int]) -> None:
    """Guess how samples are spread over executions: in proportion to durations, and by chance."""
    mean = sum(durations_ns) / max(len(durations_ns), 1)
    apart = sum((duration - mean) ** 2 for duration in durations_ns) / max(len(durations_ns), 1)
    unevenness = apart / mean**2 if mean > 0 else 0.0
    for seen in (*one.places.values(), *one.stacks.values()):
        seen.squares = seen.samples + seen.samples**2 / one.executions * (1 + unevenness)


def walk(branch: FrameNode) -> Iterator[tuple[Stack, int]]:
    """Yield the stacks below a node of a flame graph, without the node, and how often each was seen."""
    waiting: list[tuple[FrameNode, Stack]] = [(branch, ())]
    while waiting:
        node, stack = waiting.pop()
        own = node.samples - sum(child.samples for child in node.children)
        if own > 0:
            yield stack, own
        waiting += [(child, (*stack, place(child.name, child.file))) for child in node.children]
