"""
Stacks of executions, summed: the hot ones of a system, and the flame graph of a run.

Two stacks are the same when their functions are, whichever lines they were on; the line
shown is the one seen most. Frames arrive without those outside the execution and without
our own: `dam_obs.sample.attribution` has taken them out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dam_obs.diagnose.report import FrameNode, HotStack, StackFrame
from dam_obs.sample.samples import StackSample

STACKS_SHOWN = 20
DEEPEST = 90
"""
Frames of a stack that are kept, from the outermost on.

Each is two levels of nesting in ``report.json``, and common JSON readers, pydantic's among
them, give up at 200.
"""

ROOT = "all executions"
WITHOUT_EVENT = "(executions without an event)"
"""Executions that were sampled and whose event never came: still open at the end, or dropped."""

Function = tuple[str, str]
"""Name and file."""


def hot_stacks(samples: Iterable[StackSample]) -> list[HotStack]:
    """Return the stacks seen most, with how often."""
    counts: Counter[tuple[Function, ...]] = Counter()
    lines: dict[tuple[Function, ...], list[Counter[int | None]]] = {}
    for sample in samples:
        frames = sample.frames[:DEEPEST]
        stack = tuple((frame.function, frame.file) for frame in frames)
        counts[stack] += sample.weight
        seen = lines.setdefault(stack, [Counter() for _ in stack])
        for place, frame in zip(seen, frames, strict=True):
            place[frame.line] += sample.weight

    hottest = sorted((stack for stack in counts if stack), key=lambda stack: (-counts[stack], stack))
    return [
        HotStack(
            frames=[
                StackFrame(function=function, file=file, line=_most_seen(place))
                for (function, file), place in zip(stack, lines[stack], strict=True)
            ],
            samples=counts[stack],
        )
        for stack in hottest[:STACKS_SHOWN]
    ]


def flame_graph(samples_by_system: Mapping[str, Iterable[StackSample]]) -> FrameNode:
    """Return the tree of all stacks, with one branch for each system; wide branches first."""
    root = _Node()
    for system, samples in samples_by_system.items():
        for sample in samples:
            root.samples += sample.weight
            node = root.child((system, ""))
            node.samples += sample.weight
            for frame in sample.frames[:DEEPEST]:
                node = node.child((frame.function, frame.file))
                node.samples += sample.weight
                node.lines[frame.line] += sample.weight
    return _frozen((ROOT, ""), root)


@dataclass(slots=True)
class _Node:
    samples: int = 0
    lines: Counter[int | None] = field(default_factory=Counter)
    below: dict[Function, _Node] = field(default_factory=dict)

    def child(self, function: Function) -> _Node:
        node = self.below.get(function)
        if node is None:
            node = self.below[function] = _Node()
        return node


def _frozen(function: Function, node: _Node) -> FrameNode:
    ordered = sorted(node.below.items(), key=lambda item: (-item[1].samples, item[0]))
    return FrameNode(
        name=function[0],
        file=function[1],
        line=_most_seen(node.lines),
        samples=node.samples,
        children=[_frozen(below, child) for below, child in ordered],
    )


def _most_seen(lines: Counter[int | None]) -> int | None:
    known = {line: count for line, count in lines.items() if line is not None}
    return min(known, key=lambda line: (-known[line], line)) if known else None
