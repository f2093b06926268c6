"""Numbers of a report as text for people; whatever they are, the text is short and plain."""

from __future__ import annotations

import math
from typing import Final

_LARGEST: Final = 10**18
_OUT_OF_RANGE: Final = "out of range"


def milliseconds(nanoseconds: float | None) -> str:
    """Write a duration in ms with three significant digits."""
    if nanoseconds is None:
        return "not measured"
    return f"{_plain(nanoseconds / 1e6)} ms" if _usable(nanoseconds) else _OUT_OF_RANGE


def percent(fraction: float | None, *, signed: bool = False) -> str:
    """Write a fraction as a percentage."""
    if fraction is None:
        return "not measured"
    if not _usable(fraction):
        return _OUT_OF_RANGE
    whole = round(fraction * 100)
    return f"{whole:+,}%" if signed and whole else f"{whole:,}%"


def number(value: float) -> str:
    """Write a number with thousands separated, three significant digits behind the point."""
    if not _usable(value):
        return _OUT_OF_RANGE
    return f"{int(value):,}" if float(value).is_integer() else _plain(value)


def confidence(value: float) -> str:
    """Write a confidence of 0 to 1."""
    return f"{value:.2f}" if _usable(value) else _OUT_OF_RANGE


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _usable(value: float) -> bool:
    return -_LARGEST < value < _LARGEST and math.isfinite(value)
