"""``python -m dam_obs.stats``: the command ``dam-obs stats``, for those who know it as a module."""

from __future__ import annotations

import sys

from dam_obs.cli import main

if __name__ == "__main__":
    sys.exit(main(["stats", *sys.argv[1:]]))
