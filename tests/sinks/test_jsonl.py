"""The JSONL file: whole lines, whatever happens to the disk, the folder or the process."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from dam_obs.sinks.jsonl import JsonlSink
from dam_obs.trace import faults
from dam_obs.trace.events import FinishedSpan, TraceEvent


def operations(path: Path) -> list[str]:
    return [json.loads(line)["operation"] for line in path.read_text(encoding="utf-8").splitlines() if line]


@pytest.fixture
def span(make_span):
    return lambda operation="a", **given: make_span(operation=operation, **given)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "trace.jsonl"


def test_a_batch_is_appended_as_lines_that_read_back_whole(path, make_span):
    """What is written is the event, field by field; its first fields are the seed's, in its order."""
    spans = [make_span(metadata={"a": [1, None, {"b": "ü\n"}]}, duration_ns=5), make_span(kind="event")]
    sink = JsonlSink(path)
    sink(spans[:1])
    sink(spans[1:])

    lines = path.read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=TraceEvent) for line in lines] == [span.event for span in spans]
    assert list(json.loads(lines[0]))[:11] == list(TraceEvent.__struct_fields__[:11])


def test_the_file_is_for_its_owner_alone(path, span):
    """Redaction knows many secrets, not all."""
    JsonlSink(path)([span()])

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_missing_folders_are_made(tmp_path, span):
    """When there is something to write, not before."""
    path = tmp_path / "a" / "b" / "trace.jsonl"
    sink = JsonlSink(path)
    before = path.parent.exists()
    sink([span()])

    assert (before, operations(path)) == (False, ["a"])


def test_a_relative_path_is_meant_from_where_it_was_given(tmp_path, span, monkeypatch):
    """The program may change its folder."""
    monkeypatch.chdir(tmp_path)
    sink = JsonlSink(Path("trace.jsonl"))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    sink([span()])

    assert operations(tmp_path / "trace.jsonl") == ["a"]


# -- rotation


def test_the_file_is_rotated_by_size_and_so_many_are_kept(path, span):
    """`.1` is the newest; a line is never split over two files."""
    line = len(msgspec.json.encode(span("0").event)) + 1
    sink = JsonlSink(path, rotate_bytes=2 * line, rotate_keep=2)
    for number in range(8):
        sink([span(str(number))])

    found = {each.name: operations(each) for each in path.parent.iterdir()}
    assert found == {"trace.jsonl": ["6", "7"], "trace.jsonl.1": ["4", "5"], "trace.jsonl.2": ["2", "3"]}


def test_no_rotated_file_is_kept_where_none_is_wanted(path, span):
    """Then the file just starts anew."""
    sink = JsonlSink(path, rotate_bytes=1, rotate_keep=0)
    sink([span("a")])
    sink([span("b")])

    assert {each.name: operations(each) for each in path.parent.iterdir()} == {"trace.jsonl": ["b"]}


def test_two_sinks_on_one_file_follow_each_others_rotation(path, span):
    """Nothing is lost and nothing goes to a file that has been rotated away."""
    one, two = (JsonlSink(path, rotate_bytes=1000, rotate_keep=100) for _ in range(2))
    for number in range(20):
        one([span(f"one {number}")])
        two([span(f"two {number}")])

    found = [name for each in path.parent.iterdir() for name in operations(each)]
    assert sorted(found) == sorted(f"{who} {number}" for who in ("one", "two") for number in range(20))
    assert path.stat().st_size <= 1000


def test_a_rotation_that_is_refused_loses_nothing(path, span):
    """It is counted, and the file grows on."""
    (path.parent / "trace.jsonl.1").mkdir()
    (path.parent / "trace.jsonl.1" / "file").touch()
    sink = JsonlSink(path, rotate_bytes=1, rotate_keep=1)
    sink([span("a")])
    sink([span("b")])

    assert (operations(path), faults.counts()) == (["a", "b"], {"sinks.jsonl.rotate": 1})


