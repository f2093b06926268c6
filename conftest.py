"""Fixtures for all tests: dam-obs is tested with what it gives to others."""

import signal
from collections.abc import Iterator

import pytest

from dam_obs.trace import faults

pytest_plugins = ["dam_obs.testing.fixtures"]

# A shell ignores Ctrl-C for what it runs in the background, and so would every program that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_faults() -> Iterator[None]:
    """Every test starts with no faults counted and none logged, whichever was before it."""
    faults.reset()
    yield
    faults.reset()
