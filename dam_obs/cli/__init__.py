"""
The command line: ``dam-obs``.

Light by itself: click is imported when `main` runs, a command's own libraries when that
command runs.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run ``dam-obs`` with `arguments`, by default those of this process.

    Returns:
        The exit status.
    """
    import sys
    from importlib.util import find_spec

    if find_spec("click") is None or find_spec("rich") is None:
        print("dam-obs: error: the command line is an extra: pip install 'dam-obs[cli]'", file=sys.stderr)
        return 2

    from dam_obs.cli._main import run

    return run(arguments)
