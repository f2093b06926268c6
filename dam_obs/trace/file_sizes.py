"""
The size of a file that a command names, looked up without waiting for a server.

Only where it is switched on (`Settings.feature_file_sizes`): it is a look at the disk on the
program's own thread. A path on a file system of the network may keep whoever looks waiting for
ever, so none is looked at, nor is one that leads there by a link; which these are is read
once, when recording starts.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from dam_obs.trace import faults

MOUNTS: Final = Path("/proc/self/mountinfo")

SLOW: Final = frozenset(
    {
        "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse", "gfs2", "glusterfs", "gpfs",
        "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "smb3", "smbfs",
    }
)  # fmt: skip
"""File systems that may wait for a server or a program; ``fuse.sshfs`` and its kin with them."""

MOST_LINKS: Final = 40
LONGEST: Final = 4096
"""Characters: a longer text is no path."""

_ESCAPES: Final = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


class FileSizes:
    """Looks files up."""

    def __init__(self, mounts: Path = MOUNTS) -> None:
        self._slow = frozenset(_slow_mounts(mounts))

    def of(self, path: str) -> int | None:
        """Return the size of a plain file; `None` where there is none, or where looking might take long."""
        try:
            path = os.path.abspath(path)
            if self._slow and not self._is_near(path):
                faults.count("features.file_far_away")
                return None
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None  # an output that is still to be written, or no path at all
        except OSError:
            faults.count("features.file_size")
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def _is_near(self, path: str) -> bool:
        """Follow a path link by link, and never look below a slow mount."""
        if "/" in self._slow:
            return False
        links, at, ahead = 0, "/", [part for part in reversed(path.split("/")) if part]
        while ahead:
            at = os.path.normpath(os.path.join(at, ahead.pop()))
            if at in self._slow:
                return False
            target = _link(at)
            if target is not None:
                links += 1
                if links > MOST_LINKS:
                    return False
                at = "/" if target.startswith("/") else os.path.dirname(at)
                ahead.extend(part for part in reversed(target.split("/")) if part)
        return True


def is_path(name: str, text: str) -> bool:
    """Say whether a field's text is one that names a file: with a separator in it, or by the name of the field."""
    if len(text) > LONGEST or not text or "://" in text or not text.isprintable():
        return False
    return os.sep in text or name.rpartition("_")[2].lower() in ("path", "file", "filename")


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None  # no link, or nothing there: `os.stat` will say


def _slow_mounts(mounts: Path) -> list[str]:
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []  # no Linux: it cannot be told
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.partition(" ")[0]
        if len(fields) > 4 and kind.partition(".")[0] in SLOW:
            found.append(_unescaped(fields[4]))
    return found


def _unescaped(text: str) -> str:
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return text
