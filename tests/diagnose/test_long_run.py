"""A run whose trace was packed is diagnosed as any other; what is kept of very many executions is said."""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path
from types import FunctionType, ModuleType

import pytest
from click.testing import CliRunner

from dam_obs.cli._main import build
from dam_obs.diagnose import kept
from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.evidence import gather
from dam_obs.diagnose.page import render_page
from dam_obs.sample.spill import Spill
from dam_obs.store.closed import Lost, closed_files, closed_folder, write_lost
from dam_obs.store.mounts import Mounts
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[RunFolder, RunFolder]:
    """The same run twice, as lines and packed, at the same path: the first one is a copy."""
    folder = tmp_path_factory.mktemp("runs")
    packed = write_example_run(folder / "run", assets=60)
    plain = RunFolder(folder / "plain")
    shutil.copytree(packed.path, plain.path)
    lines = packed.trace.read_bytes().splitlines(keepends=True)
    closed_folder(packed.trace).mkdir()
    for number, begin in enumerate((0, 100, 200)):
        part = closed_folder(packed.trace) / f"{number:020d}.jsonl"
        part.write_bytes(b"".join(lines[begin : begin + 100]))
    packed.trace.write_bytes(b"".join(lines[300:]))
    Spill(packed).end()
    assert len(closed_files(packed.trace)) == 3
    return plain, packed


def test_the_report_is_the_same(both):
    """To the last figure."""
    plain, packed = both

    assert build_report(packed) == build_report(plain)


COMMANDS = {
    "view": ["view", "{run}", "--json"],
    "view a filter": ["view", "{run}", "--filter", "status:error", "--json"],
    "stats": ["stats", "{run}", "--json"],
    "check": ["check", "{run}", "--json", "--source", "{source}"],
    "diff": ["diff", "{run}", "{run}", "--json"],
    "points check": ["points", "check", "--events", "{run}"],
    "chrome": ["export", "{run}", "--format", "chrome", "--output", "-"],
    "folded": ["export", "{run}", "--format", "folded", "--output", "-"],
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_commands_say_the_same(both, words, tmp_path):
    """None of them knows in which form the events are."""
    said = []
    (tmp_path / "source").mkdir()
    for run in both:
        arguments = [word.format(run=run.path, source=tmp_path / "source") for word in words]
        result = CliRunner().invoke(build(), arguments)
        said.append((result.exit_code, result.output.replace(str(run.path), "RUN")))

    assert said[0] == said[1]


def test_beyond_a_bound_figures_are_of_all_and_pictures_of_some(both, monkeypatch):
    """Counts, quantiles and sums are those of all executions; it is said how many others are from."""
    plain, _ = both
    whole = build_report(plain)
    monkeypatch.setattr(kept.Kept.__init__, "__defaults__", (30,))
    some = build_report(plain)

    for few, every in zip(some.systems, whole.systems, strict=True):
        for field in ("executions", "by_status", "latency", "time", "errors", "features", "concurrency_peak"):
            assert getattr(few, field) == getattr(every, field), field
        assert len(few.points) == min(30, every.executions)
        assert few.kept == (30 if every.executions > 30 else None)
        assert {point.handle for point in few.points} <= {point.handle for point in every.points}
    assert all(system.kept is None for system in whole.systems)
    assert ["drawn by chance from all that succeeded" in render_page(each) for each in (some, whole)] == [True, False]


def test_what_had_to_go_is_in_the_quality_block(both, tmp_path):
    """And is a reason for doubt."""
    plain, packed = both
    run = RunFolder(tmp_path / "copy")
    shutil.copytree(packed.path, run.path)
    write_lost(closed_folder(run.trace), Lost(events=100, events_through=f"{0:020d}", timelines=40))
    report = build_report(run)

    assert (report.quality.events_lost, report.quality.timelines_lost) == (100, 40)
    assert report.quality.executions == build_report(plain).quality.executions - 100
    assert "100 events, the oldest, had to go for the bound on disk" in " ".join(report.quality.reasons)


def test_a_report_of_before_is_read(both):
    """What is new may be absent."""
    report = build_report(both[0])
    data = json.loads(report.model_dump_json())
    for name in ("events_lost", "timelines_lost"):
        del data["quality"][name]
    for system in data["systems"]:
        del system["kept"]

    assert type(report).model_validate(data) == report


def objects_in(root: object) -> int:
    """Count what can be reached from an object, but for what a program has anyway."""
    seen: dict[int, object] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType):
            continue
        seen[id(one)] = one
        waiting += gc.get_referents(one)
    return len(seen)


def test_what_is_gathered_has_no_more_objects_the_longer_a_run_is(event, monkeypatch):
    """Numbers grow in arrays; of all else there is so much and no more."""
    monkeypatch.setattr(kept.Kept.__init__, "__defaults__", (20,))

    def gathered(count: int) -> int:
        parent = event(component="parent")
        pairs = ((event(features={"size": 1}, parent_id=parent.trace_id), event()) for _ in range(count))
        run = gather((one for pair in pairs for one in pair), Mounts([]))
        assert run.find(parent.otel_span_id or "") is None
        for system in run.systems.values():
            system.kept.executions()
        return objects_in(run)

    assert gathered(2000) == gathered(500)


def test_the_run_folder_names_what_is_in_it(both):
    """Nothing else than what a run leaves, and closed files."""
    _, packed = both

    assert sorted(path.name for path in packed.path.iterdir() if path.is_dir()) == ["processes", "trace.closed"]
    assert Path(packed.trace.with_name("trace.closed")).is_dir()


@pytest.mark.parametrize("form", [0, 1], ids=["lines", "packed"])
def test_a_report_tells_how_far_it_is(both, form):
    """From nothing, through all systems, never back; what is told changes nothing."""
    told: list[float] = []
    report = build_report(both[form], tell=told.append)

    assert told[0] == 0
    assert told == sorted(told)
    assert len(told) == 1 + len(report.systems)
    assert told[-1] < 1
    assert report == build_report(both[form])
