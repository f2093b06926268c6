"""Lines of a file that grows, is rotated, truncated, moved away: real files, one look after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dam_obs.store import tail as tail_module
from dam_obs.store.tail import Tail

Look = Callable[[], list[str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.jsonl"


@pytest.fixture
def look(path: Path) -> Iterator[Look]:
    """What came since the last look."""
    with Tail(path, backlog_bytes=1_000) as tail:
        yield lambda: [line.decode() for line in tail.lines()]


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def rotate(path: Path, keep: int = 5) -> None:
    """As dam-obs does it, and logrotate."""
    for number in range(keep - 1, 0, -1):
        old = Path(f"{path}.{number}")
        if old.exists():
            old.replace(f"{path}.{number + 1}")
    path.replace(f"{path}.1")


def test_a_file_that_does_not_exist_yet_is_waited_for(path: Path, look: Look) -> None:
    """From its first line on."""
    assert look() == []
    append(path, "one\n")

    assert look() == ["one"]


def test_files_that_were_rotated_before_the_first_look_are_read(path: Path, look: Look) -> None:
    """A busy program began after us; what it rotated away is new, what was rotated before is not."""
    append(path, "old\n")
    rotate(path)
    assert look() == []
    for word in ("one", "two"):
        append(path, f"{word}\n")
        rotate(path)
    append(path, "three\n")

    assert look() == ["one", "two", "three"]


def test_no_file_stays_open(path: Path) -> None:
    """However often it was rotated."""
    before = len(os.listdir("/proc/self/fd"))
    with Tail(path, backlog_bytes=1_000) as tail:
        assert list(tail.lines()) == []
        for word in ("one", "two", "three", "four"):
            append(path, f"{word}\n")
            rotate(path)
            append(path, f"more after {word}\n")
            assert [*tail.lines(), *tail.lines(), *tail.lines()]
            assert len(os.listdir("/proc/self/fd")) == before + 1

    assert len(os.listdir("/proc/self/fd")) == before


def test_lines_come_once_and_whole(path: Path, look: Look) -> None:
    """Half a line is kept until the other half has come."""
    append(path, "one\ntw")
    assert look() == ["one"]
    assert look() == []
    append(path, "o\nthree\n")

    assert look() == ["two", "three"]


def test_a_rotated_file_is_read_to_its_end(path: Path, look: Look) -> None:
    """Also what a writer that had it open wrote after it was moved; then the new one follows."""
    append(path, "one\n")
    assert look() == ["one"]
    with path.open("a") as writer:
        append(path, "two\n")
        rotate(path)
        append(path, "four\n")
        assert look() == ["two"]
        writer.write("three\n")

    assert look() == ["three", "four"]
    append(path, "five\n")
    assert look() == ["five"]


def test_rotations_between_two_looks_lose_nothing(path: Path, look: Look) -> None:
    """A busy program with small files is faster than who looks."""
    append(path, "one\n")
    look()
    for word in ("two", "three", "four"):
        append(path, f"{word}\n")
        rotate(path)
    append(path, "five\n")

    assert look() + look() == ["two", "three", "four", "five"]


def test_files_of_which_the_first_is_gone_are_read(path: Path, look: Look) -> None:
    """Rotation keeps two; the one that we were in was deleted meanwhile, with what was not read in it still there."""
    append(path, "one\n")
    look()
    append(path, "two\n")
    os.utime(path, ns=(0, 0))
    for word in ("three", "four"):
        rotate(path, keep=2)
        append(path, f"{word}\n")
    rotate(path, keep=2)
    append(path, "five\n")

    assert look() + look() == ["two", "three", "four", "five"]


def test_an_older_rotated_file_is_not_taken_for_a_new_one(path: Path, look: Look) -> None:
    """The file was deleted by hand, and begun anew."""
    append(path, "old\n")
    rotate(path)
    append(path, "one\n")
    assert look() == ["old", "one"]
    path.unlink()
    assert look() == []
    append(path, "two\n")

    assert look() + look() == ["two"]


def test_a_file_that_was_moved_elsewhere_leaves_room_for_a_new_one(path: Path, look: Look) -> None:
    append(path, "one\n")
    look()
    path.replace(path.with_name("kept.jsonl"))
    append(path, "two\n")

    assert look() + look() == ["two"]


@pytest.mark.parametrize("text", ["new\n", "new and longer than all that was there before\n"])
def test_a_truncated_file_is_read_from_its_start(path: Path, look: Look, text: str) -> None:
    """Also if it has grown beyond the old end before anybody looks."""
    append(path, "one\ntwo\nhalf")
    assert look() == ["one", "two"]
    path.write_text("")
    append(path, text)

    assert look() == ["half", text.strip()]


def test_a_truncated_file_may_look_alike_at_its_end(path: Path, look: Look) -> None:
    """As long as it was, with the same last bytes: events often end alike."""
    append(path, "a" + "=" * 500 + "\n")
    assert look() == ["a" + "=" * 500]
    path.write_text("")
    append(path, "b" + "=" * 500 + "\n")

    assert look() == ["b" + "=" * 500]


def test_of_what_is_there_the_end_is_read(path: Path) -> None:
    """From the first whole line on."""
    append(path, "".join(f"line {number}\n" for number in range(1_000)))
    with Tail(path, backlog_bytes=20) as tail:
        assert list(tail.lines()) == [b"line 998", b"line 999"]


def test_of_a_file_just_begun_the_one_before_it_counts_too(path: Path) -> None:
    """A trace may have begun there."""
    append(path, "one\ntwo\nthree\n")
    rotate(path)
    append(path, "four\n")
    with Tail(path, backlog_bytes=12) as tail:
        assert list(tail.lines()) == [b"three", b"four"]


def test_a_huge_line_is_not_held(path: Path, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its beginning is given, so that it can be counted, the rest passed over."""
    monkeypatch.setattr(tail_module, "MAX_LINE_BYTES", 10)
    monkeypatch.setattr(tail_module, "CHUNK_BYTES", 4)
    append(path, "x" * 50 + "\nshort\n")

    assert look() == ["x" * 12, "short"]
