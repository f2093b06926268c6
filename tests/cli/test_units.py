"""Quantities with their units."""

from __future__ import annotations

import pytest

from dam_obs.cli._units import counted, duration


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (0, "0 µs"),
        (40, "0.04 µs"),
        (999_400, "999 µs"),
        (999_600, "1 ms"),
        (45_600_000, "45.6 ms"),
        (999_700_000, "1 s"),
        (1_234_000_000, "1.23 s"),
        (999_600_000_000, "1,000 s"),
        (86_400_000_000_000, "86,400 s"),
    ],
)
def test_a_duration_has_three_figures_and_a_fitting_unit(ns: int, shown: str) -> None:
    """Also next to the border of two units."""
    assert duration(ns) == shown


@pytest.mark.parametrize(("number", "shown"), [(0, "0 events"), (1, "1 event"), (2000, "2,000 events")])
def test_things_are_counted_in_singular_and_plural(number: int, shown: str) -> None:
    """One is singular."""
    assert counted(number, "event") == shown
