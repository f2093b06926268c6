"""What executions touched is known by so many names, however many there were; counts of executions are of all."""

from __future__ import annotations

import pytest

from dam_obs.diagnose import touched
from dam_obs.diagnose.touched import FileKey, Touched
from dam_obs.store.mounts import Mount, Mounts

MOUNTS = Mounts([Mount(point="/", filesystem="ext4", source="/dev/sda1", disks=["sda"])])


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(touched, "MOST_FILES", 10)
    monkeypatch.setattr(touched, "MOST_FOLDERS", 5)
    monkeypatch.setattr(touched, "MOST_NAMES", 3)


def read(*paths: str) -> Touched:
    """Let each path be read by an execution of its own, a byte each."""
    found = Touched()
    for path in paths:
        found.add({"files_read": [path]}, {"read_bytes": 1}, MOUNTS)
    return found


def test_files_beyond_the_bound_are_their_folders(monkeypatch):
    """The folder has its executions all the same, and so has the device."""
    found = read(*(f"/data/in/{number}" for number in range(30)))

    assert len(found.files) == 11
    assert found.files[FileKey("/data/in/*", "read")] == 20
    assert found.folders[FileKey("/data/in", "read")] == 30
    assert (found.devices["read", "sda"], found.block_bytes["read", "sda"]) == (30, 30)
    assert [(use.path, use.executions) for use in touched.files(found)] == [("/data/in/*", 30)]


def test_folders_beyond_the_bound_are_the_folder_above():
    """As where each execution has a temporary folder of its own."""
    found = read(*(f"/data/tmp/{number}/file" for number in range(50)))

    assert len(found.files) <= 12
    assert len(found.mounts) <= 12
    assert found.parents[FileKey("/data/tmp", "read")] == 50
    assert [(use.path, use.executions) for use in touched.files(found)] == [("/data/tmp/*/*", 50)]


def test_names_without_any_order_are_bounded_too():
    """No folder has anything in common with another: all the rest is one."""
    found = read(*(f"/{number}/a/b/c/file" for number in range(500)))

    assert found.files.total() == 500
    assert found.devices["read", "sda"] == 500
    assert max(len(found.files), len(found.folders), len(found.parents), len(found.mounts)) <= 25


def test_a_file_that_is_known_stays_known():
    """Whatever came between."""
    found = read("/data/first", *(f"/data/in/{number}" for number in range(30)), "/data/first")

    assert found.files[FileKey("/data/first", "read")] == 2


def test_peers_and_programs_are_bounded():
    """The first ones keep their names."""
    found = Touched()
    for number in range(10):
        found.add({"peers": [f"10.0.0.{number}:80"], "processes": ["ls"]}, {}, MOUNTS)

    assert found.peers == {"10.0.0.0:80": 1, "10.0.0.1:80": 1, "10.0.0.2:80": 1, "others": 7}
    assert found.processes == {"ls": 10}
