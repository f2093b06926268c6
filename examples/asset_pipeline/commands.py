"""
Commands: what is to be done, as values. The system that does it is found by the command's type.

The fields say all that a cost may depend on. `Command[Result]` names what its system returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

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

Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Command(Generic[Result_co]):
    """Something to be done."""

    call_id: str = ""
    """The run's own number for this call; the pipeline gives it on dispatch."""

    @property
    def summary(self) -> str:
        """What it is about, in a few words."""
        return ""


@dataclass(frozen=True, kw_only=True)
class ScanFolder(Command[Asset]):
    """Find the assets in a folder, one after the other."""

    folder: Path

    @property
    def summary(self) -> str:
        """Name the folder."""
        return self.folder.name


@dataclass(frozen=True, kw_only=True)
class IngestAsset(Command[Ingested]):
    """Take an asset through everything that is done with it."""

    asset_id: str
    path: Path
    size: int
    suffix: str

    @property
    def summary(self) -> str:
        """Name the asset."""
        return self.asset_id


@dataclass(frozen=True, kw_only=True)
class SniffMime(Command[Sniffed]):
    """Tell a file's type from its first bytes."""

    path: Path
    size: int

    @property
    def summary(self) -> str:
        """Name the file."""
        return self.path.name


@dataclass(frozen=True, kw_only=True)
class ApproveWrite(Command[Verdict]):
    """Decide whether an asset may be stored."""

    asset_id: str
    mime: str
    size: int

    @property
    def summary(self) -> str:
        """Name asset and type."""
        return f"{self.asset_id} as {self.mime}"


@dataclass(frozen=True, kw_only=True)
class ValidateAsset(Command[Valid]):
    """Check strictly that a file is what its type says."""

    path: Path
    size: int
    mime: str

    @property
    def summary(self) -> str:
        """Name file and type."""
        return f"{self.path.name} as {self.mime}"


@dataclass(frozen=True, kw_only=True)
class HashAsset(Command[Fingerprint]):
    """Make all digests of a file."""

    asset_id: str
    path: Path
    size: int

    @property
    def summary(self) -> str:
        """Name the asset."""
        return self.asset_id


@dataclass(frozen=True, kw_only=True)
class WalkArchive(Command[Member]):
    """Find the members of an archive, one after the other."""

    archive: Path
    size: int

    @property
    def summary(self) -> str:
        """Name the archive."""
        return self.archive.name


@dataclass(frozen=True, kw_only=True)
class UnpackArchive(Command[Unpacked]):
    """Extract an archive and the archives inside it."""

    archive: Path
    size: int
    target: Path
    depth: int
    """0 for an asset, 1 for an archive in it, and so on."""

    @property
    def summary(self) -> str:
        """Name the archive."""
        return self.archive.name


@dataclass(frozen=True, kw_only=True)
class ExtractMember(Command[Extracted]):
    """Write one member of an archive to disk."""

    archive: Path
    member: str
    size: int
    """Of the member, unpacked."""
    compression: str
    target: Path

    @property
    def summary(self) -> str:
        """Name archive and member."""
        return f"{self.archive.name}!{self.member}"


@dataclass(frozen=True, kw_only=True)
class FetchMetadata(Command[Metadata]):
    """Ask the catalogue about an asset."""

    asset_id: str

    @property
    def summary(self) -> str:
        """Name the asset."""
        return self.asset_id


@dataclass(frozen=True, kw_only=True)
class CompressAsset(Command[Compressed]):
    """Make a compressed copy of an asset."""

    path: Path
    size: int
    suffix: str
    target: Path

    @property
    def summary(self) -> str:
        """Name the file."""
        return self.path.name


@dataclass(frozen=True, kw_only=True)
class AppendJournal(Command[Appended]):
    """Note for good what happened to an asset."""

    entry: str
    size: int
    """Of the entry, in bytes."""

    @property
    def summary(self) -> str:
        """Give the entry."""
        return self.entry
