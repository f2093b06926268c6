"""
The program of ``oracle.py``: all systems in turns, each alone, and the books of what was true.

In each round every system does its jobs once, in an order by chance, so that whatever the
machine does meanwhile meets all of them alike.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from _oracle_systems import (
    FILE_BYTES,
    FILES,
    KINDS,
    LARGEST,
    SMALLEST,
    SYSTEMS,
    AttrsJob,
    FileJob,
    Job,
    ModelJob,
    Note,
    Own,
    Place,
    Truth,
    observed,
    queued_ns,
)

ROUNDS = 200
FRESH = 0.25
"""Share of executions that dam-obs does not see."""


@dataclass(slots=True)
class Books:
    """The truth about one system's executions."""

    executions: int = 0
    wall_ns: int = 0
    cpu_ns: int = 0
    awaiting_ns: int | None = 0
    queue_ns: int = 0
    fresh: list[tuple[dict[str, Any], int]] = field(default_factory=list)
    """Features and wall time of those that dam-obs did not see."""

    def seen(self, own: Own) -> None:
        self.executions += 1
        self.wall_ns += own.wall_ns
        self.cpu_ns += own.cpu_ns
        self.queue_ns += own.queue_ns or 0
        if own.awaiting_ns < 0:
            self.awaiting_ns = None
        if self.awaiting_ns is not None:
            self.awaiting_ns += own.awaiting_ns


def a_job(chance: random.Random, number: int) -> Job:
    return Job(
        size=round(math.exp(chance.uniform(math.log(SMALLEST), math.log(LARGEST)))),
        kind=chance.choice(list(KINDS)),
        level=chance.randint(1, 9),
        urgent=chance.random() < 0.5,
        number=number,
    )


async def play(truth: Truth, place: Place, books: Books, chance: random.Random, number: int, is_fresh: bool) -> None:
    """Have one system do its jobs of one round; nobody else works meanwhile."""
    work = truth.work if is_fresh else observed(truth.name)
    doing = []
    for _ in range(truth.at_once):
        command = truth.command(a_job(chance, number), place)
        note = _noting(books, command) if is_fresh else books.seen
        doing.append((command, place, note))
    if truth.is_async:
        await asyncio.gather(*(work(*arguments) for arguments in doing))
    elif len(doing) == 1:
        work(*doing[0])
    else:
        threads = [threading.Thread(target=work, args=arguments) for arguments in doing]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _noting(books: Books, command: Any) -> Note:
    return lambda own: books.fresh.append((_features(command), own.wall_ns))


def _features(command: Any) -> dict[str, Any]:
    """Say what a command has to say, by means of our own."""
    match command:
        case AttrsJob(size=size, level=level, number=number):
            return {"size": size, "level": level, "number": number}
        case ModelJob(size=size, kind=kind, urgent=urgent):
            return {"size": size, "kind": kind.name, "urgent": urgent}
        case FileJob(path=path, level=level):
            return {"path": str(path), "file_size(path)": path.stat().st_size, "level": level}
    return asdict(command)


def make_files(place: Place) -> None:
    place.large_file.write_bytes(os.urandom(FILE_BYTES))
    (place.folder / "warm").write_bytes(os.urandom(1 << 20))
    (place.folder / "out").write_bytes(bytes(LARGEST * 500))
    for number in range(FILES):
        place.file(number).write_bytes(bytes(round(LARGEST * 500 / 40 ** (number / FILES))))
    os.sync()


async def program(folder: Path, port: int, seed: int, rounds: int) -> None:
    """Play all systems in turns, in an order by chance, and write down the truth."""
    chance = random.Random(seed)
    place = Place(folder, port, random.Random(seed + 1))
    make_files(place)
    queued_ns()  # opens what it reads from, which no execution is to do
    books = {truth.name: Books() for truth in SYSTEMS}
    for number in range(rounds):
        place.progress = number / rounds
        for truth in chance.sample(SYSTEMS, len(SYSTEMS)):
            await play(truth, place, books[truth.name], chance, number, chance.random() < FRESH)
    (folder / "truth.json").write_text(json.dumps({name: asdict(book) for name, book in books.items()}))


def main(arguments: list[str]) -> None:
    """Be observed: ``FOLDER PORT SEED ROUNDS``."""
    folder, port, seed, rounds = arguments
    asyncio.run(program(Path(folder), int(port), int(seed), int(rounds)))
