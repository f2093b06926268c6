"""
What executions touched outside their process: files and their devices, peers, programs.

Bytes are counted by the kernel for an execution, not for a file. They are shared among the
devices of the files that the execution touched, by how many files lie on each.
"""

from __future__ import annotations

import os.path
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dam_obs.diagnose.pools import Pools
from dam_obs.diagnose.report import DeviceBytes, FileUse, Peer, Process
from dam_obs.hookspecs import Resource
from dam_obs.store.mounts import Mount, Mounts

Direction = Literal["read", "write"]

DIRECTIONS: tuple[tuple[Direction, str, str, str], ...] = (
    ("read", "files_read", "read_bytes", "rchar"),
    ("write", "files_written", "write_bytes", "wchar"),
)

FILES_SHOWN = 20
FILES_OF_A_FOLDER = 5
"""
More files than these of one folder are shown as one pattern, ``folder/*``.

So are the files of more folders than these in one folder, ``folder/*/*``, unless that is
``/`` or just below it, where a pattern would say nothing.
"""

MOST_BYTES = 2**60
"""Of one execution; a file may claim any number."""

UNKNOWN_DEVICE = "unknown"

MOST_FILES = 20_000
"""Files of a system that are known by name; of more, those of a folder are one, ``folder/*``."""

MOST_FOLDERS = 5_000
"""Folders that are known by name; of more, those of a folder are one, ``folder/*/*``, and beyond that all, ``/*``."""

MOST_NAMES = 5_000
"""Peers and programs that are known by name; all others are `OTHERS`."""

OTHERS = "others"


class FileKey(NamedTuple):
    """A file or folder, read or written."""

    path: str
    direction: Direction


@dataclass(slots=True)
class Touched:
    """Who touched what, summed over the executions of one system."""

    files: Counter[FileKey] = field(default_factory=Counter)
    """Executions by file."""
    folders: Counter[FileKey] = field(default_factory=Counter)
    """Executions by folder of files; one that touches two files of it counts once."""
    parents: Counter[FileKey] = field(default_factory=Counter)
    """Executions by folder of such folders."""
    mounts: dict[str, Mount | None] = field(default_factory=dict)
    """File system by folder."""
    disks: set[str] = field(default_factory=set)
    """Devices that are block devices."""
    devices: Counter[tuple[Direction, str]] = field(default_factory=Counter)
    """Executions by device."""
    counted_on: Counter[tuple[Direction, str]] = field(default_factory=Counter)
    """Of those, the ones whose bytes were counted."""
    block_bytes: Counter[tuple[Direction, str]] = field(default_factory=Counter)
    call_bytes: Counter[tuple[Direction, str]] = field(default_factory=Counter)
    counted: set[str] = field(default_factory=set)
    """Names of the kernel's counters that were seen."""
    peers: Counter[str] = field(default_factory=Counter)
    processes: Counter[str] = field(default_factory=Counter)

    def add(self, touched: Mapping[str, Iterable[str]], io: Mapping[str, int], mounts: Mounts) -> None:
        """Add what one execution touched."""
        _count_names(self.peers, touched.get("peers", ()))
        _count_names(self.processes, touched.get("processes", ()))
        self.counted.update(io)
        for direction, files, block, calls in DIRECTIONS:
            paths = {self._known(path, direction) for path in touched.get(files, ())}
            on_device = self._add_files(paths, direction, mounts)
            if block in io or calls in io:
                self.counted_on.update((direction, device) for device in on_device)
            self._share(direction, on_device, io.get(block, 0), io.get(calls, 0))

    def mount_of(self, path: str) -> Mount | None:
        """Return the file system of a file that was added."""
        return self.mounts.get(os.path.dirname(path))

    def device_of(self, path: str) -> str:
        """Return the device of a file that was added."""
        mount = self.mount_of(path)
        return mount.device if mount else UNKNOWN_DEVICE

    def _known(self, path: str, direction: Direction) -> str:
        """Return a file's name, or where there are too many the pattern that stands for it."""
        if len(self.files) < MOST_FILES or FileKey(path, direction) in self.files:
            return path
        folder = os.path.dirname(path)
        if len(self.mounts) < MOST_FOLDERS or folder in self.mounts:
            return os.path.join(folder, "*")
        above = os.path.dirname(folder)
        return os.path.join(above, "*", "*") if FileKey(above, direction) in self.parents else "/*"

    def _add_files(self, paths: set[str], direction: Direction, mounts: Mounts) -> Counter[str]:
        on_device: Counter[str] = Counter()
        folders = set()
        for path in paths:
            folder = os.path.dirname(path)
            if folder not in self.mounts:
                self.mounts[folder] = mount = _mount_of(folder, mounts)
                if mount is not None and mount.disks:
                    self.disks.add(mount.device)
            self.files[FileKey(path, direction)] += 1
            folders.add(folder)
            on_device[self.device_of(path)] += 1
        self.folders.update(FileKey(folder, direction) for folder in folders)
        self.parents.update({FileKey(os.path.dirname(folder), direction) for folder in folders})
        self.devices.update((direction, device) for device in on_device)
        return on_device

    def _share(self, direction: Direction, on_device: Counter[str], block_bytes: int, call_bytes: int) -> None:
        on_disk = Counter({device: count for device, count in on_device.items() if device in self.disks})
        for device, part in _shares(block_bytes, on_disk or on_device):
            self.block_bytes[direction, device] += part
        if on_device:  # calls without a file were on pipes and sockets
            for device, part in _shares(call_bytes, on_device):
                self.call_bytes[direction, device] += part


def _count_names(counts: Counter[str], names: Iterable[str]) -> None:
    """Count executions by name, of so many names."""
    counts.update({name if len(counts) < MOST_NAMES or name in counts else OTHERS for name in names})


