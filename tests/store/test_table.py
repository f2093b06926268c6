"""A trace as a table."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam_obs.store import raw_lines
from dam_obs.store.errors import NotATrace, NoTraceFound
from dam_obs.store.find import Source, find_source
from dam_obs.store.lines import MAX_LINE_BYTES
from dam_obs.store.read import read_events
from dam_obs.store.spool import NoRoom, spool
from dam_obs.store.table import EventTable, open_table, table_of
from dam_obs.store.timing import duration_ns, start_ns
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]
Write = Callable[..., Path]

SEED_LINE = (
    b'{"trace_id":"alt_1705180800_a3f2","parent_id":null,"timestamp":"2026-01-13T14:00:00","hrm_layer":"alt",'
    b'"operation":"transition","component":"altitude.py","input_summary":"L3","output_summary":"success",'
    b'"duration_ms":5,"status":"success","metadata":{"reason":"user requested tactical"}}'
)
OTLP_LINE = (
    b'{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{"name":"lib"},"spans":['
    b'{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"GET /","kind":2,'
    b'"startTimeUnixNano":"1705180800000000000","endTimeUnixNano":"1705180800250000000","status":{}},'
    b'{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7","parentSpanId":"b7ad6b7169203331",'
    b'"name":"query","startTimeUnixNano":"1705180800100000000","endTimeUnixNano":"1705180800200000000"}]}]}]}'
)


def opened(path: Path) -> EventTable:
    return open_table(Source(path, None))


def everything(table: EventTable) -> list[TraceEvent]:
    return table.fetch(range(len(table)))


def handles(path: Path) -> list[str]:
    with opened(path) as table:
        return [event.trace_id for event in everything(table)]


def rows(table: EventTable, columns: str) -> list[tuple[Any, ...]]:
    return table.connection.execute(f"select {columns} from events order by position").fetchall()


# -- what a row says


def test_an_event_is_a_row_and_comes_back_whole(event: MakeEvent) -> None:
    """Each column says what the event's field says."""
    events = [
        event(
            "foc_1_a", parent_id="alt_1_b", hrm_layer="focus", status="blocked", metadata={"gate": ["x", {"y": 1}]},
            duration_ns=5_123_456, otel_trace_id="a" * 32, otel_span_id="b" * 16, otel_parent_id="c" * 16, pid=7,
            thread_id=8, cpu_ns=9, wait_ns=10, steps=2, segments=[(1, 2, 3)], io={"rchar": 1}, kind="step",
        ),
        event("alt_1_b", kind="event", timestamp="2026-01-13T14:00:00.250001+02:00", input_summary="a 'b' \\ \x00 ☃"),
    ]  # fmt: skip
    with table_of(events, "made") as table:
        assert (len(table), table.name, table.skipped, table.first_skipped) == (2, "made", {}, None)
        assert everything(table) == events
        assert rows(table, "position, trace_id, parent_id, layer, operation, component, input_summary") == [
            (0, "foc_1_a", "alt_1_b", "focus", "transition", "altitude.py", "L3→L2"),
            (1, "alt_1_b", None, "altitude", "transition", "altitude.py", "a 'b' \\ \x00 ☃"),
        ]
        assert rows(table, "timestamp, start_ns, output_summary, status, duration_ns, kind, metadata") == [
            (
                events[0].timestamp,
                start_ns(events[0]),
                "success",
                "blocked",
                5_123_456,
                "step",
                '{"gate":["x",{"y":1}]}',
            ),
            (events[1].timestamp, start_ns(events[1]), "success", "success", None, "event", "{}"),
        ]
        assert rows(table, "otel_trace_id, otel_span_id, otel_parent_id, pid, thread_id, cpu_ns, wait_ns") == [
            ("a" * 32, "b" * 16, "c" * 16, 7, 8, 9, 10),
            (None, None, None, None, None, None, None),
        ]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "EST5EDT"])
