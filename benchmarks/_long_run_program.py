"""
The program of ``long_run.py``: executions as fast as the recorder takes them.

At each mark it says how far it is, and waits for a line on its standard input.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

WAITING = 20_000
"""Executions that wait to be written, at most: a queue that is full drops them."""


class Job:
    """A command with three features."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.size = number * 37 % 1000
        self.kind = "abcd"[number % 4]


def inner(job: Job) -> int:
    return sum(range(job.size % 50))


def outer(job: Job) -> int:
    return inner(job)


async def waits(job: Job) -> int:
    await asyncio.sleep(0)
    return inner(job)


async def main(executions: int, marks: list[int]) -> None:
    """Run so many executions: half of them the inner ones."""
    from dam_obs.trace.span import queue

    for number in range(0, executions, 2):
        if number >= marks[0]:
            _mark(marks.pop(0))
        if number % 1000 == 0:
            while len(queue) > WAITING:
                time.sleep(0.001)
        if number % 4:
            await waits(Job(number))
        else:
            outer(Job(number))
    _mark(executions)


def _mark(number: int) -> None:
    time.sleep(1)  # what is waiting is written
    print(number, os.getpid(), flush=True)
    sys.stdin.readline()
