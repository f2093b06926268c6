"""
Copies of a trace in temporary files: of what can be read only once, is compressed, or was repaired.

Such a file has no name, so it is gone with the process however that ends. It lies where
``TMPDIR`` says and is bounded, so that a stream without an end does not fill the disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

from dam_obs.errors import DamObsError

MAX_SPOOL_BYTES: Final = 64 * 1024**3
"""What is copied at most."""

SPARED_BYTES: Final = 256 * 1024**2
"""Room on the disk that is left to others."""

COPY_BYTES: Final = 4 * 1024 * 1024

_BETWEEN_LOOKS_BYTES: Final = 64 * 1024 * 1024


class NoRoom(DamObsError):
    """A trace has to be copied and does not fit."""

    def __init__(self, what: str, why: str, *, folder: Path | None = None) -> None:
        remedy = "point TMPDIR to another disk" if folder is None else "name a folder on another disk with --out"
        super().__init__(f"{what} has to be copied to {folder or tempfile.gettempdir()} and {why}: {remedy}")
        self.what = what


def spool(chunks: Iterable[bytes], what: str) -> IO[bytes]:
    """
    Write `chunks` to a file without a name.

    Args:
        chunks: Are read once.
        what: Named in the error.

    Raises:
        NoRoom: They do not fit.
    """
    file = tempfile.TemporaryFile(prefix="dam-obs-")  # noqa: SIM115 - the caller closes it
    written = looked = 0
    try:
        for chunk in chunks:
            written += len(chunk)
            if written > MAX_SPOOL_BYTES:
                raise NoRoom(what, f"is larger than {MAX_SPOOL_BYTES // 1024**3} GiB")
            if written - looked > _BETWEEN_LOOKS_BYTES:
                looked = written
                _check_room(what)
            file.write(chunk)
        file.flush()
    except OSError as error:
        file.close()
        raise NoRoom(what, f"cannot be written there ({error.strerror or error})") from error
    except BaseException:
        file.close()
        raise
    return file


def chunks_of(file: IO[bytes], size: int | None = None) -> Iterable[bytes]:
    """Yield what is in `file`, or its first `size` bytes, from where it stands."""
    left = size
    while left is None or left > 0:
        chunk = file.read(COPY_BYTES if left is None else min(COPY_BYTES, left))
        if not chunk:
            return
        left = None if left is None else left - len(chunk)
        yield chunk


def _check_room(what: str) -> None:
    folder = tempfile.gettempdir()
    if shutil.disk_usage(folder).free < SPARED_BYTES:
        raise NoRoom(what, f"{os.fspath(folder)} is nearly full")
