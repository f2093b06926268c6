"""
Commands: what is to be done, as values. The system that does it is found by the command's type.

The fields say all that a cost may depend on. `Command[Result]` names what its system returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeVar

import dam_traits

from asset_pipeline.results import (
    Appended,
    Asset,
    Compressed,
    Extracted,
    Fingerprint,
    Ingested,
    Member,
    Metadata,
    Sniffed,
    Unpacked,
    Valid,
    Verdict,
)

ResultT = TypeVar("ResultT")

_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Command(dam_traits.Command[ResultT]):
    """Something to be done."""

    call_id: str = field(default_factory=lambda: f"c{next(_numbers):05d}", repr=False)
    """The program's own number for this call."""

    caller: str | None = field(default=None, repr=False)
    """The call whose system asks for it; `None` if no system does."""


@dataclass(frozen=True, kw_only=True)
class ScanFolder(Command[Asset]):
    """Find the assets in a folder, one after the other."""

    folder: Path


@dataclass(frozen=True, kw_only=True)
class IngestAsset(Command[Ingested]):
    """Take an asset through everything that is done with it."""

    asset_id: str
    path: Path
    size: int
    suffix: str


@dataclass(frozen=True, kw_only=True)
class SniffMime(Command[Sniffed]):
    """Tell a file's type from its first bytes."""

    path: Path
    size: int


@dataclass(frozen=True, kw_only=True)
class ApproveWrite(Command[Verdict]):
    """Decide whether an asset may be stored."""

    asset_id: str
    mime: str
    size: int


@dataclass(frozen=True, kw_only=True)
class ValidateAsset(Command[Valid]):
    """Check strictly that a file is what its type says."""

    path: Path
    size: int
    mime: str


@dataclass(frozen=True, kw_only=True)
class HashAsset(Command[Fingerprint]):
    """Make all digests of a file."""

    asset_id: str
    path: Path
    size: int


@dataclass(frozen=True, kw_only=True)
class WalkArchive(Command[Member]):
    """Find the members of an archive, one after the other."""

    archive: Path
    size: int


@dataclass(frozen=True, kw_only=True)
class UnpackArchive(Command[Unpacked]):
    """Extract an archive and the archives inside it."""

    archive: Path
    size: int
    target: Path
    depth: int
    """0 for an asset, 1 for an archive in it, and so on."""


@dataclass(frozen=True, kw_only=True)
class ExtractMember(Command[Extracted]):
    """Write one member of an archive to disk."""

    archive: Path
    member: str
    size: int
    """Of the member, unpacked."""
    compression: str
    target: Path


@dataclass(frozen=True, kw_only=True)
class FetchMetadata(Command[Metadata]):
    """Ask the catalogue about an asset."""

    asset_id: str


@dataclass(frozen=True, kw_only=True)
class CompressAsset(Command[Compressed]):
    """Make a compressed copy of an asset."""

    path: Path
    size: int
    suffix: str
    target: Path


@dataclass(frozen=True, kw_only=True)
class AppendJournal(Command[Appended]):
    """Note for good what happened to an asset."""

    entry: str
    size: int
    """Of the entry, in bytes."""