def _append_many(path: Path, name: str, spans: list[bytes]) -> None:
    sink = JsonlSink(path, rotate_bytes=20_000, rotate_keep=1000)
    for number in range(60):
        event = msgspec.json.decode(spans[0], type=TraceEvent)
        event.operation = f"{name} {number}"
        sink([FinishedSpan(event, "n", 1, 1, 0, False, "", 0, 0, {}, {}, (), ())] * 2)


def test_several_processes_append_and_rotate_at_once(path, span):
    """Every line of every process is there, whole."""
    blank = msgspec.json.encode(span().event)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append_many, args=(path, str(who), [blank])) for who in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    found = [name for each in path.parent.iterdir() for name in operations(each)]
    assert sorted(found) == sorted(2 * [f"{who} {number}" for who in range(2) for number in range(60)])


# -- what may happen to the file


@pytest.mark.parametrize("happens", ["deleted", "moved", "replaced", "folder deleted"])
def test_a_file_that_vanishes_is_made_anew(path, span, happens):
    """Whoever cleans up meanwhile, the next batch lands where it should."""
    sink = JsonlSink(path)
    sink([span("before")])
    if happens == "deleted":
        path.unlink()
    elif happens == "moved":
        path.rename(path.with_suffix(".old"))
    elif happens == "replaced":
        path.with_suffix(".new").touch()
        path.with_suffix(".new").replace(path)
    else:
        shutil.rmtree(path.parent)
    sink([span("after")])

    assert (operations(path), faults.counts()) == (["after"], {})


def test_a_descriptor_that_the_program_has_closed_and_used_again_is_not_ours(path, span, tmp_path):
    """A daemon closes all descriptors: what it opens under our number is neither written to nor closed."""
    sink = JsonlSink(path)
    sink([span("before")])
    (ours,) = (int(link.name) for link in Path("/proc/self/fd").iterdir() if os.path.realpath(link) == str(path))
    os.close(ours)
    theirs = os.open(tmp_path / "theirs", os.O_RDWR | os.O_CREAT)
    assert theirs == ours
    sink([span("after")])
    os.write(theirs, b"theirs")
    sink.close(1)

    assert (operations(path), faults.counts()) == (["before", "after"], {})
    assert os.pread(theirs, 100, 0) == b"theirs"
    os.close(theirs)


def test_a_program_that_may_not_look_any_more_still_writes(path, span):
    """A daemon gives up its rights to the folder after its start; the open file stays its own."""
    sink = JsonlSink(path)
    sink([span("before")])
    original = os.stat
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "stat", lambda *args, **kwargs: (_ for _ in ()).throw(PermissionError(13, "no")))
        sink([span("after")])
    assert os.stat is original

    assert (operations(path), faults.counts()) == (["before", "after"], {})


def test_the_standard_streams_numbers_are_not_taken(tmp_path, make_span):
    """Who closes standard input, or output, does not find our file there."""
    program = f"""
import os, sys, msgspec
from dam_obs.sinks.jsonl import JsonlSink
from dam_obs.trace.events import FinishedSpan, TraceEvent
event = msgspec.json.decode({msgspec.json.encode(make_span().event)!r}, type=TraceEvent)
os.close(0), os.close(1)
JsonlSink({str(tmp_path / "t.jsonl")!r})([FinishedSpan(event, "n", 1, 1, 0, False, "", 0, 0, {{}}, {{}}, (), ())])
sys.exit(os.open("/dev/null", os.O_RDONLY))
"""
    result = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL, timeout=60)

    assert result.returncode == 0
    assert len(operations(tmp_path / "t.jsonl")) == 1


def test_a_torn_line_stays_alone(path, span):
    """Where a killed process left half a line, the next one begins on its own."""
    path.write_text('{"trace_id":"alt_1')
    JsonlSink(path)([span()])

    torn, whole = path.read_text().splitlines()
    assert (torn, json.loads(whole)["operation"]) == ('{"trace_id":"alt_1', "a")


