"""
What it costs dam_hrm to be observed, against the limit of its design: 1 ms for each event.

    python benchmarks/hrm_overhead.py            # --rounds 15, --times 200, --sessions 11, --json

``operations``: microseconds for single operations of a session, untraced, and traced with and without
a JSONL file. What tracing adds is divided by the number of events that the operation makes (a write asks its
gate, so it makes two), and that is what the limit is held against.

``session``: the scripted session of ``examples/hrm_session``, from its first line to its closing, as a ratio to
itself untraced. ``A/A`` is untraced against untraced: what noise alone makes of 1.00.

All take turns in short rounds, so that all see the same noise; medians over rounds are printed. Wall time is what a
caller waits. CPU time is that of all threads, until everything recorded has been written: the share of
dam-obs' own thread that a caller does not wait for on an idle core is in it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib.util
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from dam_hrm import Session, observability, plugin_manager

import dam_obs
from dam_obs.points.hosts import observe
from dam_obs.points.load import load_file
from dam_obs.points.model import TracePointFile
from dam_obs.testing import recording

LIMIT_US = 1_000.0
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "hrm_session"
WAYS = ("untraced", "again", "traced", "traced, JSONL")
"""``again`` is untraced once more."""

Operation = Callable[[Session], Awaitable[object]]


async def move(session: Session) -> None:
    """Go up, which is always allowed, and back down by the fast lane: two transitions."""
    await session.altitude.transition("L2")
    await session.altitude.transition("L1", atomic=True)


OPERATIONS: dict[str, Operation] = {
    "focus.gate_check": lambda session: session.focus.check("Framing", reason="r"),
    "reasoning.classify": lambda session: session.reasoning.classify("What is a chapter?"),
    "memory.write, hot": lambda session: session.memory.write("space", "key", "value", tier="hot"),
    "memory.read, hot": lambda session: session.memory.read("space", "key"),
    "memory.write, warm": lambda session: session.memory.write("space", "other", "value"),
    "altitude.transition, twice": move,
}


@dataclass
class Taken:
    """What rounds took: microseconds for one time."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, times: int, wall_ns: int, cpu_ns: int) -> None:
        """Add a round."""
        self.wall.append(wall_ns / times / 1_000)
        self.cpu.append(cpu_ns / times / 1_000)


def trace_points() -> list[TracePointFile]:
    """Return the files of dam_hrm itself."""
    files = [load_file(path) for path in observability.dam_obs_trace_points()]
    return [file for file in files if file.host == "dam_hrm"]


@contextlib.contextmanager
def recorded(way: str, folder: Path) -> Iterator[None]:
    """Record while the block runs, if that is the way; what has been recorded is out when it ends."""
    if not way.startswith("traced"):
        yield
        return
    to_file = way.endswith("JSONL")
    dam_obs.configure(output=folder / "trace.jsonl", jsonl=to_file, queue_size=1 << 17, rotate_bytes=0)
    try:
        yield
    finally:
        dam_obs.shutdown()
        (folder / "trace.jsonl").unlink(missing_ok=True)


def timed(work: Callable[[], None]) -> tuple[int, int]:
    """Return wall time without, and CPU time with what dam-obs has to do afterwards."""
    gc.collect()
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    work()
    passed = time.perf_counter_ns() - wall
    dam_obs.flush()
    return passed, time.process_time_ns() - cpu


def in_turn(number: int) -> Sequence[str]:
    """Return all ways, in an order that changes from round to round."""
    return WAYS if number % 2 else tuple(reversed(WAYS))


# -- single operations


def events_of(operation: Operation, session: Session) -> int:
    """Count the events that an operation makes."""
    with recording() as record:
        asyncio.run(once(operation, session, 1))
        return len(record.events())


async def once(operation: Operation, session: Session, times: int) -> None:
    """Do it so many times, one after the other."""
    for _ in range(times):
        await operation(session)


def measure_operations(folder: Path, rounds: int, times: int) -> dict[str, dict[str, float]]:
    """Let the ways take turns, operation by operation."""
    files = trace_points()
    observed, plain = plugin_manager(installed=False), plugin_manager(installed=False)
    result = {}
    with observe(observed, files):
        sessions = {
            way: Session(folder=folder / str(number), plugins=observed if way.startswith("traced") else plain)
            for number, way in enumerate(WAYS)
        }
        for name, operation in OPERATIONS.items():
            taken = {way: Taken() for way in WAYS}
            for number in range(rounds + 1):
                for way in in_turn(number):
                    with recorded(way, folder):
                        took = timed(lambda: asyncio.run(once(operation, sessions[way], times)))  # noqa: B023 - run at once
                    if number:  # the first round warms up
                        taken[way].add(times, *took)
            result[name] = told(taken, events_of(operation, sessions["traced"]))
        for session in sessions.values():
            asyncio.run(session.aclose())
    return result


