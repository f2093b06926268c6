"""Closed files as Parquet: the same lines to the byte, and the same answers to whoever asks."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dam_obs.store import packed as packed_module
from dam_obs.store.closed import Lost, closed_files, closed_folder, read_lost, write_lost
from dam_obs.store.find import find_source
from dam_obs.store.packed import (
    LONGEST_LINE_BYTES,
    Unpackable,
    lines_at,
    measure,
    pack,
    packed_lines,
    without_timelines,
)
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder
from dam_obs.store.table import open_table
from dam_obs.store.tail import Tail
from dam_obs.testing.runs import write_example_run
from dam_obs.trace.events import TraceEvent

FULL = TraceEvent(
    trace_id="sys_1_a", parent_id="alt_1_b", timestamp="2026-01-13T14:00:00.000001+00:00", hrm_layer="system",
    operation="execute", component="é\"'\\", input_summary="a\n\tb", output_summary="🙂",
    duration_ms=1, status="error", metadata={"a": [1, 1.5, -0.0, 1e300, None, {"b": "\u2029"}], "error": "x"},
    duration_ns=1_000_001, otel_trace_id="1" * 32, otel_span_id="2" * 16, otel_parent_id="3" * 16, pid=7, thread_id=8,
    cpu_ns=5, wait_ns=6, steps=2, segments=[(1, 2, 3), (4, 5, 3)], io={"rchar": 1}, touched={"peers": ["a:1"]},
    features={"size": 1, "kind": "k", "share": 0.1, "none": None, "on": True}, start_mono_ns=9, kind="step",
    code={"function": "m:f", "file": "/f.py", "line": 1}, command="m:C",
)  # fmt: skip
BARE = TraceEvent(
    trace_id="sys_1_c", parent_id=None, timestamp="2026-01-13T14:00:00", hrm_layer="system", operation="o",
    component="c", input_summary="", output_summary="", duration_ms=0, status="success", metadata={},
)  # fmt: skip
FULL_LINE, BARE_LINE = msgspec.json.encode(FULL), msgspec.json.encode(BARE)

STRANGE = {
    "torn": FULL_LINE[:80],
    "foreign": b'{"a": 1}',
    "text": b"hello",
    "binary": b"\xff\xfe\x00\x01",
    "glued": FULL_LINE[:80] + BARE_LINE,
    "spaces": BARE_LINE.replace(b":", b": "),
    "blanks behind": BARE_LINE + b"  ",
    "another order": b'{"parent_id":null,' + BARE_LINE.replace(b'"parent_id":null,', b"")[1:],
    "another field": BARE_LINE[:-1] + b',"more":1}',
    "too large a number": BARE_LINE.replace(b'"duration_ms":0', b'"duration_ms":99999999999999999999999'),
    "null": BARE_LINE[:-1] + b',"segments":null}',
    "escapes": BARE_LINE.replace(b'"metadata":{}', b'"metadata":{"a":"\\u00e9\\/"}'),
    "numbers": BARE_LINE.replace(b'"metadata":{}', b'"metadata":{"a":1.50,"b":1E5,"c":123456789012345678901234567890}'),
    "twice": BARE_LINE.replace(b'"metadata":{}', b'"metadata":{"a":1,"a":2}'),
    "half a pair": BARE_LINE.replace(b'"metadata":{}', b'"metadata":{"a":"\\ud800"}'),
    "deep": BARE_LINE.replace(b'"metadata":{}', b'"metadata":' + b'{"a":' * 3000 + b"1" + b"}" * 3000),
    "controls": BARE_LINE.replace(b'"component":"c"', '"component":"\u2028\x7f\\u0000\\u001f"'.encode()),
    "otlp": b'{"resourceSpans":[]}',
}


def packed(tmp_path: Path, *lines: bytes) -> Path:
    (tmp_path / "lines").write_bytes(b"".join(line + b"\n" for line in lines))
    pack(tmp_path / "lines", tmp_path / "packed.parquet")
    return tmp_path / "packed.parquet"


def test_each_field_of_an_event_comes_back(tmp_path):
    """Whatever an event carries, and nothing of it as a line that was kept."""
    path = packed(tmp_path, FULL_LINE, BARE_LINE)

    assert list(packed_lines(path)) == [FULL_LINE, BARE_LINE]
    assert (measure(path).lines, measure(path).timed) == (2, 1)


def test_events_are_taken_apart_rather_than_kept_as_lines(tmp_path):
    """Else nothing could be asked of them."""
    assert measure(packed(tmp_path, *[msgspec.json.encode(BARE)] * 3)).raw == 0


@pytest.mark.parametrize("line", STRANGE.values(), ids=STRANGE)
def test_a_strange_line_comes_back_as_it_was(tmp_path, line):
    """Between others, so that none is taken for another."""
    lines = [BARE_LINE, line, FULL_LINE, line]

    assert list(packed_lines(packed(tmp_path, *lines))) == lines


def test_empty_lines_are_nothing(tmp_path):
    """Also at the end, where the last line has none of its own."""
    (tmp_path / "lines").write_bytes(b"\n\n" + BARE_LINE + b"\n \n" + FULL_LINE)
    pack(tmp_path / "lines", tmp_path / "p.parquet")

    assert list(packed_lines(tmp_path / "p.parquet")) == [BARE_LINE, FULL_LINE]


def test_a_packed_file_is_for_its_owner_alone(tmp_path):
    """As the lines were."""
    assert stat.S_IMODE(packed(tmp_path, BARE_LINE).stat().st_mode) == 0o600


def test_a_file_with_a_line_beyond_any_event_stays_as_it_is(tmp_path):
    """It would have to be held in memory."""
    with pytest.raises(Unpackable, match="longer than any event"):
        packed(tmp_path, BARE_LINE, b"x" * (LONGEST_LINE_BYTES + 1))


def test_an_awkward_name_is_a_name(tmp_path):
    """To the database a pattern, or the end of a text."""
    path = tmp_path / "it's [a]*? name.parquet"
    (tmp_path / "lines").write_bytes(BARE_LINE + b"\n")
    pack(tmp_path / "lines", path)

    assert (list(packed_lines(path)), lines_at(path, [0])) == ([BARE_LINE], [BARE_LINE])


def test_without_time_lines_all_else_is_there(tmp_path):
    """What goes first when the disk is full."""
    without_timelines(packed(tmp_path, FULL_LINE, BARE_LINE, b"torn"), tmp_path / "p.parquet")

    expected = msgspec.json.encode(msgspec.structs.replace(FULL, segments=None))
    assert list(packed_lines(tmp_path / "p.parquet")) == [expected, BARE_LINE, b"torn"]


def test_a_file_of_an_earlier_version_lacks_columns(tmp_path):
    """Fields that it did not know are not measured."""
    import duckdb

    path = packed(tmp_path, BARE_LINE)
    duckdb.sql(f"select * exclude (command, code) from read_parquet('{path}')").write_parquet(str(tmp_path / "old"))

    assert list(packed_lines(tmp_path / "old")) == [BARE_LINE]


texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
events = st.builds(
    lambda **given: msgspec.json.encode(msgspec.structs.replace(BARE, **given)),
    component=texts, parent_id=st.none() | texts, metadata=st.dictionaries(texts, values, max_size=3),
    duration_ns=st.none() | st.integers(-(2**70), 2**70),
    features=st.none() | st.dictionaries(texts, values, max_size=2),
    status=st.sampled_from(["success", "other", ""]), timestamp=texts, touched=st.none() | st.just({"peers": ["é"]}),
)  # fmt: skip
cut = st.tuples(events, st.integers(0, 300)).map(lambda found: found[0][: found[1]])
lines_of_any_kind = st.lists(events | cut | st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=8)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=lines_of_any_kind)
def test_any_lines_come_back(tmp_path, lines):
    """The law: packing changes no line, and leaves out none but the empty ones."""
    assert list(packed_lines(packed(tmp_path, *lines))) == [line for line in lines if line.strip()]


# -- a trace of which files are packed


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """A run in one file."""
    return write_example_run(tmp_path / "plain", assets=40)


@pytest.fixture
def mixed(tmp_path, run) -> RunFolder:
    """The same run: some closed files packed, one packed whose lines are still there, one not packed, the rest open."""
    copy = write_example_run(tmp_path / "mixed", assets=40)
    lines = run.trace.read_bytes().splitlines(keepends=True)
    folder = closed_folder(copy.trace)
    folder.mkdir()
    for number, how in enumerate(("packed", "both", "lines", "packed")):
        path = folder / f"{number:020d}.jsonl"
        path.write_bytes(b"".join(lines[number * 40 : number * 40 + 40]))
        if how != "lines":
            pack(path, path.with_suffix(".parquet"))
        if how == "packed":
            path.unlink()
    (folder / f"{5:020d}.unfinished").write_bytes(b"PAR1 of a kill")
    copy.trace.write_bytes(b"".join(lines[160:]))
    return copy


def test_events_are_the_same_and_each_is_there_once(run, mixed):
    """In the order in which they were written."""
    assert list(read_events(mixed.trace)) == list(read_events(run.trace))


QUERIES = ("select * from events", "select layer, count(*), sum(duration_ns) from events group by layer order by layer")


@pytest.mark.parametrize("query", QUERIES)
def test_a_table_says_the_same(run, mixed, query):
    """Whichever way the files are."""
    with open_table(find_source(run.path)) as plain, open_table(find_source(mixed.path)) as packed:
        assert packed.connection.execute(query).fetchall() == plain.connection.execute(query).fetchall()


def test_events_are_fetched_by_their_position(run, mixed):
    """From every kind of file, at their borders too."""
    events = list(read_events(run.trace))
    wanted = [0, 39, 40, 79, 80, 119, 120, 159, 160, len(events) - 1]
    with open_table(find_source(mixed.path)) as table:
        assert table.fetch(wanted) == [events[position] for position in wanted]
        assert table.fetch([len(events) - 1]) == events[-1:]


def test_lines_without_an_event_are_counted_wherever_they_are(run, mixed):
    """A torn line in a packed file, and one in the file that is written to."""
    packed_one = closed_files(mixed.trace)[0]
    lines = [*packed_lines(packed_one)]
    (mixed.path / "lines").write_bytes(b"\n".join([*lines[:20], b'{"trace_id":"sy', b"foreign", *lines[20:], b""]))
    pack(mixed.path / "lines", packed_one)
    with mixed.trace.open("ab") as file:
        file.write(b'{"trace_id":"sys')

    reader = read_events(mixed.trace)
    assert list(reader) == list(read_events(run.trace))
    with open_table(find_source(mixed.path)) as table:
        assert table.skipped == dict(reader.skipped) == {"torn": 2, "foreign": 1}
        assert table.first_skipped == reader.first_skipped
        assert table.fetch([19, 20, 45]) == [list(read_events(run.trace))[row] for row in (19, 20, 45)]


def test_what_had_to_go_counts_no_more(mixed):
    """Also where a kill came between writing that down and doing it."""
    folder = closed_folder(mixed.trace)
    write_lost(folder, Lost(events=80, events_through=f"{1:020d}"))

    assert [path.name for path in closed_files(mixed.trace)] == [f"{2:020d}.jsonl", f"{3:020d}.parquet"]
    assert read_lost(folder).events == 80


def test_a_run_whose_files_are_all_closed_is_read(mixed):
    """The program ended right after it had closed one."""
    mixed.trace.unlink()

    assert len(list(read_events(mixed.trace))) == 160
    with open_table(find_source(mixed.path)) as table:
        assert len(table) == 160


def test_following_goes_on_where_files_are_closed(tmp_path):
    """The open file is read to its end, also when it was packed and removed meanwhile."""
    path, folder = tmp_path / "trace.jsonl", tmp_path / "trace.closed"
    folder.mkdir()
    path.write_bytes(b"a\n")
    with Tail(path, backlog_bytes=1000) as tail:
        seen = list(tail.lines())
        for late, packed_already, next_one in ((b"b\n", False, b"c\n"), (b"d\n", True, b"e\n")):
            with path.open("ab") as file:
                file.write(late)
            path.rename(folder / "00000000000000000001.jsonl")
            if packed_already:
                (folder / "00000000000000000001.jsonl").unlink()
            path.write_bytes(next_one)
            seen += [*tail.lines(), *tail.lines()]

    assert seen == [b"a", b"b", b"c", b"d", b"e"]


def test_the_database_prints_nothing(run):
    """It would draw how far it is, in the midst of what a command prints."""
    with open_table(find_source(run.path)) as table:
        assert table.connection.execute("select current_setting('enable_progress_bar')").fetchone() == (False,)
    with packed_module._database() as database:
        assert database.execute("select current_setting('enable_progress_bar')").fetchone() == (False,)
