"""The dashboards are what Grafana's published types say, and these refuse a dashboard that is not."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [json.loads(path.read_text()) for path in sorted((ROOT / "dashboards" / "generated").glob("*.json"))]
SHAPES = Path(__file__).parent / "grafana" / "shapes.ts"
# Older packages name no files beyond their main one, newer ones no others than those that they name.
HOW = {"newest": "bundler", "oldest": "node10"}

Page = dict[str, Any]


@pytest.fixture(scope="module", params=HOW)
def check_schema(request, built, tmp_path_factory) -> Callable[[Mapping[str, Page]], dict[str, list[str]]]:
    """Return a function that says what Grafana's types have against each of some dashboards."""
    packages = built("install-grafana-schema")
    compiler = packages / "compiler" / "node_modules" / "typescript" / "bin" / "tsc"
    settings = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext"]
    settings += ["--pretty", "false", "--moduleResolution", HOW[request.param]]

    def check(pages: Mapping[str, Page]) -> dict[str, list[str]]:
        folder = tmp_path_factory.mktemp("schema")
        (folder / "node_modules").symlink_to(packages / request.param / "node_modules")
        shutil.copy(SHAPES, folder)
        files = {f"page{number}.ts": name for number, name in enumerate(pages)}
        for file, name in files.items():
            (folder / file).write_text(_literals(pages[name]))
        done = subprocess.run(["node", compiler, *settings, *files], cwd=folder, capture_output=True, text=True)
        assert done.returncode in (0, 1, 2), done.stderr
        found: dict[str, list[str]] = {name: [] for name in pages}
        for line in done.stdout.splitlines():
            if not line.startswith(" "):  # what is indented explains the line before it
                found[files[line.partition("(")[0]]].append(line)
        assert any(found.values()) == bool(done.returncode), done.stdout + done.stderr
        return found

    return check


def _literals(page: Page) -> str:
    """Write a page as values that are held against their types; unknown fields are errors in literals alone."""
    rest = {name: value for name, value in page.items() if name != "panels"}
    lines = ["import type { Page, Panels } from './shapes';", f"export const page: Page = {json.dumps(rest)};"]
    for number, panel in enumerate(page["panels"]):
        lines.append(f"export const p{number}: Panels[{json.dumps(panel['type'])}] = {json.dumps(panel)};")
    return "\n".join(lines)


def test_dashboards_are_what_grafana_says(check_schema):
    """All of all pages: the dashboard, its variables and links, each panel with its options, drawing and queries."""
    assert check_schema({page["uid"]: page for page in PAGES}) == {page["uid"]: [] for page in PAGES}


def _copy(uid: str) -> Page:
    (page,) = (each for each in PAGES if each["uid"] == uid)
    copy: Page = json.loads(json.dumps(page))
    return copy


def _panel(page: Page, kind: str) -> Any:
    return next(each for each in page["panels"] if each["type"] == kind)


def _set(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(within: Any) -> None:
        for step in path[:-1]:
            within = within[step]
        within[path[-1]] = value

    return change


def _drop(*path: str | int) -> Callable[[Any], None]:
    def change(within: Any) -> None:
        for step in path[:-1]:
            within = within[step]
        del within[path[-1]]

    return change


BROKEN = {
    "a field that no dashboard has": (None, _set("autoRefresh", value="30s")),
    "a dashboard without a schema": (None, _drop("schemaVersion")),
    "a tooltip that there is not": (None, _set("graphTooltip", value=7)),
    "a variable of no type": (None, _set("templating", "list", 0, "type", value="prometheus")),
    "a link of no type": (None, _set("links", 0, "type", value="dashboard")),
    "a panel of no type": ("stat", _set("type", value="singlestat")),
    "a misspelt option": ("stat", _set("options", "colourMode", value="value")),
    "an option without the value": ("stat", _set("options", "colorMode", value="bright")),
    "an option that is missing": ("heatmap", _drop("options", "exemplars")),
    "a place that is text": ("stat", _set("gridPos", "w", value="8")),
    "a misspelt way to draw": ("timeseries", _set("fieldConfig", "defaults", "custom", "fillOpactiy", value=1)),
    "a line of no kind": ("timeseries", _set("fieldConfig", "defaults", "custom", "drawStyle", value="dots")),
    "a misspelt setting of values": ("timeseries", _set("fieldConfig", "defaults", "units", value="s")),
    "a threshold without a colour": ("stat", _drop("fieldConfig", "defaults", "thresholds", "steps", 0, "color")),
    "an override without a matcher": ("table", _drop("fieldConfig", "overrides", 0, "matcher")),
    "a query without an expression": ("timeseries", _drop("targets", 0, "expr")),
    "a query with a misspelt field": ("timeseries", _set("targets", 0, "legend", value="x")),
    "a transformation without a name": ("table", _drop("transformations", 0, "id")),
    "a text in no language": ("text", _set("options", "mode", value="rst")),
}


def _broken(kind: str | None, change: Callable[[Any], None]) -> Page:
    """Return a page that would be fine but for one thing, in its first panel of a kind or, without one, in itself."""
    homes = {"text": "dam-obs-layers", "heatmap": "dam-obs-systems", "table": "dam-obs-systems"}
    page = _copy(homes.get(kind or "", "dam-obs-itself"))
    change(page if kind is None else _panel(page, kind))
    return page


def test_broken_dashboards_are_refused(check_schema):
    """One thing is wrong with each, and one is found in each."""
    found = check_schema({name: _broken(*how) for name, how in BROKEN.items()})

    assert {name: len(problems) for name, problems in found.items()} == dict.fromkeys(BROKEN, 1)
