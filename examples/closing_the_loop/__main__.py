"""
Close the loop: run, observe, draft, write the drafts into the program, and run again with another schedule.

    python examples/closing_the_loop [--workdir DIR]

What a person would do in between, read the drafts, is left out here.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def main() -> int:
    """Close the loop in a folder of its own."""
    parser = argparse.ArgumentParser("closing_the_loop", description=__doc__.splitlines()[1])
    parser.add_argument("--workdir", type=Path, metavar="DIR", help="an empty folder to work in; it is kept")
    options = parser.parse_args()
    if options.workdir is not None:
        options.workdir.mkdir(parents=True, exist_ok=True)
        return close_the_loop(options.workdir.resolve())
    with tempfile.TemporaryDirectory(prefix="closing-the-loop-") as folder:
        return close_the_loop(Path(folder).resolve())


def close_the_loop(folder: Path) -> int:
    """Do all steps; the exit status says whether the schedule is another one."""
    for name in ("compressing.py", "program.py"):
        shutil.copy(HERE / name, folder / name)

    say("The program as it is: no system says what it takes, so the first one registered does everything")
    before = run_program(folder)

    say("dam-obs watches while both systems compress every file, and drafts what they take")
    command = [sys.executable, "-m", "dam_obs.cli", "diagnose", "--", sys.executable, "program.py", "--explore"]
    subprocess.run(command, cwd=folder, check=True)

    say("The drafts, once reviewed, are written into the systems")
    subprocess.run([sys.executable, "-m", "dam_obs.cli", "draft", "--write"], cwd=folder, check=True)

    say("The program once more: the same files, the same strategy")
    after = run_program(folder)

    say("So")
    changed = before["runs"] != after["runs"]
    print(f"The schedule {'changed' if changed else 'did NOT change'}:")
    print(f"  before: {told(before)}")
    print(f"  after:  {told(after)}")
    return 0 if changed else 1


def run_program(folder: Path) -> dict[str, Any]:
    """Run the program and give what it says of its run."""
    result = folder / "result.json"
    subprocess.run([sys.executable, "program.py", "--json", str(result)], cwd=folder, check=True)
    told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return told


def told(result: dict[str, Any]) -> str:
    """Put a result into a line."""
    runs = ", ".join(f"{count} {kind}" for kind, count in sorted(result["runs"].items()))
    return f"{runs}; {result['seconds']:.2f} s"


def say(text: str) -> None:
    """Print a heading; at once, so that it stands before what a child prints."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
