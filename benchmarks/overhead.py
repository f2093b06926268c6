"""
What observing a program costs it: dam-obs beside py-spy, scalene, pyinstrument and austin, in one interleaved run.

    python benchmarks/overhead.py [--rate 100] [--seconds 220] [--rounds N] [--only WORDS] [--no-peers] [--json]

Five programs (`_overhead_workloads`) work under each tool (`_overhead_tools`) in turn; the order is
another one in each round. A program takes its own clocks around slices of its work, so the
start of interpreters and observers is not in the figures. For each tool:

- wall: median slice by the median slice of the plain program, and the interval that a
  bootstrap over runs and slices gives (90 %);
- unqueued: the same without the time in which the program was ready and waited for a CPU. On
  a busy machine this is the figure to go by; on one that has nothing else to do it is the wall time;
- cpu: CPU time of the program, what the tool does inside it included;
- off: by how much more of its time the main thread neither computed nor queued, in points: it
  was stopped by a sampler, or waited for a lock;
- beside: CPU time of the tool's own processes, as a share of one CPU.

`plain again` is the plain program against itself: what the machine's noise makes of 1.00.

It takes four minutes on two cores that have nothing else to do. Ctrl-C ends it early and prints what there is.

The tools do not do the same. Each tells what it does below the table; dam-obs alone takes an
account of each execution.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from _overhead_tools import PLAIN, Tool, ours, peers, samplers
from _overhead_workloads import SLICES, WORKLOADS, ProgramRun, Slice, Workload, read_run

PEERS_EVERY = 3
"""Peers take part in the first round and each third one after it: their figures need less precision."""

DRAWS = 400
"""Of the bootstrap."""

Runs = dict[str, list[ProgramRun]]
"""By tool."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one tool costs one program."""

    wall: float
    wall_low: float
    wall_high: float
    unqueued: float
    unqueued_low: float
    unqueued_high: float
    cpu: float
    off_points: float
    beside: float
    """CPU seconds of the tool's own processes for each second of the program."""
    runs: int


# -- running


def run_once(tool: Tool, folder: Path, rate: int) -> ProgramRun | None:
    """Have a program observed once; `None`, said on standard error, if that failed."""
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    noted = {"OVERHEAD_ROOT": os.getpid(), "OVERHEAD_RESULT": result, "OVERHEAD_SLICES": SLICES, "PYTHONHASHSEED": 0}
    command = tool.start([sys.executable, "start.py"], folder, rate)
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **{name: str(value) for name, value in noted.items()}},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if not result.is_file():
        print(f"{tool.name} failed: {(done.stderr or done.stdout).strip()[-300:]!r}", file=sys.stderr)
        return None
    return read_run(result)


def measure(workloads: Sequence[Workload], tools: Sequence[Tool], options: argparse.Namespace) -> dict[str, Runs]:
    """Let all tools observe all programs in turn until the time or the rounds are over."""
    taken: dict[str, Runs] = {workload.name: {tool.name: [] for tool in tools} for workload in workloads}
    order = random.Random(1)
    lasted: dict[bool, float] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folders = {workload.name: Path(name) / str(number) for number, workload in enumerate(workloads)}
        for workload in workloads:
            workload.write(folders[workload.name])
        with suppress(KeyboardInterrupt):  # then what there is so far counts
            for number in range(options.rounds or sys.maxsize):
                with_peers = number % PEERS_EVERY == 0
                late_s = time.monotonic() - began + lasted.get(with_peers, 0.0) - options.seconds
                if options.rounds is None and number and late_s > 0:
                    break
                started = time.monotonic()
                due = [tool for tool in tools if with_peers or not tool.is_peer]
                for workload in workloads:
                    for tool in order.sample(due, len(due)):
                        run = run_once(tool, folders[workload.name], options.rate)
                        taken[workload.name][tool.name] += [run] if run is not None else []
                lasted[with_peers] = time.monotonic() - started
    return taken


# -- counting


def median_of(runs: Sequence[ProgramRun], figure: Callable[[Slice], float]) -> float:
    """Return the median slice of several runs."""
    return statistics.median(figure(each) for run in runs for each in run.slices)


def redrawn(runs: Sequence[ProgramRun], luck: random.Random) -> list[ProgramRun]:
    """Draw as many runs, and of each as many slices."""
    return [
        ProgramRun(tuple(luck.choices(run.slices, k=len(run.slices))), run.others_s)
        for run in luck.choices(runs, k=len(runs))
    ]


