"""Run the command line as ``python -m dam_obs.cli``."""

from __future__ import annotations

import sys

from dam_obs.cli import main

sys.exit(main())
