"""Every command reads hostile runs: what it prints is text, Markdown and JSON of ours, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.write import report_json
from dam_obs.store.runs import RunFolder

SOURCE = "class HashAsset:\n    @classmethod\n    async def calculate_traits(cls, cmd, world):\n        return []\n"

TEXT = [
    ["view", "run"], ["view", "run", "--critical", "--times"], ["stats", "run"], ["stats", "run", "--by", "component"],
    ["report", "run", "--force"], ["draft", "run", "--output", "drafts"], ["draft", "run", "--stdout"],
    ["draft", "run", "--patch", "--source", "src"], ["check", "run", "--source", "src", "--sarif", "x.sarif"],
    ["diff", "run", "other"], ["diff", "run/trace.jsonl", "other/trace.jsonl"], ["diff", "run/report.json", "other"],
    ["points", "attach-report", "run"], ["view", "../nothing\x1b[31m"], ["view", "run", "-f", "\x1b[31m:\u202e"],
    ["export", "run", "--format", "folded", "--force"], ["export", "run", "--format", "chrome", "--system", "\x1b[2J"],
]  # fmt: skip
JSON = [
    ["view", "run", "--json"], ["stats", "run", "--json"], ["report", "run", "--json"],
    ["diff", "run", "other", "--json"],
    ["check", "run", "--source", "src", "--json"], ["draft", "run", "--output", "drafts", "--json"],
]  # fmt: skip
MARKDOWN = [
    ["view", "run", "--md"], ["view", "run", "--summary"], ["draft", "run", "--review"],
    ["diff", "run", "other", "--md"],
    ["diff", "run/trace.jsonl", "other/trace.jsonl", "--md", "--by", "component"],
]  # fmt: skip

LONG = (pytest.mark.slow, pytest.mark.timeout(600))
SEEDS = [pytest.param(seed, marks=LONG) for seed in (1, 2)]
WILD = [pytest.param(seed, marks=LONG) for seed in (101, 105)]


@pytest.fixture
def folder(hostile: Callable[..., Path], kit: Any) -> Callable[..., Path]:
    """A maker of a folder with two hostile runs and a source file."""

    def make(seed: int, **how: Any) -> Path:
        made = hostile(seed, **how)
        kit.write(made / "other", seed + 1_000, **how)
        (made / "src").mkdir()
        (made / "src" / "systems.py").write_text(SOURCE, encoding="utf-8")
        kit.call("report", "run", "--force")
        return made

    return make


@pytest.mark.parametrize("seed", SEEDS)
def test_terminals_get_text_and_our_own_colours(seed: int, folder: Callable[..., Path], kit: Any) -> None:
    """And a pipe gets text alone; every command ends with a status, not with a traceback."""
    folder(seed)
    for command in TEXT:
        for terminal in (False, True):
            ran = kit.call(*command, terminal=terminal)
            assert ran.status in (0, 1, 2), command
            kit.assert_harmless(ran.out, colours=terminal)
            kit.assert_harmless(ran.err, colours=terminal, progress=terminal)


@pytest.mark.parametrize("seed", SEEDS)
def test_json_is_json(seed: int, folder: Callable[..., Path], kit: Any) -> None:
    """By a strict reader: no NaN, no infinity."""
    folder(seed)
    for command in JSON:
        ran = kit.call(*command)
        assert ran.status in (0, 1), (command, ran.err)
        json.loads(ran.out, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise AssertionError(name)


@pytest.mark.parametrize("seed", SEEDS)
def test_markdown_has_no_markup_of_the_data(seed: int, folder: Callable[..., Path], kit: Any) -> None:
    """As a code host renders it: no link, no picture, no HTML, and headings of ours alone."""
    folder(seed)
    for command in MARKDOWN:
        ran = kit.call(*command)
        assert ran.status == 0, (command, ran.err)
        assert _markup(ran.out) == [], command
        kit.assert_harmless(ran.out)


OURS = re.compile(r"<(?:/?details|/?summary|/?sub|br ?/?)>|</?b>|<!--[^<>]*-->")


def _markup(page: str) -> list[str]:
    """Return what a page holds that our pages have no use for."""
    reader = MarkdownIt("commonmark", {"linkify": False}).enable("table").enable("strikethrough")
    found = []
    for token in _all(reader.parse(page)):
        if token.type in ("link_open", "image", "s_open", "math_inline", "hr", "blockquote_open"):
            found.append(f"{token.type} {token.attrs}")
        elif token.type in ("html_inline", "html_block") and OURS.sub("", token.content).strip():
            rest = OURS.sub("", token.content)
            found += [rest] if re.search(r"<[a-zA-Z/!?]", rest) else []
    outside = re.sub(r"(`+)[^`].*?\1", "", page)
    found += re.findall(r"(?<![\\\w&#/])[@#][a-z0-9][\w-]*", outside)
    found += re.findall(r"https?://\S+|www\.\S+", outside)
    return found


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or [])


@pytest.mark.parametrize("seed", SEEDS)
def test_drafts_are_python_that_calls_what_drafts_call(seed: int, folder: Callable[..., Path], kit: Any) -> None:
    """Parsed, never run: the planted name is called nowhere, and no file is made but drafts."""
    made = folder(seed)
    before = {path for path in made.rglob("*") if "drafts" not in path.parts}
    kit.call("draft", "run", "--output", "drafts")
    kit.call("draft", "run", "--write", "--source", "src")

    assert {path for path in made.rglob("*") if "drafts" not in path.parts} == before
    assert not list(made.parent.glob("*passwd*"))
    for path in [*made.glob("drafts/*.py"), *made.glob("src/*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert {name for name in called if "CANARY" in name or name in ("eval", "exec", "__import__", "open")} == set()


@pytest.mark.parametrize("seed", WILD)
def test_numbers_that_are_none_and_half_characters(seed: int, folder: Callable[..., Path], kit: Any) -> None:
    """A line that is no event is left out and counted; of what is left everything can be said."""
    folder(seed, wild=True)
    for command in [*TEXT, *JSON, *MARKDOWN]:
        ran = kit.call(*command)
        assert ran.status in (0, 1, 2), command
        kit.assert_harmless(ran.err)
        if "--json" not in command:
            kit.assert_harmless(ran.out)
        elif ran.status in (0, 1):
            json.loads(ran.out, parse_constant=_refuse)


@pytest.mark.parametrize("number", ["NaN", "-1e999", "1" + "0" * 400, "-1", "9007199254740993", "1e308"])
def test_a_report_with_any_number_is_read_or_refused(number: str, hostile: Callable[..., Path], kit: Any) -> None:
    """Wherever it stands; nobody has to have made the file with dam-obs."""
    run = RunFolder(hostile(3, share=0.0, assets=4) / "run")
    whole = report_json(build_report(run))
    places = [found.span(1) for found in re.finditer(r": (-?\d[\d.e+-]*)(?=[,\n])", whole)]
    for start, end in places[:: len(places) // 8]:
        run.report_json.write_text(f"{whole[:start]}{number}{whole[end:]}", encoding="utf-8")
        for command in (["diff", "run/report.json", "run/report.json"], ["draft", "run", "--review"]):
            ran = kit.call(*command)
            assert ran.status in (0, 1, 2), (command, whole[start - 40 : end])
            kit.assert_harmless(ran.out)
            kit.assert_harmless(ran.err)
