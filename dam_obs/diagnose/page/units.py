"""
Numbers as people read them: ``34.7 µs``, ``41.9 MiB``, ``95%``.

The one place where the page makes a number into text. Three digits that matter, a
no-break space before the unit, and `UNKNOWN` for what is no number.
"""

from __future__ import annotations

import math
from typing import Final

UNKNOWN: Final = "–"
"""Stands for a number that could not be computed."""

NOT_MEASURED: Final = "not measured"
"""Stands for a number that nobody took; never zero."""

_SPACE: Final = "\N{NO-BREAK SPACE}"
_DURATIONS: Final = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))
_SIZES: Final = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
_THOUSANDS: Final = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"), (1, ""))
_MINUTE_NS: Final = 60 * 1_000_000_000


def duration(nanoseconds: float) -> str:
    r"""
    Say how long, from nanoseconds to hours.

        >>> duration(34_700), duration(3_750_000_000_000)
        ('34.7\xa0µs', '1\xa0h 02\xa0min')
    """
    if not _finite(nanoseconds):
        return UNKNOWN
    if abs(nanoseconds) >= 60 * _MINUTE_NS:
        hours, minutes = divmod(round(nanoseconds / _MINUTE_NS), 60)
        return f"{hours:,}{_SPACE}h {minutes:02}{_SPACE}min"
    if abs(nanoseconds) >= _MINUTE_NS:
        minutes, seconds = divmod(round(nanoseconds / 1_000_000_000), 60)
        return f"{minutes}{_SPACE}min {seconds:02}{_SPACE}s"
    return _scaled(nanoseconds, _DURATIONS)


def size(amount: float) -> str:
    """Say how many bytes, in powers of 1,024."""
    return _scaled(amount, _SIZES) if _finite(amount) else UNKNOWN


def short(number: float) -> str:
    """Say a number without a unit in few characters, ``8.1M``; for the marks of an axis."""
    if not _finite(number):
        return UNKNOWN
    if abs(number) >= 1e15 or 0 < abs(number) < 1e-3:
        return f"{number:.3g}"
    return _scaled(number, _THOUSANDS).replace(_SPACE, "")


def count(number: float) -> str:
    """Say how many, with a comma between thousands."""
    return f"{number:,.0f}" if _finite(number) else UNKNOWN


def percent(share: float) -> str:
    """Say a share of 1 in percent: whole ones, below ten with one decimal; a little is never called nothing."""
    hundredths = share * 100
    if not _finite(hundredths):
        return UNKNOWN
    if hundredths != 0 and abs(hundredths) < 0.05:
        return "<0.1%" if hundredths > 0 else ">-0.1%"
    text = f"{hundredths:.1f}" if abs(hundredths) < 9.95 else f"{hundredths:,.0f}"
    return text.removesuffix(".0") + "%"


def signed_percent(share: float) -> str:
    """Say a deviation in percent, with its sign; less than a tenth of a percent is none."""
    if abs(share) < 0.0005:
        return "0%"
    return f"+{percent(share)}" if 0 < share < math.inf else percent(share)


def digits(number: float) -> str:
    """Write three digits that matter, without an exponent where that reads well: ``3.98``, ``12``, ``1,370``."""
    if not _finite(number):
        return UNKNOWN
    if number == 0:
        return "0"
    if not 1e-4 <= abs(number) < 1e15:
        return f"{number:.3g}"
    decimals = max(0, 2 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _finite(number: float) -> bool:
    """Tell whether it is a number that can be shown; a whole one from a file may be larger than any float."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _scaled(number: float, units: tuple[tuple[int, str], ...]) -> str:
    """Write `number` in the largest of `units` of which there is at least one, after rounding."""
    factor, unit = next(
        (unit for unit in units if round(abs(number) / unit[0], 3 if unit[0] > 1 else 0) >= 1), units[-1]
    )
    return f"{digits(number / factor)}{_SPACE}{unit}".rstrip(_SPACE)
