"""Runs of the example pipeline, alike and with something planted, and what is read of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.compare.side import SYSTEMS, RunSide, side_of_run
from dam_obs.sample.samples import TAG
from dam_obs.store.by_group import population
from dam_obs.store.filter import parse_filter
from dam_obs.store.find import find_source
from dam_obs.store.runs import RunFolder
from dam_obs.store.table import open_table
from dam_obs.testing.runs import write_example_run

COMPRESS = "asset_pipeline.systems:CompressAsset"
FETCH = "asset_pipeline.systems:FetchMetadata"
JOURNAL = "asset_pipeline.systems:WriteJournal"


def read_side(run: RunFolder) -> RunSide:
    with open_table(find_source(run.path)) as table:
        groups = population(table, SYSTEMS, wanted=parse_filter("")).groups
    return side_of_run(run, build_report(run), groups)


def change_events(run: RunFolder, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite the events of a run."""
    events = [json.loads(line) for line in run.trace.read_text(encoding="utf-8").splitlines()]
    for event in events:
        change(event)
    run.trace.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")


def plant(run: RunFolder) -> None:
    """Have compressing take longer in a function of its own, fetching wait longer, and the journal write more."""
    spans = set()

    def slow_down(event: dict[str, Any]) -> None:
        if event["component"] == COMPRESS:
            spans.add(event["otel_span_id"])
            extra = event["duration_ns"]
            event["duration_ns"] += extra
            event["cpu_ns"] += extra
        elif event["component"] == FETCH:
            event["duration_ns"] += 25_000_000
            event["wait_ns"] += 25_000_000
        elif event["component"] == JOURNAL:
            event["io"]["write_bytes"] *= 5
        event["duration_ms"] = round(event["duration_ns"] / 1e6)

    change_events(run, slow_down)
    profile = json.loads(run.raw_profile.read_text(encoding="utf-8"))
    frames = profile["shared"]["frames"]
    frames.append({"name": "squeeze", "file": "/home/ann/asset_pipeline/systems.py", "line": 77, "col": None})
    tags = {number for number, frame in enumerate(frames) if frame["name"].removeprefix(TAG) in spans}
    for thread in profile["profiles"]:
        more = [[*sample[:-1], len(frames) - 1] for sample in thread["samples"] if tags.intersection(sample)]
        thread["samples"] += more
        thread["weights"] += thread["weights"][:1] * len(more)
    run.raw_profile.write_text(json.dumps(profile), encoding="utf-8")


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    """A run, another of the same program, and one of a slower version of it."""
    below = tmp_path_factory.mktemp("runs")
    found = {name: write_example_run(below / name, seed) for name, seed in (("before", 0), ("again", 1), ("after", 2))}
    plant(found["after"])
    return found


@pytest.fixture(scope="session")
def sides(folders: dict[str, RunFolder]) -> dict[str, RunSide]:
    """The same, read."""
    return {name: read_side(run) for name, run in folders.items()}
