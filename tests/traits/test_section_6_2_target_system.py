"""Section 6.2: `target_system` names the one that runs; the strategy is not asked."""

import asyncio

import pytest
from dam_traits import Command, ExecutionCostTrait, ResourceUsageTrait, UnknownCommand, UnknownTarget, World
from dam_traits.hookspecs import hookimpl


class Ask(Command[str]): ...


class AskMore(Ask): ...


class Other(Command[str]): ...


async def one(cmd: Ask) -> str:
    return "one"


async def two(cmd: Ask) -> str:
    return "two"


class Three:
    async def __call__(self, cmd: Ask) -> str:
        return "three"


async def other(cmd: Other) -> str:
    return "other"


@pytest.fixture
def world():
    world = World(load_plugins=False)
    for target in (one, two, Three):
        world.register_system(target, on_command=Ask)
    world.register_system(other, on_command=Other)
    return world


def run(world, target, command=None):
    return asyncio.run(world.dispatch_command(command or Ask(), target_system=target).get_all_results())


@pytest.mark.parametrize(
    ("target", "result"),
    [
        (two, "two"),
        (Three, "three"),
        (f"{__name__}:two", "two"),
        ("two", "two"),
        ("Three", "three"),
        (f"{__name__.rpartition('.')[2]}:one", "one"),
    ],
)
def test_ways_to_name_one(world, target, result):
    """A function, a class, a name, or a name's end."""
    assert run(world, target) == [result]


def test_a_system_itself(world):
    """As it was given back when it was registered."""
    assert run(world, world.register_system(one, on_command=Ask)) == ["one"]


def test_a_handler_of_a_base_class(world):
    """It handles the command, so it can be named."""
    assert run(world, two, AskMore()) == ["two"]


@pytest.mark.parametrize("target", ["nobody", "tw", "wo", "", ":", "two#2", other, "other", len, 3, one.__code__])
def test_an_unknown_one_is_refused_when_dispatched(world, target):
    """The error lists those that could have been named; nothing runs, and the world works on."""
    with pytest.raises(UnknownTarget, match=r"is none of those that could run: Ask is handled by .*:one, ") as raised:
        world.dispatch_command(Ask(), target_system=target)

    assert raised.value.candidates == tuple(f"{__name__}:{each}" for each in ("one", "two", "Three"))
    assert run(world, one) == ["one"]


def test_a_system_of_another_world(world):
    """Even if it is made of the same function."""
    stranger = World(load_plugins=False).register_system(one, on_command=Ask)

    with pytest.raises(UnknownTarget, match=f"target_system {__name__}:one is none of those"):
        world.dispatch_command(Ask(), target_system=stranger)


def test_an_end_that_several_have(world):
    """The error lists only those."""

    def make():
        async def one(cmd: Ask) -> str:
            return "another one"

        return one

    world.register_system(make(), on_command=Ask)

    with pytest.raises(UnknownTarget, match="'one' is the end of several names") as raised:
        world.dispatch_command(Ask(), target_system="one")

    assert raised.value.candidates == (
        f"{__name__}:one",
        f"{__name__}:test_an_end_that_several_have.<locals>.make.<locals>.one",
    )
    assert run(world, f"{__name__}:one") == ["one"]
    assert run(world, "make.<locals>.one") == ["another one"]


def test_of_a_command_that_nobody_handles(world):
    """The command is what is wrong then."""

    class Unheard(Command[None]): ...

    with pytest.raises(UnknownCommand):
        world.dispatch_command(Unheard(), target_system=one)


def test_many_candidates_are_not_all_listed():
    """The message stays readable; the error carries all."""
    world = World(load_plugins=False)
    for _ in range(50):

        async def system(cmd: Ask): ...

        world.register_system(system, on_command=Ask)

    with pytest.raises(UnknownTarget) as raised:
        world.dispatch_command(Ask(), target_system="nobody")

    assert len(raised.value.candidates) == 50
    assert str(raised.value).endswith(", ...")
    assert len(str(raised.value)) < 2000


def test_nothing_is_selected_and_pools_are_taken(world):
    """Neither the strategy nor other systems' traits are asked; this one's are, and its pools are taken."""
    asked = []

    class Watch:
        @hookimpl
        def dam_traits_select(self):
            asked.append("select")

        @hookimpl
        def dam_traits_find_handlers(self):
            asked.append("find")

    async def needs(cmd, world):
        asked.append("traits")
        return [ResourceUsageTrait("disk"), ExecutionCostTrait(priority=999)]

    async def uses(cmd: Ask, world: World):
        return [state.used for state in world.pools.state()]

    async def unasked(cmd, world):
        raise AssertionError("asked")

    async def elsewhere(cmd: Ask): ...

    world.pools.set_capacity("disk", 1)
    world.register_system(uses, on_command=Ask, calculate_traits=needs)
    world.register_system(elsewhere, on_command=Ask, calculate_traits=unasked)
    execution = world.dispatch_command(Ask(), target_system=uses)
    world.add_plugin(Watch())

    assert asyncio.run(execution.get_all_results()) == [[1]]
    assert asked == ["traits"]
