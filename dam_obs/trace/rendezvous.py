"""
Where an observed process and a `dam-obs diagnose --pid` that comes later find each other.

Every observed process keeps ``dam-obs-<uid>/<pid>.json`` in the user's runtime folder and
says there where its trace goes. A tracer that attaches drops ``<pid>.measure`` beside it,
with its run folder; the process looks for it about once a second and measures as long as
it is there and its tracer lives.

The folder is shared with everybody on the machine where it lies in ``/tmp``. So it must
be a real folder of the user's own that no one else may enter, and a file in it counts
only if it is a regular one of that user's or root's; otherwise there is no rendezvous.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from dam_obs.trace.identity import start_ticks

_LONGEST = 64 * 1024
_PROC = Path("/proc")


class Announcement(msgspec.Struct, frozen=True):
    """What an observed process says of itself."""

    pid: int
    trace: Path


# -- the observed process


def announce(trace_path: Path) -> None:
    """
    Say that this process is observed and where its trace goes.

    Raises:
        OSError: there is no folder to say it in that is safe; also `NotADirectoryError`, `PermissionError`.
    """
    folder = _own_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    _check(folder, os.getuid())
    pid = os.getpid()
    content = {"pid": pid, "start": start_ticks(pid), "trace": str(trace_path.absolute())}
    _write(folder / f"{pid}.json", content, owner=None)


def requested() -> Path | None:
    """Return the run folder of a tracer that wants this process measured; `None` if none does (any more)."""
    folder = _own_folder()
    path = folder / f"{os.getpid()}.measure"
    try:
        path.lstat()
        _check(folder, os.getuid())
        wish = _read(path, os.getuid())
    except OSError:
        return None
    if wish is None or not _lives(wish.get("tracer"), wish.get("tracer_start")):
        return None
    run = wish.get("run")
    return Path(run) if isinstance(run, str) and os.path.isabs(run) else None


def withdraw() -> None:
    """Take back what `announce` said; at the process's end."""
    with suppress(OSError):
        (_own_folder() / f"{os.getpid()}.json").unlink()


# -- the tracer


def find(pid: int) -> Announcement | None:
    """Return what process `pid` announced; `None` if it is not observed, or not ours to ask."""
    found = _find(pid)
    return None if found is None else found[1]


def request(pid: int, run_folder: Path) -> bool:
    """
    Ask process `pid` to measure into the trace it announced.

    Returns:
        Whether it is one that can be asked.

    Raises:
        OSError: the wish could not be written.
    """
    found = _find(pid)
    if found is None:
        return False
    folder, _ = found
    tracer = os.getpid()
    wish = {"run": str(run_folder.absolute()), "tracer": tracer, "tracer_start": start_ticks(tracer)}
    _write(folder / f"{pid}.measure", wish, owner=folder.stat().st_uid)
    return True


def release(pid: int) -> None:
    """Take the wish back; the process stops measuring within about a second."""
    for folder in _folders_of(pid):
        with suppress(OSError):
            (folder / f"{pid}.measure").unlink()


def owner_of(pid: int) -> int:
    """Return the user that process `pid` runs as; -1 if there is no such process."""
    try:
        text = (_PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return -1
    for line in text.splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[2])
    return -1


# -- how


def _find(pid: int) -> tuple[Path, Announcement] | None:
    owner = owner_of(pid)
    for folder in _folders_of(pid):
        try:
            _check(folder, owner)
            said = _read(folder / f"{pid}.json", owner)
        except OSError:
            continue
        if said is None or said.get("start") != start_ticks(pid) or not isinstance(said.get("trace"), str):
            continue
        return folder, Announcement(pid, Path(said["trace"]))
    return None


def _own_folder() -> Path:
    return _folder(os.environ.get("XDG_RUNTIME_DIR") or "/tmp", os.getuid())  # noqa: S108 - checked by `_check`


def _folders_of(pid: int) -> Iterator[Path]:
    """Yield where process `pid` may have announced itself: we know its user, not its environment."""
    owner = owner_of(pid)
    if owner < 0:
        return
    bases: Iterable[str | None] = (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{owner}", "/tmp")  # noqa: S108
    for base in dict.fromkeys(base for base in bases if base):
        yield _folder(base, owner)


def _folder(base: str, uid: int) -> Path:
    return Path(base) / f"dam-obs-{uid}"


def _check(folder: Path, owner: int) -> None:
    """Raise unless `folder` is a real folder of `owner` that nobody else may enter."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{folder} is not a folder")
    if found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(f"{folder} does not belong to user {owner} alone")


def _read(path: Path, owner: int) -> dict[str, Any] | None:
    """Return the object in a file that `owner` or root wrote; `None` if it is something else."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in (owner, 0):
            return None
        content = file.read(_LONGEST)
    try:
        value = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _write(path: Path, content: dict[str, Any], owner: int | None) -> None:
    """Put `content` at `path`, whole; root gives the file to `owner`, who could not read it otherwise."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with suppress(FileNotFoundError):
        beside.unlink()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
        if owner is not None and owner != os.geteuid():
            os.fchown(descriptor, owner, -1)
    beside.replace(path)


def _lives(pid: object, ticks: object) -> bool:
    return isinstance(pid, int) and ticks is not None and start_ticks(pid) == ticks
