"""
What a call in a process of its own costs, beside the least it could and what others take for it.

    python benchmarks/isolation.py                      # --rounds 60, --ballast 1 500 (MB in the parent), --json
    python benchmarks/isolation.py --faults 10000       # isolated calls beside exporting threads: hangs, zombies, leaks
    python benchmarks/isolation.py --timeouts 50        # how long after its time-out a call is over, its processes gone

Interleaved: one call of each way after the other, again and again; medians, and the ratio to the limit, which is
``os.fork`` with a pipe. Pools (ProcessPoolExecutor, pebble, loky) keep their workers between calls, so they start
nothing and isolate nothing from the call before: their figures are the price of a message. ``pebble, one task`` and
``ProcessPoolExecutor, one task`` make a new worker for each call, as isolation does. pebble and loky come into a folder
below ``.cache`` on first use; dam-obs does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from dam_entities import CallableRegistry, Runtime, current
from dam_entities.errors import EntityError

PEERS = Path(__file__).parent.parent / ".cache" / "isolation-peers"

LIMIT = "os.fork and a pipe (the limit)"


@CallableRegistry.register("add")
def add(a: int, b: int) -> int:
    return a + b


@CallableRegistry.register("linger")
def linger() -> int:
    """Do not end, nor let a process of one's own end, nor heed a request to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "3600"])
    while True:
        time.sleep(3600)


def plain_add(a: int, b: int) -> int:
    return a + b


def bare_fork() -> int:
    """Do the least that gives a number from another process."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        os.write(write, str(plain_add(1, 2)).encode())
        os._exit(0)
    os.close(write)
    answer = os.read(read, 100)
    os.close(read)
    os.waitpid(pid, 0)
    return int(answer)


def ours(isolation: str) -> Callable[[], int]:
    runtime = current()
    return lambda: runtime.execute_isolated("add", {"a": 1, "b": 2}, isolation=isolation).value  # type: ignore[arg-type]


def ways() -> dict[str, Callable[[], int]]:
    """Return what is compared; without other threads in the parent but those that the pools bring."""
    found: dict[str, Callable[[], int]] = {
        LIMIT: bare_fork,
        "dam_entities, fork": ours("fork"),
        "dam_entities, forkserver": ours("forkserver"),
    }
    warm = ProcessPoolExecutor(1, mp_context=get_context("forkserver"))
    found["ProcessPoolExecutor, warm"] = lambda: warm.submit(plain_add, 1, 2).result()
    found["ProcessPoolExecutor, one task"] = executor_of_one
    found.update(peers())
    return found


def executor_of_one() -> int:
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        return pool.submit(plain_add, 1, 2).result()


def peers() -> dict[str, Callable[[], int]]:
    if not install():
        return {}
    sys.path.append(str(PEERS))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(PEERS))))
    import loky
    import pebble

    pool = pebble.ProcessPool(1, context=get_context("forkserver"))
    once = pebble.ProcessPool(1, max_tasks=1, context=get_context("forkserver"))
    executor = loky.get_reusable_executor(max_workers=1)
    return {
        "pebble, warm": lambda: pool.schedule(plain_add, (1, 2)).result(),
        "pebble, one task": lambda: once.schedule(plain_add, (1, 2)).result(),
        "loky, warm": lambda: executor.submit(plain_add, 1, 2).result(),
    }


def install() -> bool:
    """Put pebble and loky where this program finds them; say whether they are there."""
    if (PEERS / "pebble").is_dir() and (PEERS / "loky").is_dir():
        return True
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        print("without pebble and loky: uv is not there to install them", file=sys.stderr)
        return False
    ran = subprocess.run([uv, "pip", "install", "--quiet", "--target", str(PEERS), "pebble", "loky"], check=False)
    return ran.returncode == 0


def compare(rounds: int, ballast_mb: int) -> dict[str, list[float]]:
    """Return the seconds of each call by way; `ballast_mb` are in the parent, and touched."""
    ballast = bytearray(os.urandom(1)) * (ballast_mb * 1024 * 1024)
    calls = ways()
    took: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 3):
        for name, call in calls.items():
            begun = time.perf_counter()
            if call() != 3:
                raise AssertionError(name)
            if number >= 3:
                took[name].append(time.perf_counter() - begun)
    assert len(ballast) == ballast_mb * 1024 * 1024
    return took


def show(took: dict[str, list[float]], ballast_mb: int) -> dict[str, Any]:
    limit = statistics.median(took[LIMIT])
    print(f"\n{ballast_mb} MB in the parent{'':>28} median ms   p95 ms   x the limit")
    rows = {}
    for name, seconds in took.items():
        middle, high = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
        rows[name] = {"median_ms": middle * 1e3, "p95_ms": high * 1e3, "ratio": middle / limit}
        print(f"  {name:42} {middle * 1e3:9.2f} {high * 1e3:8.2f} {middle / limit:13.2f}")
    ratio = rows["dam_entities, fork"]["ratio"]
    print(f"  aim: fork at most 1.5 x the limit: {'met' if ratio <= 1.5 else 'missed'} ({ratio:.2f})")
    return rows


def timeouts(calls: int) -> int:
    """Show how much later than its time-out a call is over; 1 if one took over 250 ms."""
    runtime, timeout_s, is_met = current(), 0.3, True
    for isolation in ("fork", "forkserver"):
        runtime.execute_isolated("add", {"a": 1, "b": 2}, isolation=isolation)  # type: ignore[arg-type]
        late: list[float] = []
        for _ in range(calls):
            begun = time.perf_counter()
            try:
                runtime.execute_isolated("linger", timeout=timeout_s, isolation=isolation)  # type: ignore[arg-type]
            except TimeoutError:
                late.append(time.perf_counter() - begun - timeout_s)
        middle, worst = statistics.median(late) * 1e3, max(late) * 1e3
        is_met &= len(late) == calls and worst <= 250
        print(
            f"{isolation:12} {len(late)} of {calls} timed out; over after {middle:.1f} ms more, {worst:.1f} ms at worst"
        )
    print(f"aim: at most 250 ms: {'met' if is_met else 'missed'}")
    return int(not is_met)


def faults(calls: int) -> int:
    """Run isolated calls beside threads that export, and count what must not be; 0 if there was none of it."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

    provider = TracerProvider()
    with Path(os.devnull).open("w") as nowhere:
        for _ in range(3):
            processor = BatchSpanProcessor(ConsoleSpanExporter(out=nowhere), schedule_delay_millis=5)
            provider.add_span_processor(processor)
        tracer = provider.get_tracer("isolation")
        goes_on = threading.Event()
        busy = threading.Thread(target=export, args=(tracer, goes_on), daemon=True)
        busy.start()
        counted = count(current(), calls)
        goes_on.set()
        busy.join()
        provider.shutdown()
    print(json.dumps(counted))
    return int(any(counted[name] for name in ("wrong", "hangs", "zombies", "leaked_descriptors")))


