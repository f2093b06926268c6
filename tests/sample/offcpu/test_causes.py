"""State and system call make a cause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.sample.offcpu.causes import CAUSES, Calls, calls_of

READY, PREEMPTED, WAITS, DISK, STOPPED, TRACED = 0, 256, 1, 2, 4, 8


def calls(machine: str) -> Calls:
    found = calls_of(machine)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("state", "x86", "arm", "cause"),
    [
        (WAITS, 230, 115, "sleep"),
        (WAITS, 202, 98, "futex"),
        (WAITS, 232, None, "poll"),
        (WAITS, 281, 22, "poll"),
        (WAITS, 7, None, "poll"),
        (WAITS, 0, 63, "pipe_socket"),
        (WAITS, 45, 207, "pipe_socket"),
        (WAITS, 61, 260, "child"),
        (WAITS, 34, None, "other"),
        (WAITS, None, None, "other"),
        (DISK, 0, 63, "block_io"),
        (DISK, 74, 82, "block_io"),
        (DISK, None, None, "block_io"),
        (DISK, 202, 98, "other"),
        (READY, 202, 98, "run_queue"),
        (PREEMPTED, None, None, "run_queue"),
        (STOPPED, None, None, "held"),
        (TRACED, None, None, "held"),
        (TRACED, 230, 115, "sleep"),
        (TRACED, 74, 82, "held"),
    ],
)
def test_cause(state: int, x86: int | None, arm: int | None, cause: str) -> None:
    """The same wait has the same cause on either machine, though its number differs."""
    assert calls("x86_64").cause(state, x86) == cause
    if arm is not None:
        assert calls("aarch64").cause(state, arm) == cause


@given(st.integers(0, 2**16), st.none() | st.integers(-1, 2**16))
def test_any_state_and_call_have_one(state: int, call: int | None) -> None:
    """Nothing that a kernel may say is without a cause."""
    assert calls("x86_64").cause(state, call) in CAUSES


def test_other_machines_are_not_guessed_at() -> None:
    """The numbers of an unknown machine are not taken for another's."""
    assert calls_of("riscv64") is None


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_number_stands_for_one_wait(machine: str) -> None:
    """Two rows of the table that claim one number would be a slip of the pen."""
    known = calls(machine)
    assert known.kill not in known.waits
    assert known.restart not in known.waits
    assert len(known.waits) == {"x86_64": 31, "aarch64": 28}[machine]
