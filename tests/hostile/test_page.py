"""The page of a hostile run: not an element, an attribute or a script in it comes from the data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.page import render_page
from dam_obs.store.runs import RunFolder

URLS = {"href", "src", "action", "formaction", "xlink:href", "data", "poster", "srcset", "style"}
INSIDE = {"script", "style"}


class Outline(HTMLParser):
    """What a page is made of, without its words."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[tuple[str, tuple[str, ...]]] = set()
        self.urls: set[tuple[str, str]] = set()
        self.code: dict[str, set[str]] = {name: set() for name in INSIDE}
        self.json: list[str] = []
        self._in: str | None = None
        self._text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, tuple(sorted(name for name, _ in attrs))))
        self.urls |= {(name, value or "") for name, value in attrs if name in URLS}
        is_json = tag == "script" and dict(attrs).get("type") == "application/json"
        self._in = "json" if is_json else tag if tag in INSIDE else None
        self._text = ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag in INSIDE and self._in is not None:
            self.json += [self._text] if self._in == "json" else []
            self.code[tag] |= set() if self._in == "json" else {self._text}
            self._in = None


def outline_of(run: RunFolder) -> Outline:
    return Outline(render_page(build_report(run)))


@pytest.fixture(scope="module")
def tame(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Outline:
    """The outlines of harmless runs, of several sizes, put together."""
    whole: Outline | None = None
    for number, assets in enumerate((1, 4, 12, 40)):
        one = outline_of(kit.tame(tmp_path_factory.mktemp(f"tame{number}") / "run", number, assets))
        if whole is None:
            whole = one
        whole.elements |= one.elements
        whole.urls |= one.urls
        whole.code["script"] |= one.code["script"]
        whole.code["style"] |= one.code["style"]
    assert whole is not None
    return whole


LONG = (pytest.mark.slow, pytest.mark.timeout(600))
SEEDS = [pytest.param(seed, marks=LONG) for seed in (1, 2, 3)]


@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_built_like_a_tame_one(seed: int, tame: Outline, hostile: Callable[..., Path], kit: Any) -> None:
    """The same kinds of elements with the same attributes, the very scripts and styles, no address to elsewhere."""
    found = outline_of(RunFolder(hostile(seed, share=0.6) / "run"))

    assert found.elements - tame.elements == set()
    assert found.code["script"] <= tame.code["script"]
    assert found.code["style"] <= tame.code["style"]
    addresses = {url for name, url in found.urls - tame.urls if name != "style"}
    styles = {css for name, css in found.urls if name == "style"}
    assert {url for url in addresses if not re.fullmatch(r"#[\w.:-]*", url)} == set()
    assert {css for css in styles if re.search(r"url|expression|@|[<>\"\\]", css)} == set()
    for data in found.json:
        json.loads(data)
