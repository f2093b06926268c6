"""How much room memory takes, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much memory takes, and how long it waits."""

    hot_entries: int = 256
    hot_bytes: int = 1024 * 1024
    """Of keys and encoded values."""
    value_bytes: int = 4 * 1024 * 1024
    """Of one encoded value; 16 MiB at most."""
    busy_timeout_s: float = 10.0
    """For others that write to the same folder."""
