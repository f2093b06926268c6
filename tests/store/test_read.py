from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.errors import NotATrace, NoTraceFound
from dam_obs.store.read import MAX_LINE_BYTES, read_events, started
from dam_obs.trace.events import TraceEvent

Write = Callable[..., Path]
MakeEvent = Callable[..., TraceEvent]

SEED_LINES = (
    '{"trace_id":"alt_1705180800_a3f2","parent_id":null,"timestamp":"2026-01-13T14:00:00","hrm_layer":"alt",'
    '"operation":"transition","component":"altitude.py","input_summary":"L3→L2","output_summary":"success",'
    '"duration_ms":5,"status":"success","metadata":{"reason":"user requested tactical"}}\n'
    '{"trace_id":"mem_1705180802_h8i9","parent_id":"alt_1705180800_a3f2","timestamp":"2026-01-13T14:00:02",'
    '"hrm_layer":"memory","operation":"write","component":"manager.py","input_summary":"altitude.session",'
    '"output_summary":"written","duration_ms":3,"status":"success","metadata":{"tokens_saved":45}}\n'
).encode()


def handles(path: Path) -> list[str]:
    return [event.trace_id for event in read_events(path)]


class TestEvents:
    def test_events_come_back_whole(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """What was written is what is read, field by field."""
        written = [
            event(
                "alt_1_0000", duration_ns=5_000_000, segments=[(1, 2, 3)], io={"rchar": 7}, touched={"peers": ["a:1"]}
            ),
            event("foc_1_0001", hrm_layer="focus", status="error", metadata={"error.type": "ValueError"}, kind="event"),
        ]

        reader = read_events(write(tmp_path / "trace.jsonl", *written))

        assert list(reader) == written
        assert (reader.events, reader.skipped, reader.first_skipped) == (2, {}, None)

    def test_the_seeds_bare_lines_are_read(self, tmp_path: Path, write: Write) -> None:
        """Eleven fields, layers by code or name, and times without an offset are enough."""
        events = list(read_events(write(tmp_path / "trace.jsonl", SEED_LINES)))

        assert [(one.hrm_layer, one.duration_ns, one.metadata) for one in events] == [
            ("altitude", None, {"reason": "user requested tactical"}),
            ("memory", None, {"tokens_saved": 45}),
        ]
        assert events[0].timestamp == "2026-01-13T14:00:00"
        assert started(events[1]) - started(events[0]) == timedelta(seconds=2)

    def test_a_code_nobody_registered_is_kept(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """A plugin's layer is read where the plugin is not installed."""
        (read,) = read_events(write(tmp_path / "trace.jsonl", event("xyz_1_0000", hrm_layer="xyz")))

        assert read.hrm_layer == "xyz"

    def test_fields_of_later_versions_are_tolerated(self, tmp_path: Path, write: Write) -> None:
        """An unknown field does not make an event foreign."""
        line = SEED_LINES.splitlines()[0][:-1] + b',"colour":"green"}\n'

        assert handles(write(tmp_path / "trace.jsonl", line)) == ["alt_1705180800_a3f2"]


class TestRotation:
    def test_rotated_files_come_first_and_oldest_first(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """Number one is the newest of the old; compressed ones are read where they stand."""
        path = write(tmp_path / "trace.jsonl", event("sys_1_0004"))
        write(tmp_path / "trace.jsonl.1", event("sys_1_0003"))
        write(tmp_path / "trace.jsonl.2", event("sys_1_0002"))
        (tmp_path / "trace.jsonl.10.gz").write_bytes(gzip.compress(msgspec.json.encode(event("sys_1_0001"))))
        write(tmp_path / "trace.jsonl.bak", event("sys_1_ffff"))

        assert handles(path) == ["sys_1_0001", "sys_1_0002", "sys_1_0003", "sys_1_0004"]

    def test_a_file_that_is_being_compressed_is_read_once(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """The plain file wins over its compressed twin."""
        path = write(tmp_path / "trace.jsonl", event("sys_1_0002"))
        write(tmp_path / "trace.jsonl.1", event("sys_1_0001"))
        (tmp_path / "trace.jsonl.1.gz").write_bytes(b"\x1f\x8bhalf")

        assert handles(path) == ["sys_1_0001", "sys_1_0002"]

    def test_a_rotated_file_is_read_alone_when_named(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """Naming one file of a set asks for that one."""
        write(tmp_path / "trace.jsonl", event("sys_1_0002"))
        path = write(tmp_path / "trace.jsonl.1", event("sys_1_0001"))

        assert handles(path) == ["sys_1_0001"]

    def test_rotated_files_alone_are_a_trace(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """Between a rotation and the next event there is no newest file."""
        write(tmp_path / "trace.jsonl.1", event("sys_1_0001"))

        assert handles(tmp_path / "trace.jsonl") == ["sys_1_0001"]

    def test_a_name_with_wildcards_means_itself(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """A bracket in a file's name is no pattern."""
        write(tmp_path / "a.1", event("sys_1_0001"))

        assert handles(write(tmp_path / "[ab]", event("sys_1_0002"))) == ["sys_1_0002"]


class TestDamage:
    def test_a_torn_last_line_is_skipped_and_told(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """A kill cuts the last line; the others are read."""
        whole = msgspec.json.encode(event("sys_1_0002"))
        path = write(tmp_path / "trace.jsonl", event("sys_1_0001"), whole[:40])

        reader = read_events(path)

        assert [one.trace_id for one in reader] == ["sys_1_0001"]
        assert reader.skipped == {"torn": 1}
        assert reader.first_skipped is not None
        assert reader.first_skipped.startswith(f"{path}:2: torn (")

    def test_an_event_behind_a_torn_one_is_found(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """The next process appends to the line that a kill has cut: its first event is not lost with it."""
        torn = msgspec.json.encode(event("sys_1_0001"))[:60]
        reader = read_events(write(tmp_path / "trace.jsonl", torn, event("sys_1_0002"), event("sys_1_0003")))

        assert [one.trace_id for one in reader] == ["sys_1_0002", "sys_1_0003"]
        assert reader.skipped == {"torn": 1}

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"INFO starting\n", "foreign"),
            (b'{"level":"info"}\n', "foreign"),
            (b"[1, 2]\n", "foreign"),
            (SEED_LINES.splitlines()[0].replace(b"2026-01-13T14:00:00", b"yesterday") + b"\n", "foreign"),
            (SEED_LINES.splitlines()[0].replace(b'"success","metadata"', b'"done","metadata"') + b"\n", "foreign"),
            (b'{"trace_id":"sys_1_00\n', "torn"),
            (b"\x00\x01\x02\x00\n", "binary"),
            (b"\n", None),
            (b"  \r\n", None),
        ],
    )
    def test_each_line_that_is_no_event_has_a_reason(
        self, tmp_path: Path, event: MakeEvent, write: Write, line: bytes, reason: str | None
    ) -> None:
        """What is skipped is counted by what it is; empty lines are nothing."""
        reader = read_events(write(tmp_path / "trace.jsonl", event("sys_1_0001"), line, event("sys_1_0002")))

        assert [one.trace_id for one in reader] == ["sys_1_0001", "sys_1_0002"]
        assert reader.skipped == ({reason: 1} if reason else {})

    def test_a_compressed_file_that_ends_early_gives_what_it_has(
        self, tmp_path: Path, event: MakeEvent, write: Write
    ) -> None:
        """A torn gzip counts as one torn line."""
        lines = b"".join(
            msgspec.json.encode(event(f"sys_1_{n:04x}", input_summary=os.urandom(40).hex())) + b"\n" for n in range(500)
        )
        path = write(tmp_path / "trace.jsonl.gz", gzip.compress(lines)[:-2_000])

        reader = read_events(path)
        read = [one.trace_id for one in reader]

        assert 0 < len(read) < 500
        assert read == [f"sys_1_{n:04x}" for n in range(len(read))]
        assert reader.skipped == {"torn": 1}

    def test_an_endless_line_is_not_held(self, tmp_path: Path, event: MakeEvent, write: Write) -> None:
        """A line longer than any event is passed over."""
        reader = read_events(
            write(
                tmp_path / "trace.jsonl", event("sys_1_0001"), b"x" * (MAX_LINE_BYTES + 5) + b"\n", event("sys_1_0002")
            )
        )

        assert [one.trace_id for one in reader] == ["sys_1_0001", "sys_1_0002"]
        assert reader.skipped == {"foreign": 1}

    @given(cut=st.integers(min_value=0), junk=st.binary(max_size=20))
    def test_no_damage_reaches_other_lines(
        self, tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
    ) -> None:
        """Wherever a line is cut and whatever is put there, the lines around it are read."""
        line, other = SEED_LINES.splitlines(keepends=True)
        torn = line[: cut % len(line)] + junk.replace(b"\n", b"").replace(b"\r", b"") + b"\n"
        path = tmp_path_factory.mktemp("damage") / "trace.jsonl"
        path.write_bytes(other + torn + other)

        read = [one.trace_id for one in read_events(path)]

        assert read[0] == read[-1] == "mem_1705180802_h8i9"
        assert len(read) in (2, 3)


class TestNoTrace:
    def test_a_binary_file_is_refused_at_once(self, tmp_path: Path, write: Write) -> None:
        """The error is one line and says what to give instead."""
        path = write(tmp_path / "picture.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)

        with pytest.raises(NotATrace) as caught:
            read_events(path)

        assert str(caught.value) == f"{path} is not a trace: it is a binary file; give a trace.jsonl or a run folder"

    def test_a_text_without_events_is_refused_at_its_end(self, tmp_path: Path, write: Write) -> None:
        """A file of other lines is no empty trace."""
        path = write(tmp_path / "README.md", b"# Hello\n\nworld\n")

        with pytest.raises(NotATrace, match=r"none of its lines is an event.*README\.md:1: foreign"):
            list(read_events(path))

    def test_a_trace_with_one_torn_line_is_empty(self, tmp_path: Path, write: Write) -> None:
        """A program killed while it wrote its first event left a trace all the same."""
        reader = read_events(write(tmp_path / "trace.jsonl", b'{"trace_id":"sys_1'))

        assert list(reader) == []
        assert reader.skipped == {"torn": 1}

    def test_an_empty_file_is_an_empty_trace(self, tmp_path: Path, write: Write) -> None:
        """Nothing was recorded yet."""
        assert list(read_events(write(tmp_path / "trace.jsonl"))) == []

    def test_a_missing_file_says_how_to_make_one(self, tmp_path: Path) -> None:
        """The way out is in the error."""
        with pytest.raises(NoTraceFound, match=r"no trace at .*trace\.jsonl: make one with `dam-obs run"):
            read_events(tmp_path / "trace.jsonl")

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        """Only a file can be read."""
        with pytest.raises(NotATrace, match="it is a folder"):
            read_events(tmp_path)
