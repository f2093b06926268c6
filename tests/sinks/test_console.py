"""The console: one tree for each root, to whatever standard error is at the time."""

from __future__ import annotations

import io
import sys

import pytest

from dam_obs.sinks.console import APART, ConsoleSink
from dam_obs.trace import faults


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_a_tree_is_printed_when_its_root_has_ended(make_span, capsys):
    """Children wait for their parents, over several batches."""
    sink = ConsoleSink()
    sink([make_span(handle="foc_1_b", parent_id="alt_1_a", operation="gate", parent_span_id=1)])
    before = capsys.readouterr().err
    sink([make_span(handle="alt_1_a", operation="plan")])

    assert before == ""
    assert capsys.readouterr().err == "[alt] plan: success (0ms)\n  └─[foc] gate: success (0ms)\n"


def test_two_roots_of_one_trace_do_not_take_each_others_children(make_span, capsys):
    """Under one span of another library there may be several of our trees at a time."""
    sink = ConsoleSink()
    sink(
        [
            make_span(handle="foc_1_b", parent_id="alt_1_a", operation="of a"),
            make_span(handle="alt_1_c", operation="c", parent_span_id=9),
            make_span(handle="alt_1_a", operation="a", parent_span_id=9),
        ]
    )

    assert capsys.readouterr().err == (
        "[alt] c: success (0ms)\n[alt] a: success (0ms)\n  └─[foc] of a: success (0ms)\n"
    )


def test_a_span_whose_parent_is_in_another_process_is_a_root(make_span, capsys):
    """Its parent will not end here."""
    ConsoleSink()([make_span(parent_id="alt_1_z", parent_span_id=9, parent_is_remote=True, operation="plan")])

    assert capsys.readouterr().err == f"[alt] plan: success (0ms){APART}\n"


def test_what_still_waits_at_the_end_is_printed_and_marked(make_span, capsys):
    """A child whose parent never ended is not lost."""
    sink = ConsoleSink()
    sink([make_span(handle="foc_1_b", parent_id="alt_1_a", operation="gate")])
    sink.close(1.0)
    sink.close(1.0)

    assert capsys.readouterr().err == f"[foc] gate: success (0ms){APART}\n"


def test_what_waits_is_bounded(make_span, capsys):
    """A root that never ends does not fill the memory."""
    sink = ConsoleSink(held_events=2)
    sink([make_span(handle=f"foc_1_{number}", parent_id="alt_1_a", operation=str(number)) for number in range(3)])

    assert capsys.readouterr().err == "".join(f"[foc] {number}: success (0ms){APART}\n" for number in range(3))


def test_without_holding_each_event_is_printed_at_once(make_span, capsys):
    """Where only failures are recorded their parents never come."""
    ConsoleSink(hold=False)([make_span(parent_id="alt_1_z", operation="plan", status="error")])

    assert capsys.readouterr().err == "[alt] plan: error (0ms)\n"


def test_a_terminal_gets_colours_for_what_went_wrong(make_span, monkeypatch):
    """Red for errors, yellow for blocked."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = terminal(monkeypatch)
    ConsoleSink()([make_span(operation="a", status=status) for status in ("success", "error", "blocked")])

    assert screen.getvalue() == (
        "[alt] a: success (0ms)\n\x1b[31m[alt] a: error (0ms)\x1b[0m\n\x1b[33m[alt] a: blocked (0ms)\x1b[0m\n"
    )


def test_no_color_is_honoured(make_span, monkeypatch):
    """By the convention of that name."""
    monkeypatch.setenv("NO_COLOR", "1")
    screen = terminal(monkeypatch)
    ConsoleSink()([make_span(operation="a", status="error")])

    assert screen.getvalue() == "[alt] a: error (0ms)\n"


def test_a_closed_standard_error_is_a_counted_fault(make_span, monkeypatch):
    """And none at all is nothing."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    ConsoleSink()([make_span()])
    monkeypatch.setattr(sys, "stderr", None)
    ConsoleSink()([make_span()])

    assert faults.counts() == {"sinks.console": 1}