def test_a_time_without_an_offset_is_local(event: MakeEvent, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """Wherever the machine stands, in summer and in winter; one with an offset is not."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        stamps = ["2026-01-13T14:00:00", "2026-07-13T14:00:00.5", "2026-03-08T03:00:00", "2026-11-01",
                  "2026-07-13T14:00:00Z", "2026-07-13T14:00:00+0200", "2026-07-13 14:00:00-03:30",
                  "2026-07-13T14:00:00.123456789+05:45"]  # fmt: skip
        events = [event(f"alt_1_{number}", timestamp=stamp) for number, stamp in enumerate(stamps)]
        with table_of(events, "made") as table:
            assert rows(table, "start_ns") == [(start_ns(each),) for each in events]
    finally:
        monkeypatch.undo()
        time.tzset()


numbers = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=40, deadline=None)
@given(durations=st.lists(st.tuples(numbers, st.none() | numbers, st.sampled_from(["span", "event"])), min_size=1))
def test_durations_are_those_of_one_event(durations: list[tuple[int, int | None, Any]]) -> None:
    """Nanoseconds, or the seed's milliseconds; never below nothing; none for a moment."""
    events = [
        TraceEvent(
            trace_id="alt_1_a", parent_id=None, timestamp="2026-01-13T14:00:00+00:00", hrm_layer="altitude",
            operation="o", component="c", input_summary="", output_summary="",
            duration_ms=ms, status="success", metadata={}, duration_ns=ns, kind=kind,
        )
        for ms, ns, kind in durations
    ]  # fmt: skip
    with table_of(events, "made") as table:
        found = [row[0] for row in rows(table, "duration_ns")]
        for asked, answered in zip(map(duration_ns, events), found, strict=True):
            assert answered == asked or abs((answered or 0) - (asked or 0)) < 1_000_000


def test_layers_are_told_with_their_codes(event: MakeEvent) -> None:
    """In the order in which they occur; of a plugin that is not here by its handles."""
    events = [event("bil_1_a", hrm_layer="billing"), event("mem_1_b", hrm_layer="mem"), event("c", hrm_layer="xyz")]
    with table_of(events, "made") as table:
        assert table.layers == {"memory": "mem", "billing": "bil", "xyz": None}
        assert rows(table, "layer") == [("billing",), ("memory",), ("xyz",)]


# -- files


def test_the_seeds_bare_lines_are_read(tmp_path: Path, write: Write) -> None:
    """Eleven fields, and a layer by its code, are enough."""
    with opened(write(tmp_path / "trace.jsonl", SEED_LINE + b"\n")) as table:
        assert rows(table, "layer, duration_ns, metadata, otel_span_id") == [
            ("altitude", 5_000_000, '{"reason":"user requested tactical"}', None)
        ]
        assert everything(table)[0].hrm_layer == "altitude"


def test_a_rotated_set_is_one_trace(tmp_path: Path, event: MakeEvent, write: Write) -> None:
    """Plain and compressed ones in the order in which they were written, whatever they are called."""
    path = write(tmp_path / "trace.jsonl", event("sys_1_0004"))
    write(tmp_path / "trace.jsonl.1", msgspec.json.encode(event("sys_1_0003")))
    (tmp_path / "trace.jsonl.2").write_bytes(gzip.compress(msgspec.json.encode(event("sys_1_0002"))))
    (tmp_path / "trace.jsonl.10.gz").write_bytes(gzip.compress(msgspec.json.encode(event("sys_1_0001")) + b"\n"))

    assert handles(path) == ["sys_1_0001", "sys_1_0002", "sys_1_0003", "sys_1_0004"]
    assert handles(tmp_path / "trace.jsonl.10.gz") == ["sys_1_0001"]


@pytest.mark.parametrize(
    "name", ["it's; drop table events --.jsonl", "[ab]*?.jsonl", "tr{}\n.gz", os.fsdecode(b"\xff\xfe")]
)
def test_a_name_is_only_a_name(tmp_path: Path, event: MakeEvent, write: Write, name: str) -> None:
    """Quotes, patterns, endings and bytes that are no text mean nothing in it."""
    assert handles(write(tmp_path / name, event("sys_1_0001"))) == ["sys_1_0001"]


def test_a_pipe_is_read_once_and_asked_often(tmp_path: Path, event: MakeEvent) -> None:
    """As the shell's ``<(...)`` gives one."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = gzip.compress(b"".join(msgspec.json.encode(event(f"sys_1_{n}")) + b"\n" for n in range(3)))
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    try:
        with opened(pipe) as table:
            assert rows(table, "trace_id") == rows(table, "trace_id") == [("sys_1_0",), ("sys_1_1",), ("sys_1_2",)]
    finally:
        writer.join()


def test_standard_input_is_a_source(event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be asked several times, too."""
    content = msgspec.json.encode(event("sys_1_0001")) + b"\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    with open_table(Source(Path("standard input"), None, standard_input=True)) as table:
        assert (table.name, rows(table, "trace_id"), everything(table)) == (
            "standard input", [("sys_1_0001",)], [event("sys_1_0001")],
        )  # fmt: skip


def test_a_run_folder_is_a_source(tmp_path: Path, event: MakeEvent, write: Write) -> None:
    """By its trace."""
    write(tmp_path / ".dam-obs" / "runs" / "r1" / "trace.jsonl", event("sys_1_0001"))

    with open_table(find_source("r1", tmp_path)) as table:
        assert len(table) == 1


def test_what_a_plugin_reads_is_a_source(tmp_path: Path, event: MakeEvent, write: Write) -> None:
    """By the name that it knows."""
    path = write(tmp_path / "trace.jsonl", event("sys_1_0001"))
    uri = f"file://{path}"

    with open_table(Source(Path(uri), None, uri)) as table:
        assert (table.name, everything(table)) == (uri, [event("sys_1_0001")])


def test_a_trace_stays_as_it_was_opened(tmp_path: Path, event: MakeEvent, write: Write) -> None:
    """What is rotated away, or appended meanwhile, changes no answer about what was there."""
    path = write(tmp_path / "trace.jsonl", event("sys_1_0001"), event("sys_1_0002"))
    with opened(path) as table:
        with path.open("ab") as file:
            file.write(msgspec.json.encode(event("sys_1_0003")) + b"\n")
        path.rename(tmp_path / "trace.jsonl.1")
        write(path, event("sys_1_ffff"))

        assert [each.trace_id for each in everything(table)] == ["sys_1_0001", "sys_1_0002"]


# -- fetching


@pytest.mark.parametrize("blank", [b"", b"\n", b"  \r\n"])
@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("block", [1, 100, 1000, 10_000])
def test_any_events_are_fetched(
    tmp_path: Path,
    event: MakeEvent,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    block: int,
    ended: bool,
    blank: bytes,
) -> None:
    """Old and new, over several files, with lines between that are no events and with empty ones."""
    monkeypatch.setattr(raw_lines, "_BLOCK_BYTES", block)
    events = [event(f"sys_1_{number:02}", input_summary="x" * (number * 7 % 90)) for number in range(20)]
    lines = [msgspec.json.encode(each) for each in events]
    write(tmp_path / "trace.jsonl.2", b"\n".join(lines[:7]) + (b"\n" if ended else b""))
    write(tmp_path / "trace.jsonl.1", b"INFO\n", b"\n".join([*lines[7:9], b"INFO", *lines[9:15]]) + b"\n" + blank)
    write(tmp_path / "trace.jsonl", b"\n".join(lines[15:]) + (b"\n" if ended else b""))
    with opened(tmp_path / "trace.jsonl") as table:
        assert everything(table) == events
        for positions in ([], [0], [19], [6, 7], [14, 15], [3, 3, 1], [8, 9, 18]):
            assert table.fetch(positions) == [events[position] for position in sorted(set(positions))]
        assert table.fetch(np.array([5])) == [events[5]]


# -- lines that are no events


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"INFO starting\n", "foreign"),
        (b'{"level":"info"}\n', "foreign"),
        (b"[1, 2]\n", "foreign"),
        (b"17\n", "foreign"),
        (SEED_LINE.replace(b"2026-01-13T14:00:00", b"yesterday") + b"\n", "foreign"),
        (SEED_LINE.replace(b"2026-01-13T14:00:00", b"infinity") + b"\n", "foreign"),
        (SEED_LINE.replace(b'"success","metadata"', b'"done","metadata"') + b"\n", "foreign"),
        (SEED_LINE.replace(b'"operation":"transition",', b"") + b"\n", "foreign"),
        (SEED_LINE + SEED_LINE.replace(b"{", b" ", 1) + b"\n", "torn"),
        (b'{"trace_id":"sys_1_00\n', "torn"),
        (b'{"resourceSpans":[{"resource"\n', "torn"),
        (b'{"resourceSpans":17}\n', "foreign"),
        (b'{"resourceLogs":[]}\n', "foreign"),
        (b"\x00\x01\x02\x00\n", "binary"),
        (b'{"trace_id":"\xff\xfe"}\n', "torn"),
        (b"\n", None),
        (b"  \r\n", None),
        (b'{"resourceSpans":[]}\n', None),
    ],
)  # fmt: skip
def test_each_line_that_is_no_event_has_a_reason(
    tmp_path: Path, event: MakeEvent, write: Write, line: bytes, reason: str | None
) -> None:
    """What is skipped is counted by what it is, with the place of the first; empty lines are nothing."""
    path = write(tmp_path / "trace.jsonl", event("sys_1_0001"), line, line, event("sys_1_0002"))
    with opened(path) as table:
        assert everything(table) == [event("sys_1_0001"), event("sys_1_0002")]
        assert rows(table, "position, trace_id") == [(0, "sys_1_0001"), (1, "sys_1_0002")]
        assert table.skipped == ({reason: 2} if reason else {})
        assert (table.first_skipped or "").startswith(f"{path}:2: {reason} (" if reason else "")


