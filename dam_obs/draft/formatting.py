"""Drafts are formatted by ruff, always the same way, whatever is configured where dam-obs is run."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from dam_obs.draft.errors import NoFormatter

LINE_LENGTH: Final = 120
_TIMEOUT_SECONDS: Final = 60

# -P: a `ruff.py` in the current folder is not what we mean to run.
_COMMAND: Final = (
    *(sys.executable, "-P", "-m", "ruff", "format", "--isolated", "--no-cache", "--quiet"),
    *("--target-version", "py311", "--stdin-filename", "draft.py"),
)


def formatted(source: str, *, line_length: int = LINE_LENGTH) -> str:
    """
    Format Python source.

    Args:
        source: What to format.
        line_length: Columns; fewer for code that will stand further in.

    Raises:
        NoFormatter: ruff is not installed, or does not take the source.
    """
    command = [*_COMMAND, "--line-length", str(line_length), "-"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the source goes in by standard input
            command, input=source.encode("utf-8"), capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoFormatter(str(error)) from error
    if done.returncode != 0:
        raise NoFormatter(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout.decode("utf-8")
