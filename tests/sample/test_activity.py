"""Whether a program does something, from what the kernel says of it, four times a second."""

from __future__ import annotations

from dam_obs.sample.activity import Activity


def seen(cpu_s: list[float], written: list[int] | None = None, every_s: float = 0.25) -> list[bool]:
    """Return what is said each time."""
    activity = Activity()
    sizes = written or [0] * len(cpu_s)
    return [
        activity.seen(number * every_s, taken, size)
        for number, (taken, size) in enumerate(zip(cpu_s, sizes, strict=True))
    ]


def test_the_first_time_nothing_is_known() -> None:
    """So it counts as active."""
    assert seen([3.0]) == [True]


def test_one_that_does_nothing_is_not() -> None:
    """From the second time on."""
    assert seen([3.0] * 5) == [True] + [False] * 4


def test_a_burst_is_seen_at_once() -> None:
    """A twentieth of a CPU from one time to the next."""
    assert seen([3.0, 3.0, 3.02, 3.02]) == [True, False, True, False]


def test_one_step_of_the_kernel_is_no_burst() -> None:
    """What waits in a loop is told so much now and then."""
    assert seen([3.0, 3.0, 3.01, 3.01]) == [True, False, False, False]


def test_what_is_little_for_the_time_is_none_either() -> None:
    """On a machine where counters are read seldom."""
    assert seen([3.0, 3.02, 3.04], every_s=2.0) == [True, False, False]


def test_a_little_all_the_time_is_activity() -> None:
    """Two hundredths of a CPU; it is known after five seconds."""
    said = seen([number // 2 * 0.01 for number in range(60)])

    assert said[1:20] == [False] * 19
    assert set(said[21:]) == {True}


def test_an_execution_that_is_written_down_is_activity() -> None:
    """However little CPU time it took; a file that was rotated has another size, too."""
    assert seen([3.0] * 4, [0, 100, 100, 50]) == [True, True, False, True]
