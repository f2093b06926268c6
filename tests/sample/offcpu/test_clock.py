"""Which clock bpftrace has is found out by moments that both sides saw."""

from __future__ import annotations

import time

from dam_obs.sample.offcpu.clock import Clock, Mark, find_clock, make_mark

SLEPT = 7_000_000_000
MARKS = [
    Mark(before_ns=1_000_000, after_ns=1_040_000, boot_offset_ns=SLEPT),
    Mark(before_ns=5_000_000, after_ns=5_010_000, boot_offset_ns=SLEPT),
]


def test_monotonic() -> None:
    """Times within the monotonic readings are monotonic; the narrowest mark says how sure that is."""
    clock = find_clock(MARKS, [1_020_000, 5_005_000])

    assert clock == Clock(name="monotonic", offset_ns=0, drift_ns=0, residual_ns=10_000)


def test_since_boot() -> None:
    """Times later by what the machine slept are since boot, and are converted."""
    clock = find_clock(MARKS, [SLEPT + 1_020_000, SLEPT + 5_005_000])

    assert clock == Clock(name="boottime", offset_ns=SLEPT, drift_ns=0, residual_ns=10_000)
    assert clock.monotonic_ns(SLEPT + 3) == 3


def test_marks_from_before_it_watched_do_not_count() -> None:
    """Of many marks one need have been seen."""
    assert find_clock(MARKS, [5_005_000]) is not None


def test_neither() -> None:
    """A time that no mark encloses, by either clock, is of an unknown clock; so is one mark never seen."""
    assert find_clock(MARKS, [1_020_000, 3_000_000]) is None
    assert find_clock(MARKS, []) is None


def test_the_machine_slept_meanwhile() -> None:
    """Then the clock since boot went on and the monotonic one did not, and it is told by how much."""
    later = [MARKS[0], Mark(before_ns=5_000_000, after_ns=5_010_000, boot_offset_ns=SLEPT + 2_000_000)]
    clock = find_clock(later, [SLEPT + 1_020_000, SLEPT + 5_005_000 + 2_000_000])

    assert clock is not None
    assert clock.drift_ns == 2_000_000


def test_a_mark_encloses_its_call() -> None:
    """What the call sees on the monotonic clock lies between the two readings."""
    seen: list[int] = []
    mark = make_mark(lambda: seen.append(time.monotonic_ns()))

    assert mark.before_ns <= seen[0] <= mark.after_ns
    assert mark.boot_offset_ns >= -1_000_000