def _mount_of(folder: str, mounts: Mounts) -> Mount | None:
    if not folder.startswith("/") or "\0" in folder:  # no path of a file
        return None
    return mounts.of(os.path.realpath(folder))


def _shares(total: int, weights: Counter[str]) -> list[tuple[str, int]]:
    """Share `total` by `weights`, whole bytes, the remainder to the heaviest; without weights to the unknown."""
    if total <= 0:
        return []
    total = min(total, MOST_BYTES)
    if not weights:
        return [(UNKNOWN_DEVICE, total)]
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    everything = sum(weights.values())
    parts = [(device, total * count // everything) for device, count in ordered]
    rest = total - sum(part for _, part in parts)
    return [(parts[0][0], parts[0][1] + rest), *parts[1:]]


def devices(touched: Touched, pools: Pools) -> list[DeviceBytes]:
    """
    Return the bytes by device and direction, the most first.

    Block-layer bytes where the kernel counted any in that direction, else bytes through calls.
    """
    rows = [
        _device_row(touched, pools, direction, device, block, calls)
        for direction, _, block, calls in DIRECTIONS
        for device in _devices_of(touched, direction)
    ]
    return sorted(rows, key=lambda row: (-(row.bytes or 0), row.direction, row.device))


def _devices_of(touched: Touched, direction: Direction) -> list[str]:
    seen = {device for found, device in touched.devices if found == direction}
    counted = {device for found, device in touched.block_bytes if found == direction}
    return sorted(seen | counted)


def _device_row(
    touched: Touched, pools: Pools, direction: Direction, device: str, block: str, calls: str
) -> DeviceBytes:
    key = (direction, device)
    amount: int | None = None
    layer: Literal["block", "calls"] | None = None
    if any(found == direction for found, _ in touched.block_bytes):
        amount, layer = touched.block_bytes[key], "block"
    elif calls in touched.counted:
        amount, layer = touched.call_bytes[key], "calls"
    elif block in touched.counted:
        amount, layer = 0, "block"
    pool = _pool(touched, pools, direction, device)
    return DeviceBytes(
        device=device,
        direction=direction,
        pool=pool,
        at_once=pools.at_once.get(pool),
        bytes=amount,
        layer=layer,
        executions=touched.devices[key],
        counted=touched.counted_on[key],
        device_bytes=touched.block_bytes[key] if block in touched.counted and device in touched.disks else None,
    )


def _pool(touched: Touched, pools: Pools, direction: Direction, device: str) -> str:
    """Return the pool that most executions' files on `device` belong to."""
    votes: Counter[str] = Counter()
    for file, executions in touched.files.items():
        if file.direction == direction and touched.device_of(file.path) == device:
            votes[pools.of(Resource(kind="file", name=file.path, direction=direction, device=device))] += executions
    if not votes:
        return pools.of(Resource(kind="file", name="", direction=direction, device=device))
    return min(votes, key=lambda pool: (-votes[pool], pool))


def files(touched: Touched) -> list[FileUse]:
    """Return the files used most; for a folder, or a folder of folders, with many files one pattern for them all."""
    crowded_parents = _crowded(touched.folders, within=_deep_enough)
    crowded = _crowded(touched.files)
    shown: Counter[FileKey] = Counter()
    mounts: dict[FileKey, Mount | None] = {}
    for file, executions in touched.files.items():
        folder = _folder(file)
        if _folder(folder) in crowded_parents:
            key, executions = FileKey(f"{_folder(folder).path}/*/*", file.direction), touched.parents[_folder(folder)]
        elif folder in crowded:
            key, executions = FileKey(os.path.join(folder.path, "*"), file.direction), touched.folders[folder]
        else:
            key = file
        shown[key] = executions
        mounts.setdefault(key, touched.mount_of(file.path))
    ordered = sorted(shown.items(), key=lambda item: (-item[1], item[0]))
    return [_file_use(key, executions, mounts[key]) for key, executions in ordered[:FILES_SHOWN]]


def _crowded(inside: Iterable[FileKey], within: Callable[[str], bool] = bool) -> set[FileKey]:
    """Return the folders that hold too many of these files or folders to name each."""
    counts = Counter(_folder(key) for key in inside)
    return {folder for folder, count in counts.items() if count > FILES_OF_A_FOLDER and within(folder.path)}


def _folder(key: FileKey) -> FileKey:
    return FileKey(os.path.dirname(key.path), key.direction)


def _deep_enough(folder: str) -> bool:
    return folder.strip("/").count("/") >= 1


def _file_use(key: FileKey, executions: int, mount: Mount | None) -> FileUse:
    return FileUse(
        path=key.path,
        direction=key.direction,
        executions=executions,
        device=mount.device if mount else None,
        mount=mount.point if mount else None,
    )


def peers(touched: Touched, pools: Pools) -> list[Peer]:
    """Return the network peers, the most used first."""
    rows = []
    for address, count in sorted(touched.peers.items(), key=lambda item: (-item[1], item[0])):
        pool = pools.of(Resource(kind="peer", name=address, direction=None))
        rows.append(Peer(address=address, pool=pool, executions=count, at_once=pools.at_once.get(pool)))
    return rows


def processes(touched: Touched, pools: Pools) -> list[Process]:
    """Return the programs that were started, the most used first."""
    rows = []
    for name, count in sorted(touched.processes.items(), key=lambda item: (-item[1], item[0])):
        pool = pools.of(Resource(kind="process", name=name, direction=None))
        rows.append(Process(name=name, pool=pool, executions=count, at_once=pools.at_once.get(pool)))
    return rows
