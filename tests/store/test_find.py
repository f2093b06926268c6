from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.store.errors import NoTraceFound
from dam_obs.store.find import Source, find_source, runs_below
from dam_obs.store.runs import RUNS, RunFolder


@pytest.fixture
def touch(tmp_path: Path) -> Callable[[str, int], Path]:
    """Make a file below the temporary folder, last written so many seconds after the epoch."""

    def make(name: str, when: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (when, when))
        return path

    return make


Touch = Callable[[str, int], Path]


def test_a_file_is_itself(tmp_path: Path, touch: Touch) -> None:
    """A file on its own belongs to no run."""
    path = touch("elsewhere/any.jsonl", 1)

    assert find_source(str(path)) == Source(path, None)


def test_the_trace_of_a_run_brings_its_run(tmp_path: Path, touch: Touch) -> None:
    """Whoever names the file in a run folder means the run too."""
    touch("run/manifest.json", 1)
    path = touch("run/trace.jsonl", 1)

    assert find_source(path) == Source(path, RunFolder(tmp_path / "run"))


def test_a_run_folder_is_a_run_wherever_it_is(tmp_path: Path, touch: Touch) -> None:
    """A copied run folder is known by its manifest; its trace may be missing."""
    touch("copied/manifest.json", 1)

    assert find_source("copied", tmp_path) == Source(
        tmp_path / "copied" / "trace.jsonl", RunFolder(tmp_path / "copied")
    )


def test_a_run_that_was_killed_is_a_run(tmp_path: Path, touch: Touch) -> None:
    """Without a manifest a run is known by where it stands."""
    path = touch(f"{RUNS}/r1/trace.jsonl", 1)

    assert find_source(None, tmp_path) == Source(path, RunFolder(path.parent))


def test_a_run_is_found_by_its_id(tmp_path: Path, touch: Touch) -> None:
    """The id that a command printed is enough."""
    touch(f"{RUNS}/r1/manifest.json", 1)

    assert find_source("r1", tmp_path).run == RunFolder(tmp_path / RUNS / "r1")


@pytest.mark.parametrize(
    ("files", "newest"),
    [
        ({"trace.jsonl": 1, f"{RUNS}/r1/trace.jsonl": 2, f"{RUNS}/r2/trace.jsonl": 3}, f"{RUNS}/r2/trace.jsonl"),
        ({"trace.jsonl": 9, f"{RUNS}/r1/trace.jsonl": 2}, "trace.jsonl"),
        ({"a/trace.jsonl": 1, "b/c/trace.jsonl": 2}, "b/c/trace.jsonl"),
        ({f"project/{RUNS}/r1/trace.jsonl": 1}, f"project/{RUNS}/r1/trace.jsonl"),
        ({"trace.jsonl": 1, "a/trace.jsonl": 2}, "trace.jsonl"),
    ],
    ids=["newest run", "newest file", "search", "runs of a project", "here before below"],
)
def test_without_an_argument_the_newest_is_taken(
    tmp_path: Path, touch: Touch, files: dict[str, int], newest: str
) -> None:
    """What is here comes before what is below; among equals the newest."""
    for name, when in files.items():
        touch(name, when)

    assert find_source(None, tmp_path).trace == tmp_path / newest


@pytest.mark.parametrize("name", [".hidden/trace.jsonl", "node_modules/trace.jsonl", "a/b/c/d/trace.jsonl"])
def test_the_search_is_bounded(tmp_path: Path, touch: Touch, name: str) -> None:
    """Hidden folders, those of other tools, and deep ones are not looked into."""
    touch(name, 1)

    with pytest.raises(NoTraceFound, match="no trace at or below"):
        find_source(None, tmp_path)


def test_a_folder_is_looked_into(tmp_path: Path, touch: Touch) -> None:
    """A folder that is no run is a place to look."""
    path = touch("project/trace.jsonl", 1)

    assert find_source("project", tmp_path) == Source(path, None)


def test_a_name_for_nothing_is_an_error(tmp_path: Path) -> None:
    """The error names it and the way out."""
    with pytest.raises(NoTraceFound, match=r"no trace at nothing\.jsonl: make one with"):
        find_source("nothing.jsonl", tmp_path)


def test_runs_are_listed_newest_first(tmp_path: Path, touch: Touch) -> None:
    """By when their trace was last written; folders of other things are left out."""
    touch(f"{RUNS}/old/trace.jsonl", 1)
    touch(f"{RUNS}/new/trace.jsonl", 2)
    (tmp_path / RUNS / "empty").mkdir()

    assert [run.path.name for run in runs_below(tmp_path)] == ["new", "old"]
