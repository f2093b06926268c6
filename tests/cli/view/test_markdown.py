"""``--md`` and ``--summary``: for a pull request, an issue, a prompt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.cli._view.markdown import code_span, in_table
from dam_obs.cli._view.picture import whole
from dam_obs.cli._view.summary import LONGEST, Summary
from dam_obs.store.tree import traces
from dam_obs.trace.events import TraceEvent

View = Callable[..., str]


def test_events_are_a_nested_list(turn: Any, view: View) -> None:
    """Troubles stand out, and the shape is told where it was asked for."""
    assert view("--md") == (
        "- `[alt] plan: turn 1 → done` 100 ms\n"
        "  - `[mem] read: session → done` 20 ms\n"
        "  - `[mem] read: patterns → done` 40 ms\n"
        "  - `[foc] gate_check: denied` **blocked**, 20 ms\n"
        "    - `[mem] write: error: KeyError` **error**, 10 ms\n"
        "  - `[lrn] pattern_match: done`\n"
    )
    assert view("--md", "--critical", "--hrm", "learning", "--hrm", "foc").splitlines() == [
        "- `[alt] plan: turn 1 → done` 100 ms, critical 40 ms, 40 %, context",
        "  - `[foc] gate_check: denied` **blocked**, 20 ms, critical 10 ms, 10 %",
        "  - `[lrn] pattern_match: done`",
    ]


SPANS = [
    ("plain *text* <b> @name #1 http://x", "`plain *text* <b> @name #1 http://x`"),
    ("a`b", "`` a`b ``"),
    ("``a` b", "``` ``a` b ```"),
    ("two\nlines\x1b[2J", "`two\\nlines\\x1b[2J`"),
    (" leading", "`  leading `"),
    ("", "`  `"),
]


@pytest.mark.parametrize(("text", "shown"), SPANS)
def test_what_a_trace_says_is_never_markup(text: str, shown: str) -> None:
    """Neither emphasis nor a tag, a link, a person or the end of the line."""
    assert code_span(text) == shown


@given(text=st.text(max_size=40))
def test_a_code_span_ends_where_it_should(text: str) -> None:
    """No run of backticks within is as long as the fence, so nothing within can close it."""
    span = code_span(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    inside = span[len(fence) : -len(fence)]

    assert span.endswith(fence)
    assert all(len(run) != len(fence) for run in "".join(c if c == "`" else " " for c in inside).split())
    assert "\n" not in span


def test_a_bar_does_not_end_a_cell() -> None:
    """In a table it would, even within code."""
    assert in_table("a|b") == "`a\\|b`"


def test_the_summary_says_what_matters(turn: Any, view: View) -> None:
    """Counts, layers, slowest, troubles with the way down to them, the critical path, the longest gap."""
    assert view("--summary") == (
        """\
`trace.jsonl`: 1 trace, 6 events, 1 error, 1 blocked (of 6 recorded), begun 2026-01-13T15:00:00.000000+00:00

| layer | events | mean | max | errors | blocked |
| --- | ---: | ---: | ---: | ---: | ---: |
| `memory` | 3 | 23.3 ms | 40 ms | 1 | 0 |
| `altitude` | 1 | 100 ms | 100 ms | 0 | 0 |
| `focus` | 1 | 20 ms | 20 ms | 0 | 1 |
| `learning` | 1 |  |  | 0 | 0 |

**Slowest**

- 100 ms `altitude.plan` `turn 1` (`alt_1_a`)
- 40 ms `memory.read` `patterns` (`mem_1_c`)
- 20 ms `memory.read` `session` (`mem_1_b`)
- 20 ms `focus.gate_check` (`foc_1_d`)
- 10 ms `memory.write` (`mem_1_e`)

**Errors**

- `altitude.plan > focus.gate_check > memory.write`: `KeyError: 'session'` (`mem_1_e`)

**Blocked**

- `altitude.plan > focus.gate_check`: `denied` (`foc_1_d`)

**Critical path `alt_1_a`, 100 ms**

- 40 % `altitude.plan` 40 ms
- 40 % `memory.read` 40 ms
- 10 % `focus.gate_check` 10 ms
- 10 % `memory.write` 10 ms

**Longest gap**

- 20 ms of 100 ms in `altitude.plan` (`alt_1_a`): nothing recorded below it from 50 ms on
"""
    )


@pytest.mark.parametrize(("status", "heading"), [("error", "Errors"), ("blocked", "Blocked")])
def test_trouble_that_only_passed_on_is_not_told_twice(
    event: Any, write: Any, view: View, status: str, heading: str
) -> None:
    """Where it arose counts; and what happened often is one line."""
    failed = {"status": status, "metadata": {"error.type": "ValueError", "error": "no"}}
    write(
        *(event(f"mem_{n}_b", f"alt_{n}_a", 0, 5, hrm_layer="memory", operation="read", **failed) for n in range(3)),
        *(event(f"alt_{n}_a", None, 0, 9, **failed) for n in range(3)),
    )
    lines = view("--summary").splitlines()

    assert lines[lines.index(f"**{heading}**") + 2 : lines.index(f"**{heading}**") + 4] == [
        "- 3 × `altitude.plan > memory.read`: `ValueError: no` (`mem_0_b`)",
        "",
    ]


texts = st.text(max_size=100)


@given(
    rows=st.lists(st.tuples(texts, texts, texts, st.sampled_from(["success", "error", "blocked"])), max_size=40),
    name=st.text(max_size=300),
)
def test_the_summary_fits_whatever_is_in_the_trace(rows: list[tuple[str, str, str, Any]], name: str) -> None:
    """An issue takes it, and it is whole lines."""
    events = [
        TraceEvent(
            trace_id=f"{layer[:3]}_{n}", parent_id=f"{rows[n - 1][0][:3]}_{n - 1}" if n % 3 else None,
            timestamp="2026-01-13T14:00:00", hrm_layer=layer, operation=operation, component="", input_summary=text,
            output_summary=text, duration_ms=100 - n, status=status, metadata={"error": text},
        )
        for n, (layer, operation, text, status) in enumerate(rows)
    ]  # fmt: skip
    text = Summary([whole(trace) for trace in traces(events)], name, len(events)).text()

    assert len(text) <= LONGEST
    assert text.endswith("\n")


def test_a_huge_trace_has_a_summary_that_fits(event: Any, write: Any, view: View) -> None:
    """And each part says what it leaves out."""
    long = "a very long text that says little " * 3
    write(
        *(
            event(f"sys_1_{n}", "alt_1_a", n, 5, hrm_layer=f"layer_{n % 30}", operation=long, input_summary=long,
                  status="error", metadata={"error.type": f"Error{n}", "error": long})
            for n in range(300)
        ),
        event("alt_1_a", None, 0, 400),
    )  # fmt: skip
    text = view("--summary", "--last", "999")

    assert len(text) <= LONGEST
    shown = text.count("| `layer_")
    assert 0 < shown < 31
    assert f"| and {31 - shown} more | | | | | |" in text
    assert f"- and {300 - text.count('`Error')} other kinds" in text


def test_nothing_is_summed_up_plainly(folder: Path) -> None:
    """Nothing fits: a line with a nought."""
    assert Summary([], "trace.jsonl", 3).text() == "`trace.jsonl`: 0 traces, 0 events (of 3 recorded)\n"
