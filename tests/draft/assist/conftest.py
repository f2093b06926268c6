"""A run whose law no template can write: the longer of two ways through the work."""

from __future__ import annotations

import importlib.util
import math
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import llm
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


COMMAND = "shop.work:PackCommand"


def write_planted_run(
    folder: Path, *, executions: int = 240, noise: float = 0.05, command: str = COMMAND, **features: object
) -> RunFolder:
    """Write the events of a run, and its report."""
    run = RunFolder(folder)
    run.path.mkdir(parents=True)
    chance = random.Random(7)
    events = [_event(number, chance, noise, command, features) for number in range(executions)]
    run.trace.write_bytes(b"".join(msgspec.json.encode(event) + b"\n" for event in events))
    write_report(run)
    return run


def write_report(run: RunFolder) -> None:
    run.report_json.write_text(build_report(run).model_dump_json())


def _value(given: object, number: int) -> object:
    """A feature is a value, or made of the execution's number."""
    return given(number) if callable(given) else given


def _event(number: int, chance: random.Random, noise: float, command: str, features: dict[str, object]) -> TraceEvent:
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
        command=command,
        features={"size": size, "count": count, **{name: _value(given, number) for name, given in features.items()}},
        code={"function": "shop.work:Pack.__call__", "file": "/build/src/shop/work.py", "line": 9},
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
def planted_run(tmp_path_factory) -> RunFolder:
    """A run of the planted law with a noise of 5 %."""
    return write_planted_run(tmp_path_factory.mktemp("planted") / "run")


@pytest.fixture(scope="session")
def planted(planted_run) -> Contest:
    """The same, parted."""
    return contest_of(planted_run)


@pytest.fixture(scope="session")
def plant() -> Callable[..., Contest]:
    """Make another run, parted; arguments are `write_planted_run`'s."""
    return lambda folder, **given: contest_of(write_planted_run(folder, **given))


@pytest.fixture(scope="session")
def write_planted() -> Callable[..., RunFolder]:
    """Write such a run into a folder, with its report."""
    return write_planted_run


@pytest.fixture(scope="session")
def saying() -> Callable[..., str]:
    """Make an answer with this ``time_ms``, and statements before it."""
    return answer


@pytest.fixture(scope="session")
def head() -> str:
    """The code of a good answer up to the body of its method."""
    return HEAD


@pytest.fixture(scope="session")
def models() -> ModuleType:
    """Models as plugins of llm bring them: see ``models.py``."""
    spec = importlib.util.spec_from_file_location("assist_models", Path(__file__).with_name("models.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def install(tmp_path, monkeypatch, models) -> Iterator[Callable[..., None]]:
    """Register models as an installed plugin does; llm's own files are in a folder of the test."""
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "llm"))
    monkeypatch.delenv("ACME_KEY", raising=False)
    added = []

    def register(*given):
        plugin = given[0] if isinstance(given[0], models.Broken) else models.Plugin(*given)
        llm.plugins.pm.register(plugin)
        added.append(plugin)

    yield register
    for plugin in added:
        llm.plugins.pm.unregister(plugin)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets models go on that hang, at the end of the test."""
    event = threading.Event()
    yield event
    event.set()