def test_a_path_that_cannot_be_is_a_counted_loss_until_it_can(tmp_path, span):
    """A file stands where a folder should: spans are dropped, then written once it is gone."""
    (tmp_path / "a").touch()
    sink = JsonlSink(tmp_path / "a" / "trace.jsonl")
    sink([span("lost"), span("lost")])
    (tmp_path / "a").unlink()
    sink([span("kept")])

    assert operations(tmp_path / "a" / "trace.jsonl") == ["kept"]
    assert faults.counts() == {"sinks.jsonl": 1, "sinks.jsonl.dropped": 2}


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_read_only_folder_is_a_counted_loss(tmp_path, span):
    """And no exception."""
    tmp_path.chmod(0o500)
    JsonlSink(tmp_path / "trace.jsonl")([span()])
    tmp_path.chmod(0o700)

    assert faults.counts() == {"sinks.jsonl": 1, "sinks.jsonl.dropped": 1}


def test_a_read_only_file_system_is_a_counted_loss(span):
    """`/proc` takes no files, not even from root."""
    JsonlSink(Path("/proc/trace.jsonl"))([span()])

    assert faults.counts() == {"sinks.jsonl": 1, "sinks.jsonl.dropped": 1}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_device_is_a_counted_loss(span):
    """Every batch tries again; it is logged once."""
    sink = JsonlSink(Path("/dev/full"), rotate_bytes=1)
    sink([span()])
    sink([span(), span()])

    assert faults.counts() == {"sinks.jsonl": 2, "sinks.jsonl.dropped": 3}


def test_an_event_that_cannot_be_encoded_takes_no_other_with_it(path, span):
    """Redaction makes all text encodable; if something slips through, it alone is dropped."""
    JsonlSink(path)([span("a"), span("b", metadata={"x": object()}), span("c")])

    assert operations(path) == ["a", "c"]
    assert faults.counts() == {"sinks.jsonl.encode": 2, "sinks.jsonl.dropped": 1}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_loses_what_does_not_fit_and_nothing_more(small_disk, span):
    """Lines that got there whole count as written; when there is room again, the next starts on its own line."""
    path = small_disk / "trace.jsonl"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 32 * 1024)
    sink = JsonlSink(path)
    for number in range(30):
        sink([span(f"{number} {part}", component="c" * 500) for part in range(10)])
    dropped = faults.counts()["sinks.jsonl.dropped"]
    ballast.unlink()
    sink([span("after")])
    sink.close(0)

    lines = path.read_text().splitlines()
    whole = [line for line in lines if line.endswith("}")]
    assert (len(whole) - 1, json.loads(whole[-1])["operation"]) == (300 - dropped, "after")
    assert len(lines) - len(whole) <= 1
    assert dropped > 0


_LIMITED = """
import json, resource, sys
from pathlib import Path
import msgspec
from dam_obs.sinks.jsonl import JsonlSink
from dam_obs.trace import faults
from dam_obs.trace.events import FinishedSpan, TraceEvent

event = msgspec.json.decode(sys.stdin.buffer.read(), type=TraceEvent)
batch = [FinishedSpan(event, "n", 1, 1, 0, False, "", 0, 0, {}, {}, (), ())] * 10
sink = JsonlSink(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
for _ in range(5):
    sink(batch)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
sink(batch[:1])
print(json.dumps(faults.counts()))
"""


def test_a_write_that_stops_in_the_middle_is_repaired(path, span):
    """The same by a limit on file size, which needs no privilege: a torn line, then whole ones again."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, path], input=msgspec.json.encode(span().event), capture_output=True, check=True
    )

    lines = [line for line in path.read_text().splitlines() if line]
    whole = [line for line in lines if line.endswith("}")]
    assert len(whole) == 51 - json.loads(done.stdout)["sinks.jsonl.dropped"]
    assert len(lines) == len(whole) + 1
