"""Closed files are packed while a run goes on; the bound on disk holds, and what goes for it is counted."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

import msgspec
import pytest

from dam_obs.config import Settings, load_settings
from dam_obs.sample.spill import SMALLEST_BYTES, Spill, rotation
from dam_obs.store.closed import closed_files, closed_folder, read_lost
from dam_obs.store.packed import measure, pack
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run
from dam_obs.trace.events import TraceEvent

LINES_IN_A_FILE = 30
LIMIT_S = 60.0


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """A run whose program has closed some files."""
    made = write_example_run(tmp_path / "run", assets=30)
    lines = made.trace.read_bytes().splitlines(keepends=True)
    folder = closed_folder(made.trace)
    folder.mkdir()
    count = (len(lines) - 1) // LINES_IN_A_FILE
    for number in range(count):
        part = lines[number * LINES_IN_A_FILE : (number + 1) * LINES_IN_A_FILE]
        (folder / f"{number + 1:020d}.jsonl").write_bytes(b"".join(part))
    made.trace.write_bytes(b"".join(lines[count * LINES_IN_A_FILE :]))
    return made


@pytest.fixture
def events(run) -> list[TraceEvent]:
    """What is in it before anything is done."""
    return list(read_events(run.trace))


def kinds(run: RunFolder) -> set[str]:
    return {path.suffix for path in closed_folder(run.trace).iterdir()}


def without_segments(event: TraceEvent) -> TraceEvent:
    return msgspec.structs.replace(event, segments=None)


def test_all_that_is_closed_is_packed_in_the_end(run, events):
    """And nothing is lost, or there twice."""
    said = Spill(run).end()

    assert kinds(run) == {".parquet"}
    assert list(read_events(run.trace)) == events
    assert said is not None
    assert (said.packed_files, said.events_lost, said.timelines_lost) == (len(closed_files(run.trace)), 0, 0)
    assert said.bytes == sum(path.stat().st_size for path in [*closed_files(run.trace), run.trace])


def test_a_run_that_closed_nothing_is_left_as_it_is(tmp_path):
    """A short run is one file of lines."""
    run = write_example_run(tmp_path / "run", assets=5)
    before = run.trace.read_bytes()
    spill = Spill(run)
    spill.tick()

    assert spill.end() is None
    assert (run.trace.read_bytes(), closed_folder(run.trace).exists()) == (before, False)


def test_files_are_packed_while_the_run_goes_on(run, events):
    """A tick returns at once; what it began comes to its end."""
    spill = Spill(run)
    end = time.monotonic() + LIMIT_S
    while kinds(run) != {".parquet"} and time.monotonic() < end:
        spill.tick()
        time.sleep(0.01)

    assert kinds(run) == {".parquet"}
    assert list(read_events(run.trace)) == events


def test_a_file_that_somebody_may_write_to_waits(run, events):
    """Its lock is held for as long as a write takes."""
    first = closed_files(run.trace)[0]
    with first.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        Spill(run).end()
        assert first.exists()
    Spill(run).end()

    assert not first.exists()
    assert list(read_events(run.trace)) == events


@pytest.mark.parametrize("died", ["before the name", "before the lines went", "while it packed"])
def test_a_death_in_between_is_mended(run, events, died):
    """Each event is there once before and after."""
    first = closed_files(run.trace)[0]
    if died == "before the name":
        pack(first, first.with_suffix(".unfinished"))
    elif died == "before the lines went":
        pack(first, first.with_suffix(".parquet"))
    else:
        first.with_suffix(".unfinished").write_bytes(b"PAR1 and no more")
    between = list(read_events(run.trace))
    Spill(run).end()

    assert between == events
    assert list(read_events(run.trace)) == events
    assert kinds(run) == {".parquet"}


def test_a_file_that_cannot_be_packed_stays_as_it_is(run, caplog):
    """And is said; the others are packed all the same."""
    first = closed_files(run.trace)[0]
    first.write_bytes(b"x" * (5 * 1024 * 1024))
    said = Spill(run).end()

    assert said is not None
    assert said.packed_files == len(closed_files(run.trace)) - 1
    assert first.exists()
    assert "longer than any event" in caplog.text


def test_the_oldest_time_lines_go_first(run, events):
    """They are counted, and all else of their executions is there."""
    room = Spill(run).end()
    assert room is not None
    said = Spill(run, room.bytes - 100).end()

    assert said is not None
    assert said.events_lost == 0
    assert said.timelines_lost > 0
    assert said.bytes <= room.bytes - 100
    gone = said.timelines_lost
    assert list(read_events(run.trace)) == [*map(without_segments, events[:gone]), *events[gone:]]


def test_then_the_oldest_events_go(run, events):
    """They are counted, and the newest are there."""
    said = Spill(run, run.trace.stat().st_size + 40_000).end()

    assert said is not None
    assert said.bytes <= said.max_bytes
    assert said.events_lost > 0
    left = list(read_events(run.trace))
    assert len(left) == len(events) - said.events_lost
    assert list(map(without_segments, left)) == list(map(without_segments, events[said.events_lost :]))


def test_what_went_is_written_down_before_it_goes(run, events, monkeypatch):
    """A kill between the two may count too much, never too little."""
    Spill(run).end()

    def killed(self: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        Spill(run, run.trace.stat().st_size)._drop(closed_files(run.trace)[0], read_lost(closed_folder(run.trace)))
    monkeypatch.undo()

    lost = read_lost(closed_folder(run.trace)).events
    assert lost == LINES_IN_A_FILE
    assert list(read_events(run.trace)) == events[lost:]


def test_a_bound_below_what_is_written_to_empties_the_folder_and_ends(run):
    """The program's own file is never touched."""
    said = Spill(run, 1).end()

    assert said is not None
    assert (said.packed_files, closed_files(run.trace)) == (0, [])
    assert run.trace.exists()