def export(tracer: Any, goes_on: threading.Event) -> None:
    while not goes_on.is_set():
        with tracer.start_as_current_span("busy"):
            time.sleep(0.001)


def count(runtime: Runtime, calls: int) -> dict[str, int]:
    runtime.execute_isolated("add", {"a": 1, "b": 2})  # the fork server and its descriptors stay
    before = len(os.listdir("/proc/self/fd"))
    wrong = hangs = 0
    asked = (("add", {"a": number, "b": 1}) for number in range(calls))
    for finished in runtime.each_isolated(asked, at_once=4, timeout=120):
        try:
            wrong += finished.value != finished.index + 1
        except TimeoutError:
            hangs += 1
        except EntityError:
            wrong += 1
        if sys.stderr.isatty() and finished.index % 100 == 0:
            print(f"\r{finished.index:,} of {calls:,}", end="", file=sys.stderr)
    return {
        "calls": calls,
        "wrong": wrong,
        "hangs": hangs,
        "zombies": zombies(),
        "leaked_descriptors": max(0, len(os.listdir("/proc/self/fd")) - before),
        "threads": threading.active_count(),
    }


def zombies() -> int:
    """Count children of this process and of its fork server that nobody has waited for."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = status.read_text().rpartition(")")
            state, parent = rest.split()[:2]
            command = Path(f"/proc/{parent}/cmdline").read_bytes()
        except OSError:
            continue
        mine = int(parent) == os.getpid() or (b"forkserver" in command and str(os.getpid()).encode() in command)
        found += state == "Z" and mine
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--ballast", type=int, nargs="+", default=[1, 500], metavar="MB")
    parser.add_argument("--faults", type=int, metavar="CALLS")
    parser.add_argument("--timeouts", type=int, metavar="CALLS")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.faults:
        return faults(asked.faults)
    if asked.timeouts:
        return timeouts(asked.timeouts)
    if len(asked.ballast) > 1:  # each in a process of its own: what the pools started stays out of the next
        for ballast in asked.ballast:
            same = ["--rounds", str(asked.rounds), "--ballast", str(ballast), *(["--json"] if asked.json else [])]
            subprocess.run([sys.executable, __file__, *same], check=True)
        return 0
    rows = show(compare(asked.rounds, asked.ballast[0]), asked.ballast[0])
    if asked.json:
        print(json.dumps({"ballast_mb": asked.ballast[0], "ways": rows}))
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the peers' pools would want to be closed, each in its own way
