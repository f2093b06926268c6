"""
How many stack samples go to the execution they were really taken in?

    python benchmarks/attribution.py [--rate 200] [--seconds 10] [--json]

A program runs executions whose truth is known: each calls a function made for it
alone, ``truth_<number>``, and notes which span it was in. These functions are never freed,
so even a sampler that remembers code by its address cannot mistake them. py-spy samples
the program from outside; then each sample's innermost truth is compared with the execution
that the tag on its stack gave it to.

Mixed at once: 50 tasks on one event loop, coroutines within coroutines, async generators
(some left early), generators run in turns on one thread, threads, short calls within
calls, code objects coming and going all the time.

Exit status 1 if fewer than 99 % of the samples inside an execution are right, or any is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from pathlib import Path
from types import FunctionType
from typing import Any

from opentelemetry.trace import get_current_span

import dam_obs
from dam_obs.sample.attribution import attribute, span_id_of
from dam_obs.sample.profile import read_profile
from dam_obs.sample.pyspy import PySpy, PySpySession, find_pyspy
from dam_obs.sample.samples import StackSample

TASKS = 50
THREADS = 3
ENOUGH = 0.99

# -- the program that is watched

Truth = Callable[..., Any]

_numbers = count()
_spans: dict[int, str] = {}
"""Number of a truth to the id of the span it ran in."""
_kept: list[Truth] = []


def truth_of_call(number: int, work: Truth, *args: Any) -> Any:
    note(number)
    return work(*args)


async def truth_of_coroutine(number: int, work: Truth, *args: Any) -> Any:
    note(number)
    return await work(*args)


def truth_of_generator(number: int, work: Truth, *args: Any) -> Generator[Any, None, None]:
    note(number)
    yield from work(*args)


async def truth_of_stream(number: int, work: Truth, *args: Any) -> AsyncGenerator[Any, None]:
    note(number)
    # An inner generator is closed with the outer one; left to the event loop, its end would be in no execution.
    async with aclosing(work(*args)) as items:
        async for item in items:
            yield item


def note(number: int) -> None:
    """Say which span the truth of this number is in, as OpenTelemetry's context has it."""
    _spans[number] = format(get_current_span().get_span_context().span_id, "016x")


def truth(model: Truth = truth_of_call) -> Truth:
    """Return a function like `model` that nobody else has and that will never be freed, before its execution starts."""
    number = next(_numbers)
    name = f"truth_{number}"
    _kept.append(FunctionType(model.__code__.replace(co_name=name, co_qualname=name), globals()))
    return partial(_kept[-1], number)


def spin(ms: float) -> int:
    """Work without a pause."""
    end = time.perf_counter() + ms / 1000
    turns = 0
    while time.perf_counter() < end:
        turns += sum(range(200))
    return turns


@dam_obs.traced("system.call")
def call(true: Truth, ms: float, depth: int = 0) -> None:
    true(work_of_call, ms, depth)


def work_of_call(ms: float, depth: int) -> None:
    spin(ms)
    if depth:
        call(truth(), ms, depth - 1)
        spin(ms / 2)


@dam_obs.traced("system.generate")
def generate(true: Truth, ms: float) -> Generator[int, None, None]:
    yield from true(work_of_generate, ms)


def work_of_generate(ms: float) -> Generator[int, None, None]:
    for item in range(4):
        spin(ms)
        yield item


@dam_obs.traced("system.coroutine")
async def coroutine(true: Truth, ms: float, depth: int = 1) -> None:
    await true(work_of_coroutine, ms, depth)


async def work_of_coroutine(ms: float, depth: int) -> None:
    for _ in range(3):
        spin(ms)
        await asyncio.sleep(0)
    if depth:
        await coroutine(truth(truth_of_coroutine), ms, depth - 1)
        call(truth(), ms / 2)


@dam_obs.traced("system.stream")
async def stream(true: Truth, ms: float) -> AsyncGenerator[int, None]:
    async with aclosing(true(work_of_stream, ms)) as items:
        async for item in items:
            yield item


async def work_of_stream(ms: float) -> AsyncGenerator[int, None]:
    for item in range(4):
        spin(ms)
        await asyncio.sleep(0.001 if item % 2 else 0)
        yield item


def freshly_made(ms: float) -> None:
    """Trace a function that is made for one run, its code with it, and dropped at once."""
    true = truth()
    made: dict[str, Any] = {}
    exec("def made(true, work, ms):\n    return true(work, ms)\n", made)
    dam_obs.traced("system.fresh")(made["made"])(true, spin, ms)


