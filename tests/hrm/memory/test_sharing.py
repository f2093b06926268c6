"""Several sessions, tasks, threads and processes with one folder."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import textwrap
import threading

import pytest
from dam_hrm import HookFailed
from dam_hrm.memory.errors import FolderUnusable, MemoryBusy, NewerFormat, NotOurs, WarmDamaged
from dam_hrm.memory.folder import FolderLock
from dam_hrm.memory.values import Tier


@pytest.mark.parametrize("tier", ["warm", "cold"])
def test_what_one_writes_the_others_read(begin, run, tier):
    """At once, also where they have an older copy in hot, or have just read an older one."""
    one, other = begin(), begin()
    run(other.write("n", "key", "old", tier="hot"))
    assert run(other.read("n", "key")).value == "old"

    run(one.write("n", "key", "new", tier=tier))

    assert run(other.read("n", "key")).value == "new"
    assert run(other.read("n", "key")).tier is Tier(tier)


def test_hot_is_each_sessions_own(begin, run):
    """Others see it when it is put down."""
    one, other = begin(), begin()
    run(one.write("n", "key", "mine", tier="hot"))

    assert run(other.read("n", "key")).tier is None
    run(one.demote("n", "key"))
    assert run(other.read("n", "key")).value == "mine"


def test_what_waited_in_hot_does_not_replace_what_came_after(begin, run):
    """However often it was written: a later write to the folder is newer, also once hot is put down."""
    one, other = begin(), begin()
    for number in range(5):
        run(one.write("n", "key", number, tier="hot"))
    run(other.write("n", "key", "later"))

    run(one.close())

    assert run(other.read("n", "key")).value == "later"


def test_the_first_to_put_down_what_two_have_in_hot(begin, run):
    """What the other one has is older from then on, however often it was written."""
    one, other = begin(), begin()
    for number in range(5):
        run(one.write("n", "key", number, tier="hot"))
    run(other.write("n", "key", "mine", tier="hot"))
    run(other.demote("n", "key"))

    assert run(one.read("n", "key")).value == "mine"
    run(one.close())
    assert run(other.read("n", "key")).value == "mine"


def test_a_write_to_hot_replaces_what_was_there_before(begin, run):
    """Whoever has written that, and however often."""
    one, other = begin(), begin()
    for number in range(5):
        run(other.write("n", "key", number))
        run(other.write("n", "key", number, tier="hot"))
        run(other.demote("n", "key"))

    run(one.write("n", "key", "mine", tier="hot"))

    assert run(one.read("n", "key")).value == "mine"
    run(one.close())
    assert run(other.read("n", "key")).value == "mine"


def test_more_writes_to_hot_than_versions_between_two_writes(begin, run):
    """The folder is then written to, and the last one still counts."""
    memory = begin()

    async def write_many():
        for number in range(10_000):
            await memory.write("n", "key", number, tier="hot")

    run(write_many())

    assert run(memory.read("n", "key")).value == 9_999
    run(memory.close())
    assert run(begin().read("n", "key")).value == 9_999


def test_many_tasks(begin, run):
    """Tasks that write and move at the same time get each their own, and the last one of each counts."""
    memory = begin(hot_entries=5)

    async def work(name):
        for number in range(6):
            await memory.write("n", name, number, tier=["hot", "warm", "cold"][number % 3])
            assert (await memory.read("n", name)).value == number
            await memory.demote("n", name)
            await memory.promote("n", name, "hot")
            assert (await memory.read("n", name)).value == number

    async def all_of_them():
        async with asyncio.TaskGroup() as group:
            for name in range(12):
                group.create_task(work(f"task {name}"))

    run(all_of_them())


def test_many_threads(begin):
    """Each with an event loop of its own."""
    memory = begin(hot_entries=3)
    failures = []

    async def work(name):
        for number in range(15):
            await memory.write("n", name, number, tier=["hot", "warm", "cold"][number % 3])
            if (found := await memory.read("n", name)).value != number:
                failures.append((name, number, found))

    threads = [threading.Thread(target=lambda name=name: asyncio.run(work(name))) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


WRITER = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from dam_hrm import Session, plugin_manager, hookimpl
    from dam_hrm.focus.values import GateDecision

    class Open:
        @hookimpl
        def dam_hrm_gate_write_approval(self, request):
            return GateDecision(allowed=True, reason="")

    async def main(folder, name):
        memory = Session(folder=Path(folder), plugins=plugin_manager(Open())).memory
        for number in range(40):
            tier = ("hot", "warm", "cold")[number % 3]
            await memory.write("n", name, number, tier=tier)
            await memory.write("n", "shared", [name, number], tier=tier if tier != "hot" else "warm")
            assert (await memory.read("n", name)).value == number
        assert memory.faults == ()
        await memory.close()

    asyncio.run(main(*sys.argv[1:]))
    """
)


