"""A run that goes on four times as long takes no more of the program, and four times the room of a packed trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.store.closed import closed_files
from dam_obs.store.packed import packed_lines
from dam_obs.store.processes import read_processes
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder

PROGRAM = Path(__file__).parent / "goes_on_and_on.py"
SHORT, LONG = 4_000, 16_000
FILE_BYTES = 400_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def diagnosed(folder: Path, *looks: int, max_disk: str = "4") -> tuple[RunFolder, list[dict[str, int]]]:
    """Measure the program; return its run, and what it said at each look."""
    run = RunFolder(folder)
    options = ["--no-stacks", "--no-draft", "--max-disk", max_disk, "--out", str(run.path)]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "dam_obs.cli",
            "diagnose",
            *options,
            "--",
            sys.executable,
            str(PROGRAM),
            *map(str, looks),
        ],
        env={**os.environ, "DAM_OBS_ROTATE_BYTES": str(FILE_BYTES)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run, [json.loads(line) for line in done.stdout.splitlines()]


def packed_bytes(run: RunFolder) -> int:
    return sum(path.stat().st_size for path in closed_files(run.trace))


def plain_bytes(run: RunFolder) -> int:
    return sum(len(line) + 1 for path in closed_files(run.trace) for line in packed_lines(path))


@pytest.fixture(scope="module")
def long_run(tmp_path_factory) -> tuple[RunFolder, list[dict[str, int]]]:
    """One run, looked at when it had done a quarter, and in the end."""
    return diagnosed(tmp_path_factory.mktemp("long") / "run", SHORT, LONG)


def test_the_program_has_no_more_objects(long_run):
    """Whatever was kept for an execution is gone with it; a hundred may be anybody's."""
    _, (early, late) = long_run

    assert (early["executions"], late["executions"]) == (SHORT, LONG)
    assert late["objects"] - early["objects"] < 100


def test_the_program_takes_hardly_more_memory(long_run):
    """Some caches fill, up to their bounds: 16 MB are allowed, 12,000 executions and their events would be more."""
    _, (early, late) = long_run

    assert late["bytes"] - early["bytes"] < 16 * 2**20


def test_every_event_is_there_once_and_in_order(long_run):
    """Of a program whose files were closed and packed all along."""
    run, _ = long_run
    spans = [event for event in read_events(run.trace) if event.kind == "span"]

    assert len(spans) == LONG
    assert len({event.otel_span_id for event in spans}) == LONG
    assert build_report(run).quality.executions == LONG


def test_room_on_the_disk_is_far_less_than_that_of_lines_and_grows_with_them(long_run, tmp_path):
    """At least a fifth, and the same for each byte of lines however long a run is."""
    run, _ = long_run
    short, _ = diagnosed(tmp_path / "short", SHORT)

    assert {path.suffix for path in closed_files(run.trace)} == {".parquet"}
    assert packed_bytes(run) < plain_bytes(run) / 5
    shares = [packed_bytes(each) / plain_bytes(each) for each in (short, run)]
    assert 0.5 < shares[0] / shares[1] < 2


def test_the_bound_on_disk_holds_and_what_went_is_said(tmp_path):
    """One megabyte for what would take several: each event is there, or counted as lost by whoever removed it."""
    run, _ = diagnosed(tmp_path / "bound", LONG, max_disk="0.001")
    report = build_report(run)
    files = [*closed_files(run.trace), run.trace]

    assert sum(path.stat().st_size for path in files) <= 0.001 * 2**30
    lost = report.quality.events_lost + report.quality.events_unwritten
    assert lost > 0
    assert report.quality.executions + lost == LONG


def test_an_observer_that_is_killed_leaves_each_event_once(tmp_path):
    """Whatever it was packing then; the program goes on, and a report can be made."""
    run = RunFolder(tmp_path / "run")
    options = ["--no-stacks", "--no-draft", "--out", str(run.path)]
    observer = subprocess.Popen(
        [sys.executable, "-m", "dam_obs.cli", "diagnose", *options, "--", sys.executable, str(PROGRAM), str(LONG)],
        env={**os.environ, "DAM_OBS_ROTATE_BYTES": str(FILE_BYTES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert observer.stdout is not None
    end = time.monotonic() + 60
    while not any(path.suffix == ".parquet" for path in closed_files(run.trace)) and time.monotonic() < end:
        time.sleep(0.01)
    observer.kill()
    observer.wait()
    said = observer.stdout.read()  # to the end of the program, whose output it is
    observer.stdout.close()

    assert json.loads(said)["executions"] == LONG
    until(lambda: read_processes(run)[0].ended)
    spans = [event.otel_span_id for event in read_events(run.trace) if event.kind == "span"]
    assert (len(spans), len(set(spans))) == (LONG, LONG)
    assert build_report(run).quality.executions == LONG


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
