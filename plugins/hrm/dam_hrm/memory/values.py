"""What memory works with: tiers, records, and what became of a read, a write or a move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from dam_hrm.names import Name


class Tier(Name):
    """Where a record is."""

    HOT = "hot"
    """In the process: bounded, the least recently used one goes down to warm."""
    WARM = "warm"
    """SQLite."""
    COLD = "cold"
    """A compressed file with checksums that is only appended to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a record belongs."""

    namespace: str
    key: str

    @property
    def summary(self) -> str:
        """``altitude.session``."""
        return f"{self.namespace}.{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a read gave."""

    address: Address
    tier: Tier | None
    """Where it was found; `None` where it was in none."""
    value: Any = None
    """JSON values; `None` where there was nothing."""

    @property
    def outcome(self) -> str:
        """``found`` or ``absent``."""
        return "absent" if self.tier is None else "found"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """A write that is wished for."""

    address: Address
    value: Any
    """JSON values."""
    tier: Tier = Tier.WARM
    summary_of: str | None = None
    """The text that `value` is a summary of: the write then says how many tokens it saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a write. Once it is there, a record in warm or cold outlives a crash."""

    address: Address
    tier: Tier
    allowed: bool
    """False where the write gate denied it; nothing was written then."""
    reason: str = ""
    tokens_saved: int | None = None
    """`None` where no summary replaced a text."""

    @property
    def outcome(self) -> str:
        """``written`` or ``denied``."""
        return "written" if self.allowed else "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A record's move between tiers that is wished for, or was made."""

    address: Address
    from_tier: Tier
    to_tier: Tier

    @property
    def summary(self) -> str:
        """``altitude.session: cold→warm``."""
        return f"{self.address.summary}: {self.from_tier.value}→{self.to_tier.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted:
    """What became of it."""

    shift: Shift
    moved: bool
    reason: str = ""

    @property
    def outcome(self) -> str:
        """``moved`` or ``stayed``."""
        return "moved" if self.moved else "stayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Bytes of the cold file that are no record: set aside, left where they are, and skipped."""

    tier: Tier
    kind: Literal["torn", "damaged", "missing"]
    """``torn``: the end of a record is missing, as after a crash while it was written. ``missing``: the file has ended
    before what it is known to have held."""
    offset: int
    length_bytes: int
    address: Address | None
    """Whose record it was, where that can still be told."""
