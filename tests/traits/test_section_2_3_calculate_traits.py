"""Seed 2.3: a system calculates its traits for each command, in an async class method."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from dam_traits import (
    Command,
    ExecutionCostTrait,
    InvalidSystem,
    IOBoundTrait,
    ResourceUsageTrait,
    Trait,
    World,
    system,
)


@dataclass(frozen=True)
class GetAssetStreamCommand(Command[bytes]):
    path: str
    size: int = 0


@system(on_command=GetAssetStreamCommand)
class GetStreamFromZipArchive:
    async def __call__(self, cmd: GetAssetStreamCommand, world: World):
        return cmd.path.encode()

    @classmethod
    async def calculate_traits(cls, cmd: GetAssetStreamCommand, world: World) -> list[Trait]:
        return [
            ResourceUsageTrait(pool_path=f"disk/read/{cmd.path.split('/')[1]}", amount=1),
            ExecutionCostTrait(priority=50, time_ms=100 + cmd.size),
            IOBoundTrait(),
        ]


@pytest.fixture
def world():
    return World(load_plugins=False)


async def predict(cmd, world):
    return [ExecutionCostTrait(time_ms=7)]


def test_traits_are_those_of_this_command(world):
    """They come from the command, not from the system alone."""
    made = world.register_system(GetStreamFromZipArchive)

    assert asyncio.run(made.calculate_traits(GetAssetStreamCommand("/hdd0/a.zip", size=5), world)) == [
        ResourceUsageTrait(pool_path="disk/read/hdd0", amount=1),
        ExecutionCostTrait(priority=50, time_ms=105),
        IOBoundTrait(),
    ]


def test_the_class_system_runs(world):
    """A class with both methods is a system as any other."""
    world.register_system(GetStreamFromZipArchive)
    command = GetAssetStreamCommand("/hdd0/a.zip")

    assert asyncio.run(world.dispatch_command(command).get_all_results()) == [b"/hdd0/a.zip"]


def test_the_scheduler_reckons_with_them(world):
    """What was calculated is what a report shows of the candidate."""
    world.register_system(GetStreamFromZipArchive)

    report = asyncio.run(world.debug_dispatch(GetAssetStreamCommand("/hdd0/a.zip")))

    assert list(report.candidates[0].predicted) == [
        ResourceUsageTrait(pool_path="disk/read/hdd0", amount=1),
        ExecutionCostTrait(priority=50, time_ms=100),
        IOBoundTrait(),
    ]


def test_a_function_has_them_beside_it(world):
    """In the decorator, where it is registered, or as an attribute."""

    def marked(cmd: GetAssetStreamCommand): ...
    def given(cmd: GetAssetStreamCommand): ...
    def attribute(cmd: GetAssetStreamCommand): ...

    system(on_command=GetAssetStreamCommand, calculate_traits=predict)(marked)
    attribute.calculate_traits = predict

    made = [
        world.register_system(marked),
        world.register_system(given, on_command=GetAssetStreamCommand, calculate_traits=predict),
        world.register_system(attribute, on_command=GetAssetStreamCommand),
    ]
    assert [each.calculate_traits for each in made] == [predict] * 3


def test_what_is_given_replaces_what_the_system_has(world):
    """So a prediction can be tried without touching the system."""
    made = world.register_system(GetStreamFromZipArchive, calculate_traits=predict)

    assert made.calculate_traits is predict


def test_a_system_need_not_have_them(world):
    """Then nothing is predicted."""

    def plain(cmd: GetAssetStreamCommand): ...

    assert world.register_system(plain, on_command=GetAssetStreamCommand).calculate_traits is None


def test_a_subclass_inherits_them(world):
    """As any class method, bound to the subclass."""

    class Derived(GetStreamFromZipArchive): ...

    assert world.register_system(Derived).calculate_traits.__self__ is Derived


class NotAsync:
    def __call__(self, cmd: GetAssetStreamCommand): ...

    @classmethod
    def calculate_traits(cls, cmd, world):
        return []


class NotAClassMethod:
    def __call__(self, cmd: GetAssetStreamCommand): ...

    async def calculate_traits(self, cmd, world):
        return []


class WithoutTheWorld:
    def __call__(self, cmd: GetAssetStreamCommand): ...

    @classmethod
    async def calculate_traits(cls, cmd):
        return []


class AsksForMore:
    def __call__(self, cmd: GetAssetStreamCommand): ...

    @classmethod
    async def calculate_traits(cls, cmd, world, *, pools):
        return []


class NoFunction:
    def __call__(self, cmd: GetAssetStreamCommand): ...

    calculate_traits = "soon"


class YieldsThem:
    def __call__(self, cmd: GetAssetStreamCommand): ...

    @classmethod
    async def calculate_traits(cls, cmd, world):
        yield IOBoundTrait()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (NotAsync, "calculate_traits is not an async function: write async def"),
        (NoFunction, "calculate_traits is not an async function"),
        (YieldsThem, "calculate_traits is not an async function"),
        (NotAClassMethod, r"calculate_traits must take \(cls, cmd, world\), as a class method: missing"),
        (WithoutTheWorld, "calculate_traits must take .*: too many positional arguments"),
        (AsksForMore, r"calculate_traits must take .*: missing a required .*argument: 'pools'"),
    ],
)
def test_one_that_cannot_be_asked_is_refused(world, target, message):
    """At registration, which then has not happened."""
    with pytest.raises(InvalidSystem, match=message):
        world.register_system(target, on_command=GetAssetStreamCommand)
    assert len(world.systems) == 0


def test_one_for_a_function_is_checked_alike(world):
    """Its parameters are the command and the world."""

    def plain(cmd: GetAssetStreamCommand): ...

    async def calculate(cmd):
        return []

    with pytest.raises(InvalidSystem, match=r"calculate_traits must take \(cmd, world\)"):
        world.register_system(plain, on_command=GetAssetStreamCommand, calculate_traits=calculate)
