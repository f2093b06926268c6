"""The page for whoever reviews drafts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dam_obs.diagnose.report import Absent, Prediction
from dam_obs.draft.markdown import code, sentence
from dam_obs.draft.write import make_drafts

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")

any_text = st.text(st.characters(codec="utf-8"), max_size=40) | st.lists(
    st.sampled_from(
        [
            "`",
            "|",
            "\\",
            "*",
            "_",
            "[x](y)",
            "![x](y)",
            "<b>",
            "&lt;",
            "# ",
            "- ",
            "1. ",
            "> ",
            "\n",
            "\n\n",
            "@me",
            "#1",
            "http://x.y",
            "~~",
            "a",
            " ",
        ]
    ),
    max_size=6,
).map("".join)


def review(report, **changes):
    return make_drafts(report.model_copy(update=changes), templates=()).review


def test_the_table_has_a_row_for_each_draft(report, system):
    """Executions, latency, model, errors and traits with their confidence."""
    rows = [line for line in review(report(system())).splitlines() if line.startswith("| `asset")]

    row = (
        "| `asset_pipeline.systems:ExtractMember` | 240 | 18 ms | 52 ms | `linear (size)` | 8% | +1% | 10% "
        "| `IOBoundTrait` 0.90, `ExecutionCostTrait` 0.90, `ResourceUsageTrait disk/read/vda` 0.90, "
        "`ResourceUsageTrait net/db.internal:5432` 0.41 |"
    )
    assert rows == [row]


def test_a_drafts_part_names_its_file_model_and_evidence(report, system):
    """What a reviewer compares the code with."""
    page = review(report(system()))
    part = page[page.index("## `asset_pipeline") :]

    assert (
        part
        == """\
## `asset_pipeline.systems:ExtractMember`

Draft: `asset_pipeline_systems_ExtractMember.py`. Cost in ms: `3.1 + 0.0021 * size`.

![Each execution as a dot, the model as a line](asset_pipeline_systems_ExtractMember.svg)

| `size` | executions | median seen | model | took longer |
| --- | ---: | ---: | ---: | ---: |
| 3 to 7 | 2 | 5 ms | 4.35 ms | 50% |
| 18 | 1 | 18 ms | 4.39 ms | 100% |
| 40 | 1 | 40 ms | 4.46 ms | 100% |
| 93 | 1 | 93 ms | 4.61 ms | 100% |

- `IOBoundTrait`: 240 of 240 executions showed it.
- `ExecutionCostTrait`: 240 of 240 executions showed it.
- `ResourceUsageTrait disk/read/vda`: 240 of 240 executions showed it.
- `ResourceUsageTrait net/db.internal:5432` (in doubt, commented out): 240 of 240 executions showed it.
- Seen for `size`: 120 to 5,000,000
- Executions to look at: `sys_1768312800_0003` (3 ms), `sys_1768312800_0012` (18 ms), `sys_1768312800_005d` (93 ms)

"""
    )


def test_warnings_come_first(report, system, cost):
    """About the run, then about systems."""
    quality = report().quality.model_copy(
        update={
            "verdict": "weak",
            "reasons": ["only 12 samples"],
            "absent": [Absent(evidence="stacks", why="ptrace is refused", remedy="run as root")],
            "executions_dropped": 3,
        }
    )
    late = cost(held_out=Prediction(mdape=0.3, bias=-0.2, under_rate=0.31), warnings=["size hardly varied"])
    page = review(report(system(by_status={"success": 240}), system(system="a:B", cost=late)), quality=quality)

    assert (
        page[page.index("The evidence") : page.index("## Systems")]
        == """\
The evidence is **weak**.

## Warnings

- only 12 samples
- No stacks: ptrace is refused; run as root
- 3 executions were lost before they were written.
- `a:B`: size hardly varied
- `a:B`: Under-estimates 31% of executions; 10% were meant.
- `a:B`: 6 of 240 executions failed.

"""
    )


def test_without_anything_to_warn_of_there_is_no_such_heading(report, system):
    """A clean run reads clean."""
    assert "## Warnings" not in review(report(system(by_status={"success": 240})))


def test_a_run_without_drafts_says_so(report, system):
    """Not an empty table."""
    page = review(report(system(command_type=None)))

    assert "| (no drafts) | | | | | | | | |" in page
    assert page.endswith("## Not drafted\n\n- `asset_pipeline.systems:ExtractMember`: no command of it was seen\n")


@given(any_text)
def test_a_name_in_a_cell_stays_code_in_its_cell(text):
    """As a Markdown parser sees it."""
    html = MARKDOWN.render(f"| a | b |\n| --- | --- |\n| {code(text)} | end |\n")

    assert html.count("<td>") == 2
    assert "<td>end</td>" in html
    assert re.search(r"<td>(<code>[^<]*</code>|\(empty\))</td>", html)


@given(any_text)
def test_a_sentence_is_rendered_as_its_own_text(text):
    """No markup, link, image, list or heading comes of it."""
    html = MARKDOWN.render(f"- {sentence(text)} end\n")

    inner = re.fullmatch(r"<ul>\n<li>([^<]*)</li>\n</ul>\n", html)
    assert inner, html


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("240 of 240 executions showed it.", "240 of 240 executions showed it."),
        ("error 12.5 %, read-ahead off", "error 12.5 %, read-ahead off"),
        ("ask @admin about #12", "ask \\@&#8203;admin about \\#&#8203;12"),
        ("see http://evil.example", "see http\\://evil\\.example"),
        ("<b>", "\\<b\\>"),
        ("    indented ", "indented"),
    ],
)
def test_sentences_stay_readable(text, markdown):
    """Only what could mean something is escaped; nobody is mentioned."""
    assert sentence(text) == markdown
