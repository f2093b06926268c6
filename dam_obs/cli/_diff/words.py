"""Figures of two runs in words, the same for a terminal and for Markdown; nothing here is made safe for either."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from dam_obs.cli._units import duration, percent
from dam_obs.diagnose.compare.equal_input import EqualInput, FeatureMix
from dam_obs.diagnose.compare.figure import Figure, Unit, Verdict
from dam_obs.diagnose.compare.runs import SystemChange
from dam_obs.diagnose.compare.stacks import StackChange
from dam_obs.store.intervals import Ratio

NOTHING: Final = "–"

VERDICTS: Final[dict[Verdict, str]] = {
    "rose": "rose",
    "fell": "fell",
    "same": "same",
    "too_few": "too few to tell",
    "untested": "not tested",
}

FUNCTIONS_SHOWN: Final = 5
STACKS_SHOWN: Final = 3

_THOUSANDS: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_SIZES: Final = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def amount(value: float | None, unit: Unit) -> str:
    """Show one value."""
    if value is None:
        return NOTHING
    if unit == "ns":
        return _duration(value)
    if unit == "bytes":
        return _size(value)
    return percent(value) if unit == "share" else f"{value:,.3g}"


def change(figure: Figure) -> str:
    """Show a change with its interval: ``+3.3 ms [+2.9 ms, +3.7 ms]``."""
    if figure.change is None:
        return ""
    text = _signed(figure.change, figure.unit)
    if figure.low is None or figure.high is None:
        return text
    return f"{text} [{_signed(figure.low, figure.unit)}, {_signed(figure.high, figure.unit)}]"


def _signed(value: float, unit: Unit) -> str:
    if unit == "share":
        return f"{value * 100:+.1f} points"
    shown = amount(abs(value), unit)
    return f"{'-' if value < 0 else '+'}{shown}"


def _duration(ns: float) -> str:
    if not math.isfinite(ns):
        return NOTHING
    return f"{ns:.0f} ns" if abs(ns) < 1_000 else duration(ns)


def _size(value: float) -> str:
    for size, unit in _SIZES:
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}" if value / size < 1_000 else f"{value / size:,.0f} {unit}"
    return f"{value:,.0f} B"


def figures_shown(system: SystemChange) -> list[Figure]:
    """Return the mean and its parts, and of the rest what changed or differs by a hundredth."""
    if system.mean is None:
        return []
    parts = [part for part in system.parts if part.before or part.after]
    rest = [figure for figure in (*system.bytes, *system.shares, *system.pace) if _is_worth_a_line(figure)]
    return [system.mean, *parts, *rest]


def _is_worth_a_line(figure: Figure) -> bool:
    if figure.verdict == "same":
        return False
    return figure.changed or (figure.verdict == "untested" and abs(figure.change or 0) > 0.01 * figure.scale)


def ratio(time: Ratio) -> str:
    """Show a ratio with its interval."""
    return f"{_factor(time.value)}× [{_factor(time.low)}, {_factor(time.high)}]"


def _factor(value: float) -> str:
    if value == math.inf:
        return "∞"
    return f"{value:.2f}" if value < 99.5 else f"{value:,.0f}"


def equal_input_words(system: SystemChange) -> str | None:
    """Say what durations did at equal input; `None` where there is nothing to say."""
    found = system.equal_input
    if found is None:
        return None
    names = ", ".join(mix.feature for mix in found.features)
    if found.time is None:
        return f"at equal {names} nothing can be said: too few executions had input that both runs saw{_mixes(found)}"
    said = {"too_few": "too few to tell"}.get(found.verdict, found.verdict)
    text = f"at equal {names}: {said} {ratio(found.time)}{_mixes(found)}, by {_of(found)} executions"
    if found.verdict == "same" and system.time.verdict in ("slower", "faster"):
        text += "; same law, other input"
    return text


def _of(found: EqualInput) -> str:
    return " and ".join(f"{some:,} of {of:,}" for some, of in zip(found.executions, found.of, strict=True))


def _mixes(found: EqualInput) -> str:
    shown = [text for text in map(_mix, found.features) if text]
    return f" ({'; '.join(shown)})" if shown else ""


def _mix(mix: FeatureMix) -> str:
    if mix.before is None or mix.after is None:
        return f"{mix.feature} of {len(mix.common_categories)} common kinds"
    text = f"{mix.feature} {_short(mix.before)} → {_short(mix.after)} in the median"
    return text if mix.common is None else f"{text}, common {_short(mix.common[0])} to {_short(mix.common[1])}"


def _short(number: float) -> str:
    """Show a number without a unit: ``7.64k``."""
    for size, letter in _THOUSANDS:
        if size <= abs(number) < 1_000 * size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def surely_changed(changes: Sequence[StackChange], most: int) -> list[StackChange]:
    """Return the functions or stacks to show."""
    return [each for each in changes if each.figure.changed][:most]


def stack_words(each: StackChange) -> str:
    """Show functions from the outermost to the innermost, and the file of the last."""
    last = each.frames[-1]
    where = f" ({last.file})" if last.file else ""
    return " › ".join(frame.function for frame in each.frames) + where
