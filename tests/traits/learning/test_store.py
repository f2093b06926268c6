"""What a store answers, and what its file keeps."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys

import pytest
from dam_traits.aggregate import ObservedTraits
from dam_traits.errors import InvalidSetting
from dam_traits.learning import ProfileStore
from dam_traits.learning.database import VERSIONS_KEPT

WEEK_S = 7 * 86400.0
RESIZE = ("shop:Resize", "v1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "profiles.db"


@pytest.fixture
def open_store(path, clock):
    """Open a store on the file, as often as needed; each is closed at the end."""
    stores = []

    def make(**settings):
        stores.append(ProfileStore(**{"path": path, "clock": clock, "flush_every_s": 3600, **settings}))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def rows(path, sql):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_nothing_is_known_of_a_system_that_never_ran(open_store):
    """Without records there are no observed traits and no profile."""
    store = open_store()

    assert (store.observed_traits(*RESIZE, 10.0), store.profile(*RESIZE)) == (None, None)


def test_observed_traits(open_store, record):
    """The stated quantile of the durations, with the samples behind it and whether it waited."""
    store = open_store(path=None)
    for duration_ms in range(1, 101):
        store.observe(record(duration_ms, cpu_ns=1_000_000))

    assert store.observed_traits(*RESIZE, None) == ObservedTraits(
        samples=pytest.approx(100), quantile=0.8, time_ms=pytest.approx(80, rel=0.04), io_bound=True
    )


def test_system_that_computes_is_not_io_bound(open_store, record):
    """Most of the duration on the CPU: it does not wait."""
    store = open_store(path=None)
    store.observe(record(10, cpu_ns=9_000_000))

    assert store.observed_traits(*RESIZE, None).io_bound is False


def test_failures_alone_say_nothing(open_store, record):
    """A system that never succeeded has a profile with counts, and no observed traits."""
    store = open_store()
    store.observe(record(status="error"))

    assert store.observed_traits(*RESIZE, None) is None
    assert store.profile(*RESIZE).counts["error"] == 1


@pytest.mark.parametrize(("of_that_size", "samples"), [(7, 107), (8, 8)])
def test_size_class_speaks_for_itself_with_enough_samples(open_store, record, of_that_size, samples):
    """From 8 samples on a size class is gone by alone; before, executions of all sizes are."""
    store = open_store(path=None)
    for _ in range(100):
        store.observe(record(1000, size=1e6))
    for _ in range(of_that_size):
        store.observe(record(10, size=100))

    assert store.observed_traits(*RESIZE, 100).samples == pytest.approx(samples)


def test_time_of_a_size_never_seen(open_store, record):
    """What takes 1 ms a unit is expected to do so for a size ten times as large as any before."""
    store = open_store(path=None)
    for size in (100, 200, 400, 800, 1600):
        store.observe(record(size, size=size))

    assert store.observed_traits(*RESIZE, 16_000).time_ms == pytest.approx(16_000, rel=0.5)


def test_sizes_that_do_not_differ_explain_nothing(open_store, record):
    """Where all executions were of one size, another size gets the quantile of them all."""
    store = open_store(path=None)
    for _ in range(7):
        store.observe(record(10, size=100))

    assert store.observed_traits(*RESIZE, 1e6).time_ms == pytest.approx(10, rel=0.02)


def test_answer_is_kept_until_the_next_record(open_store, record):
    """Asking again gives the very same answer; a record makes a new one."""
    store = open_store(path=None)
    store.observe(record())
    first = store.observed_traits(*RESIZE, None)
    again = store.observed_traits(*RESIZE, None)
    store.observe(record())

    assert again is first
    assert store.observed_traits(*RESIZE, None).samples == pytest.approx(2)


def test_answer_is_not_kept_for_other_systems(open_store, record):
    """A record of one system leaves what was answered of another."""
    store = open_store(path=None)
    store.observe(record())
    first = store.observed_traits(*RESIZE, None)
    store.observe(record(system="shop:Pay"))

    assert store.observed_traits(*RESIZE, None) is first


def test_profiles_last_across_runs(open_store, record):
    """What one store wrote, the next one knows."""
    first = open_store()
    for i in range(50):
        first.observe(record(1 + i, size=i, cpu_ns=100))
    first.observe(record(status="cancelled"))
    first.close()

    second = open_store()

    assert second.observed_traits(*RESIZE, 40) == first.observed_traits(*RESIZE, 40)
    assert second.profile(*RESIZE).counts == {"success": 50, "error": 0, "cancelled": 1}


def test_changed_code_does_not_inherit(open_store, record):
    """Another version of a system begins with nothing; the old one's profile stays for those who still run it."""
    first = open_store()
    first.observe(record(version="v1"))
    first.close()

    second = open_store()

    assert second.observed_traits("shop:Resize", "v2", None) is None
    assert second.observed_traits("shop:Resize", "v1", None) is not None


def test_last_versions_are_kept(open_store, record, clock, path):
    """Of a system's versions those seen last are kept, so many as stated."""
    store = open_store()
    for number in range(VERSIONS_KEPT + 3):
        clock.advance(60)
        store.observe(record(version=f"v{number}"))
        store.flush()

    assert {version for (version,) in rows(path, "SELECT version FROM profile")} == {
        f"v{number}" for number in range(3, VERSIONS_KEPT + 3)
    }


