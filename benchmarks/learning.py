"""
What learning costs: nothing of it may grow with history.

    python benchmarks/learning.py [--most 1000000]

For histories of 100 records and up to a million, of one system with durations and sizes spread over
four orders of magnitude: the time for the next record, for an answer that is kept (what the scheduler
asks before each execution), for the first answer after a record, for writing a flush interval's
records to the file, and for reading the profile in another run; how many numbers the profile holds
in memory, and how large the file is. Times are the fastest of several rounds, since this machine
does other things too.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dam_traits.learning import ExecutionRecord, ProfileStore
from dam_traits.learning.database import ProfileDatabase
from dam_traits.learning.sketch import Decay

SYSTEM = ("shop:Resize", "0123456789abcdef")
ROUNDS = 7
A_ROUND = 500


def records(rng: random.Random) -> Iterator[ExecutionRecord]:
    """Make records without end: time goes with size, with noise, one in twenty fails."""
    while True:
        size = 10 ** rng.uniform(2, 6)
        duration_ns = int((2e6 + 300 * size) * rng.lognormvariate(0, 0.3))
        yield ExecutionRecord(
            system=SYSTEM[0],
            version=SYSTEM[1],
            command="shop:Picture",
            status="success" if rng.random() < 0.95 else "error",
            duration_ns=duration_ns,
            cpu_ns=duration_ns // 5,
            started_unix_s=time.time(),
            size=size,
        )


def fastest_us(work: Callable[[], object], times: int) -> float:
    """Give the time of one call, in the fastest of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - started)
    return min(rounds) / times * 1e6


def row(folder: Path, history: int, source: Iterator[ExecutionRecord]) -> str:
    path = folder / f"{history}.db"
    store = ProfileStore(path, flush_every_s=3600.0)
    for _ in range(history):
        store.observe(next(source))
    store.flush()
    more = [next(source) for _ in range(A_ROUND)]

    def observe() -> None:
        for record in more:
            store.observe(record)

    def ask() -> None:
        for _ in range(A_ROUND):
            store.observed_traits(*SYSTEM, 5000.0)

    def observe_and_ask() -> None:
        for record in more:
            store.observe(record)
            store.observed_traits(*SYSTEM, record.size)

    record_us = fastest_us(observe, A_ROUND)
    answer_us = fastest_us(ask, A_ROUND)
    first_answer_us = fastest_us(observe_and_ask, A_ROUND) - record_us
    flush_ms = min(_flush_ms(store, more) for _ in range(ROUNDS))
    numbers = store.profile(*SYSTEM).bins
    store.close()
    read_ms = min(_read_ms(path) for _ in range(ROUNDS))
    size = _content_bytes(path)
    return (
        f"{history:>9,} {record_us:>10.2f} {answer_us:>10.2f} {first_answer_us:>12.2f} {flush_ms:>9.1f}"
        f" {read_ms:>9.1f} {numbers:>9,} {size / 1024:>9.0f}"
    )


def _flush_ms(store: ProfileStore, more: list[ExecutionRecord]) -> float:
    for record in more:
        store.observe(record)
    started = time.perf_counter()
    store.flush()
    return (time.perf_counter() - started) * 1e3


def _read_ms(path: Path) -> float:
    store = ProfileStore(path)
    started = time.perf_counter()
    store.observed_traits(*SYSTEM, 5000.0)
    elapsed = time.perf_counter() - started
    store.close()
    return elapsed * 1e3


def _content_bytes(path: Path) -> int:
    database = ProfileDatabase(path, Decay(3600.0), busy_timeout_s=1.0)
    try:
        return database.size_bytes()
    finally:
        database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--most", type=int, default=1_000_000, help="the longest history")
    most = parser.parse_args().most
    source = records(random.Random(7))
    print("   before     record     answer  first answer     flush      read   numbers      file")
    print("  records         us    kept us            us    500, ms        ms    in RAM       KiB")
    with tempfile.TemporaryDirectory() as folder:
        for power in range(2, 12):
            if 10**power <= most:
                print(row(Path(folder), 10**power, source), flush=True)


if __name__ == "__main__":
    main()
