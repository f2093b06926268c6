"""Trees on a terminal: columns, the strip, wrapping, whatever the width."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dam_obs.cli._view.picture import whole
from dam_obs.cli._view.tree import Columns, TreePrinter
from dam_obs.store.tree import traces
from dam_obs.trace.events import TraceEvent


def drawn(events: list[TraceEvent], width: int, **columns: bool) -> list[str]:
    """The lines that a terminal so wide, without colours, gets."""
    out = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, markup=False, emoji=False,
        highlight=False, legacy_windows=False,
    )  # fmt: skip
    printer = TreePrinter(Columns(**columns), out)
    for trace in traces(events):
        printer.show(whole(trace))
    return out.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_durations_stand_in_a_column(turn: Any) -> None:
    """Aligned, with what ran at once before them; a moment has none."""
    assert drawn(turn, 64) == [
        "[alt] plan: turn 1 → done                                 100 ms",
        "  └─[mem] read: session → done                        ∥2   20 ms",
        "  └─[mem] read: patterns → done                       ∥2   40 ms",
        "  └─[foc] gate_check: denied                               20 ms",
        "      └─[mem] write: error: KeyError                       10 ms",
        "  └─[lrn] pattern_match: done",
    ]


def test_columns_are_named_where_there_are_several(turn: Any) -> None:
    """Once, above the first trace."""
    lines = drawn(turn, 80, times=True, critical=True)

    assert lines[:3] == [
        "                                              ∥    time     self      gap   crit",
        "[alt] plan: turn 1 → done                        100 ms    40 ms    20 ms   40 %",
        "  └─[mem] read: session → done               ∥2   20 ms    20 ms",
    ]


def test_a_strip_shows_when_each_ran(turn: Any) -> None:
    """Where there is room; the critical path in it where it was asked for."""
    assert drawn(turn, 85) == [
        "[alt] plan: turn 1 → done                           ━━━━━━━━━━━━━━━━━━━━       100 ms",
        "  └─[mem] read: session → done                        ━━━━                 ∥2   20 ms",
        "  └─[mem] read: patterns → done                       ━━━━━━━━             ∥2   40 ms",
        "  └─[foc] gate_check: denied                                      ━━━━          20 ms",
        "      └─[mem] write: error: KeyError                               ━━           10 ms",
        "  └─[lrn] pattern_match: done                                          ◆",
    ]
    assert drawn(turn, 92, critical=True) == [
        "                                                                            ∥    time   crit",
        "[alt] plan: turn 1 → done                           ━━╌╌╌╌╌╌╌╌━━━━╌╌╌╌━━       100 ms   40 %",
        "  └─[mem] read: session → done                        ╌╌╌╌                 ∥2   20 ms",
        "  └─[mem] read: patterns → done                       ━━━━━━━━             ∥2   40 ms   40 %",
        "  └─[foc] gate_check: denied                                      ━╌╌━          20 ms   10 %",
        "      └─[mem] write: error: KeyError                               ━━           10 ms   10 %",
        "  └─[lrn] pattern_match: done                                          ◆",
    ]


def test_an_event_alone_has_no_strip(event: Any) -> None:
    """It would say nothing: it ran all the time."""
    assert drawn([event("alt_1_a", took=20)], 140) == [f"[alt] plan: done{' ' * 119}20 ms"]


def test_what_goes_on_after_the_root_is_marked(event: Any) -> None:
    """At the end of the strip, whether it began before that or after."""
    events = [event("alt_1_a", None, 0, 20), event("alt_1_b", "alt_1_a", 10, 90), event("alt_1_c", "alt_1_a", 50, 9)]

    assert [line[50:72] for line in drawn(events, 85)] == [
        "  ━━━━━━━━━━━━━━━━━━━━",
        "            ━━━━━━━━━›",
        "                     ›",
    ]


@pytest.mark.parametrize("width", [30, 59, 60, 80, 99, 140, 250])
@pytest.mark.parametrize("columns", [{}, {"times": True, "critical": True}])
def test_no_line_is_wider_than_the_terminal(event: Any, width: int, columns: dict[str, bool]) -> None:
    """Neither long words nor wide characters nor depth push the columns out, and no word is lost."""
    words = "a word 会議の議事録を読む and_a_very_long_name_without_any_space_in_it_at_all_whatever_happens end"
    events = [event("alt_1_0", None, 0, 100, input_summary=words)]
    events += [event(f"alt_1_{n}", f"alt_1_{n - 1}", n, 100 - n, input_summary=words) for n in range(1, 40)]
    lines = drawn(events, width, **columns)

    assert max(cell_len(line) for line in lines) <= width
    assert "\n".join(lines).count("done") == 40


@given(
    widths=st.integers(20, 160),
    rows=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400), st.text(max_size=20)), min_size=1, max_size=10),
)
def test_any_trace_is_drawn(widths: int, rows: list[tuple[int, int, str]]) -> None:
    """Late, early, long, short, with whatever in it: each event is there, and the strip keeps its place."""
    events = [
        TraceEvent(
            trace_id=f"alt_1_{n}", parent_id=f"alt_1_{n // 2}" if n else None, hrm_layer="altitude", operation="plan",
            timestamp=f"2026-01-13T15:00:00.{start:06d}", component="", input_summary=text, output_summary="",
            duration_ms=0, duration_ns=took * 1_000, status="success", metadata={}, kind="span" if took else "event",
        )
        for n, (start, took, text) in enumerate(rows)
    ]  # fmt: skip
    lines = drawn(events, widths, times=True, critical=True)

    assert sum("[alt] plan" in line for line in lines) == len(events)
