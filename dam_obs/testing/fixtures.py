"""Pytest fixtures: put ``pytest_plugins = ["dam_obs.testing.fixtures"]`` into the top conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dam_obs.testing.recording import Clock, Ids, Recording, recording


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still until it is told to go on."""
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> Iterator[Recording]:
    """Record into memory, with `clock` and counted ids."""
    with recording(clock=clock, span_ids=Ids()) as record:
        yield record
