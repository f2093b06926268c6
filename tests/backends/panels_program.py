"""
The program whose figures fill the panels: run under ``dam-obs run``, until its standard input ends.

Over and over it goes through the scripted session of ``examples/hrm_session``, has entities forked, and has a
world run systems whose traits are true or promise too little, that refuse, fail and wait for each other. Its
metrics go out by OTLP, as its spans do.
"""

from __future__ import annotations

import asyncio
import runpy
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dam_entities import CallableRegistry, Entity, EntityRegistry
from dam_hrm import Address, HrmError, Pattern, Session, hookimpl, plugin_manager
from dam_traits import Command, ExecutionCostTrait, ResourceUsageTrait, Trait, World, system
from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

SESSION = Path(__file__).parents[2] / "examples" / "hrm_session"


@dataclass(frozen=True)
class Read(Command[int]):
    """Something to do."""

    size: int


class TooLarge(Exception):
    """A reader gives up."""


@system(on_command=Read)
class Careful:
    """Takes what it says; only one at a time."""

    async def __call__(self, cmd: Read) -> int:
        await asyncio.sleep(0.02)
        return cmd.size

    @classmethod
    async def calculate_traits(cls, cmd: Read, world: World) -> list[Trait]:
        return [ResourceUsageTrait("disk/read"), ExecutionCostTrait(time_ms=20)]


@system(on_command=Read)
class Boastful:
    """Takes ten times what it says, and refuses what is small."""

    async def __call__(self, cmd: Read) -> bool:
        await asyncio.sleep(0.02)
        return cmd.size > 1

    @classmethod
    async def calculate_traits(cls, cmd: Read, world: World) -> list[Trait]:
        return [ExecutionCostTrait(time_ms=2)]


@system(on_command=Read)
class Fragile:
    """Fails at what is large."""

    async def __call__(self, cmd: Read) -> int:
        if cmd.size > 2:
            raise TooLarge
        return cmd.size


class Student(Entity):
    """Somebody who gets older."""

    name: str
    age: int


@CallableRegistry.register("birthday")
def birthday(student: Student) -> Student:
    """Make them a year older."""
    student.age += 1
    return student


class Broken:
    """A plugin that fails."""

    @hookimpl
    def dam_hrm_focus_gate_check(self) -> None:
        raise TooLarge

    @hookimpl
    def dam_hrm_reasoning_classify(self) -> None:
        raise TooLarge

    @hookimpl
    def dam_hrm_learning_pattern_add(self) -> None:
        raise TooLarge

    @hookimpl
    def dam_hrm_memory_read(self, address: Address) -> None:
        if address.namespace == "broken":
            raise TooLarge


PATTERN = Pattern(pattern_code="p", when={}, then="dialogue", confidence=0.5, source="here")


async def mishaps() -> None:
    """Have something fail in each layer, and ask for more care than there is in one step."""
    async with Session(plugins=plugin_manager(Broken()), name="mishaps") as session:
        for each in (
            session.turn("What is a chapter?"),
            session.focus.change_stance("execution"),
            session.learning.add(PATTERN),
            session.memory.read("broken", "record"),
        ):
            with suppress(HrmError):
                await each
        await session.reasoning.escalate(3, trigger="uncertainty")


async def work(world: World) -> None:
    """Have everything run once."""
    await asyncio.gather(*(world.dispatch_command(Read(each), Careful).get_all_results() for each in range(4)))
    for target in (Boastful, Fragile):
        for size in (1, 2, 3):
            try:
                await world.dispatch_command(Read(size), target).get_all_results()
            except TooLarge:
                continue


async def work_until(ended: threading.Event) -> None:
    """Have a world work until it is said to be over."""
    async with World("library", capacities={"disk": 1}) as world:
        for each in (Careful, Boastful, Fragile):
            world.register_system(each)
        while not ended.is_set():
            await work(world)
            await asyncio.sleep(0.2)


def talk_until(ended: threading.Event) -> None:
    """Hold the scripted session over and over, and let somebody grow older meanwhile."""
    while not ended.is_set():
        runpy.run_path(str(SESSION), run_name="__main__")
        asyncio.run(mishaps())
        student = EntityRegistry.register(Student(name="Bob", age=18))
        CallableRegistry.execute("birthday", {"student": f"@{student.ecs_id}"})
        ended.wait(0.2)


def main() -> None:
    """Work until there is nobody left to work for."""
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=500)
    metrics.set_meter_provider(MeterProvider([reader]))
    ended = threading.Event()
    threads = [
        threading.Thread(target=talk_until, args=(ended,)),
        threading.Thread(target=lambda: asyncio.run(work_until(ended))),
    ]
    for each in threads:
        each.start()
    sys.stdin.read()
    ended.set()
    for each in threads:
        each.join()


if __name__ == "__main__":
    main()
