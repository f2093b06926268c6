"""
Samples for speedscope (https://www.speedscope.app): a profile for each system, then one for each thread.

A system's profile has what ran inside its executions, equal stacks together. A thread's has
whole stacks in the order in which they were taken, with a frame for each execution on them.
Both are views of the same samples: each sample is once in the one and once in the other.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from dam_obs.diagnose.export.samples import RunSamples, Sampled, Thread
from dam_obs.sample.samples import Frame
from dam_obs.sample.speedscope import OUTSIDE, SCHEMA, UNKNOWN
from dam_obs.text import printable

_encode = msgspec.json.encode


def speedscope(samples: RunSamples) -> Iterator[bytes]:
    """Yield the file in parts."""
    frames = _Frames()
    unit = _Unit(samples.rate_hz)
    name = printable(samples.run.path.resolve().name)
    head = {"$schema": SCHEMA, "exporter": "dam-obs", "name": name, "activeProfileIndex": 0}
    yield _encode(head)[:-1] + b',"profiles":['
    comma = b""
    for branch, stacks in _by_branch(samples):
        yield comma
        yield from _profile(f"system {branch}", stacks.items(), frames, unit)
        comma = b","
    for thread, sampled in samples.threads(whole=True):
        yield comma
        yield from _profile(_title(thread), _in_order(samples, sampled), frames, unit)
        comma = b","
    yield b'],"shared":{"frames":' + _encode(frames.table) + b"}}\n"


def _by_branch(samples: RunSamples) -> list[tuple[str, Counter[tuple[Frame, ...]]]]:
    """Return stacks by system, the system with the most first and what is in none last."""
    found: dict[str, Counter[tuple[Frame, ...]]] = {}
    for _, thread in samples.threads():
        for sampled in thread:
            found.setdefault(sampled.branch, Counter())[sampled.frames] += sampled.weight
    last = (UNKNOWN, OUTSIDE)
    return sorted(found.items(), key=lambda item: (item[0] in last, item[0] == OUTSIDE, -item[1].total(), item[0]))


def _in_order(samples: RunSamples, thread: Iterable[Sampled]) -> Iterator[tuple[tuple[Frame, ...], int]]:
    for sampled in thread:
        yield samples.whole(sampled), sampled.weight


def _title(thread: Thread) -> str:
    return f"process {thread.pid or '?'} thread {thread.tid or '?'} {thread.name}".rstrip()


class _Unit:
    """Turns numbers of samples into what the file's weights are in."""

    def __init__(self, rate_hz: float | None) -> None:
        self.name = "milliseconds" if rate_hz else "none"
        self._each = 1000 / rate_hz if rate_hz else 1

    def of(self, samples: int) -> float:
        return round(samples * self._each, 6)


def _profile(
    name: str, stacks: Iterable[tuple[tuple[Frame, ...], int]], frames: _Frames, unit: _Unit
) -> Iterator[bytes]:
    """Yield one profile; of its samples only the weights are kept meanwhile, since the format has them last."""
    yield (
        b'{"type":"sampled","name":'
        + _encode(name)
        + b',"unit":"'
        + unit.name.encode()
        + b'","startValue":0,"samples":['
    )
    counts = array("q")
    for stack, count in stacks:
        yield (b"," if counts else b"") + frames.numbers(stack)
        counts.append(count)
    yield b'],"weights":['
    for start in range(0, len(counts), _WEIGHTS_AT_ONCE):
        weights = _encode([unit.of(count) for count in counts[start : start + _WEIGHTS_AT_ONCE]])
        yield (b"," if start else b"") + weights[1:-1]
    yield b'],"endValue":' + _encode(unit.of(sum(counts))) + b"}"


_WEIGHTS_AT_ONCE = 10_000
_MOST_KNOWN = 20_000


class _Frames:
    """The table of frames that all profiles of a file share."""

    def __init__(self) -> None:
        self.table: list[dict[str, Any]] = []
        self._numbers: dict[Frame, int] = {}
        self._known: dict[tuple[Frame, ...], bytes] = {}

    def numbers(self, stack: tuple[Frame, ...]) -> bytes:
        """Return a stack as a JSON list of the numbers of its frames."""
        known = self._known.get(stack)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[stack] = _encode([self._number(frame) for frame in stack])
        return known

    def _number(self, frame: Frame) -> int:
        number = self._numbers.get(frame)
        if number is None:
            number = self._numbers[frame] = len(self.table)
            shown: dict[str, Any] = {"name": frame.function}
            if frame.file:
                shown["file"] = frame.file
            if frame.line is not None:
                shown["line"] = frame.line
            self.table.append(shown)
        return number