def told(taken: dict[str, Taken], events: int) -> dict[str, float]:
    """Return an operation's figures."""
    wall = {way: statistics.median(each.wall) for way, each in taken.items()}
    cpu = {way: statistics.median(each.cpu) for way, each in taken.items()}
    base_wall, base_cpu = (wall["untraced"] + wall["again"]) / 2, (cpu["untraced"] + cpu["again"]) / 2
    return {
        "events": events,
        "untraced_us": round(base_wall, 1),
        "traced_us": round(wall["traced"], 1),
        "traced_jsonl_us": round(wall["traced, JSONL"], 1),
        "added_wall_us_per_event": round((wall["traced, JSONL"] - base_wall) / events, 1),
        "added_cpu_us_per_event": round((cpu["traced, JSONL"] - base_cpu) / events, 1),
        "share_of_limit": round((cpu["traced, JSONL"] - base_cpu) / events / LIMIT_US, 4),
    }


# -- the scripted session


def load_example() -> ModuleType:
    """Import the example as a module."""
    sys.path.insert(0, str(EXAMPLE))
    spec = importlib.util.spec_from_file_location("hrm_session_example", EXAMPLE / "__main__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def play(example: ModuleType, files: Sequence[TracePointFile]) -> None:
    """Run the scripted session once, silently; observed where there are files."""
    manager = plugin_manager(example.Printer(sheets=0), example.Diary(), installed=False)

    async def whole() -> None:
        async with Session(plugins=manager, name="example") as session:
            await example.talk(session)
            await example.tidy_up(session)

    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        if files:
            stack.enter_context(observe(manager, files))
        asyncio.run(whole())


def measure_session(folder: Path, rounds: int) -> dict[str, float]:
    """Let the ways take turns with the whole session."""
    example, files = load_example(), trace_points()
    taken = {way: Taken() for way in WAYS}
    for number in range(rounds + 1):
        for way in in_turn(number):
            with recorded(way, folder):
                took = timed(lambda: play(example, files if way.startswith("traced") else ()))  # noqa: B023 - run at once
            if number:
                taken[way].add(1, *took)
    with recording() as record:
        play(example, files)
        events = len(record.events())
    wall = {way: statistics.median(each.wall) for way, each in taken.items()}
    cpu = {way: statistics.median(each.cpu) for way, each in taken.items()}
    base_wall, base_cpu = (wall["untraced"] + wall["again"]) / 2, (cpu["untraced"] + cpu["again"]) / 2
    return {
        "events": events,
        "untraced_ms": round(base_wall / 1_000, 2),
        "wall_ratio": round(wall["traced"] / base_wall, 3),
        "wall_ratio_jsonl": round(wall["traced, JSONL"] / base_wall, 3),
        "wall_a_a": round(wall["again"] / wall["untraced"], 3),
        "cpu_ratio": round(cpu["traced"] / base_cpu, 3),
        "cpu_ratio_jsonl": round(cpu["traced, JSONL"] / base_cpu, 3),
        "cpu_a_a": round(cpu["again"] / cpu["untraced"], 3),
    }


# -- what is printed


def show(operations: dict[str, dict[str, float]], session: dict[str, float]) -> None:
    """Print two tables."""
    heads = ("events", "untraced", "traced", "+ JSONL", "wall/event", "CPU/event", "of 1 ms")
    print(f"{'operation (us)':<28}" + "".join(f"{head:>11}" for head in heads))
    for name, figures in operations.items():
        *numbers, share = figures.values()
        print(f"{name:<28}" + "".join(f"{number:>11,}" for number in numbers) + f"{share:>10.1%}")
    print(f"\nscripted session: {session['events']} events, {session['untraced_ms']} ms untraced")
    print(f"{'':<18}{'traced':>10}{'+ JSONL':>10}{'A/A':>10}")
    for kind in ("wall", "cpu"):
        ratios = (session[f"{kind}_ratio"], session[f"{kind}_ratio_jsonl"], session[f"{kind}_a_a"])
        print(f"{kind + ' time':<18}" + "".join(f"{ratio:>9.2f}x" for ratio in ratios))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=11)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        operations = measure_operations(Path(name), arguments.rounds, arguments.times)
        session = measure_session(Path(name), arguments.sessions)
    if arguments.json:
        print(json.dumps({"operations": operations, "session": session}, indent=2))
    else:
        show(operations, session)


if __name__ == "__main__":
    main()
