"""The gate at a program's start, when more than one has to be ready."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.sample.gate import Gate
from dam_obs.store.runs import RunFolder


@pytest.mark.parametrize(
    ("steps", "is_open"),
    [
        ((Gate.open,), True),
        ((Gate.open, Gate.close), False),
        ((Gate.hold, Gate.open), False),
        ((Gate.hold, Gate.open, Gate.release), True),
        ((Gate.hold, Gate.release), False),
        ((Gate.hold, Gate.release, Gate.open), True),
        ((Gate.hold, Gate.open, Gate.close, Gate.release), False),
        ((Gate.hold, Gate.open, Gate.release, Gate.close, Gate.release), False),
    ],
)
def test_it_opens_when_all_are_ready(tmp_path: Path, steps: tuple[Callable[[Gate], None], ...], is_open: bool) -> None:
    """While it is held it stays closed, and afterwards it is what it was asked to be."""
    gate = Gate(RunFolder(tmp_path))
    for step in steps:
        step(gate)

    assert gate.is_open is is_open
