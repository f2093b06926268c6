"""Sessions whose gate lets everything through, in folders of which the disk is fast."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from dam_hrm import Session, hookimpl, plugin_manager
from dam_hrm.focus.values import GateDecision
from dam_hrm.memory import Limits, Memory

_RAM = Path("/dev/shm")


class OpenGate:
    """Lets every write through, but to keys that begin with ``secret``."""

    @hookimpl
    def dam_hrm_gate_write_approval(self, request):
        if request.context["key"].startswith("secret"):
            return GateDecision(allowed=False, reason="it is a secret")
        return GateDecision(allowed=True, reason="")


def open_session(folder: Path | None, *plugins: object, **limits: object) -> Session:
    """Begin a session; to be closed with `session.memory.close`."""
    session = Session(folder=folder, plugins=plugin_manager(OpenGate(), *plugins, installed=False))
    if limits:
        session.memory = Memory(session, folder, limits=Limits(**limits))
    return session


def fast_folder() -> Path:
    """Make a folder in memory where there is one: a test of what is written need not wait for a disk."""
    return Path(tempfile.mkdtemp(prefix="hrm-memory-", dir=_RAM if _RAM.is_dir() else None))


@pytest.fixture(scope="session")
def opening():
    """`open_session` and `fast_folder`, for tests that begin many."""
    return SimpleNamespace(session=open_session, folder=fast_folder)


@pytest.fixture
def folder():
    path = fast_folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def run():
    """Run coroutines, one after another, in one event loop."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def begin(folder, run):
    """Begin sessions with this test's folder; they are closed at its end."""
    sessions = []

    def begin(*plugins, **limits):
        sessions.append(open_session(folder, *plugins, **limits))
        return sessions[-1].memory

    yield begin
    for session in sessions:
        run(session.memory.close())


@pytest.fixture
def memory(begin):
    return begin()
