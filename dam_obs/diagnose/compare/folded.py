"""
Folded stacks of two runs, for a differential flame graph: a line a stack, with how often either run saw it.

What ``flamegraph.pl`` and ``inferno-flamegraph`` take for stacks with two counts: the wider a frame, the more time
after; the redder, the more it grew. Counts are those of the samples: where the two runs were of
another length, ``difffolded.pl -n`` and ``inferno-diff-folded -n`` do the same for files of single runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from dam_obs.diagnose.compare.sampled import SystemStacks
from dam_obs.diagnose.compare.stacks import differential
from dam_obs.diagnose.export.folded import label
from dam_obs.text import printable


def differential_folded(before: Mapping[str, SystemStacks], after: Mapping[str, SystemStacks]) -> Iterator[bytes]:
    """Yield the file line by line: stacks by name, outermost frame first, below their systems."""
    counts: dict[str, Counter[int]] = {}
    for stack, (first, second) in differential(before, after).items():
        line = ";".join(label(_name(function, file)) for function, file in stack)
        counts.setdefault(line, Counter()).update({0: first, 1: second})
    for line in sorted(counts):
        yield f"{line} {counts[line][0]} {counts[line][1]}\n".encode()


def _name(function: str, file: str) -> str:
    return printable(f"{function} ({file})" if file else function)
