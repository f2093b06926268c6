"""
Folded stacks: one line for each distinct stack, outermost frame first, and how often it was seen.

What ``flamegraph.pl``, inferno and speedscope read. The outermost frame is the system. A name
cannot break its line: ``;`` becomes ``:``, line ends are escaped already, and a name that
ends like a number of samples gets an underscore in place of the space.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.sample.samples import Frame

_LIKE_A_COUNT = re.compile(r"\s(?=\d+(?:\.\d*)?$)")


def folded(samples: RunSamples) -> Iterator[bytes]:
    """Yield the file in parts: lines by branch and stack."""
    counts: Counter[tuple[str, tuple[Frame, ...]]] = Counter()
    for _, thread in samples.threads():
        for sampled in thread:
            counts[sampled.branch, sampled.frames] += sampled.weight
    lines: Counter[str] = Counter()
    for (branch, frames), count in counts.items():
        lines[";".join([label(branch), *(label(_name(frame)) for frame in frames)])] += count
    for line in sorted(lines):
        yield f"{line} {lines[line]}\n".encode()


def _name(frame: Frame) -> str:
    if not frame.file:
        return frame.function
    return f"{frame.function} ({frame.file}:{frame.line or 0})"


def label(name: str) -> str:
    """Make a name fit for one place of a stack."""
    plain = name.replace(";", ":").strip() or "(unnamed)"
    return _LIKE_A_COUNT.sub("_", plain)
