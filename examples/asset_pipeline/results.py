"""What systems return."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Asset:
    """A file that was found in a folder."""

    asset_id: str
    path: Path
    size: int


@dataclass(frozen=True)
class Member:
    """A file inside an archive."""

    name: str
    size: int
    compression: str


@dataclass(frozen=True)
class Sniffed:
    """What the first bytes of a file say it is."""

    mime: str


@dataclass(frozen=True)
class Verdict:
    """Whether something may be done. A refusal is an answer, not an exception."""

    allowed: bool
    reason: str


@dataclass(frozen=True)
class Fingerprint:
    """The digests of a file, by algorithm."""

    digests: dict[str, str]


@dataclass(frozen=True)
class Valid:
    """A file that is what it claims to be."""

    detail: str


@dataclass(frozen=True)
class Extracted:
    """A member that now lies on disk."""

    path: Path
    size: int


@dataclass(frozen=True)
class Unpacked:
    """An archive whose members now lie on disk, those of archives inside it too."""

    members: int
    size: int


@dataclass(frozen=True)
class Appended:
    """A journal entry that has reached the disk."""

    end: int
    """Length of the journal after it."""


@dataclass(frozen=True)
class Metadata:
    """What the catalogue knows about an asset."""

    title: str
    licence: str


@dataclass(frozen=True)
class Compressed:
    """A compressed copy of an asset."""

    path: Path
    size: int


@dataclass(frozen=True)
class Ingested:
    """What became of an asset."""

    asset_id: str
    outcome: str
    """``stored``, ``invalid`` or ``refused``."""
