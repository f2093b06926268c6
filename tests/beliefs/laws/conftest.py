"""Lets the laws import the reference model and the random worlds, which stand in `model`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "model"))
