"""
Two systems that compress a file, each better for some: a world has to choose.

`Zlib` compresses within the process, in proportion to the size. `Gzip` starts a program,
which takes a while, and is quicker from then on. Neither says so: they have no
``calculate_traits``, so a scheduler cannot tell one from the other.
"""

from __future__ import annotations

import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

from dam_traits import Command, system


@dataclass(frozen=True)
class Compress(Command[int]):
    """Compress a file and answer with how many bytes are left."""

    path: Path
    size: int
    """Of the file, in bytes."""


@system(on_command=Compress)
class Zlib:
    """Compresses in this process."""

    def __call__(self, cmd: Compress) -> int:
        """Compress."""
        return len(zlib.compress(cmd.path.read_bytes(), level=9))


@system(on_command=Compress)
class Gzip:
    """Lets the program gzip compress."""

    def __call__(self, cmd: Compress) -> int:
        """Compress."""
        return len(subprocess.run(["gzip", "-1", "-c", cmd.path], stdout=subprocess.PIPE, check=True).stdout)
