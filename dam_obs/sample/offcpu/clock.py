"""
By which clock bpftrace tells time, found by comparing and not by version.

It may count since boot, sleep of the machine included, or by the monotonic clock, which the
ledger of segments has. We make a system call that it sees, and read both clocks before and
after: the clock whose readings enclose its time is the one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

ClockName: TypeAlias = Literal["monotonic", "boottime"]

MOST_DRIFT_NS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment that both sides saw: our clocks just before and just after."""

    before_ns: int
    """`CLOCK_MONOTONIC`"""
    after_ns: int
    boot_offset_ns: int
    """`CLOCK_BOOTTIME` less `CLOCK_MONOTONIC`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How bpftrace's time becomes monotonic time."""

    name: ClockName
    offset_ns: int
    """To be taken from bpftrace's time."""
    drift_ns: int
    """How much the offset changed from the first mark to the last: the machine slept so long meanwhile."""
    residual_ns: int
    """How well the comparison binds: the readings around the narrowest mark are so far apart."""

    def monotonic_ns(self, at_ns: int) -> int:
        """Return a time of bpftrace's by the monotonic clock."""
        return at_ns - self.offset_ns


def make_mark(call: Callable[[], object]) -> Mark:
    """Make `call`, which bpftrace sees, between two readings of our clocks."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    call()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    closing = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    return Mark(before_ns=before, after_ns=after, boot_offset_ns=boot - (after + closing) // 2)


def find_clock(marks: Sequence[Mark], seen_ns: Iterable[int]) -> Clock | None:
    """
    Return the clock by which all of `seen_ns` lie within marks; `None` if there is none, or nothing was seen.

    Not all marks need have been seen: those from before the start are not.
    """
    seen = list(seen_ns)
    if not seen:
        return None
    for name in ("monotonic", "boottime"):
        enclosing = [_enclosing(marks, at_ns, name) for at_ns in seen]
        found = [mark for mark in enclosing if mark is not None]
        if len(found) == len(seen):
            offsets = [_offset(mark, name) for mark in found]
            return Clock(
                name=name,
                offset_ns=offsets[0],
                drift_ns=found[-1].boot_offset_ns - found[0].boot_offset_ns,
                residual_ns=min(mark.after_ns - mark.before_ns for mark in found),
            )
    return None


def _offset(mark: Mark, name: str) -> int:
    return mark.boot_offset_ns if name == "boottime" else 0


_SLACK_NS = 20_000
"""The offset is read with two clocks, one after the other."""


def _enclosing(marks: Sequence[Mark], at_ns: int, name: str) -> Mark | None:
    slack = _SLACK_NS if name == "boottime" else 0
    for mark in marks:
        at = at_ns - _offset(mark, name)
        if mark.before_ns - slack <= at <= mark.after_ns + slack:
            return mark
    return None
