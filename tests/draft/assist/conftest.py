"""A run whose law no template can write: the longer of two ways through the work."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.draft.assist.contest import Contest, contest
from dam_obs.draft.recorded import recorded_systems
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import TraceEvent

MS = 1_000_000
SYSTEM = "shop.work:Pack"
START_MONO_NS = 10**12

HEAD = """\
from __future__ import annotations

from typing import TYPE_CHECKING

from dam_traits import ExecutionCostTrait, Trait

if TYPE_CHECKING:
    from shop.work import PackCommand


class Pack:
    @classmethod
    async def calculate_traits(cls, cmd: PackCommand, world: object) -> list[Trait]:
"""

LAW = "max(0.02 * cmd.size, 3 * cmd.count)"
"""The truth, before noise; in milliseconds."""


def write_planted_run(folder: Path, *, executions: int = 240, noise: float = 0.05, **features: object) -> RunFolder:
    """Write the events of a run, and its report."""
    run = RunFolder(folder)
    run.path.mkdir(parents=True)
    chance = random.Random(7)
    events = [_event(number, chance, noise, features) for number in range(executions)]
    run.trace.write_bytes(b"".join(msgspec.json.encode(event) + b"\n" for event in events))
    write_report(run)
    return run


def write_report(run: RunFolder) -> None:
    run.report_json.write_text(build_report(run).model_dump_json())


def _event(number: int, chance: random.Random, noise: float, features: dict[str, object]) -> TraceEvent:
    size, count = chance.randint(100, 10_000), chance.randint(1, 60)
    took_ns = int(max(0.02 * size, 3 * count) * math.exp(chance.gauss(0, noise)) * MS)
    return TraceEvent(
        trace_id=f"sys_1768312800_{number:04x}",
        parent_id=None,
        timestamp=f"2026-01-13T14:{number // 60 % 60:02d}:{number % 60:02d}+00:00",
        hrm_layer="system",
        operation="execute",
        component=SYSTEM,
        input_summary="",
        output_summary="",
        duration_ms=took_ns // MS,
        status="success",
        metadata={},
        duration_ns=took_ns,
        otel_trace_id=f"{number + 1:032x}",
        otel_span_id=f"{number + 1:016x}",
        pid=1,
        thread_id=1,
        start_mono_ns=START_MONO_NS + number * 1000 * MS,
        command="shop.work:PackCommand",
        features={"size": size, "count": count, **features},
    )


def contest_of(run: RunFolder) -> Contest:
    """Part the one system of a run."""
    report = build_report(run)
    (system,) = report.systems
    return contest(report, system, recorded_systems(run), templates=())


def answer(time_ms: str, *setup: str, head: str = HEAD) -> str:
    """What a well-behaved model says."""
    lines = [*setup, f"return [ExecutionCostTrait(priority=100, time_ms={time_ms})]"]
    body = "".join(f"        {line}\n" for line in lines)
    return f"The two ways compete, so the longer one counts.\n\n```python\n{head}{body}```\n\nThat is all.\n"


@pytest.fixture(scope="session")
def planted(tmp_path_factory) -> Contest:
    """The planted law with a noise of 5 %, parted."""
    return contest_of(write_planted_run(tmp_path_factory.mktemp("planted") / "run"))


@pytest.fixture(scope="session")
def saying() -> Callable[..., str]:
    """Make an answer with this ``time_ms``, and statements before it."""
    return answer
