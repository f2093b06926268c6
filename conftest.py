"""Fixtures for all tests: dam-obs is tested with what it gives to others."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from dam_obs.trace import faults

pytest_plugins = ["dam_obs.testing.fixtures"]

# A shell ignores Ctrl-C for what it runs in the background, and so would every program that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Workers of pytest-xdist have the size of a terminal in their environment, where there is no terminal.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)

# No test goes by how long something takes: machines are busy.
settings.register_profile("dam-obs", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dam-obs")


@pytest.fixture(autouse=True)
def _own_faults() -> Iterator[None]:
    """Every test starts with no faults counted and none logged, whichever was before it."""
    faults.reset()
    yield
    faults.reset()