def test_a_bound_that_cannot_be_held_is_said_and_nothing_goes_unsaid(run, events, monkeypatch, caplog):
    """What goes is written down first: where that cannot be done, nothing goes."""

    def full(folder: Path, lost: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dam_obs.sample.spill.write_lost", full)
    said = Spill(run, 1).end()

    assert said is not None
    assert list(read_events(run.trace)) == events
    assert "No space left on device" in caplog.text


def test_a_folder_that_was_removed_is_nothing_to_do(run):
    """A run goes on whatever is done to its folder."""
    spill = Spill(run)
    for path in closed_folder(run.trace).iterdir():
        path.unlink()
    closed_folder(run.trace).rmdir()
    spill.tick()

    assert spill.end() is None


def test_segments_are_counted_where_they_are(run):
    """What is counted as lost is what was there."""
    Spill(run).end()

    assert sum(measure(path).timed for path in closed_files(run.trace)) == LINES_IN_A_FILE * len(
        closed_files(run.trace)
    )


@pytest.mark.parametrize(
    ("set_to", "bound", "size", "keep"),
    [
        (64 * 2**20, 4 * 2**30, 64 * 2**20, 64),
        (64 * 2**20, 64 * 2**20, 4 * 2**20, 16),
        (64 * 2**20, 1, SMALLEST_BYTES, 1),
        (0, 4 * 2**30, 0, 5),
        (100_000, 4 * 2**30, 100_000, 10_000),
    ],
    ids=["default", "small bound", "no room", "never rotated", "small files"],
)
def test_a_program_closes_files_that_fit_the_bound(set_to, bound, size, keep):
    """So that there is something to pack well before it is reached."""
    found = rotation(Settings(rotate_bytes=set_to), bound)

    assert found == {"rotate_bytes": size, "rotate_keep": keep}
    assert load_settings(dict(found)).problems == ()
