"""``--times`` and ``--critical``: what the shape of a trace says beside its lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

View = Callable[..., str]


def test_times_stand_behind_each_line(turn: Any, view: View) -> None:
    """Own time, the longest gap, and how many siblings ran at once; nothing for a moment."""
    assert view("--times") == (
        "[alt] plan: turn 1 → done (100ms) [self 40 ms, gap 20 ms]\n"
        "  └─[mem] read: session → done (20ms) [self 20 ms, ∥2]\n"
        "  └─[mem] read: patterns → done (40ms) [self 40 ms, ∥2]\n"
        "  └─[foc] gate_check: denied (20ms) [self 10 ms, gap 5 ms]\n"
        "      └─[mem] write: error: KeyError (10ms) [self 10 ms]\n"
        "  └─[lrn] pattern_match: done (0ms)\n"
    )


def test_the_critical_path_is_marked_with_its_shares(turn: Any, view: View) -> None:
    """They add up to the whole; who only ran beside it has none."""
    assert view("--critical") == (
        "[alt] plan: turn 1 → done (100ms) [critical 40 ms, 40 %]\n"
        "  └─[mem] read: session → done (20ms)\n"
        "  └─[mem] read: patterns → done (40ms) [critical 40 ms, 40 %]\n"
        "  └─[foc] gate_check: denied (20ms) [critical 10 ms, 10 %]\n"
        "      └─[mem] write: error: KeyError (10ms) [critical 10 ms, 10 %]\n"
        "  └─[lrn] pattern_match: done (0ms)\n"
    )


@pytest.mark.parametrize(
    "choice", [("--hrm", "mem", "--status", "error"), ("-f", "status:error"), ("-f", "layer:mem -read")]
)
def test_what_is_not_shown_counts_all_the_same(turn: Any, view: View, choice: tuple[str, ...]) -> None:
    """Times are those of the whole trace, whichever of its events were asked for."""
    assert view("--times", "--critical", *choice) == (
        "[alt] plan: turn 1 → done (100ms) [context] [self 40 ms, gap 20 ms] [critical 40 ms, 40 %]\n"
        "  └─[foc] gate_check: denied (20ms) [context] [self 10 ms, gap 5 ms] [critical 10 ms, 10 %]\n"
        "      └─[mem] write: error: KeyError (10ms) [self 10 ms] [critical 10 ms, 10 %]\n"
    )


def test_a_trace_too_large_to_take_apart_is_shown_without(
    turn: Any, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than to say of a part what holds of the whole alone."""
    monkeypatch.setattr("dam_obs.cli.view.TAKEN_APART", 5)

    assert view("--times", "--critical", "-f", "status:error") == (
        "[alt] plan: turn 1 → done (100ms) [context]\n"
        "  └─[foc] gate_check: denied (20ms) [context]\n"
        "      └─[mem] write: error: KeyError (10ms)\n"
    )


@pytest.mark.parametrize("choice", [(), ("-f", "here"), ("--json",), ("--summary",), ("--otlp",), ("--md",)])
def test_a_forged_circle_is_shown_and_ends(event: Any, write: Any, view: View, choice: tuple[str, ...]) -> None:
    """Each of three says that another is its parent: nothing is lost by it, nothing goes round."""
    write(
        event("alt_1_a", "alt_1_c", input_summary="here"),
        event("alt_1_b", "alt_1_a"),
        event("alt_1_c", "alt_1_b"),
        event("alt_1_d", "alt_1_b", input_summary="here"),
    )

    assert "alt_1_a" in view("--jsonl")
    assert view("--times", "--critical", *choice) != ""
