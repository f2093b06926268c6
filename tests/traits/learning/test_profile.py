"""What the executions of one version of a system come to."""

from __future__ import annotations

import pytest
from dam_traits.learning.profile import SystemPerformanceProfile
from dam_traits.learning.sizes import SIZE_CLASSES, size_class
from dam_traits.learning.sketch import BINS, RELATIVE_ERROR, Decay

WEEK_S = 7 * 86400.0
MS = 1_000_000


@pytest.fixture
def profile() -> SystemPerformanceProfile:
    return SystemPerformanceProfile("shop:Resize", "v1", Decay(WEEK_S))


def test_counts_by_status(profile, record, clock):
    """Each execution is counted by how it ended."""
    for status in ("success", "success", "success", "error", "error", "cancelled"):
        profile.add(record(status=status), clock())

    assert profile.counts == {"success": 3, "error": 2, "cancelled": 1}


@pytest.mark.parametrize("status", ["error", "cancelled"])
def test_only_successes_say_how_long_the_work_takes(profile, record, clock, status):
    """An execution that ended early is no measure of the work."""
    profile.add(record(10), clock())
    profile.add(record(90_000, status=status), clock())

    assert (profile.samples(clock()), profile.quantile(1.0)) == (
        pytest.approx(1.0),
        pytest.approx(10 * MS, rel=RELATIVE_ERROR),
    )


def test_sizes_are_told_apart(profile, record, clock):
    """Durations are known by size class and over all sizes."""
    for duration_ms, size in ((1, 3), (20, 1000), (400, None)):
        profile.add(record(duration_ms, size=size), clock())

    medians = [profile.quantile(1.0, size) for size in (2, 1023, 64, None)]

    assert medians == [
        pytest.approx(1 * MS, rel=0.02),
        pytest.approx(20 * MS, rel=0.02),
        None,
        pytest.approx(400 * MS, rel=0.02),
    ]
    assert profile.size_classes == (1, 9)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, 0),
        (0.25, 0),
        (1, 0),
        (1.99, 0),
        (2, 1),
        (1023, 9),
        (1024, 10),
        (2**63, 63),
        (2.0**900, SIZE_CLASSES - 1),
        (None, None),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_size_class(size, expected):
    """A class is the whole part of the size's binary logarithm, between bounds; what is no size has none."""
    assert size_class(size) == expected


def test_older_records_count_for_less(profile, record, clock):
    """After one half-life a record is worth half a sample, and the newer durations decide."""
    for _ in range(4):
        profile.add(record(100), clock())
    clock.advance(3 * WEEK_S)
    profile.add(record(10), clock())

    assert profile.samples(clock()) == pytest.approx(1.5)
    assert profile.quantile(0.6) == pytest.approx(10 * MS, rel=RELATIVE_ERROR)


def test_profile_outlives_a_window(profile, record, clock):
    """Records of times far apart, out of order, weigh what their age says."""
    profile.add(record(10), clock())
    clock.advance(600 * WEEK_S)
    profile.add(record(20), clock())
    profile.add(record(30, started_unix_s=clock() - WEEK_S), clock())

    assert profile.samples(clock()) == pytest.approx(1.5)


@pytest.mark.parametrize("odd", [1e300, float("nan"), float("inf"), -5.0])
def test_start_that_cannot_be_counts_as_now(profile, record, clock, odd):
    """A record from a clock that is wrong does not outweigh all others for ever."""
    profile.add(record(started_unix_s=odd), clock())

    assert (profile.samples(clock()), profile.last_seen_unix_s) == (pytest.approx(1.0), clock())


def test_cpu_share(profile, record, clock):
    """The share is of those executions whose time on the CPU was measured."""
    profile.add(record(10, cpu_ns=1 * MS), clock())
    profile.add(record(30, cpu_ns=9 * MS), clock())
    profile.add(record(999), clock())

    assert profile.cpu_share == pytest.approx(0.25)


def test_cpu_share_that_was_not_measured(profile, record, clock):
    """Nothing measured is not the same as nothing used."""
    profile.add(record(), clock())

    assert profile.cpu_share is None


def test_memory_does_not_grow_with_history(profile, record, clock):
    """Twenty times the records of the same spread take the same number of bins."""

    def run(records: int) -> int:
        for i in range(records):
            clock.advance(1)
            profile.add(record(1 + i % 97, size=1 + i % 97), clock())
        profile.take_unsaved()
        return profile.bins

    assert run(1_000) == run(20_000)


def test_memory_is_bounded_for_the_worst(profile, record, clock):
    """Durations of every length and sizes of every class fill the bins there are, and no more."""
    for i in range(5_000):
        profile.add(record(1e-6 * 1.03 ** (i % 1500), size=2.0 ** (i % 200)), clock())

    assert profile.bins <= BINS * (SIZE_CLASSES + 1)
    assert len(profile.take_unsaved().bins) == profile.bins


def test_unsaved_records_are_handed_over_once(profile, record, clock):
    """What was taken to be saved is not given again."""
    profile.add(record(), clock())

    assert [profile.take_unsaved().success, profile.take_unsaved().success] == [1, 0]


def test_what_could_not_be_saved_is_kept(profile, record, clock):
    """What is put back is handed over again, with what came since, also when the window has changed meanwhile."""
    profile.add(record(), clock())
    unsaved = profile.take_unsaved()
    clock.advance(600 * WEEK_S)
    profile.add(record(), clock())
    profile.put_back(unsaved)

    assert profile.take_unsaved().success == 2


def test_rebase_adds_what_is_not_saved_to_what_is(profile, record, clock):
    """A profile made anew of the file's sums has them and the records that are not in them yet."""
    profile.add(record(10), clock())
    saved = profile.take_unsaved()
    saved.add(saved)  # as if another process had written the same
    profile.add(record(50), clock())

    again = profile.rebase(saved)

    assert (again.counts["success"], again.samples(clock()), again.records_saved) == (3, pytest.approx(3.0), 2)
    assert again.take_unsaved().success == 1


def test_take_all_is_the_whole_profile(profile, record, clock):
    """All that is known makes the same profile elsewhere."""
    for i in range(50):
        profile.add(record(1 + i, size=i, cpu_ns=1000), clock())

    twin = SystemPerformanceProfile("shop:Resize", "v1", Decay(WEEK_S), profile.take_all())

    assert [twin.quantile(q / 11) for q in range(11)] == [profile.quantile(q / 11) for q in range(11)]
    assert (twin.counts, twin.cpu_share, twin.last_seen_unix_s) == (
        profile.counts,
        profile.cpu_share,
        profile.last_seen_unix_s,
    )
    assert profile.take_unsaved().records == 0
