"""Write a file that comes in parts: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from dam_obs.diagnose.write import CannotWrite


def write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """
    Put `parts` at `path`, by rename, so that a reader or a kill never meets half of it.

    Raises:
        CannotWrite: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with draft.open("wb", buffering=_BUFFER) as file:
            for part in parts:
                file.write(part)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _refused(path, error) from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _refused(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(path, error.strerror or type(error).__name__)


_BUFFER = 1 << 20
