from __future__ import annotations

import os
from pathlib import Path

import pytest

from dam_obs.store.mounts import Mount, Mounts, load_mounts, read_mounts, save_mounts
from dam_obs.store.runs import RunFolder

MOUNTINFO = """\
1 0 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
2 1 0:21 / /proc rw - proc proc rw
3 1 0:30 / /dev/shm rw - tmpfs tmpfs rw
4 1 253:0 / /home rw - xfs /dev/mapper/vg-home rw
5 4 8:0 / /home/with\\040space rw - ext4 /dev/sda rw
6 1 9:0 / /raid rw - ext4 /dev/md0 rw
7 1 0:44 / /net rw - nfs4 server:/export rw
8 1 0:50 / /home rw - overlay overlay rw,lowerdir=/a
broken line
"""


@pytest.fixture
def kernel(tmp_path: Path) -> tuple[Path, Path]:
    """A /proc and a /sys/dev/block with a partition, a mapped volume over it, a plain disk, and a RAID over two."""
    proc, sys_block, devices = tmp_path / "proc", tmp_path / "block", tmp_path / "devices"
    (proc / "7").mkdir(parents=True)
    (proc / "7" / "mountinfo").write_text(MOUNTINFO)
    for device in ("nvme0n1/nvme0n1p2", "nvme0n1/nvme0n1p3", "dm-0/slaves", "sda", "sdb", "md0/slaves"):
        (devices / device).mkdir(parents=True)
    for partition in ("nvme0n1/nvme0n1p2", "nvme0n1/nvme0n1p3"):
        (devices / partition / "partition").write_text("1")
    (devices / "dm-0/slaves/nvme0n1p3").symlink_to(devices / "nvme0n1/nvme0n1p3")
    for disk in ("sda", "sdb"):
        (devices / "md0/slaves" / disk).symlink_to(devices / disk)
    sys_block.mkdir()
    for number, device in (("259:2", "nvme0n1/nvme0n1p2"), ("253:0", "dm-0"), ("8:0", "sda"), ("9:0", "md0")):
        (sys_block / number).symlink_to(devices / device)
    return proc, sys_block


@pytest.mark.parametrize(
    ("path", "device", "point"),
    [
        ("/etc/passwd", "nvme0n1", "/"),
        ("/proc/1/stat", "proc", "/proc"),
        ("/dev/shm/x", "tmpfs", "/dev/shm"),
        ("/home/with space/x", "sda", "/home/with space"),
        ("/homely/x", "nvme0n1", "/"),
        ("/raid/x", "sda+sdb", "/raid"),
        ("/net/x", "nfs4", "/net"),
        ("/home/x", "overlay", "/home"),
    ],
)
def test_a_path_is_led_to_its_disk(kernel: tuple[Path, Path], path: str, device: str, point: str) -> None:
    """Partitions, mapped volumes and arrays end at whole disks; the mount on top wins; others are named by kind."""
    proc, sys_block = kernel

    mount = read_mounts(7, proc=proc, sys_block=sys_block).of(path)

    assert mount is not None
    assert (mount.device, mount.point) == (device, point)


def test_a_mapped_volume_ends_at_its_disk(kernel: tuple[Path, Path]) -> None:
    """Volume, partition, disk: three layers."""
    proc, sys_block = kernel

    mounts = read_mounts(7, proc=proc, sys_block=sys_block).mounts

    assert [mount.disks for mount in mounts if mount.filesystem == "xfs"] == [["nvme0n1"]]


def test_this_machine_knows_its_root() -> None:
    """On Linux the root is mounted from somewhere."""
    mount = read_mounts().of(os.sep)

    assert mount is not None
    assert mount.device


def test_without_proc_there_are_no_mounts(tmp_path: Path) -> None:
    """A process that is gone, or another system: nothing is known, nothing raises."""
    assert read_mounts(7, proc=tmp_path) == Mounts([])
    assert Mounts([]).of("/etc/passwd") is None


def test_mounts_are_kept_in_the_run(tmp_path: Path) -> None:
    """A report made later still knows them; a broken file is none."""
    run = RunFolder(tmp_path)
    assert load_mounts(run) is None

    mounts = Mounts([Mount(point="/", filesystem="ext4", source="/dev/vda", disks=["vda"])])
    save_mounts(run, mounts)
    assert load_mounts(run) == mounts

    run.mounts.write_bytes(b"[")
    assert load_mounts(run) is None
