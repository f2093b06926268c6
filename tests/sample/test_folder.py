"""Making a run's folder."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dam_obs.sample.folder import FolderRefused, FolderTaken, new_run


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_has_its_own_folder(tmp_path: Path) -> None:
    """Named by time, below .dam-obs/runs, which git does not see."""
    run = new_run(now=datetime(2026, 11, 21, 10, 15, 30, tzinfo=UTC))

    assert re.fullmatch(r"20261121T101530Z-[0-9a-f]{4}", run.run_id)
    assert run.folder.path == tmp_path / ".dam-obs" / "runs" / run.run_id
    assert run.folder.processes.is_dir()
    assert (tmp_path / ".dam-obs" / ".gitignore").read_text() == "*\n"


def test_a_folder_of_the_users_is_taken_if_it_is_empty(tmp_path: Path) -> None:
    """New or empty; then the id is still that of the run."""
    (tmp_path / "there").mkdir()

    assert new_run(Path("new/deep")).folder.path == tmp_path / "new" / "deep"
    assert new_run(Path("there")).folder.path == tmp_path / "there"


@pytest.mark.parametrize("kind", ["full folder", "file"])
def test_nothing_of_the_users_is_overwritten(tmp_path: Path, kind: str) -> None:
    """A folder with something in it, or a file, is refused and left alone."""
    if kind == "file":
        (tmp_path / "out").write_text("mine")
    else:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(FolderTaken, match=r"not an empty folder.*--out"):
        new_run(Path("out"))


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    """One sentence with the way out."""
    (tmp_path / ".dam-obs").write_text("a file")
    with pytest.raises(FolderRefused, match=r"cannot be made \(.*\): name a folder"):
        new_run()


def test_a_run_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    """Its folder is removed."""
    run = new_run()
    run.discard()

    assert os.listdir(tmp_path / ".dam-obs" / "runs") == []