def test_an_event_behind_a_torn_one_is_found(tmp_path: Path, event: MakeEvent, write: Write) -> None:
    """The next process appends to the line that a kill has cut: its first event is not lost with it."""
    torn = msgspec.json.encode(event("sys_1_0001"))[:60]
    path = write(tmp_path / "trace.jsonl", b"INFO\n", torn, event("sys_1_0002"), event("sys_1_0003"), torn)
    with opened(path) as table:
        assert [each.trace_id for each in everything(table)] == ["sys_1_0002", "sys_1_0003"]
        assert rows(table, "position, trace_id") == [(0, "sys_1_0002"), (1, "sys_1_0003")]
        assert table.skipped == {"torn": 2, "foreign": 1}
        assert table.first_skipped == f"{path}:1: foreign (JSON is malformed: invalid character (byte 0))"


def test_the_kinds_of_lines_can_be_mixed(tmp_path: Path, event: MakeEvent, write: Write) -> None:
    """Each line is looked at: ours, the seed's, a collector's, and what is none."""
    path = write(tmp_path / "trace.jsonl", event("sys_1_0001"), OTLP_LINE + b"\n", SEED_LINE + b"\n", b"INFO\n")
    with opened(path) as table:
        assert rows(table, "position, operation, duration_ns") == [
            (0, "transition", 5_000_000), (1, "GET /", 250_000_000), (2, "query", 100_000_000),
            (3, "transition", 5_000_000),
        ]  # fmt: skip
        assert everything(table)[2].parent_id == everything(table)[1].trace_id == "sys_1705180800_b7ad6b7169203331"
        assert table.skipped == {"foreign": 1}