async def one_of_many(number: int, end: float) -> None:
    while time.monotonic() < end:
        await coroutine(truth(truth_of_coroutine), 0.5)
        async for item in stream(truth(truth_of_stream), 0.5):
            if number % 3 == 0 and item == 1:
                break
        freshly_made(0.5)
        await asyncio.sleep(0)


def in_a_thread(end: float) -> None:
    while time.monotonic() < end:
        call(truth(), 1, depth=2)
        for _ in zip(generate(truth(truth_of_generator), 0.5), generate(truth(truth_of_generator), 1), strict=True):
            pass
        freshly_made(0.5)
        time.sleep(0.0005)


async def all_tasks(end: float) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(one_of_many(number, end))


def program(seconds: float, folder: Path) -> None:
    """Be watched: wait for a line on standard input, work, write down the truth."""
    dam_obs.configure(enabled=True, measure=True, output=folder / "trace.jsonl")
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=in_a_thread, args=(end,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    asyncio.run(all_tasks(end))
    for thread in threads:
        thread.join()
    (folder / "truth.json").write_text(json.dumps(_spans))
    dam_obs.shutdown()


# -- the judge


@dataclass
class Score:
    """What became of the samples."""

    python: str
    sampler: str
    rate_hz: float
    seconds: float
    executions: int
    samples: int
    inside: int
    """Samples with a truth on the stack."""
    right: int
    wrong: int
    missed: int
    """Inside an execution, and given to none."""
    between: int
    """In the few instructions between the tag and the truth that follows it: rightly claimed, not provable."""
    unclaimed_outside: int
    errors: int

    @property
    def share_right(self) -> float:
        return self.right / self.inside if self.inside else 0.0

    @property
    def passes(self) -> bool:
        return self.share_right >= ENOUGH and self.wrong == 0


_NAME = re.compile(r"truth_(\d+)")


def judge(samples: Iterable[StackSample], spans: dict[int, str]) -> Counter[str]:
    """Compare claims with truths."""
    found: Counter[str] = Counter()
    for sample in samples:
        found[_verdict(sample, spans)] += sample.weight
    return found


def _verdict(sample: StackSample, spans: dict[int, str]) -> str:
    claims = attribute([sample]).claimed
    claim = next(iter(claims), None)
    truths = [
        (at, int(match[1])) for at, frame in enumerate(sample.frames) if (match := _NAME.fullmatch(frame.function))
    ]
    if not truths:
        return "unclaimed_outside" if claim is None else "between"
    if claim is None:
        return "missed"
    at, number = truths[-1]
    if spans.get(number) == claim:
        return "right"
    tags = [place for place, frame in enumerate(sample.frames) if span_id_of(frame)]
    return "between" if tags[-1] > at else "wrong"


def measure(tool: PySpy, rate_hz: float, seconds: float, folder: Path) -> Score:
    """Run the program under py-spy, and judge."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--program", str(folder), "--seconds", str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdout.readline()
    session = PySpySession(tool, child.pid, rate_hz=rate_hz, output=folder / "samples.json", log=folder / "log")
    deadline = time.monotonic() + 10
    while session.sampling_since is None and time.monotonic() < deadline:
        time.sleep(0.01)
    child.stdin.write("go\n")
    child.stdin.flush()
    child.wait()
    session.stop()
    spans = {int(number): span for number, span in json.loads((folder / "truth.json").read_text()).items()}
    found = judge(read_profile(folder / "samples.json"), spans)
    return Score(
        python=platform.python_version(),
        sampler=tool.name,
        rate_hz=rate_hz,
        seconds=round(session.seconds, 1),
        executions=len(spans),
        samples=found.total(),
        inside=found["right"] + found["wrong"] + found["missed"] + found["between"],
        right=found["right"],
        wrong=found["wrong"],
        missed=found["missed"],
        between=found["between"],
        unclaimed_outside=found["unclaimed_outside"],
        errors=session.words.failed.total(),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Samples given to the right execution, by known truth.")
    parser.add_argument("--rate", type=float, default=200.0, help="samples a second (default: 200)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to run (default: 10)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--program", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.program is not None:
        program(options.seconds, options.program)
        return 0
    tool = find_pyspy()
    if isinstance(tool, str):
        print(tool, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        score = measure(tool, options.rate, options.seconds, Path(folder))
    if options.json:
        print(json.dumps({**asdict(score), "share_right": score.share_right, "passes": score.passes}, indent=2))
    else:
        for name, value in asdict(score).items():
            print(f"{name:18} {value}")
        print(f"{'share right':18} {score.share_right:.4%}  {'ok' if score.passes else 'NOT ENOUGH'}")
    return 0 if score.passes else 1


if __name__ == "__main__":
    sys.exit(main())
