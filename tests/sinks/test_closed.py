"""A measured run's file: full ones are moved into a folder, where an observer may take them on."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from dam_obs.config import Settings
from dam_obs.sinks.builtin import dam_obs_sinks
from dam_obs.sinks.jsonl import DROPPED, JsonlSink
from dam_obs.trace import faults


def operations(path: Path) -> list[str]:
    return [json.loads(line)["operation"] for line in path.read_text(encoding="utf-8").splitlines() if line]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "trace.jsonl"


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "trace.closed"


@pytest.fixture
def sink(path, folder) -> JsonlSink:
    return JsonlSink(path, rotate_bytes=1000, rotate_keep=100, closed=folder)


def write(sink: JsonlSink, make_span, *operations: str) -> None:
    for operation in operations:
        sink([make_span(operation=operation, output_summary="x" * 300)])


def test_full_files_are_moved_in_their_order(sink, path, folder, make_span):
    """Their names put them in order, and never change."""
    write(sink, make_span, *"abcde")

    assert [operations(each) for each in sorted(folder.iterdir())] == [["a"], ["b"], ["c"], ["d"]]
    assert operations(path) == ["e"]


def test_without_a_folder_files_are_numbered(path, folder, make_span):
    """As before: no observer would take them on."""
    write(JsonlSink(path, rotate_bytes=1000), make_span, "a", "b")

    assert (operations(path.with_name("trace.jsonl.1")), folder.exists()) == (["a"], False)


def test_nobody_adds_to_a_file_that_an_observer_has_for_itself(sink, path, folder, make_span):
    """A process that was about to write finds that the file is closed, and writes to the new one."""
    late = JsonlSink(path, rotate_bytes=10**6, closed=folder)
    write(late, make_span, "a")
    write(sink, make_span, "b", "c")
    first = sorted(folder.iterdir())[0]
    with first.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = first.read_bytes()
        write(late, make_span, "d")

        assert first.read_bytes() == before
    assert operations(path)[-1] == "d"


def test_the_file_is_not_closed_while_another_process_writes(sink, path, folder, make_span):
    """It is closed the next time instead; nothing waits."""
    write(sink, make_span, "a")
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        write(sink, make_span, "b")
        assert (operations(path), folder.exists()) == (["a", "b"], False)
    write(sink, make_span, "c")

    assert ([operations(each) for each in folder.iterdir()], operations(path)) == ([["a", "b"]], ["c"])


def test_a_lock_that_is_never_let_go_costs_the_batch_and_is_counted(sink, path, make_span, monkeypatch):
    """The program does not wait for it."""
    monkeypatch.setattr("dam_obs.sinks.jsonl.LOCK_PAUSE_S", 0)
    write(sink, make_span, "a")
    faults.reset()
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with faults.guard("test"):
            write(sink, make_span, "b")

    assert operations(path) == ["a"]
    assert faults.counts()[DROPPED] == 1


def test_a_closed_file_has_no_lock_that_a_forked_child_would_keep(sink, path, folder, make_span):
    """Its descriptor is the child's, too, and lives as long as that does."""
    write(sink, make_span, "a")
    inherited = os.dup(sink._file)
    try:
        write(sink, make_span, "b")
        with next(folder.iterdir()).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(inherited)


def test_without_an_observer_the_oldest_goes_and_is_counted(path, folder, make_span):
    """The disk is not filled because somebody killed the observer."""
    sink = JsonlSink(path, rotate_bytes=1000, rotate_keep=2, closed=folder)
    faults.reset()
    write(sink, make_span, *"abcde")

    assert [operations(each) for each in sorted(folder.iterdir())] == [["c"], ["d"]]
    assert faults.counts()[DROPPED] == 2


def test_what_the_observer_is_at_is_left_to_it(path, folder, make_span):
    """And what it has packed already is not looked at."""
    sink = JsonlSink(path, rotate_bytes=1000, rotate_keep=1, closed=folder)
    write(sink, make_span, "a", "b")
    oldest = next(folder.iterdir())
    (folder / "00000000000000000001.parquet").write_bytes(b"packed")
    with oldest.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write(sink, make_span, "c")

    assert operations(oldest) == ["a"]
    assert (folder / "00000000000000000001.parquet").exists()


def _write_many(path: Path, folder: Path, make_span, name: str) -> None:
    sink = JsonlSink(path, rotate_bytes=4000, rotate_keep=10_000, closed=folder)
    for number in range(200):
        sink([make_span(operation=f"{name}{number}")])


def test_several_processes_write_and_close_and_nothing_is_lost(path, folder, make_span):
    """Each event is there once, those of a process in their order."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_write_many, args=(path, folder, make_span, name)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    found = [each for file in [*sorted(folder.iterdir()), path] for each in operations(file)]
    for name in "abc":
        assert [each for each in found if each[0] == name] == [f"{name}{number}" for number in range(200)]


@pytest.mark.parametrize(
    ("settings", "closed"),
    [
        ({"measure": True, "run_directory": "run", "output": "run/trace.jsonl"}, "run/trace.closed"),
        ({"measure": True, "run_directory": "run", "output": "other.jsonl"}, None),
        ({"measure": False, "run_directory": "run", "output": "run/trace.jsonl"}, None),
        ({"output": "trace.jsonl"}, None),
    ],
    ids=["measured", "elsewhere", "not measured", "plain"],
)
def test_only_the_trace_of_a_measured_run_is_closed_for_an_observer(tmp_path, monkeypatch, settings, closed):
    """Any other is rotated as ever."""
    monkeypatch.chdir(tmp_path)
    given = {key: Path(value) if isinstance(value, str) else value for key, value in settings.items()}
    jsonl = next(iter(dam_obs_sinks(Settings(rotate_keep=3, **given))))

    assert jsonl.keywords["closed"] == (tmp_path / closed if closed else None)
