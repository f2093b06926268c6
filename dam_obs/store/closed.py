"""
The closed files of a measured run's trace: ``trace.closed/``, one after the other.

The observed program moves ``trace.jsonl`` there when it has grown large, under a name that orders
it: ``00000000036917558973850.jsonl``. The observer packs each one as ``....parquet`` beside it and
then removes the lines. Where both are there, for something died between the two, the packed one
counts. When the run has come to its bound on disk, the oldest go: first their time lines, then they
themselves. How much that was is written down in ``lost.json`` before it is done.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from dam_obs.store.files import write_whole

LINES: Final = ".jsonl"
PACKED: Final = ".parquet"
LOST: Final = "lost.json"


class Lost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What had to go, so that a run stays within its bound on disk."""

    events: int = 0
    events_through: str = ""
    """Name, without its end, of the last file of these; what is left of them counts no more."""
    timelines: int = 0
    """Executions that are there, but of which is not known any more when they ran on which thread."""
    timelines_through: str = ""
    """Name, without its end, of the last file of these."""


NOTHING_LOST: Final = Lost()


def closed_folder(trace: Path) -> Path:
    """Return where the closed files of a trace are."""
    return trace.with_name("trace.closed")


def closed_files(trace: Path) -> list[Path]:
    """Return the closed files of a trace, the oldest first, each once; none where it is no measured run's."""
    if trace.name != "trace.jsonl":
        return []
    folder = closed_folder(trace)
    found: dict[str, Path] = {}
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    for path in entries:
        if path.suffix == PACKED or (path.suffix == LINES and path.stem not in found):
            found[path.stem] = path
    gone = read_lost(folder).events_through
    return [found[stem] for stem in sorted(found) if stem > gone and not stem.startswith(".")]


def read_lost(folder: Path) -> Lost:
    """Return what has been lost of a folder of closed files; nothing where nothing is known of it."""
    try:
        return msgspec.json.decode((folder / LOST).read_bytes(), type=Lost)
    except (OSError, ValueError):
        return NOTHING_LOST


def write_lost(folder: Path, lost: Lost) -> None:
    """Write down what is about to go."""
    write_whole(folder / LOST, msgspec.json.encode(lost) + b"\n")


def still_there(path: Path) -> Path:
    """Return the file that has what was in `path`: it may have been packed since it was found."""
    packed = path.with_suffix(PACKED)
    if path.suffix == LINES and path.parent.name == "trace.closed" and not path.exists() and packed.exists():
        return packed
    return path
