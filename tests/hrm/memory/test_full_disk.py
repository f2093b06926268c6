"""Folders that cannot be written to: it is said so, and nothing that was acknowledged is lost."""

from __future__ import annotations

import random

import pytest
from dam_hrm import HookFailed
from dam_hrm.memory.errors import FolderUnusable
from dam_hrm.memory.values import Tier

from dam_obs.testing import faults

NOISE = f"{random.Random(2).getrandbits(400_000):x}"


@pytest.fixture
def small_disk(tmp_path):
    """A disk with a file ``ballast``, without which there is room."""
    try:
        with faults.full_disk(tmp_path / "disk", free_bytes=200 * 1024) as disk:
            yield disk
    except faults.CannotMount as error:
        pytest.skip(str(error))


async def fill(memory, tier):
    """Write until there is no room; gives how many were acknowledged, and the error."""
    for number in range(100):
        try:
            await memory.write("n", f"key {number}", [number, NOISE], tier=tier)
        except HookFailed as error:
            return number, error
    raise AssertionError("the disk is endless")


@pytest.mark.parametrize("tier", ["warm", "cold"])
def test_a_full_disk(opening, small_disk, run, tier):
    """What was acknowledged can be read, what was not is not there, and with room again work goes on."""
    memory = opening.session(small_disk / "memory").memory
    run(memory.write("n", "first", 1, tier=tier))

    count, error = run(fill(memory, tier))

    assert isinstance(error.__cause__, FolderUnusable)
    assert "make room" in str(error)
    for _ in range(2):
        assert run(memory.read("n", "first")).value == 1
        assert [run(memory.read("n", f"key {number}")).value for number in range(count)] == [
            [number, NOISE] for number in range(count)
        ]
        assert run(memory.read("n", f"key {count}")).tier is None
    (small_disk / "ballast").unlink()
    run(memory.write("n", f"key {count}", "now", tier=tier))
    assert memory.faults == ()
    run(memory.close())
    again = opening.session(small_disk / "memory").memory
    assert run(again.read("n", f"key {count}")).value == "now"
    assert run(again.read("n", "first")).value == 1
    run(again.close())


def test_a_move_to_a_full_disk(opening, small_disk, run):
    """The record stays where it was."""
    memory = opening.session(small_disk / "memory").memory
    run(memory.write("n", "warm", NOISE[:60_000]))
    run(fill(memory, "cold"))

    with pytest.raises(HookFailed, match="make room"):
        run(memory.demote("n", "warm"))

    found = run(memory.read("n", "warm"))
    assert (found.tier, found.value) == (Tier.WARM, NOISE[:60_000])
    run(memory.close())


def test_hot_that_cannot_be_put_down(opening, small_disk, run):
    """Neither by another record, which is refused, nor at the end: memory stays open until there is room."""
    memory = opening.session(small_disk / "memory", hot_entries=1).memory
    run(memory.write("n", "hot", NOISE, tier="hot"))
    run(fill(memory, "cold"))

    with pytest.raises(HookFailed, match="make room"):
        run(memory.write("n", "next", 1, tier="hot"))
    with pytest.raises(FolderUnusable, match="make room"):
        run(memory.close())
    found = run(memory.read("n", "hot"))
    assert (found.tier, found.value) == (Tier.HOT, NOISE)
    assert run(memory.read("n", "next")).tier is None

    (small_disk / "ballast").unlink()
    run(memory.close())
    again = opening.session(small_disk / "memory").memory
    assert run(again.read("n", "hot")).value == NOISE
    run(again.close())


def test_a_file_that_may_not_grow(begin, folder, run):
    """Half a record is cut off again; what comes next is whole."""
    memory = begin()
    run(memory.write("n", "large", NOISE * 3, tier="cold"))
    before = (folder / "cold.records").read_bytes()

    with faults.file_size_limit(len(before) + 1000), pytest.raises(HookFailed, match="File too large"):
        run(memory.write("n", "more", NOISE, tier="cold"))

    assert (folder / "cold.records").read_bytes() == before
    assert run(memory.read("n", "more")).tier is None
    run(memory.write("n", "more", 2, tier="cold"))
    assert run(memory.read("n", "more")).value == 2
    assert memory.faults == ()


def test_warm_that_may_not_grow(begin, folder, run):
    """A record for cold that warm cannot acknowledge is taken back: it was not written."""
    memory = begin()
    run(memory.write("n", "key", "old", tier="cold"))
    for number in range(20):
        run(memory.write("n", f"large {number}", NOISE[:20_000]))
    before = (folder / "cold.records").read_bytes()
    limit = (folder / "warm.sqlite-wal").stat().st_size

    with faults.file_size_limit(limit), pytest.raises(HookFailed, match="make room"):
        run(memory.write("n", "key", "new", tier="cold"))

    assert (folder / "cold.records").read_bytes() == before
    assert run(begin().read("n", "key")).value == run(memory.read("n", "key")).value == "old"


def test_a_folder_that_cannot_be_written(opening, tmp_path, run):
    """Everything says so, with the folder and what to do; hot too, for it could not be put down."""
    try:
        with faults.read_only_folder(tmp_path / "fixed") as folder:
            memory = opening.session(folder).memory
            for tier in ("hot", "warm", "cold"):
                with pytest.raises(HookFailed, match=r"fixed.*make it writable") as caught:
                    run(memory.write("n", "key", 1, tier=tier))
                assert isinstance(caught.value.__cause__, FolderUnusable)
            with pytest.raises(HookFailed, match="fixed"):
                run(memory.read("n", "key"))
            run(memory.close())
            inside = opening.session(folder / "inside").memory
            with pytest.raises(HookFailed, match="inside"):
                run(inside.read("n", "key"))
            run(inside.close())
    except faults.CannotMount as error:
        pytest.skip(str(error))


def test_a_folder_that_is_a_file(opening, tmp_path, run):
    """It says so."""
    (tmp_path / "file").write_text("")
    memory = opening.session(tmp_path / "file").memory

    with pytest.raises(HookFailed, match="file"):
        run(memory.read("n", "key"))
    run(memory.close())


def test_a_folder_for_its_owner_alone(opening, folder, run):
    """Where memory makes it: what is kept there is nobody else's business."""
    memory = opening.session(folder / "a" / "b").memory
    run(memory.write("n", "key", 1))
    run(memory.close())

    assert (folder / "a" / "b").stat().st_mode & 0o777 == 0o700
