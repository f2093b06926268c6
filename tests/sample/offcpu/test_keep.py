"""What bpftrace printed, written down and read back."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.sample.offcpu.causes import CAUSES, calls_of
from dam_obs.sample.offcpu.clock import Clock
from dam_obs.sample.offcpu.keep import DISORDER_NS, Watched, device_name, keep
from dam_obs.sample.offcpu.lines import BlockLine, FrameLine, OffLine, StackLine, direction, parse
from dam_obs.sample.offcpu.read import BrokenIntervals, OffCpu, collect, read_offcpu
from dam_obs.sample.offcpu.record import DeviceRequests, Summary

RECORDED = """\
Attaching 9 probes...
I 4711 1000 1500 1600 1 231
I 4711 2000 2900 3000 1 203
I 4711 4000 4800 4900 2 75
I 4712 4100 0 4300 0 1
I 4712 5000 5400 5500 1 1
I 4711 6000 0 6100 256 0
I 4711 7000 7500 7700 1 233
I 4711 8000 8600 8600 8 203
I 4711 9000 9050 9100 8 0
B 266338304 WS 4096 4010 4700
B 266338304 WS 8192 4020 4790
B 266338304 R 512 100 200
B 266338304 FF 0 300 900
I 4711 torn
"""
"""Of x86_64: sleep, futex, fsync, ready all the time, a read of a pipe, preempted, epoll, held in a futex, held."""

CALLS = calls_of("x86_64")
CLOCK = Clock(name="boottime", offset_ns=100, drift_ns=0, residual_ns=5)
WATCHED = Watched(bpftrace="0.17.0", clock=CLOCK, from_ns=500, to_ns=9_500, lost=3, cut=0)


def kept(path: Path, text: str = RECORDED, watched: Watched = WATCHED) -> OffCpu:
    """Keep `text` at `path`, and read it back."""
    assert CALLS is not None
    keep(text.splitlines(), CALLS, watched, path)
    found = read_offcpu(path)
    assert found is not None
    return found


def test_each_interval_is_a_wait_and_a_way_to_a_cpu(tmp_path: Path) -> None:
    """By thread, in monotonic time; what was ready all the time has no wait."""
    found = kept(tmp_path / "offcpu.jsonl.gz")

    shown = {
        thread: [
            (start, end, CAUSES[cause])
            for start, end, cause in zip(each.starts_ns, each.ends_ns, each.causes, strict=True)
        ]
        for thread, each in found.threads.items()
    }
    assert shown == {
        4711: [
            (900, 1400, "sleep"),
            (1400, 1500, "run_queue"),
            (1900, 2800, "futex"),
            (2800, 2900, "run_queue"),
            (3900, 4700, "block_io"),
            (4700, 4800, "run_queue"),
            (5900, 6000, "run_queue"),
            (6900, 7400, "poll"),
            (7400, 7600, "run_queue"),
            (7900, 8500, "futex"),
            (8900, 8950, "held"),
            (8950, 9000, "run_queue"),
        ],
        4712: [(4000, 4200, "run_queue"), (4900, 5300, "pipe_socket"), (5300, 5400, "run_queue")],
    }
    assert found.total_ns("futex") == 900 + 600


def test_the_summary_counts(tmp_path: Path) -> None:
    """Intervals, what was lost, from when to when, and the disks; a torn line is no interval."""
    summary = kept(tmp_path / "offcpu.jsonl.gz").summary

    disk = summary.devices[0].device
    assert summary == Summary(
        bpftrace="0.17.0",
        clock="boottime",
        clock_offset_ns=100,
        clock_residual_ns=5,
        from_ns=500,
        to_ns=9_500,
        intervals=9,
        lost=3,
        cut=0,
        ended_early=False,
        devices=[
            DeviceRequests(device=disk, direction="flush", requests=1, bytes=0, p50_ns=600, p99_ns=600, max_ns=600),
            DeviceRequests(device=disk, direction="read", requests=1, bytes=512, p50_ns=100, p99_ns=100, max_ns=100),
            DeviceRequests(device=disk, direction="write", requests=2, bytes=12288, p50_ns=690, p99_ns=690, max_ns=770),
        ],
    )


@pytest.mark.parametrize(("to_ns", "cut"), [(None, 0), (10**12, 7)])
def test_what_is_cut_off_is_not_covered(tmp_path: Path, to_ns: int | None, cut: int) -> None:
    """Where the file ends early, so does the time that it speaks for: before what may have come out of order."""
    second = 1_000_000_000
    watched = replace(WATCHED, from_ns=0, to_ns=to_ns, cut=cut)
    summary = kept(tmp_path / "offcpu.jsonl.gz", f"I 1 0 0 {second + 100} 0 0", watched).summary

    assert (summary.to_ns, summary.cut, summary.ended_early) == (second - DISORDER_NS, cut, to_ns is None)


WHOLE = st.integers(0, 2**62)
LINE = st.tuples(st.integers(1, 9), WHOLE, WHOLE, WHOLE, st.integers(0, 600), st.integers(0, 500))


@given(st.lists(LINE, max_size=20))
def test_no_time_is_made_or_lost(lines: list[tuple[int, int, int, int, int, int]]) -> None:
    """Whatever is printed: the stretches of all causes together are as long as the intervals."""
    printed = [f"I {thread} {off} {woken} {on} {state} {call}" for thread, off, woken, on, state, call in lines]
    wanted = sum(on - off for _, off, _, on, _, _ in lines if off <= on)
    assert CALLS is not None
    with pytest.MonkeyPatch.context() as patch:
        file = _Memory()
        patch.setattr("dam_obs.sample.offcpu.keep.gzip.open", lambda *_, **__: file)
        patch.setattr(Path, "replace", lambda *_: None)
        keep(printed, CALLS, WATCHED, Path("/nowhere/offcpu.jsonl.gz"))

    found = collect(file.getvalue().splitlines())

    assert sum(found.total_ns(cause) for cause in CAUSES) == wanted


class _Memory(io.BytesIO):
    def close(self) -> None:
        """Stay readable."""


@given(st.text())
def test_any_line_is_one_or_none(text: str) -> None:
    """A line is understood or left out; it never fails."""
    for line in (text, f"I {text}", f"B {text}", f"S {text}", f"  {text}"):
        said = parse(line)
        assert said is None or isinstance(said, OffLine | BlockLine | StackLine | FrameLine)


@pytest.mark.parametrize(
    ("flags", "way"),
    [("R", "read"), ("RA", "read"), ("WS", "write"), ("FWFS", "write"), ("DS", "discard"), ("FF", "flush")],
)
def test_direction(flags: str, way: str) -> None:
    """The kernel's letters say what a disk was asked for."""
    assert direction(flags) == way


