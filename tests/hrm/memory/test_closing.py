"""How memory begins and ends."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from dam_hrm import HookFailed
from dam_hrm.memory.errors import MemoryClosed
from dam_hrm.memory.folder import FolderLock
from dam_hrm.memory.values import Tier


@pytest.fixture
def own_folders(tmp_path, monkeypatch):
    """Say which folders memories have of their own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return lambda: [path.name for path in tmp_path.iterdir()]


def test_a_session_without_a_folder(opening, own_folders, run):
    """It has one from the first operation to the end, and a second one has another."""
    memory, other = opening.session(None).memory, opening.session(None).memory
    assert own_folders() == []
    run(memory.write("n", "key", 1, tier="cold"))
    assert len(own_folders()) == 1
    assert run(other.read("n", "key")).tier is None

    run(memory.close())
    run(other.close())

    assert own_folders() == []


ABANDONED = """
import asyncio, gc, os, tempfile, warnings
from dam_hrm import Session, plugin_manager

async def write():
    session = Session(folder=None, plugins=plugin_manager(installed=False))
    await session.memory.write("n", "key", 1)
    print(len(os.listdir(tempfile.gettempdir())))

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    asyncio.run(write())
    gc.collect()
print(os.listdir(tempfile.gettempdir()), [warning.message for warning in told])
"""


def test_a_session_that_nobody_closes(tmp_path):
    """Its folder goes with it, and nobody is warned of its files; in a process where nothing else looks at it."""
    run = subprocess.run(
        [sys.executable, "-c", ABANDONED],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert (run.stdout, run.stderr) == ("1\n[] []\n", "")


def test_hot_is_kept_at_the_end(begin, run):
    """What only hot had is in warm when the session has ended."""
    memory = begin()
    run(memory.write("n", "key", 1, tier="hot"))
    run(memory.close())

    found = run(begin().read("n", "key"))
    assert (found.tier, found.value) == (Tier.WARM, 1)


def test_closing_waits_for_what_runs(begin, run):
    """Writes that had begun are done; all who close wait for the same end."""
    memory = begin()

    async def main():
        writes = [asyncio.create_task(memory.write("n", f"key {number}", number)) for number in range(20)]
        while not memory.records._opened.tiers:
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.gather(memory.close(), memory.close())
        return await asyncio.gather(*writes, return_exceptions=True)

    done = run(main())

    again = begin()
    for number, outcome in enumerate(done):
        if not isinstance(outcome, BaseException):
            assert run(again.read("n", f"key {number}")).value == number
        else:
            assert isinstance(outcome.__cause__, MemoryClosed)


def test_closing_that_nobody_waits_for(begin, folder, run):
    """It goes on, and another one may wait for it."""
    memory = begin()
    lock = FolderLock(folder)

    async def main():
        await memory.write("n", "key", 1, tier="hot")
        with lock.held(1):  # so that the write is still under way when it is closed
            writing = asyncio.create_task(memory.write("n", "other", 2))
            for _ in range(20):
                await asyncio.sleep(0)
            closing = asyncio.create_task(memory.close())
            for _ in range(5):
                await asyncio.sleep(0)
            closing.cancel()
            await asyncio.wait([closing])
        await memory.close()
        return await writing

    assert run(main()).allowed
    lock.close()

    again = begin()
    assert [run(again.read("n", key)).value for key in ("key", "other")] == [1, 2]


def test_after_the_end(memory, run):
    """Every operation says that it is over, and closing again does nothing."""
    run(memory.write("n", "key", 1))
    run(memory.close())
    run(memory.close())

    attempts = [memory.write("n", "key", 2, tier=tier) for tier in ("hot", "warm", "cold")]
    for attempt in (memory.read("n", "key"), memory.promote("n", "key"), memory.demote("n", "key"), *attempts):
        with pytest.raises(HookFailed, match="memory is closed: begin a new session"):
            run(attempt)
    assert memory.faults == ()


def test_closing_what_was_never_used(begin, folder, run):
    """Makes no file."""
    run(begin().close())

    assert list(folder.iterdir()) == []


def test_no_thread_is_left(begin, run):
    """The one that does what waits for the disk ends with the memory."""
    before = set(threading.enumerate())
    memory = begin()
    run(memory.write("n", "key", 1))
    mine = set(threading.enumerate()) - before
    run(memory.close())
    for thread in mine:
        thread.join(10)

    assert not any(thread.is_alive() for thread in mine)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_fork_has_no_part_in_it(begin, folder, run):
    """The child is told so; it neither waits for ever nor touches the files; the parent goes on."""
    memory = begin()
    run(memory.write("n", "key", 1))
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        said = "nothing"
        try:
            asyncio.Runner().run(memory.read("n", "key"))
        except HookFailed as error:
            said = str(error)
        finally:
            os.write(write_end, said.encode())
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        assert "this one was forked off: begin a new session" in pipe.read()
    run(memory.write("n", "key", 2))
    assert run(memory.read("n", "key")).value == 2


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_fork_that_drops_it(opening, own_folders, run):
    """Takes nothing away from the parent."""
    session = opening.session(None)
    run(session.memory.write("n", "key", 1))
    child = os.fork()
    if child == 0:
        del session
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)

    assert len(own_folders()) == 1
    assert run(session.memory.read("n", "key")).value == 1
    run(session.memory.close())


def test_a_folder_by_another_working_directory(opening, tmp_path, run, monkeypatch):
    """A relative folder is the one that it was when the session began."""
    monkeypatch.chdir(tmp_path)
    memory = opening.session(Path("memory")).memory
    monkeypatch.chdir("/")
    run(memory.write("n", "key", 1))
    run(memory.close())

    assert (tmp_path / "memory" / "warm.sqlite").exists()
