"""One value as a source gave it, before it is checked."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dam_obs.config.origin import Origin


class Given(msgspec.Struct, frozen=True):
    """A key and its value, with all that is needed to check it and to tell where it was."""

    origin: Origin

    key: str
    """The name of a setting, or what stood in its place."""

    value: object

    folder: Path
    """Where relative paths start."""

    is_text: bool = False
    """From the environment: the value is still to be parsed."""

    known: tuple[str, ...] = ()
    """The names that this source knows, if other than those of all settings."""
