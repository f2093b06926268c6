"""Finding an observed process, and asking it to measure."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from dam_obs.trace import rendezvous
from dam_obs.trace.identity import start_ticks
from dam_obs.trace.rendezvous import Announcement


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where processes of this user meet."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / f"dam-obs-{os.getuid()}"


ME = os.getpid()


def test_a_process_is_found_while_it_is_announced(folder: Path, tmp_path: Path) -> None:
    """With its trace; in a folder that nobody else may enter."""
    rendezvous.announce(tmp_path / "trace.jsonl")
    found = rendezvous.find(ME)
    rendezvous.withdraw()

    assert found == Announcement(ME, tmp_path / "trace.jsonl")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert rendezvous.find(ME) is None


def test_a_wish_reaches_the_process_and_is_taken_back(tmp_path: Path) -> None:
    """It names the run folder."""
    rendezvous.announce(tmp_path / "trace.jsonl")
    before = rendezvous.requested()
    asked = rendezvous.request(ME, tmp_path / "run")
    meanwhile = rendezvous.requested()
    rendezvous.release(ME)

    assert (before, asked, meanwhile, rendezvous.requested()) == (None, True, tmp_path / "run", None)


def test_a_process_that_says_nothing_cannot_be_asked(tmp_path: Path) -> None:
    """Then the tracer knows that there will be no executions."""
    assert not rendezvous.request(ME, tmp_path)


def test_the_wish_of_a_dead_tracer_counts_no_more(folder: Path, tmp_path: Path) -> None:
    """A tracer that was killed does not leave a process measuring for ever; nor does one whose pid is used again."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    rendezvous.announce(tmp_path / "trace.jsonl")
    wishes = [
        {"run": str(tmp_path), "tracer": gone.pid, "tracer_start": 1},
        {"run": str(tmp_path), "tracer": ME, "tracer_start": 1},
        {"run": "relative", "tracer": ME, "tracer_start": start_ticks(ME)},
        {},
        [],
    ]
    for wish in wishes:
        (folder / f"{ME}.measure").write_text(json.dumps(wish))
        assert rendezvous.requested() is None
    (folder / f"{ME}.measure").write_bytes(b"\0{")
    assert rendezvous.requested() is None


def test_an_announcement_of_another_process_with_this_pid_does_not_count(folder: Path, tmp_path: Path) -> None:
    """The start time tells."""
    rendezvous.announce(tmp_path / "trace.jsonl")
    (folder / f"{ME}.json").write_text(json.dumps({"pid": ME, "start": 1, "trace": "/x"}))

    assert rendezvous.find(ME) is None


@pytest.mark.parametrize("trap", ["open to others", "a symlink", "a file"])
def test_a_folder_that_may_be_somebody_elses_is_refused(folder: Path, tmp_path: Path, trap: str) -> None:
    """In /tmp anybody may have made it first."""
    if trap == "a symlink":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    elif trap == "a file":
        folder.write_text("")
    else:
        folder.mkdir()
        folder.chmod(0o755)
    with pytest.raises(OSError, match=r"is not a folder|does not belong|File exists"):
        rendezvous.announce(tmp_path / "trace.jsonl")

    assert rendezvous.find(ME) is None
    assert not (tmp_path / "elsewhere" / f"{ME}.json").exists()


def test_a_file_that_is_a_symlink_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """Neither when it is read nor when it is written."""
    rendezvous.announce(tmp_path / "trace.jsonl")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (folder / f"{ME}.measure").symlink_to(victim)

    assert rendezvous.requested() is None
    rendezvous.request(ME, tmp_path / "run")
    assert victim.read_text() == "precious"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to make a file of another user")
def test_a_wish_of_another_user_does_not_count(folder: Path, tmp_path: Path) -> None:
    """Only the process's own user and root may have it measure."""
    rendezvous.announce(tmp_path / "trace.jsonl")
    rendezvous.request(ME, tmp_path / "run")
    os.chown(folder / f"{ME}.measure", 65534, 65534)

    assert rendezvous.requested() is None
