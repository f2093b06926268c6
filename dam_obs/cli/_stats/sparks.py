"""Numbers as a line of small bars, one character for each."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"
PLAIN: Final = ".:-=+*#@"
"""For an encoding that has no blocks, from the lightest to the heaviest."""


def bars_for(encoding: str | None) -> str:
    """Return the bars that an encoding has."""
    try:
        codecs.encode(BLOCKS, encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return PLAIN
    return BLOCKS


def sparkline(values: Sequence[int | None], bars: str = BLOCKS) -> str:
    """
    Draw each value as a bar; the largest is the highest.

    Args:
        values: None of them negative. `None` leaves a gap.
        bars: From the lowest to the highest.
    """
    most = max((value for value in values if value is not None), default=0)
    return "".join(" " if value is None else _bar(value, most, bars) for value in values)


def _bar(value: int, most: int, bars: str) -> str:
    """Return the lowest bar for nothing, the highest for the most, and the middle one for half of it."""
    return bars[max(0, (value * len(bars) - 1) // most)] if most else bars[0]