def ratio(
    runs: Sequence[ProgramRun], plain: Sequence[ProgramRun], figure: Callable[[Slice], float]
) -> tuple[float, float, float]:
    """Return a ratio of medians with its 90 % interval."""
    luck = random.Random(1)
    drawn = sorted(
        median_of(redrawn(runs, luck), figure) / median_of(redrawn(plain, luck), figure) for _ in range(DRAWS)
    )
    middle = median_of(runs, figure) / median_of(plain, figure)
    return middle, drawn[DRAWS // 20], drawn[-DRAWS // 20]


def share_off(runs: Sequence[ProgramRun]) -> float:
    """Return how much of its time the main thread neither computed nor queued."""
    return median_of(runs, lambda each: each.off_s / each.wall_s)


def cost(runs: Sequence[ProgramRun], plain: Sequence[ProgramRun]) -> Cost:
    """Compare a program under a tool with the plain one."""
    wall, unqueued = (ratio(runs, plain, figure) for figure in (lambda s: s.wall_s, lambda s: s.unqueued_s))
    return Cost(
        *(round(value, 4) for value in (*wall, *unqueued)),
        cpu=round(median_of(runs, lambda s: s.cpu_s) / median_of(plain, lambda s: s.cpu_s), 4),
        off_points=round(100 * (share_off(runs) - share_off(plain)), 2),
        beside=round(statistics.median(run.others_s / sum(each.wall_s for each in run.slices) for run in runs), 4),
        runs=len(runs),
    )


def costs(taken: dict[str, Runs]) -> dict[str, dict[str, Cost]]:
    """Return the cost of each tool to each program, where both ran."""
    return {
        workload: {name: cost(each, runs[PLAIN.name]) for name, each in runs.items() if each and name != PLAIN.name}
        for workload, runs in taken.items()
        if runs[PLAIN.name]
    }


# -- telling


def show(found: dict[str, dict[str, Cost]], tools: Sequence[Tool], workloads: Sequence[Workload], rate: int) -> None:
    """Print a table for each program."""
    print(f"At {rate} looks a second; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    about = {workload.name: workload.about for workload in workloads}
    for name, rows in found.items():
        print(f"\n{name}: {about[name]}")
        print(f"  {'':20s}{'wall':>7s}{'90 %':>15s}{'unqueued':>10s}{'90 %':>15s}{'cpu':>8s}{'off':>7s}{'beside':>8s}")
        for tool, row in rows.items():
            wall = f"{row.wall:7.3f}  {row.wall_low:.3f}-{row.wall_high:.3f}"
            unqueued = f"{row.unqueued:10.3f}  {row.unqueued_low:.3f}-{row.unqueued_high:.3f}"
            print(f"  {tool:20s}{wall}{unqueued}{row.cpu:8.3f}{row.off_points:+7.1f}{row.beside:8.1%}")
    print("\nWhat each does:")
    for tool in tools:
        print(f"  {tool.name:20s}{tool.does}")


def _named(names: Sequence[str], word: str | None) -> list[str]:
    words = [each.strip() for each in word.split(",")] if word else []
    return [name for name in names if not words or any(each in name for each in words)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=220, help="begin no round that would end later")
    parser.add_argument("--rounds", type=int, help="so many instead")
    parser.add_argument("--only", help="programs whose names hold one of these words, by commas")
    parser.add_argument("--tools", help="tools likewise; the plain program is always there")
    parser.add_argument("--no-peers", action="store_true", help="install nothing")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    known = [*ours(), *samplers(), *([] if options.no_peers else peers())]
    wanted = {PLAIN.name, *_named([tool.name for tool in known], options.tools)}
    tools = [tool for tool in known if tool.name in wanted]
    chosen = _named([workload.name for workload in WORKLOADS], options.only)
    workloads = [workload for workload in WORKLOADS if workload.name in chosen]
    found = costs(measure(workloads, tools, options))
    if options.json:
        rows = {name: {tool: asdict(row) for tool, row in row.items()} for name, row in found.items()}
        print(json.dumps({"rate_hz": options.rate, "load": os.getloadavg()[0], "programs": rows}, indent=2))
        return
    show(found, tools, workloads, options.rate)


if __name__ == "__main__":
    main()
