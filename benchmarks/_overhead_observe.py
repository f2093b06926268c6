"""
Measure a command as ``dam-obs diagnose`` does, without making a report of it afterwards.

    python benchmarks/_overhead_observe.py POINTS RUN_FOLDER RATE [--no-stacks] COMMAND...
"""

from __future__ import annotations

import sys
from pathlib import Path

from dam_obs.config import load_settings
from dam_obs.sample.tracer import SystemTracer


def main() -> int:
    points, folder, rate, *command = sys.argv[1:]
    stacks = command[0] != "--no-stacks"
    settings = load_settings({"enabled": True, "measure": True, "points": (Path(points),)}).settings
    tracer = SystemTracer(settings, rate_hz=float(rate), stacks=stacks, out=Path(folder))
    return tracer.run(command if stacks else command[1:]).manifest.exit_status or 0


if __name__ == "__main__":
    sys.exit(main())
