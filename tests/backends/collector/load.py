"""
A program under load: makes spans until its folder has a file ``stop``, and counts them in a file ``done``.

While there is a file ``pause`` it makes none.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import dam_obs
from dam_obs.trace import faults


def main(folder: Path) -> None:
    """Work, a piece at a time; say at the end what was done and what dam-obs could not do."""
    dam_obs.configure(output=str(folder / "trace.jsonl"))
    done, stop, pause = folder / "done", folder / "stop", folder / "pause"
    pieces = 0
    while not stop.exists():
        for _ in range(20):
            with dam_obs.tracer.span("sys", "execute", "load.piece", {"piece": pieces}):
                pieces += 1
        done.write_text(str(pieces))
        time.sleep(0.02)
        while pause.exists():
            time.sleep(0.02)
    dam_obs.shutdown()
    print(json.dumps({"spans": pieces, "faults": faults.counts()}))


main(Path(sys.argv[1]))
