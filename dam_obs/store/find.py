"""
Find the trace that a command is to read.

What the user names wins: a file, a run folder, a run's id, or a folder to look in. Named
nothing, the newest below the current folder is taken. The search is bounded: it goes a
few levels down, looks into no hidden folder but ``.dam-obs``, and gives up on a huge tree.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dam_obs.store.errors import NoTraceFound
from dam_obs.store.runs import RUNS, RunFolder

if TYPE_CHECKING:
    from dam_obs.store.remote.query import Query

SEARCH_DEPTH = 3
"""Levels below the folder that a search without an answer nearby goes down."""

SEARCH_FOLDERS = 2_000
"""Folders that such a search looks into at most."""

STANDARD_INPUT = "-"

_UNSEARCHED = frozenset({"node_modules", "__pycache__", "site-packages", "venv"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where events are."""

    trace: Path
    """The newest of its files; older, rotated ones stand beside it. In a run folder it may be missing."""

    run: RunFolder | None
    """The run folder it belongs to; `None` for a file on its own."""

    uri: str | None = None
    """Where a plugin reads them, rather than in a file; `trace` is no more than a name then."""

    query: Query | None = None
    """What is wanted of a backend; `None` for what it has by itself."""

    standard_input: bool = False
    """They come through standard input; `trace` is no more than a name then."""

    @property
    def name(self) -> str:
        """What to call it; a path below the current folder is relative. Not safe to print as it is."""
        if self.uri is not None:
            return self.uri
        here = Path.cwd()
        return str(self.trace.relative_to(here) if self.trace.is_relative_to(here) else self.trace)


def find_source(argument: str | Path | None, folder: Path | None = None) -> Source:
    """
    Return the trace that `argument` names; without one, the newest at or below `folder`.

    Args:
        argument: A file, a run folder, the id of a run below `folder`, a folder to look in, ``-`` for standard input.
        folder: Where to look; the current folder if `None`.

    Raises:
        NoTraceFound: there is none; the message says how to get one.
    """
    folder = Path.cwd() if folder is None else folder
    if argument is None:
        return _newest(folder)
    if str(argument) == STANDARD_INPUT:
        return Source(Path("standard input"), None, standard_input=True)

    path = folder / argument
    if path.is_dir():
        return _of_run(path) if _is_run(path) else _newest(path)
    if path.exists():
        return Source(path, RunFolder(path.parent) if _is_run(path.parent) else None)
    by_id = folder / RUNS / argument
    if _is_run(by_id):
        return _of_run(by_id)
    raise NoTraceFound(f"at {argument}")


def runs_below(folder: Path) -> list[RunFolder]:
    """Return the runs under ``.dam-obs/runs`` of `folder`, the newest first."""
    found = [path for path in (folder / RUNS).glob("*") if _is_run(path)]
    return [RunFolder(path) for path in sorted(found, key=_age, reverse=True)]


def _newest(folder: Path) -> Source:
    candidates = [run.path for run in runs_below(folder)]
    if (folder / "trace.jsonl").is_file():
        candidates.append(folder / "trace.jsonl")
    if not candidates:
        candidates = list(_search(folder))
    if not candidates:
        raise NoTraceFound(f"at or below {folder}")
    best = max(candidates, key=_age)
    return _of_run(best) if best.is_dir() else Source(best, None)


def _search(folder: Path) -> Iterator[Path]:
    """Yield run folders and traces some levels below `folder`, level by level."""
    level = [folder]
    seen = 0
    for _ in range(SEARCH_DEPTH):
        below = [child for parent in level for child in _children(parent)]
        for child in below[: SEARCH_FOLDERS - seen]:
            yield from (run.path for run in runs_below(child))
            if (child / "trace.jsonl").is_file():
                yield child if (child / "manifest.json").is_file() else child / "trace.jsonl"
        seen += len(below)
        if seen >= SEARCH_FOLDERS:
            return
        level = below


def _children(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
                and not entry.name.startswith(".")
                and entry.name not in _UNSEARCHED
            )
    except OSError:
        return []  # not ours to read, or gone meanwhile


def _of_run(path: Path) -> Source:
    run = RunFolder(path)
    return Source(run.trace, run)


def _is_run(path: Path) -> bool:
    """Tell a run folder: by its manifest, or, where a kill left none, by where it stands and what is in it."""
    run = RunFolder(path)
    if run.manifest.is_file() or run.raw_profile.is_file():
        return True
    return path.parent.name == RUNS.name and (run.trace.is_file() or run.processes.is_dir())


def _age(path: Path) -> tuple[int, str]:
    """Order by when the trace was last written, then by name."""
    for mark in (path / "trace.jsonl", path / "manifest.json", path):
        try:
            return mark.stat().st_mtime_ns, str(path)
        except OSError:
            continue  # not there: the next one says it
    return 0, str(path)