def test_an_endless_line_is_passed_over(tmp_path: Path, event: MakeEvent, write: Write) -> None:
    """One longer than any event takes nothing else with it."""
    path = write(
        tmp_path / "trace.jsonl", event("sys_1_0001"), b"x" * (MAX_LINE_BYTES + 5) + b"\n", event("sys_1_0002")
    )
    with opened(path) as table:
        assert everything(table) == [event("sys_1_0001"), event("sys_1_0002")]
        assert table.skipped == {"foreign": 1}


def test_a_compressed_file_that_ends_early_gives_what_it_has(tmp_path: Path, event: MakeEvent) -> None:
    """The cut counts as one torn line."""
    lines = [msgspec.json.encode(event(f"sys_1_{n:04x}", input_summary=os.urandom(40).hex())) for n in range(500)]
    (tmp_path / "trace.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines))[:-2_000])
    with opened(tmp_path / "trace.jsonl.gz") as table:
        assert 0 < len(table) < 500
        assert rows(table, "trace_id") == [(f"sys_1_{n:04x}",) for n in range(len(table))]
        assert table.skipped == {"torn": 1}


def changed(part: bytes, *others: bytes) -> st.SearchStrategy[bytes]:
    """The seed's line with a part of it replaced."""
    assert part in SEED_LINE
    return st.sampled_from([SEED_LINE.replace(part, other) for other in others])


fragments = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([SEED_LINE, OTLP_LINE, b"\n", b"\r\n", b" ", b"\x00", b'{"trace_id"', b"{}", b'"', b"INFO"]),
    st.integers(1, len(SEED_LINE)).map(lambda end: SEED_LINE[:end]),
    st.integers(1, len(OTLP_LINE)).map(lambda end: OTLP_LINE[:end]),
    changed(b'"L3"', b"5", b"null", b"[1]", b'"\\ud800"', b'"\\u0000"', b"1e999", b"{" * 2000),
    changed(b'{"reason":"user requested tactical"}', b"5", b"null", b"[]", b'"x"', b'{"a":1,"a":2}'),
    changed(b'{"reason":"user requested tactical"}', b'{"a":' * 3000 + b"1" + b"}" * 3000),
    changed(b"2026-01-13T14:00:00", b"2026-1-3 5:00", b"0001-01-01T00:00:00", b"9999-12-31T23:59:59", b"290000-01-01"),
    changed(b"2026-01-13T14:00:00", b"20260113T140000Z", b"epoch", b"-0001-01-01"),
    changed(b'_ms":5', *(b'_ms":' + value for value in (b"9" * 30, b"-5", b'"7"', b"1.5", b"null"))),
    changed(b'"parent_id":null,', b"", b'"parent_id":7,', b'"parent_id":null,"pid":99999999999,'),
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(st.tuples(fragments, st.sampled_from([b"\n", b"\n", b"\r\n", b""])), max_size=8))
def test_any_bytes_are_events_or_counted(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[bytes, bytes]]
) -> None:
    """No file crashes it; a line is an event, holds some, or is counted once; all that are events can be fetched."""
    content = SEED_LINE + b"\n" + b"".join(piece + end for piece, end in pieces)
    path = tmp_path_factory.mktemp("any") / "trace.jsonl"
    path.write_bytes(content)
    lines = sum(bool(line.strip()) for line in content.split(b"\n"))
    reader = read_events(path)
    strict = list(reader)

    with opened(path) as table:
        fetched = everything(table)
        skipped = sum(table.skipped.values())

        assert len(fetched) == len(table) == len(rows(table, "*"))
        assert len(strict) <= len(table)
        assert skipped <= reader.skipped.total()
        # A line that is skipped may hold events behind what is torn; a line of OTLP holds two or none.
        assert lines <= len(table) + skipped + content.count(b'{"resourceSpans":[]}')
        assert [row[0] for row in rows(table, "trace_id")] == [each.trace_id for each in fetched]
        for each in fetched:
            assert start_ns(each) is not None


