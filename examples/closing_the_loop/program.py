"""The program: compress many files with whatever system the world chooses, and say how that went."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from compressing import Compress, Gzip, Zlib
from dam_traits import Cheapest, ExecutionRecord, World

KB = 1024
SMALL = (4 * KB, 32 * KB)
LARGE = (1024 * KB, 2048 * KB)
FILES = 90


class Tally:
    """Counts which system ran for what."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()

    def observe(self, record: ExecutionRecord) -> None:
        """Count one."""
        kind = "large" if (record.size or 0) >= LARGE[0] else "small"
        self.runs[f"{kind} by {record.system.rpartition(':')[2]}"] += 1


def make_files(folder: Path) -> list[Compress]:
    """Make the files, the same every time: one third large, two thirds small."""
    rng = random.Random(7)
    words = [rng.randbytes(rng.randint(2, 9)) for _ in range(300)]
    commands = []
    for number in range(FILES):
        size = rng.randint(*(LARGE if number % 3 == 0 else SMALL))
        path = folder / f"{number}.bin"
        path.write_bytes(b"".join(rng.choices(words, k=size // 2))[:size])
        commands.append(Compress(path, size))
    return commands


async def compress(commands: list[Compress], *, by_both: bool) -> tuple[Counter[str], float]:
    """Compress all files one after the other; tell who ran for what, and how many seconds it took."""
    tally = Tally()
    async with World("compressing", strategy=Cheapest()) as world:
        # Its profiles would learn the same in time; here what is written in the systems decides alone.
        world.observers[:] = [tally]
        world.register_system(Zlib)
        world.register_system(Gzip)
        start = time.perf_counter()
        for command in commands:
            for target in (Zlib, Gzip) if by_both else (None,):
                await world.dispatch_command(command, target_system=target).get_one_value()
        seconds = time.perf_counter() - start
        large, small = commands[:2]
        for command in (small, large):
            print((await world.debug_dispatch(command)).choice.reason)
    return tally.runs, seconds


def main() -> None:
    """Read the options, run, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--explore", action="store_true", help="have every file compressed by both systems")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what is printed there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs, seconds = asyncio.run(compress(make_files(Path(folder)), by_both=options.explore))
    for kind, count in sorted(runs.items()):
        print(f"{count:>4} {kind}")
    print(f"{FILES} files in {seconds:.2f} s")
    if options.json:
        options.json.write_text(json.dumps({"runs": runs, "seconds": seconds}))


if __name__ == "__main__":
    main()
