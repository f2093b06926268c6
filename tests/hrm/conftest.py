"""Sessions that are observed as `dam-obs run` observes them, and recorded into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from dam_hrm import Session, observability, plugin_manager

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