# -- what is no trace


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "it is a binary file"),
        (b"# Hello\n\nworld\n", "none of its lines is an event, the first is .*:1: foreign"),
        (gzip.compress(b"\x00" * 1000), "it is a binary file"),
    ],
    ids=["a picture", "a text", "gzip of no text"],
)
def test_what_is_no_trace_is_refused(tmp_path: Path, write: Write, content: bytes, message: str) -> None:
    """The error is one line and says what to give instead."""
    with pytest.raises(NotATrace, match=rf"{message}.*; give a trace\.jsonl or a run folder"):
        opened(write(tmp_path / "other", content))


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    """The way out is in the error."""
    with pytest.raises(NoTraceFound, match=r"no trace at .*trace\.jsonl: make one with `dam-obs run"):
        opened(tmp_path / "trace.jsonl")
    with pytest.raises(NotATrace, match="it is a folder"):
        opened(tmp_path)


@pytest.mark.parametrize("content", [b"", b'{"trace_id":"sys_1', b"\n\n"])
def test_a_trace_without_an_event_yet_is_empty(tmp_path: Path, write: Write, content: bytes) -> None:
    """Nothing was recorded, or the program was killed while it wrote its first."""
    with opened(write(tmp_path / "trace.jsonl", content)) as table:
        assert (len(table), table.fetch([]), rows(table, "*"), table.layers) == (0, [], [], {})