def test_what_is_not_seen_for_long_is_deleted(open_store, record, clock, path):
    """A profile goes after twenty half-lives, with its durations, when the next new system comes."""
    store = open_store()
    store.observe(record(system="shop:Gone"))
    store.flush()
    clock.advance(20.5 * WEEK_S)
    store.observe(record())
    store.flush()

    assert rows(path, "SELECT system FROM profile") == [("shop:Resize",)]
    assert rows(path, "SELECT count(*) FROM duration WHERE profile NOT IN (SELECT id FROM profile)") == [(0,)]


def test_rows_do_not_grow_with_history(open_store, record, path):
    """Twenty times the records of the same spread take the same number of rows."""
    store = open_store()

    def rows_after(records):
        for i in range(records):
            store.observe(record(1 + i % 97, size=1 + i % 97))
        store.flush()
        return rows(path, "SELECT (SELECT count(*) FROM profile), (SELECT count(*) FROM duration)")

    assert rows_after(500) == rows_after(10_000)


def test_stores_add_up(open_store, record):
    """Two stores on one file at the same time: each sees both's records after its next flush."""
    one, other = open_store(), open_store()
    for store in (one, other):
        for _ in range(10):
            store.observe(record(size=5))
    one.flush()
    other.flush()
    one.observe(record(size=5))
    one.flush()

    assert one.profile(*RESIZE).counts["success"] == 21
    assert one.observed_traits(*RESIZE, 5).samples == pytest.approx(21)
    assert other.profile(*RESIZE).counts["success"] == 20


def test_store_hears_of_systems_that_others_run(open_store, record):
    """A system that was unknown when it was asked for is known once another store has written of it."""
    asks, runs = open_store(), open_store()
    assert asks.observed_traits(*RESIZE, None) is None
    runs.observe(record())
    runs.flush()
    asks.flush()

    assert asks.observed_traits(*RESIZE, None).samples == pytest.approx(1)


def test_stores_add_up_across_windows(open_store, record, clock):
    """Also where one of them has records from centuries before the other's."""
    old = open_store(half_life_s=60.0)
    old.observe(record())
    clock.advance(600 * 60.0)
    new = open_store(half_life_s=60.0)
    new.observe(record())
    new.flush()
    old.flush()
    new.observe(record(started_unix_s=clock() - 60.0))
    new.flush()

    assert new.profile(*RESIZE).counts["success"] == 3
    assert new.observed_traits(*RESIZE, None).samples == pytest.approx(1.5)


@pytest.mark.parametrize("new_half_life_s", [WEEK_S / 100, WEEK_S * 100, math.inf])
def test_another_half_life_goes_on_with_the_same_samples(open_store, record, clock, new_half_life_s):
    """Samples stay what they are worth when the half-life is changed, and fade at its pace from then on."""
    first = open_store()
    for _ in range(8):
        first.observe(record())
    clock.advance(WEEK_S)
    first.close()
    second = open_store(half_life_s=new_half_life_s)
    before = second.observed_traits(*RESIZE, None).samples
    second.observe(record())
    second.close()

    third = open_store(half_life_s=new_half_life_s)

    assert (before, third.observed_traits(*RESIZE, None).samples) == (pytest.approx(4), pytest.approx(5))


def test_samples_fade(open_store, record, clock):
    """A system that has not run for a week is known half as well."""
    first = open_store()
    first.observe(record())
    first.close()
    clock.advance(WEEK_S)

    assert open_store().observed_traits(*RESIZE, None).samples == pytest.approx(0.5)


def test_flush_happens_by_itself(open_store, record, path):
    """What was observed is in the file some time after, without anybody asking."""
    store = open_store(flush_every_s=0.05)
    store.observe(record())
    store._flusher.join(timeout=30)

    assert rows(path, "SELECT success FROM profile") == [(1,)]


def test_closed_store_goes_on_in_memory(open_store, record, path):
    """A record that comes after closing is known, and not written."""
    store = open_store()
    store.observe(record())
    store.close()
    store.observe(record())
    store.close()

    assert store.profile(*RESIZE).counts["success"] == 2
    assert rows(path, "SELECT success FROM profile") == [(1,)]


def test_file_stays_another_programs_when_deleted(open_store, record, path):
    """A file that is deleted while it is in use is made again, with what came since."""
    store = open_store()
    store.observe(record())
    store.flush()
    for each in path.parent.iterdir():
        each.unlink()
    store.observe(record())
    store.flush()

    assert rows(path, "SELECT success FROM profile") == [(1,)]


@pytest.mark.parametrize(
    "settings",
    [
        {"quantile": -0.1},
        {"quantile": 1.1},
        {"quantile": math.nan},
        {"half_life_s": 0},
        {"half_life_s": math.nan},
        {"flush_every_s": 0},
    ],
)
def test_impossible_settings(settings):
    """A setting that cannot be is refused when the store is made."""
    with pytest.raises(InvalidSetting, match=next(iter(settings))):
        ProfileStore(**settings)


def test_importing_is_light():
    """Neither sqlite3 nor the sketch library is loaded before there is something to keep."""
    code = "import sys, dam_traits.learning as l; l.ProfileStore(); print({'sqlite3', 'ddsketch'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert out == "set()\n"
