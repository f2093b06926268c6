"""A cold file that was cut or damaged: every record is right or set aside, and memory goes on."""

from __future__ import annotations

import asyncio
import os
import random
import shutil

import pytest
from dam_hrm import HookFailed
from dam_hrm.memory.coldfile import HEAD_BYTES, Damage, Kind, pack_head, pack_record, read_head, scan
from dam_hrm.memory.errors import NewerFormat, NotOurs, RecordDamaged
from dam_hrm.memory.values import Address, Fault, Tier
from hypothesis import given, settings
from hypothesis import strategies as st

NOISE = f"{random.Random(3).getrandbits(4000):x}"
KEYS = [f"key {number}" for number in range(8)]


def values(generation):
    """Give each key a value; some compress well, some do not, one is large."""
    source = random.Random(generation)
    return {
        key: [generation, key, source.choice(["x" * 200, f"{source.getrandbits(4000):x}", None])] for key in KEYS
    } | {KEYS[3]: [generation, f"{source.getrandbits(80_000):x}"]}


async def fill(open_session, folder):
    """Write two generations to cold, a third of a few keys, and a move out of it."""
    memory = open_session(folder).memory
    for generation in (1, 2):
        for key, value in values(generation).items():
            await memory.write("n", key, value, tier="cold")
    await memory.write("n", KEYS[0], values(3)[KEYS[0]], tier="cold")
    await memory.promote("n", KEYS[1])
    await memory.close()


EXPECTED = values(2) | {KEYS[0]: values(3)[KEYS[0]]}


