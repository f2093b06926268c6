"""What py-spy prints, and what is made of it."""

from __future__ import annotations

from collections import Counter

import pytest

from dam_obs.sample.pyspy_words import Words

BEHIND = "py-spy> 1.23s behind in sampling, results may be inaccurate. Try reducing the sampling rate"
FAILED = "[2026-11-21T09:44:40.90Z WARN  py_spy] Failed to get stack trace from 41: Failed to suspend process"
UNREADABLE = (
    "[2026-11-21T09:44:42.81Z WARN  py_spy::sampler] Failed to profile python from process 42: "
    "Failed to find python version from target process"
)
HIDDEN = (
    "[2026-11-21T09:44:46.98Z WARN  py_spy::sampler] Failed to profile python from process 43: "
    "Failed to get process executable name. Check that the process is running."
)
REFUSED = "Permission Denied: Try running again with elevated permissions by going 'sudo env \"PATH=$PATH\" !!'"
NO_PYTHON = "Error: No python processes found in process 999999 or any of its subprocesses"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], Words()),
        (["nothing that we know", "\x00\xff"], Words()),
        (["py-spy> Sampling process 100 times a second. Press Control-C to exit."], Words(sampling=True)),
        (["py-spy> Wrote speedscope file to 'x'. Samples: 637 Errors: 3"], Words(summary=(637, 3))),
        ([BEHIND, BEHIND], Words(late=2)),
        ([FAILED, FAILED], Words(failed=Counter({41: 2}))),
        ([UNREADABLE], Words(unreadable={42: "Failed to find python version from target process"})),
        ([REFUSED], Words(refused=True)),
        (
            ["Error: Operation not permitted (os error 1)"],
            Words(refused=True, error="Operation not permitted (os error 1)"),
        ),
        ([NO_PYTHON], Words(no_python=True, error=NO_PYTHON.removeprefix("Error: "))),
        (
            ["Error: Unsupported version of Python: 3.19.0"],
            Words(unsupported="3.19.0", error="Unsupported version of Python: 3.19.0"),
        ),
    ],
)
def test_lines_are_understood(lines: list[str], expected: Words) -> None:
    """Each line means what py-spy 0.4.3 means by it, and an unknown one means nothing."""
    words = Words()
    for line in lines:
        words.hear(line)

    assert words == expected


def test_a_process_that_cannot_be_looked_at_is_hidden() -> None:
    """Only where py-spy could not even see the executable; no Python is another matter."""
    words = Words()
    words.hear(UNREADABLE)
    words.hear(HIDDEN)

    assert [pid for pid in (41, 42, 43) if words.is_hidden(pid)] == [43]


def test_reasons_are_bounded() -> None:
    """A build that starts a million compilers does not fill our memory."""
    words = Words()
    for pid in range(10_000):
        words.hear(UNREADABLE.replace("42", str(pid)))

    assert len(words.unreadable) == 100
