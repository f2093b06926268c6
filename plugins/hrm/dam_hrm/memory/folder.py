"""
The folder that warm and cold are in, and the lock of whoever changes it.

The lock is the kernel's, on the folder itself: it goes with the process that holds it, however
that ends, and holds against other sessions of the same process, too.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dam_hrm.memory.errors import FolderUnusable, MemoryBusy

_FIRST_PAUSE_S: Final = 0.0005
_LONGEST_PAUSE_S: Final = 0.02


class FolderLock:
    """For one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """
        Open the folder, or make it: then for its owner alone.

        Raises:
            FolderUnusable: It cannot be.
        """
        self._folder = folder
        try:
            if not folder.is_dir():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise FolderUnusable(folder, error.strerror or error) from error

    @contextmanager
    def held(self, timeout_s: float) -> Iterator[None]:
        """
        Be the only one.

        Raises:
            MemoryBusy: Others were, all the time.
        """
        self._take(timeout_s)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)

    def _take(self, timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise MemoryBusy(self._folder, timeout_s) from None
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            except OSError as error:
                raise FolderUnusable(self._folder, f"it cannot be locked: {error.strerror}") from error
            else:
                return


Identity = tuple[int, int]
"""Tells a file from others that have, had or will have the same name: its device and inode."""


def identity(path: Path) -> Identity:
    """
    Give a file's identity.

    Raises:
        FolderUnusable: There is no such file.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise FolderUnusable(path, error.strerror or error) from error
    return status.st_dev, status.st_ino


def check_same(path: Path, opened: Identity) -> None:
    """
    Make sure that the file of this name is the one that was opened.

    Raises:
        FolderUnusable: It was deleted or replaced: what is written would be gone with it.
    """
    if identity(path) != opened:
        raise FolderUnusable(path, "it was replaced while it was in use")
