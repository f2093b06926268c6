"""Sizes of files that a command names: looked up where asked for, never below a mount that may hang."""

import os
from pathlib import Path

import pytest

from dam_obs import tracer
from dam_obs.config import Settings
from dam_obs.testing import recording
from dam_obs.trace import faults, features, file_sizes, session
from dam_obs.trace.file_sizes import FileSizes, is_path


class Plain:
    def __init__(self, **fields):
        self.__dict__.update(fields)


@pytest.fixture(autouse=True)
def _fresh():
    faults.reset()
    yield
    features.look_at_files(False)
    faults.reset()


@pytest.fixture
def folder(tmp_path):
    """A folder with a file, links to it, and things that are no plain files."""
    (tmp_path / "data.bin").write_bytes(bytes(1234))
    (tmp_path / "link").symlink_to("data.bin")
    (tmp_path / "round").symlink_to("round")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "data.bin").write_bytes(bytes(5))
    (tmp_path / "to far").symlink_to(tmp_path / "far" / "data.bin")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to("../../far")
    return tmp_path


def mounts(folder, *points, kind="nfs4"):
    """Write a mount table as the kernel does."""
    table = folder / "mountinfo"
    lines = ["22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw"]
    lines += [f"40 22 0:5 / {str(point).replace(' ', chr(92) + '040')} rw - {kind} server:/x rw" for point in points]
    table.write_text("\n".join(lines) + "\n")
    return table


@pytest.mark.parametrize(
    ("name", "size", "counted"),
    [
        ("data.bin", 1234, {}),
        ("link", 1234, {}),
        ("not there", None, {}),
        ("data.bin/below", None, {}),
        ("far", None, {}),
        ("pipe", None, {}),
        ("with \0 in it", None, {}),
        ("round", None, {"features.file_size": 1}),
        ("x" * 300, None, {"features.file_size": 1}),
    ],
)
def test_a_plain_file_has_a_size(folder, name, size, counted):
    """Nothing else has, nothing raises, and what went wrong is counted."""
    sizes = FileSizes(mounts(folder))

    assert (sizes.of(f"{folder}/{name}"), faults.counts()) == (size, counted)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "autofs", "fuse.sshfs", "ceph"])
@pytest.mark.parametrize("name", ["far/data.bin", "far", "to far", "a/b/up/data.bin", "a/../far/data.bin"])
def test_no_file_far_away_is_looked_at(folder, monkeypatch, name, kind):
    """Nor one that leads there by a link: whoever looks might wait for ever."""
    sizes = FileSizes(mounts(folder, folder / "far", kind=kind))
    looked = []
    monkeypatch.setattr(file_sizes.os, "stat", looked.append)
    monkeypatch.setattr(file_sizes, "_link", lambda path, asked=file_sizes._link: looked.append(path) or asked(path))

    assert sizes.of(f"{folder}/{name}") is None
    assert faults.counts() == {"features.file_far_away": 1}
    assert not [path for path in looked if path.startswith(f"{folder}/far")]


def test_files_beside_a_far_mount_are_looked_at(folder):
    """By name, by link, by the way up, and where the mount's name has blanks."""
    sizes = FileSizes(mounts(folder, folder / "a b", folder / "far"))

    assert [sizes.of(f"{folder}/{name}") for name in ("data.bin", "link", "a/../data.bin")] == [1234] * 3


def test_a_root_that_is_far_away_is_the_way_to_everything(folder):
    """A machine that has its disk over the network."""
    assert FileSizes(mounts(folder, Path("/"))).of(f"{folder}/data.bin") is None


def test_a_system_without_a_mount_table_looks(folder):
    """It cannot be told there."""
    assert FileSizes(folder / "no table").of(f"{folder}/data.bin") == 1234


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("source", "/data/in.zip", True),
        ("source", "data/in.zip", True),
        ("path", "in.zip", True),
        ("input_file", "in.zip", True),
        ("filename", "in.zip", True),
        ("kind", "in.zip", False),
        ("url", "https://example.org/in.zip", False),
        ("path", "", False),
        ("path", "a/b\n", False),
        ("path", "a/" * 4096, False),
    ],
)
def test_what_names_a_file(name, text, expected):
    """A separator, or the name of the field."""
    assert is_path(name, text) is expected


def test_sizes_are_features_where_it_is_switched_on(folder):
    """Of paths and of texts that name a file, in a measured run; else nobody looks."""
    command = Plain(source=folder / "data.bin", path=str(folder / "link"), output=folder / "new", kind="data.bin")
    found = []
    for on in (True, False):
        features.look_at_files(on)
        with recording(measure=True) as record:
            with tracer.span("sys", "execute", "Reader") as span:
                span.set_command(command)
            found.append({name: value for name, value in record.event().features.items() if "file_size" in name})

    assert found == [{"file_size(source)": 1234, "file_size(path)": 1234}, {}]


@pytest.mark.parametrize("on", [True, False])
def test_the_setting_switches_it_on(tmp_path, on):
    """From the start of a session to its end."""
    session.start(Settings(enabled=True, output=tmp_path / "trace.jsonl", plugins=False, feature_file_sizes=on))
    during = features.file_sizes
    session.stop()

    assert (during is not None, features.file_sizes) == (on, None)
