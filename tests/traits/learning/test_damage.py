"""Files that are damaged: set aside, with one warning, and a fresh one begins."""

from __future__ import annotations

import logging
import os
import sqlite3

import pytest
from dam_traits.learning import ProfileStore

RESIZE = ("shop:Resize", "v1")


def garbage(path):
    path.write_bytes(b"this is no database\n" * 500)


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def torn_pages(path):
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


def header_torn(path):
    content = bytearray(path.read_bytes())
    content[:100] = b"\0" * 100
    path.write_bytes(content)


def newer_schema(path):
    change(path, "PRAGMA user_version = 2")


def table_missing(path):
    change(path, "DROP TABLE duration")


def column_missing(path):
    change(path, "ALTER TABLE profile DROP COLUMN cancelled")


def negative_weight(path):
    change(path, "UPDATE duration SET weight = -1.0")


def infinite_weight(path):
    change(path, "UPDATE duration SET weight = 9e999")


def bin_that_cannot_be(path):
    change(path, "UPDATE duration SET bin = bin + 100000")


def change(path, sql):
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()


DAMAGE = [
    garbage,
    cut_in_half,
    torn_pages,
    header_torn,
    newer_schema,
    table_missing,
    column_missing,
    negative_weight,
    infinite_weight,
    bin_that_cannot_be,
]


@pytest.fixture
def path(tmp_path, record):
    """A file with something in it."""
    path = tmp_path / "profiles.db"
    store = ProfileStore(path)
    for i in range(200):
        store.observe(record(1 + i, size=i))
    store.close()
    return path


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_file_is_set_aside(path, record, caplog, damage):
    """The store works as with no file, the damaged one is kept, and one warning names both."""
    damage(path)
    content = path.read_bytes()

    with caplog.at_level(logging.WARNING):
        store = ProfileStore(path)
        before = store.observed_traits(*RESIZE, None)
        store.observe(record())
        store.close()

    assert before is None
    assert path.with_name("profiles.db.damaged-1").read_bytes()[:4096] == content[:4096]
    assert [each.message for each in caplog.records] == [
        f"{path} was damaged: it is now profiles.db.damaged-1, and a fresh file begins"
    ]
    again = ProfileStore(path)
    assert again.profile(*RESIZE).counts["success"] == 1
    assert again.failures == {}
    again.close()


def test_damage_while_in_use_loses_nothing_that_is_known(path, record):
    """What a store has in memory goes into the fresh file, the records from before the damage too."""
    store = ProfileStore(path, flush_every_s=3600)
    store.observe(record())
    store.flush()
    store._cached_file.disconnect()
    garbage(path)
    store.observe(record())
    store.close()

    again = ProfileStore(path)
    assert again.profile(*RESIZE).counts["success"] == 202
    again.close()


def test_each_damaged_file_is_kept(path, record):
    """A second damaged file does not replace the first."""
    for _ in range(2):
        garbage(path)
        store = ProfileStore(path)
        store.observe(record())
        store.close()

    assert sorted(each.name for each in path.parent.glob("*.damaged*")) == [
        "profiles.db.damaged-1",
        "profiles.db.damaged-2",
    ]


def test_empty_file_is_a_fresh_one(tmp_path, record):
    """An empty file is used, not set aside."""
    path = tmp_path / "profiles.db"
    path.touch()
    store = ProfileStore(path)
    store.observe(record())
    store.close()

    assert (list(tmp_path.glob("*.damaged*")), dict(store.failures)) == ([], {})


def test_another_programs_database_is_left_alone(tmp_path, record, clock, caplog):
    """A database that is not ours is neither written nor renamed; the store goes on in memory."""
    path = tmp_path / "app.db"
    change(path, "CREATE TABLE customers (name TEXT)")
    content = path.read_bytes()
    with caplog.at_level(logging.WARNING):
        store = ProfileStore(path, clock=clock)
        store.observe(record())
        store.close()

    assert path.read_bytes() == content
    assert "another program's database" in caplog.text
    assert (store.failures, store.observed_traits(*RESIZE, None).samples) == ({"not ours": 1}, pytest.approx(1))


def test_folder_in_place_of_the_file(tmp_path, record, caplog):
    """A path that is no file is warned of once; the store goes on in memory."""
    store = ProfileStore(tmp_path)
    with caplog.at_level(logging.WARNING):
        store.observe(record())
        store.flush()
        store.observe(record())
        store.close()

    assert store.profile(*RESIZE).counts["success"] == 2
    assert len(caplog.records) == 1


def test_missing_folders_are_made(tmp_path, record):
    """The file's folder need not be there."""
    store = ProfileStore(tmp_path / "a" / "b" / "profiles.db")
    store.observe(record())
    store.close()

    assert (tmp_path / "a" / "b" / "profiles.db").is_file()