@pytest.fixture(scope="module")
def filled(opening):
    """A folder as `fill` leaves it; to be copied."""
    folder = opening.folder()
    asyncio.run(fill(opening.session, folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def examine(opening, filled):
    """Damage a copy of the folder, and look at what is left of it."""

    def examine(damage, without_warm=False):
        folder = opening.folder()
        shutil.copytree(filled, folder, dirs_exist_ok=True)
        cold = folder / "cold.records"
        cold.write_bytes(damage(cold.read_bytes()))
        if without_warm:
            (folder / "warm.sqlite").unlink()
        try:
            return asyncio.run(look(opening.session, folder, without_warm))
        finally:
            shutil.rmtree(folder)

    return examine


async def look(open_session, folder, without_warm):
    """Read all, then write all anew, and read that after opening again: what was lost, and the faults."""
    memory = open_session(folder).memory
    lost = [key for key in KEYS if not await is_right(memory, key, without_warm)]
    for key in KEYS[::2]:
        await memory.write("n", key, ["new", key], tier="cold")
    faults = memory.faults
    await memory.close()
    again = open_session(folder).memory
    for key in KEYS[::2]:
        assert (await again.read("n", key)).value == ["new", key]
    for key in KEYS[1::2]:
        assert await is_right(again, key, without_warm) is (key not in lost)
    await again.close()
    return lost, faults


async def is_right(memory, key, without_warm):
    """Tell whether a record is as it was written; where it is not, it must be said."""
    try:
        found = await memory.read("n", key)
    except HookFailed as error:
        if isinstance(error.__cause__, RecordDamaged):
            return False
        raise
    if without_warm:  # nobody knows what was the last: an older one may come up, none that never was
        assert found.value in [None, *(values(generation)[key] for generation in (1, 2, 3))]
        return found.value == (EXPECTED | {KEYS[1]: None})[key]  # which had gone to warm
    assert found.value == EXPECTED[key]
    return True


def test_an_undamaged_file(examine):
    """All is right, and nothing is set aside."""
    assert examine(lambda whole: whole) == ([], ())


few = settings(max_examples=50, deadline=None)


@few
@given(cut=st.floats(0, 1), without_warm=st.booleans())
def test_a_file_that_was_cut(examine, cut, without_warm):
    """What was before the cut is right; what was behind it is said to be lost, and where that begins."""
    if without_warm:
        examine(lambda whole: whole[: HEAD_BYTES + int(cut * (len(whole) - HEAD_BYTES))], without_warm=True)
        return
    lengths = []

    def damage(whole):
        left = whole[: HEAD_BYTES + int(cut * (len(whole) - HEAD_BYTES))]
        lengths.extend([len(left), len(whole)])
        return left

    lost, faults = examine(damage)

    assert bool(lost) <= bool(faults)
    if lengths[0] < lengths[1]:
        assert [fault for fault in faults if fault.kind == "missing"] == [
            Fault(tier=Tier.COLD, kind="missing", offset=lengths[0], length_bytes=lengths[1] - lengths[0], address=None)
        ]


@few
@given(flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=12), warm=st.booleans())
def test_bytes_that_were_changed(examine, flips, warm):
    """Never a wrong value: what cannot be right any more is listed, with where it is."""

    def damage(whole):
        changed = bytearray(whole)
        for at, mask in flips:
            # One copy of the head is left alone.
            changed[int(HEAD_BYTES / 2 + at * (len(whole) - HEAD_BYTES / 2 - 1))] ^= mask
        return bytes(changed)

    lost, faults = examine(damage, without_warm=not warm)

    assert len(lost) <= len(flips)
    assert bool(lost) <= bool(faults)
    assert len(faults) <= len(flips)
    assert {fault.kind for fault in faults} <= {"damaged", "torn"}


@few
@given(
    at=st.floats(0, 1),
    garbage=st.binary(min_size=1, max_size=300) | st.just(b"\0" * 5000),
    removed=st.integers(0, 300),
)
def test_a_stretch_in_the_middle(examine, at, garbage, removed):
    """Whatever is put in place of a stretch, records behind it are found again."""

    def damage(whole):
        offset = HEAD_BYTES + int(at * (len(whole) - HEAD_BYTES))
        return whole[:offset] + garbage + whole[offset + removed :]

    _, faults = examine(damage)

    assert len(faults) >= 1


@pytest.mark.parametrize("copy", [0, 1])
def test_either_copy_of_the_head_will_do(examine, copy):
    """A damaged head is no damaged file."""
    half = HEAD_BYTES // 2

    def damage(whole):
        return whole[: copy * half] + bytes(half) + whole[(copy + 1) * half :]

    assert examine(damage) == ([], ())


@pytest.mark.parametrize("content", [b"", b"some other file", bytes(500)])
def test_what_is_no_cold_file(opening, filled, content, run):
    """It is left as it is, and said so, whatever is done."""
    folder = opening.folder()
    shutil.copytree(filled, folder, dirs_exist_ok=True)
    (folder / "cold.records").write_bytes(content)
    memory = opening.session(folder).memory

    for attempt in (
        memory.read("n", KEYS[0]),
        memory.write("n", KEYS[0], 1),
        memory.write("n", "k", 1, tier="hot"),
        memory.promote("n", KEYS[0]),
        memory.demote("n", KEYS[0]),
    ):
        with pytest.raises(HookFailed, match=r"is no memory of dam_hrm .* move it away") as caught:
            run(attempt)
        assert isinstance(caught.value.__cause__, NotOurs)
    assert (folder / "cold.records").read_bytes() == content
    run(memory.close())
    shutil.rmtree(folder)


def test_a_later_format(begin, folder, run, monkeypatch):
    """It says which it is, and what to do."""
    monkeypatch.setattr("dam_hrm.memory.coldfile.FORMAT_VERSION", 2)
    (folder / "cold.records").write_bytes(pack_head(bytes(8)))
    monkeypatch.undo()
    memory = begin()

    with pytest.raises(HookFailed, match=r"cold\.records has format 2 and this dam_hrm knows 1: update it") as caught:
        run(memory.promote("n", "key"))
    assert isinstance(caught.value.__cause__, NewerFormat)


def test_half_a_record_at_the_end(begin, folder, run):
    """It is listed as torn, once; what comes after it is kept, and found after opening again."""
    memory = begin()
    run(memory.write("n", "first", 1, tier="cold"))
    run(memory.close())
    cold = folder / "cold.records"
    whole = cold.read_bytes()
    record = pack_record(read_head(whole), Kind.VALUE, Address(namespace="n", key="first"), 1 << 40, b'"torn"')
    cold.write_bytes(whole + record[:-3])
    torn = (
        Fault(
            tier=Tier.COLD,
            kind="torn",
            offset=len(whole),
            length_bytes=len(record) - 3,
            address=Address(namespace="n", key="first"),
        ),
    )

    again = begin()
    assert run(again.read("n", "first")).value == 1
    run(again.write("n", "second", 2, tier="cold"))
    assert again.faults == torn
    run(again.close())
    assert again.faults == torn

    last = begin()
    assert [run(last.read("n", key)).value for key in ("first", "second")] == [1, 2]
    assert last.faults == torn


def test_damage_under_an_open_session(begin, folder, run):
    """A record is looked at each time that it is read; writing it anew makes it good."""
    memory = begin()
    run(memory.write("n", "key", "value" * 30, tier="cold"))
    assert run(memory.read("n", "key")).value == "value" * 30
    with (folder / "cold.records").open("r+b") as cold:
        cold.seek(-20, os.SEEK_END)
        cold.write(b"damage")

    for attempt in (memory.read("n", "key"), memory.promote("n", "key"), memory.promote("n", "key", "hot")):
        with pytest.raises(HookFailed, match=r"n\.key in .*cold\.records is damaged .*session\.memory\.faults"):
            run(attempt)
    assert [(fault.kind, fault.address.key) for fault in memory.faults] == [("damaged", "key")]
    run(memory.write("n", "key", "anew"))
    assert run(memory.read("n", "key")).value == "anew"


def test_a_file_that_is_cut_under_an_open_session(begin, folder, run):
    """It finds what others append afterwards, and says of what was cut off that it is lost."""
    memory = begin()
    for number in range(9):
        run(memory.write("n", f"key {number}", NOISE, tier="cold"))
    cold = folder / "cold.records"
    os.truncate(cold, cold.stat().st_size // 2)
    other = begin()
    run(other.write("n", "new", 1, tier="cold"))

    assert run(memory.read("n", "new")).value == 1
    assert run(memory.read("n", "key 0")).value == NOISE
    with pytest.raises(HookFailed, match="damaged"):
        run(memory.read("n", "key 8"))


def test_a_value_cannot_pretend_to_be_a_record(tmp_path):
    """What looks like a record of another file, or of a file whose mark is unknown, is none, even after damage."""
    mark, other = b"mark-one", b"mark-two"
    address = Address(namespace="n", key="key")
    inner = pack_record(other, Kind.VALUE, Address(namespace="n", key="forged"), 99, b"1")
    noise = random.Random(1).randbytes(40_000)
    record = bytearray(pack_record(mark, Kind.VALUE, address, 1, noise + inner + noise))
    assert inner in record  # what cannot be compressed is kept as it is
    record[10] ^= 1
    path = tmp_path / "file"
    path.write_bytes(bytes(record) + pack_record(mark, Kind.VALUE, address, 2, b"2"))

    with path.open("rb") as file:
        found = [item for item, _ in scan(file, mark, 0, path.stat().st_size)]

    assert isinstance(found[0], Damage)
    assert [(item.address, item.version, item.unpack()) for item in found[1:]] == [(address, 2, b"2")]
