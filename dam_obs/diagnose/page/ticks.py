"""Where an axis has its marks: round numbers, few enough to be read, on a logarithmic or a plain scale."""

from __future__ import annotations

import math
from typing import Final

MOST: Final = 7
"""Marks on an axis."""

LOG_RATIO: Final = 20.0
"""A range that spans more than this factor is drawn on a logarithmic scale."""


def wants_log(low: float, high: float) -> bool:
    """Say whether values from `low` to `high` are better seen on a logarithmic scale."""
    return low > 0 and high / low > LOG_RATIO


def log_ticks(low: float, high: float) -> list[float]:
    """Return marks between `low` and `high`, both above zero, for a logarithmic scale."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        marks = [step * 10.0**decade for decade in decades for step in steps]
        marks = [mark for mark in marks if low <= mark <= high]
        if len(marks) <= MOST:
            break
    marks = marks[:: math.ceil(len(marks) / MOST)] if marks else marks
    return marks if len(marks) >= 3 else linear_ticks(low, high)


def linear_ticks(low: float, high: float) -> list[float]:
    """Return marks between `low` and `high` for a plain scale."""
    span = high - low
    if not span > 0:
        return [low]
    rough = span / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(step * unit for step in (1, 2, 2.5, 5, 10) if step * unit >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def whole_ticks(high: int) -> list[int]:
    """Return marks from 0 to `high` for counts: no fractions."""
    return [int(mark) for mark in linear_ticks(0, max(high, 1)) if mark == int(mark)]