# -- what it leaves alone


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_text('/etc/hostname')",
        "copy events to '/tmp/stolen.csv'",
        "install httpfs",
        "load httpfs",
        "attach '/tmp/other.db'",
        "set enable_external_access = true",
        "select * from secret_of_the_caller",
    ],
)
def test_the_database_has_no_way_out(event: MakeEvent, query: str) -> None:
    """No other file, no network, no extension, no variable of the program's."""
    secret_of_the_caller = np.array([1])
    with table_of([event("alt_1_a")], "made") as table, pytest.raises(duckdb.Error):
        table.connection.execute(query)
    assert len(secret_of_the_caller) == 1


def test_nothing_is_left_behind(tmp_path: Path, event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by what was copied, and not by what memory did not hold."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    descriptors = len(os.listdir("/proc/self/fd"))
    with table_of([event("alt_1_a")] * 1000, "made") as table:
        table.connection.execute("create temp table big as select random() a, uuid() b from range(16_000_000)")
        assert [path for path in tmp_path.rglob("*") if path.is_file()] != []
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_nothing_is_left_behind_by_an_interrupt(tmp_path: Path, event: MakeEvent, write: Write) -> None:
    """Ctrl-C while it reads: the folder is gone, and the program is told as usual."""
    path = write(tmp_path / "trace.jsonl", *[event(f"sys_1_{number}") for number in range(100)])
    program = (
        "import sys, pathlib, signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from dam_obs.store.table import open_table; from dam_obs.store.find import Source\n"
        "with open_table(Source(pathlib.Path(sys.argv[1]), None)) as table:\n"
        "    print('open', flush=True)\n"
        "    table.connection.execute('select count(*) from range(1000000000) a, range(1000000000) b').fetchall()\n"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        env=os.environ | {"TMPDIR": str(temporary)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()

    assert "KeyboardInterrupt" in err
    assert list(temporary.iterdir()) == []


def test_an_interrupt_that_the_database_met_itself_is_told_as_usual(event: MakeEvent) -> None:
    """It would look like an error of ours."""
    with pytest.raises(KeyboardInterrupt), table_of([event("alt_1_a")], "made"):
        raise RuntimeError("Query interrupted")


def test_a_copy_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With where it should go instead."""
    monkeypatch.setattr("dam_obs.store.spool.MAX_SPOOL_BYTES", 10)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with pytest.raises(NoRoom, match=r"standard input has to be copied to .*point TMPDIR to another disk"):
        spool([b"12345", b"123456"], "standard input")
    assert list(tmp_path.iterdir()) == []
