"""
The errors that dam-obs itself raises.

Each is one sentence for a person: what was wrong, where, and what to do next.
The CLI alone prints them, as one line (with what the user wrote below it, where it matters
which part is meant), and turns them into an exit status; a traceback on screen means a bug in dam-obs.
"""

from __future__ import annotations


class DamObsError(Exception):
    """Base of every error that dam-obs raises on purpose."""

    exit_status: int = 2
    """What the CLI exits with: 2 for bad input and usage, as click does."""

    excerpt: tuple[str, ...] = ()
    """Lines to show below the sentence: a text that the user wrote, and where in it something is wrong."""