def test_many_processes(begin, folder, run):
    """Each finds what it wrote, all the time, though all append to one cold file."""
    memory = begin()
    command = [sys.executable, "-W", "error", "-c", WRITER, str(folder)]
    writers = [subprocess.Popen([*command, name]) for name in "abc"]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]

    assert [run(memory.read("n", name)).value for name in "abc"] == [39, 39, 39]
    assert run(memory.read("n", "shared")).value in [[name, 39] for name in "abc"]
    assert memory.faults == ()


def test_a_lock_that_others_do_not_let_go_of(begin, folder, run):
    """After the time that one waits it says so; nothing was written; reading goes on."""
    memory = begin(busy_timeout_s=0.05)
    run(memory.write("n", "key", "before"))
    with FolderLock(folder).held(1):
        with pytest.raises(HookFailed, match=r"has been locked by others for 0\.05 s: try again") as caught:
            run(memory.write("n", "key", "after"))
        assert isinstance(caught.value.__cause__, MemoryBusy)
        assert run(memory.read("n", "key")).value == "before"
    run(memory.write("n", "key", "after"))
    assert run(memory.read("n", "key")).value == "after"


def test_the_event_loop_goes_on_while_memory_waits(begin, folder, run):
    """A write that waits for others' lock holds up no other task; what is in hot is read meanwhile."""
    memory = begin()
    run(memory.write("n", "near", 1, tier="hot"))
    lock = FolderLock(folder)

    async def main():
        with lock.held(1):
            waiting = asyncio.create_task(memory.write("n", "key", "value"))
            for _ in range(50):
                await asyncio.sleep(0)
                assert (await memory.read("n", "near")).value == 1
            assert not waiting.done()
        return await waiting

    assert run(main()).allowed
    lock.close()


def test_a_cancelled_write(memory, run):
    """It is done or it is not; the next one is not held up."""

    async def main():
        for number in range(20):
            task = asyncio.create_task(memory.write("n", "key", number, tier="cold"))
            for _ in range(number % 6):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert (await memory.read("n", "key")).value in [None, *range(number + 1)]
        await memory.write("n", "key", "last")
        return (await memory.read("n", "key")).value

    assert run(main()) == "last"


def test_a_later_schema(begin, folder, run):
    """It says which it is, and what to do, and leaves the file alone."""
    memory = begin()
    run(memory.write("n", "key", 1))
    run(memory.close())
    connection = sqlite3.connect(folder / "warm.sqlite")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = (folder / "warm.sqlite").read_bytes()

    with pytest.raises(HookFailed, match=r"warm\.sqlite has format 2 and this dam_hrm knows 1: update it") as caught:
        run(begin().read("n", "key"))
    assert isinstance(caught.value.__cause__, NewerFormat)
    assert (folder / "warm.sqlite").read_bytes() == before


def test_another_programs_files(begin, folder, run):
    """They are left as they are."""
    connection = sqlite3.connect(folder / "warm.sqlite")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(HookFailed, match="another program's database") as caught:
        run(begin().read("n", "key"))
    assert isinstance(caught.value.__cause__, NotOurs)

    (folder / "warm.sqlite").write_bytes(b"no database at all, but text that goes on for some time" * 9)
    with pytest.raises(HookFailed, match="not a database") as caught:
        run(begin().read("n", "key"))
    assert isinstance(caught.value.__cause__, NotOurs)


def test_a_damaged_warm_file(begin, folder, run):
    """It is said so, with what can be done; cold can be read once it is moved away."""
    memory = begin()
    for number in range(100):
        run(memory.write("n", f"key {number}", "x" * 1000))
    run(memory.write("n", "cold", "still there", tier="cold"))
    run(memory.close())
    warm = folder / "warm.sqlite"
    whole = warm.read_bytes()
    warm.write_bytes(whole[:4096] + bytes(len(whole) - 4096))

    with pytest.raises(HookFailed, match=r"warm\.sqlite is damaged .*move it away to begin anew") as caught:
        run(begin().read("n", "key 50"))
    assert isinstance(caught.value.__cause__, WarmDamaged)
    warm.rename(folder / "damaged")
    assert run(begin().read("n", "cold")).value == "still there"


@pytest.mark.parametrize("name", ["warm.sqlite", "cold.records"])
@pytest.mark.parametrize("tier", ["warm", "cold"])
def test_a_file_that_was_deleted_under_a_session(begin, folder, run, name, tier):
    """Nothing is acknowledged that would be gone with it."""
    memory = begin()
    run(memory.write("n", "key", 1, tier=tier))
    (folder / name).unlink()

    with pytest.raises(HookFailed) as caught:
        run(memory.write("n", "key", 2, tier=tier))
    assert isinstance(caught.value.__cause__, FolderUnusable)
