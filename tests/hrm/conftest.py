"""Sessions that are observed as `dam-obs run` observes them, and recorded into memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from dam_hrm import Session, hookimpl, observability, plugin_manager

from dam_obs.points.hosts import observe
from dam_obs.points.load import load_file
from dam_obs.testing import recording
from dam_obs.testing.recording import Recording


@pytest.fixture
def recorded() -> Iterator[Recording]:
    """Record into memory, by the real clock."""
    with recording() as record:
        yield record


@pytest.fixture
def new_session(tmp_path) -> Iterator[Callable[..., Session]]:
    """Make sessions with given plugins whose hook calls are observed; their memory is below the test's folder."""
    files = [load_file(path) for path in observability.dam_obs_trace_points()]
    observations = []

    def make(*plugins: object, name: str = "test", traced: bool = True) -> Session:
        manager = plugin_manager(*plugins, installed=False)
        if traced:
            observations.append(observe(manager, files))
        return Session(folder=tmp_path / name, plugins=manager, name=name)

    yield make
    for each in observations:
        each.stop()


class LockWatch:
    """A plugin without opinions that looks, at each of some hooks, whether anybody holds the session's lock."""

    def __init__(self, hooks: Sequence[str]) -> None:
        self.held: list[str] = []
        self.asked: set[str] = set()
        for hook in hooks:
            setattr(self, hook, hookimpl(self._looking(hook), specname=hook, tryfirst=True))

    def _looking(self, hook: str) -> Callable[[Any], None]:
        def look(session: Any) -> None:
            self.asked.add(hook)
            # Another thread tries: to the one that asks, a lock that it holds itself is free.
            thread = threading.Thread(target=self._look, args=(session, hook))
            thread.start()
            thread.join()

        return look

    def _look(self, session: Any, hook: str) -> None:
        if session.lock.acquire(blocking=False):
            session.lock.release()
        else:
            self.held.append(hook)


@pytest.fixture
def lock_watch() -> type[LockWatch]:
    """Give what makes a watch over some hooks."""
    return LockWatch
