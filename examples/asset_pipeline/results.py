"""What systems return. Each result has a `summary` of a few words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Asset:
    """A file that was found in a folder."""

    asset_id: str
    path: Path
    size: int

    @property
    def summary(self) -> str:
        """Say which file it is."""
        return self.asset_id


@dataclass(frozen=True)
class Member:
    """A file inside an archive."""

    name: str
    size: int
    compression: str

    @property
    def summary(self) -> str:
        """Say which member it is."""
        return self.name


@dataclass(frozen=True)
class Sniffed:
    """What the first bytes of a file say it is."""

    mime: str

    @property
    def summary(self) -> str:
        """Say the type."""
        return self.mime


@dataclass(frozen=True)
class Verdict:
    """Whether something may be done. A refusal is an answer, not an exception."""

    allowed: bool
    reason: str

    @property
    def summary(self) -> str:
        """Say the verdict and why."""
        return f"{'allowed' if self.allowed else 'refused'}: {self.reason}"


@dataclass(frozen=True)
class Fingerprint:
    """The digests of a file, by algorithm."""

    digests: dict[str, str]

    @property
    def summary(self) -> str:
        """Say the start of the shortest digest."""
        return f"sha3_256 {self.digests['sha3_256'][:12]}"


@dataclass(frozen=True)
class Valid:
    """A file that is what it claims to be."""

    detail: str

    @property
    def summary(self) -> str:
        """Say what was found."""
        return self.detail


@dataclass(frozen=True)
class Extracted:
    """A member that now lies on disk."""

    path: Path
    size: int
    mime: str

    @property
    def summary(self) -> str:
        """Say what came out."""
        return f"{self.mime}, {self.size} bytes"


@dataclass(frozen=True)
class Unpacked:
    """An archive whose members now lie on disk, those of archives inside it too."""

    members: int
    size: int

    @property
    def summary(self) -> str:
        """Say how much came out."""
        return f"{self.members} members, {self.size} bytes"


@dataclass(frozen=True)
class Appended:
    """A journal entry that has reached the disk."""

    end: int
    """Length of the journal after it."""

    @property
    def summary(self) -> str:
        """Say where the journal ends."""
        return f"journal at {self.end} bytes"


@dataclass(frozen=True)
class Metadata:
    """What the catalogue knows about an asset."""

    title: str
    licence: str

    @property
    def summary(self) -> str:
        """Say title and licence."""
        return f"{self.title} ({self.licence})"


@dataclass(frozen=True)
class Compressed:
    """A compressed copy of an asset."""

    path: Path
    size: int

    @property
    def summary(self) -> str:
        """Say how long it is."""
        return f"{self.size} bytes"


@dataclass(frozen=True)
class Ingested:
    """What became of an asset."""

    asset_id: str
    outcome: str
    """``stored``, ``invalid`` or ``refused``."""

    @property
    def summary(self) -> str:
        """Say what became of it."""
        return self.outcome
