"""
A comparison for pasting into a pull request.

Names come from the observed program: each is shown as code, and sentences that hold one are made safe,
so that nothing in a trace becomes a link, a picture, a mention or a cell of its own. Figures
are ours, and stand as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dam_obs.cli._diff.text import WORDS, closing_lines
from dam_obs.cli._units import counted, duration
from dam_obs.draft.markdown import code, sentence
from dam_obs.store.populations import Comparison, Group

if TYPE_CHECKING:
    from dam_obs.diagnose.compare.figure import Figure
    from dam_obs.diagnose.compare.runs import RunComparison, SystemChange


def events_page(before: str, after: str, comparisons: Sequence[Comparison], level: float, top: int) -> str:
    """Write a comparison of events; `before` and `after` say which."""
    lines = [
        "## What changed",
        "",
        f"- Before: {sentence(before)}",
        f"- After: {sentence(after)}",
        "",
        *_table(comparisons, level, top, "group"),
    ]
    return _page(lines)


def runs_page(compared: RunComparison, top: int) -> str:
    """Write a comparison of two runs."""
    from dam_obs.cli._diff.runs_text import opening_lines

    lines = ["## What changed", "", *(f"- {sentence(line)}" for line in opening_lines(compared)), ""]
    lines += _table([system.time for system in compared.systems], compared.level, top, "system")
    for system in compared.systems[:top]:
        if system.changed and system.mean is not None:
            lines += ["", *_system(system)]
    return _page(lines)


def _page(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(comparisons: Sequence[Comparison], level: float, top: int, what: str) -> Iterator[str]:
    if not comparisons:
        return
    yield f"| {what} | verdict | change | events | median | p95 | errors |"
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: |"
    for each in comparisons[:top]:
        yield f"| {' | '.join(_row(each))} |"
    if len(comparisons) > top:
        yield ""
        yield f"Left out: {counted(len(comparisons) - top, what)} that changed less."
    yield ""
    yield from closing_lines(comparisons, level)


def _row(each: Comparison) -> list[str]:
    from dam_obs.cli._diff.words import ratio

    sides = each.before, each.after
    verdict = WORDS[each.verdict]
    changes = [ratio(each.time)] if each.time is not None else []
    for name, rate, surely in (
        ("errors", each.errors, each.errors_changed),
        ("blocked", each.blocked, each.blocked_changed),
    ):
        if rate is not None and surely:
            changes.append(f"{name} {rate.value * 100:+.1f} points")
    return [
        code(each.name),
        f"**{verdict}**" if each.changed else verdict,
        ", ".join(changes),
        _both(*(None if side is None else f"{side.events:,}" for side in sides)),
        _both(*(_median(side) for side in sides)),
        _both(*(_p95(side) for side in sides)),
        _both(*(None if side is None else f"{side.errors / side.events:.1%}" for side in sides)),
    ]


def _both(before: str | None, after: str | None) -> str:
    return f"{before or '–'} → {after or '–'}"


def _median(group: Group | None) -> str | None:
    return None if group is None or group.times is None else duration(group.times.middle.median)


def _p95(group: Group | None) -> str | None:
    return None if group is None or group.times is None else duration(group.times.p95_ns)


def _system(system: SystemChange) -> Iterator[str]:
    from dam_obs.cli._diff.words import (
        FUNCTIONS_SHOWN,
        STACKS_SHOWN,
        change,
        equal_input_words,
        figures_shown,
        stack_words,
        surely_changed,
    )

    yield f"### {code(system.name)}"
    yield ""
    yield "| an execution | before | after | change | |"
    yield "| --- | ---: | ---: | --- | --- |"
    for figure in figures_shown(system):
        yield f"| {' | '.join(_figure(figure))} |"
    said = equal_input_words(system)
    listed = [f"- {sentence(said)}"] if said else []
    listed += [
        f"- {change(each.figure)} in {code(stack_words(each))}"
        for each in (
            *surely_changed(system.functions, FUNCTIONS_SHOWN),
            *surely_changed(system.stacks, STACKS_SHOWN),
        )
    ]
    if listed:
        yield ""
        yield from listed


def _figure(figure: Figure) -> list[str]:
    from dam_obs.cli._diff.words import VERDICTS, amount, change

    verdict = VERDICTS[figure.verdict]
    return [
        sentence(figure.name),
        amount(figure.before, figure.unit),
        amount(figure.after, figure.unit),
        change(figure),
        f"**{verdict}**" if figure.changed else verdict,
    ]