def test_a_disk_by_its_name(tmp_path: Path) -> None:
    """The kernel's name where it has one, else its numbers."""
    (tmp_path / "devices" / "vda").mkdir(parents=True)
    (tmp_path / "dev" / "block").mkdir(parents=True)
    (tmp_path / "dev" / "block" / "254:0").symlink_to(tmp_path / "devices" / "vda")

    assert device_name(254 << 20, tmp_path) == "vda"
    assert device_name(254 << 20 | 3, tmp_path) == "254:3"


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b""), gzip.compress(b"[1,2,3,4]\n"), gzip.compress(b'[1,9,3,4,"futex"]\n{}\n'),
     gzip.compress(b'[1,2,3,4,"futex"]\n{}\n'), gzip.compress(b'[1,2,3,4,"boredom"]\n'), gzip.compress(b"x" * 99)[:-9]],
    ids=["no gzip", "empty", "a number for a word", "a state too many", "no interval", "no such cause", "cut"],
)  # fmt: skip
def test_a_file_that_is_something_else(tmp_path: Path, content: bytes) -> None:
    """It is refused in one sentence, with the way out."""
    path = tmp_path / "offcpu.jsonl.gz"
    path.write_bytes(content)

    with pytest.raises(BrokenIntervals, match="measure again"):
        read_offcpu(path)


def test_no_file(tmp_path: Path) -> None:
    """A run without has none."""
    assert read_offcpu(tmp_path / "offcpu.jsonl.gz") is None


def test_nothing_half_written(tmp_path: Path) -> None:
    """Where it cannot be written to its end, there is no file, and none beside its place."""

    def lines() -> Iterator[str]:
        yield RECORDED.splitlines()[1]
        raise OSError(28, "No space left on device")

    assert CALLS is not None
    with pytest.raises(OSError, match="No space"):
        keep(lines(), CALLS, WATCHED, tmp_path / "offcpu.jsonl.gz")

    assert list(tmp_path.iterdir()) == []


WITH_STACKS = """\
S 4711 1000

        __schedule+1560
        do_nanosleep+94
        entry+118

I 4711 1000 1500 1600 1 231
S 4712 2000

        __schedule+1560
        do_nanosleep+94
        entry+118

I 4711 2000 2100 2200 1 231
I 4712 2000 2900 3000 1 203
S 4711 4000

        __schedule+1560
I 4711 4000 0 4900 0 0
S 4711 5000
I 4711 5000 5100 5200 1 231
"""
"""Two threads that went off the CPU at one place, and one interval without a stack at the same moment."""


def test_stacks_are_kept_once_and_named_by_their_intervals(tmp_path: Path) -> None:
    """Outermost first; the way to a CPU after a wait has none, being ready all the time has."""
    watched = replace(WATCHED, stacks_from_ns=500, stacks_cut=2)
    found = kept(tmp_path / "offcpu.jsonl.gz", WITH_STACKS, watched)

    assert found.stacks == (("entry", "do_nanosleep", "__schedule"), ("__schedule",))
    assert {thread: list(each.stacks) for thread, each in found.threads.items()} == {
        4711: [0, -1, -1, -1, 1, -1, -1],
        4712: [0, -1],
    }
    assert (found.summary.stacks_from_ns, found.summary.stacks_left_out) == (500, 2)


def test_too_many_different_stacks_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The intervals stay, without a place."""
    monkeypatch.setattr("dam_obs.sample.offcpu.keep.MOST_STACKS", 1)
    found = kept(tmp_path / "offcpu.jsonl.gz", WITH_STACKS)

    assert (len(found.stacks), found.summary.stacks_left_out, found.summary.intervals) == (1, 1, 5)
