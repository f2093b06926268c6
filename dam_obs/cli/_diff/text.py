"""
A table of comparisons that fits its terminal.

A group has a line for what was before and one for what is after, so that numbers that belong
together stand below each other. What changed stands below its name.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from dam_obs.cli._units import duration, percent
from dam_obs.store.intervals import RateChange, Ratio
from dam_obs.store.populations import Comparison, Group, Verdict
from dam_obs.text import printable

WORDS: Final[dict[Verdict, str]] = {
    "slower": "slower",
    "faster": "faster",
    "same": "same",
    "too_few": "too few to tell",
    "untimed": "no durations",
    "only_before": "only before",
    "only_after": "only after",
}

_STYLES: Final[dict[Verdict, str]] = {"slower": "red", "faster": "green", "only_before": "cyan", "only_after": "cyan"}


def comparison_table(comparisons: Sequence[Comparison], width: int) -> Table:
    """Lay out two lines for each group; columns that say nothing, or for which there is no room, are left out."""
    columns = {name: [_cell(each, show) for each in comparisons] for name, show in _COLUMNS.items()}
    kept = _that_fit({name: cells for name, cells in columns.items() if _tells(name, comparisons)}, width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Group", overflow="fold")
    for name in kept:
        table.add_column(name, justify="right", no_wrap=True)
    for number, each in enumerate(comparisons):
        table.add_row(_name_and_change(each), *(columns[name][number] for name in kept))
    return table


def closing_lines(comparisons: Sequence[Comparison], level: float) -> Iterator[str]:
    """Sum up the verdicts, and say how far they can be trusted."""
    verdicts = Counter(each.verdict for each in comparisons)
    counts = [f"{verdicts[verdict]:,} {word}" for verdict, word in WORDS.items() if verdicts[verdict]]
    failing = sum(each.errors_changed for each in comparisons)
    blocked = sum(each.blocked_changed for each in comparisons)
    counts += [f"{failing:,} with another rate of errors"] if failing else []
    counts += [f"{blocked:,} with another rate of blocked ones"] if blocked else []
    yield f"{', '.join(counts)}."
    if all(each.before is None or each.after is None for each in comparisons):
        return
    yield (
        f"[low, high] holds the true change in {percent(level)} of cases. Of what is called slower, faster or another "
        f"rate, {percent(1 - level)} at most is expected to be chance (Benjamini-Hochberg)."
    )


def _tells(name: str, comparisons: Iterable[Comparison]) -> bool:
    """Tell whether there are any errors to count, or blocked ones; the other columns always say something."""
    groups = [group for each in comparisons for group in (each.before, each.after) if group is not None]
    if name == "Errors":
        return any(group.errors for group in groups)
    return name != "Blocked" or any(group.blocked for group in groups)


def _that_fit(columns: Mapping[str, Sequence[str]], width: int) -> list[str]:
    """Return the names of the columns for which there is room, in their order."""
    room = width - _ROOM_FOR_NAMES
    kept = []
    for name in sorted(columns, key=_GIVEN_UP_LAST.index):
        room -= _BETWEEN + max(cell_len(line) for text in (name, *columns[name]) for line in text.split("\n"))
        if room < 0:
            break
        kept.append(name)
    return [name for name in columns if name in kept]


def _cell(each: Comparison, show: Callable[[Group], str]) -> str:
    return "\n".join("–" if group is None else show(group) for group in (each.before, each.after))


def _events(group: Group) -> str:
    return f"{group.events:,}"


def _median(group: Group) -> str:
    return "" if group.times is None else duration(group.times.middle.median)


def _p95(group: Group) -> str:
    return "" if group.times is None else duration(group.times.p95_ns)


def _errors(group: Group) -> str:
    return f"{group.errors / group.events:.1%}"


def _blocked(group: Group) -> str:
    return f"{group.blocked / group.events:.1%}"


_COLUMNS: Final = {"Events": _events, "Median": _median, "p95": _p95, "Errors": _errors, "Blocked": _blocked}
_GIVEN_UP_LAST: Final = ("Median", "Events", "Errors", "p95", "Blocked")
"""The columns; where there is not room for all, the last of them goes first."""

_ROOM_FOR_NAMES: Final = 30
_BETWEEN: Final = 2


def _name_and_change(each: Comparison) -> Text:
    """Say what changed below the name; a rate only where its interval, taken by itself, does not hold 0."""
    text = Text(printable(each.name), "bold" if each.changed else "")
    text.append(f"\n  {WORDS[each.verdict]}", f"not bold {_STYLES.get(each.verdict, '')}")
    if each.time is not None:
        text.append(f" {_ratio(each.time)}", "not bold")
    for name, rate, surely in (
        ("errors", each.errors, each.errors_changed),
        ("blocked", each.blocked, each.blocked_changed),
    ):
        if rate is not None and not rate.low <= 0 <= rate.high:
            style = ("red" if rate.value > 0 else "green") if surely else "dim"
            text.append(f"\n  {name} {_points(rate)}", f"not bold {style}")
    return text


def _ratio(time: Ratio) -> str:
    return f"{_factor(time.value)}× [{_factor(time.low)}, {_factor(time.high)}]"


def _factor(value: float) -> str:
    if value == math.inf:
        return "∞"
    return f"{value:.2f}" if value < 99.5 else f"{value:,.0f}"


def _points(rate: RateChange) -> str:
    low, high = rate.low * 100, rate.high * 100
    return f"{rate.value * 100:+.1f} points [{low:+.1f}, {high:+.1f}]"
