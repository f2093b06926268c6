"""Records, clocks and processes for the tests of what is learnt."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from dam_traits.learning import ExecutionRecord

NOW = 1_790_000_000.0
"""When every test's clock starts."""

MS = 1_000_000


class Clock:
    """Unix time in the test's hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def record(clock: Clock) -> Callable[..., ExecutionRecord]:
    """Make a record of now: 10 ms and a success, unless told otherwise."""

    def make(duration_ms: float = 10.0, **fields: Any) -> ExecutionRecord:
        plain = ExecutionRecord(
            system="shop:Resize",
            version="v1",
            command="shop:Picture",
            status="success",
            duration_ns=round(duration_ms * MS),
            started_unix_s=clock.now,
        )
        return replace(plain, **fields)

    return make


WRITER = """
import os, sys, time
from dam_traits.learning import ExecutionRecord, ProfileStore

def record(duration_ms=10.0, system="shop:Resize", version="v1"):
    return ExecutionRecord(system=system, version=version, command="shop:Picture", status="success",
        duration_ns=round(duration_ms * 1e6), started_unix_s=time.time())

def say(text):
    print(text, flush=True)
"""


@pytest.fixture
def start() -> Any:
    """Start another Python that has `record`, `say`, `ProfileStore` and its arguments in `sys.argv`."""
    started: list[subprocess.Popen[str]] = []

    def run(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-c", WRITER + code, *map(str, arguments)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
