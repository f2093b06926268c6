"""Make the folder of a new run."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dam_obs.errors import DamObsError
from dam_obs.store.runs import RUNS, RunFolder


class FolderTaken(DamObsError):
    """A run was to be put into a folder that holds something else."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not an empty folder: name another with --out, or empty it first")
        self.path = path


class FolderRefused(DamObsError):
    """A run's folder could not be made."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be made ({why}): name a folder that you may write to with --out")
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run whose folder has just been made."""

    run_id: str
    folder: RunFolder

    def discard(self) -> None:
        """Remove the folder again: the run never began."""
        shutil.rmtree(self.folder.path, ignore_errors=True)


def new_run(out: Path | None = None, *, now: datetime | None = None) -> NewRun:
    """
    Make a run's folder: ``.dam-obs/runs/<run id>`` below the current one, or `out`.

    The id sorts by time: ``20261121T101530Z-3f9c``.

    Raises:
        FolderTaken: `out` is there already, with something in it.
        FolderRefused: it could not be made.
    """
    run_id = f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    path = (out or RUNS / run_id).absolute()
    try:
        if out is not None and path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise FolderTaken(out)
        path.mkdir(parents=True, exist_ok=out is not None)
        RunFolder(path).processes.mkdir()
        if out is None:
            _keep_out_of_git(path.parent.parent)
    except OSError as error:
        raise FolderRefused(path, error.strerror or type(error).__name__) from error
    return NewRun(run_id, RunFolder(path))


def _keep_out_of_git(folder: Path) -> None:
    """Traces of a program do not belong into its repository unless somebody wants that."""
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
