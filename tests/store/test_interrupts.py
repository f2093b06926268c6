"""Ctrl-C while the database works."""

import pytest

from dam_obs.store.interrupts import interrupting


def test_an_interrupt_that_the_database_met_itself_is_one() -> None:
    """It says so by an error of its own, which would look like a fault of ours."""
    with pytest.raises(KeyboardInterrupt), interrupting(lambda: None):
        raise RuntimeError("Query interrupted")


def test_another_error_stays_what_it_is() -> None:
    """The very same one comes out."""
    error = RuntimeError("dictionary changed size during iteration")

    with pytest.raises(RuntimeError) as raised, interrupting(lambda: None):
        raise error

    assert raised.value is error
