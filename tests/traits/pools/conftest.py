"""Pools whose time is the test's own, and short words for needs."""

import asyncio

import pytest
from dam_traits import ResourcePools, ResourceUsageTrait


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_pools(clock):
    """Make pools on the test's clock; afterwards nothing may be held and nobody may wait."""
    made = []

    def make(capacities=None, **settings):
        made.append(ResourcePools(capacities, clock=clock, **settings))
        return made[-1]

    yield make
    for pools in made:
        assert {(state.used, state.waiting) for state in pools.state()} <= {(0, 0)}


@pytest.fixture
def need():
    """``need("cpu", ("disk/read", 2))``: one for each, amount 1 if not said."""

    def needs(*wanted):
        return tuple(ResourceUsageTrait(*([each] if isinstance(each, str) else each)) for each in wanted)

    return needs


@pytest.fixture
def settled():
    """Let all tasks run until each of them waits."""

    async def settle():
        for _ in range(5):
            await asyncio.sleep(0)

    return settle
