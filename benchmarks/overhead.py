"""
What `dam-obs diagnose` costs the program it observes, as a ratio of wall time.

    python benchmarks/overhead.py            # --rate 100, --rounds 7, --json

Three workloads: ``CPU-bound``, calls of about a millisecond one after the other; ``async``, 64
handlers in flight that compute for about half a millisecond between two awaits; ``async, fine``,
the same with less than a tenth of a millisecond between awaits, where our cost of a step shows.

Each workload times its own work, so that the start of the interpreter and of the sampler
is not in it. Rounds without and with dam-obs take turns; the ratio is that of the medians.
`A/A` is the plain workload against itself: what the machine's noise alone makes of 1.00.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CPU = """
import time

class Job:
    def __init__(self, number):
        self.number = number

def crunch(job):
    total = 0
    for step in range(12_000 + job.number % 7 * 1_000):
        total += step * step % 7
    return total

def main(times):
    for number in range(times):
        crunch(Job(number))

if __name__ == "__main__":
    main(20)
    start = time.perf_counter()
    main(2_500)
    print(time.perf_counter() - start)
"""

ASYNC = """
import asyncio, time

class Job:
    def __init__(self, number):
        self.number = number

async def handle(job):
    total = 0
    for part in range(4):
        for step in range({loops}):
            total += step * step % 7
        await asyncio.sleep(0.001 * (job.number % 3))
    return total

async def main(times):
    room = asyncio.Semaphore(64)
    async def one(number):
        async with room:
            await handle(Job(number))
    await asyncio.gather(*(one(number) for number in range(times)))

if __name__ == "__main__":
    asyncio.run(main(100))
    start = time.perf_counter()
    asyncio.run(main({times}))
    print(time.perf_counter() - start)
"""

POINTS = """
[host]
name = "workload"

[[points]]
layer = "system"
operation = "execute"
meaning = "A unit of work"
command = "args.job"

[[points.targets]]
function = "workload:{function}"
"""


def prepare(folder: Path, source: str, function: str) -> list[str]:
    """Write a workload with its trace points; return the command that runs it."""
    folder.mkdir()
    (folder / "workload.py").write_text(source)
    (folder / "points.toml").write_text(POINTS.format(function=function))
    body = source.split('if __name__ == "__main__":')[1]
    lines = [line.strip() for line in body.strip().splitlines()]
    (folder / "start.py").write_text(
        "\n".join(["from workload import *", "import asyncio", "import time", *lines]) + "\n"
    )
    return [sys.executable, str(folder / "start.py")]


def seconds(command: list[str], folder: Path) -> float:
    """Run a command and return the seconds that its work took by its own clock."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0])


def measure(folder: Path, source: str, function: str, rate: int, rounds: int) -> dict[str, float]:
    """Let the plain and the diagnosed program take turns."""
    plain = prepare(folder, source, function)
    diagnosed = [
        sys.executable, "-m", "dam_obs.cli", "diagnose", "--rate", str(rate), "--no-draft",
        "--points", str(folder / "points.toml"), "--", *plain,
    ]  # fmt: skip
    taken: dict[str, list[float]] = {"plain": [], "again": [], "diagnosed": []}
    for number in range(rounds):
        order = [("plain", plain), ("diagnosed", diagnosed), ("again", plain)]
        for name, command in order if number % 2 else reversed(order):
            taken[name].append(seconds(command, folder))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    return {
        "plain_s": round(medians["plain"], 4),
        "diagnosed_s": round(medians["diagnosed"], 4),
        "ratio": round(2 * medians["diagnosed"] / (medians["plain"] + medians["again"]), 3),
        "a_a": round(medians["again"] / medians["plain"], 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        coarse = ASYNC.replace("{loops}", "9_000").replace("{times}", "1_000")
        fine = ASYNC.replace("{loops}", "1_500").replace("{times}", "6_000")
        result = {
            "CPU-bound": measure(folder / "cpu", CPU, "crunch", arguments.rate, arguments.rounds),
            "async": measure(folder / "async", coarse, "handle", arguments.rate, arguments.rounds),
            "async, fine": measure(folder / "fine", fine, "handle", arguments.rate, arguments.rounds),
        }
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"dam-obs diagnose at {arguments.rate} Hz, medians of {arguments.rounds} interleaved rounds")
    print(f"{'workload':12s}{'plain':>10s}{'diagnosed':>11s}{'ratio':>8s}{'A/A':>8s}")
    for workload, row in result.items():
        print(f"{workload:12s}{row['plain_s']:9.3f}s{row['diagnosed_s']:10.3f}s{row['ratio']:8.3f}{row['a_a']:8.3f}")


if __name__ == "__main__":
    main()
