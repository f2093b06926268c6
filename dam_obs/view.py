"""``python -m dam_obs.view``: the command ``dam-obs view``, for those who know it as a module."""

from __future__ import annotations

import sys

from dam_obs.cli import main

if __name__ == "__main__":
    sys.exit(main(["view", *sys.argv[1:]]))
