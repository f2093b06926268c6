"""
Which block device a path lies on, as the kernel says: ``/proc/<pid>/mountinfo`` and ``/sys/dev/block``.

The table is taken where and while the program runs and is kept in the run folder, since a
report may be made later, elsewhere, or after a file system was unmounted. Partitions,
device-mapper targets and loop files are followed to the whole disks below them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from dam_obs.store.files import write_whole
from dam_obs.store.runs import RunFolder

_OCTAL = re.compile(r"\\([0-7]{3})")
_SYS_BLOCK = Path("/sys/dev/block")
_MAX_LAYERS = 8
"""How deep devices stand upon each other before we stop following."""


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """One mounted file system."""

    point: str
    filesystem: str
    """``ext4``, ``tmpfs``, ..."""
    source: str
    """What is mounted, as the kernel names it: ``/dev/vda1``, ``server:/export``."""
    disks: list[str]
    """Whole disks it lies on: ``["nvme0n1"]``; empty for one without a block device."""

    @property
    def device(self) -> str:
        """One name for where its bytes go: the disk, several joined by ``+``, or the kind of file system."""
        return "+".join(self.disks) or self.filesystem


class Mounts(msgspec.Struct, frozen=True):
    """All mounted file systems as one process sees them, in the order in which they were mounted."""

    mounts: list[Mount]

    def of(self, path: str) -> Mount | None:
        """Return the file system that an absolute `path` lies on; `None` if no mount covers it."""
        best: Mount | None = None
        for mount in self.mounts:
            inside = path == mount.point or path.startswith(mount.point.rstrip("/") + "/")
            if inside and (best is None or len(mount.point) >= len(best.point)):
                best = mount
        return best


def read_mounts(process: int | str = "self", *, proc: Path = Path("/proc"), sys_block: Path = _SYS_BLOCK) -> Mounts:
    """Ask the kernel for the mounts of `process`; without ``/proc`` there are none."""
    try:
        text = (proc / str(process) / "mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return Mounts([])
    return Mounts([mount for line in text.splitlines() if (mount := _mount(line, sys_block)) is not None])


def save_mounts(run: RunFolder, mounts: Mounts) -> None:
    """Keep `mounts` in the folder of `run`."""
    write_whole(run.mounts, msgspec.json.encode(mounts))


def load_mounts(run: RunFolder) -> Mounts | None:
    """Return the mounts kept in the folder of `run`; `None` if there are none that can be read."""
    try:
        return msgspec.json.decode(run.mounts.read_bytes(), type=Mounts)
    except (OSError, msgspec.DecodeError):
        return None


def _mount(line: str, sys_block: Path) -> Mount | None:
    """Read one line of mountinfo: ``27 1 254:0 / / rw,... shared:1 - ext4 /dev/vda rw``."""
    left, separator, right = line.partition(" - ")
    fields, rest = left.split(" "), right.split(" ")
    if not separator or len(fields) < 5 or len(rest) < 2:
        return None
    source = _unescape(rest[1])
    return Mount(
        point=_unescape(fields[4]),
        filesystem=rest[0],
        source=source,
        disks=_whole_disks(fields[2], source, sys_block),
    )


def _unescape(field: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)


def _whole_disks(number: str, source: str, sys_block: Path) -> list[str]:
    folder = sys_block / number
    if folder.exists():
        return sorted(_below(folder.resolve(), _MAX_LAYERS))
    # btrfs and others show an anonymous number; what they are mounted from is a device all the same.
    by_source = _number_of(source)
    if by_source is not None and (sys_block / by_source).exists():
        return sorted(_below((sys_block / by_source).resolve(), _MAX_LAYERS))
    return []


def _number_of(source: str) -> str | None:
    if not source.startswith("/dev/"):
        return None
    try:
        device = os.stat(source).st_rdev
    except OSError:
        return None
    return f"{os.major(device)}:{os.minor(device)}"


def _below(device: Path, layers: int) -> set[str]:
    """Return the whole disks under `device`: its disk if it is a partition, those of its slaves if it has some."""
    if (device / "partition").exists():
        return _below(device.parent, layers)
    slaves = sorted((device / "slaves").glob("*")) if layers > 0 else []
    if not slaves:
        return {device.name}
    return {disk for slave in slaves for disk in _below(slave.resolve(), layers - 1)}
