"""What dam-obs records of dam_beliefs: every operation by its hook, short ones as counts on the span around them."""

from __future__ import annotations

import pytest
from dam_beliefs import World, observability

from dam_obs import tracer
from dam_obs.points.hosts import observe
from dam_obs.points.load import load_file
from dam_obs.testing import recording

DATA = {
    "tick": 1,
    "traittypes": {
        "mind": {"type": "Mind", "composable": True},
        "tools": {"type": "str", "container": "list", "composable": True},
        "place": "str",
    },
    "archetypes": {
        "Thing": {"names": ["place"]},
        "Mental": {"traits": {"mind": {"_call": "create"}}},
        "Villager": {"traits": {"mind.append": {"tavern": ["place"]}, "tools": ["knife"]}},
        "Smith": {"traits": {"tools": ["hammer"], "tools.append": ["tongs"]}},
    },
    "prototypes": {"tavern": {"bases": ["Thing"], "traits": {"place": "green"}}},
}


@pytest.fixture
def observed(tmp_path, limit):
    """Yield what is recorded, and a world that is watched; steps below `limit` microseconds are counted only."""
    (path,) = observability.dam_obs_trace_points()
    assert "fold_below_us = 1000\n" in path.read_text()
    copied = tmp_path / path.name
    copied.write_text(path.read_text().replace("fold_below_us = 1000\n", f"fold_below_us = {limit}\n"))
    world = World.from_data(DATA)
    with recording() as record:
        watching = observe(world.hooks, [load_file(copied)])
        yield record, world
        watching.stop()


NONE, AN_HOUR = 0, 3_600_000_000


def told(record):
    return [(f"{event.hrm_layer}.{event.operation}", event.metadata) for event in record.events()]


@pytest.mark.parametrize("limit", [NONE])
def test_every_operation_is_a_span_with_its_data(observed):
    """In the order in which they end: what is made within a resolution is below it."""
    record, world = observed
    smith = world.state.add_belief(label="Bob", bases=["Mental", "Villager", "Smith"])
    world.state.lock()
    assert smith.get_trait("tools") == ("knife", "hammer", "tongs")
    world.mind.create_state(2)
    by_name = {}
    for name, metadata in told(record):
        by_name.setdefault(name, []).append(metadata)
    bob = {"belief": "Bob@1"}
    assert by_name == {
        "memory.trait_construct": [{**bob, "trait": "mind", "source": "Mental"}],
        "learning.mind_learn": [{"mind": "mind of Bob", "subject": "tavern@1", "tick": 1, "new": "place"}],
        "memory.trait_operate": [
            {**bob, "trait": "mind", "operations": "append of Villager"},
            {**bob, "trait": "tools", "operations": "append of Smith"},
        ],
        "memory.trait_resolve": [
            {"belief": "tavern@1", "trait": "place", "found": True, "sources": 1, "operations": 0},
            {**bob, "trait": "mind", "found": True, "sources": 1, "operations": 1},
            {**bob, "trait": "tools", "found": True, "sources": 2, "operations": 1},
        ],
        "memory.trait_compose": [{**bob, "trait": "tools", "sources": "Villager, Smith"}],
        "memory.state_tick": [{"tick": 2, "mind": "mind of the world"}],
    }


@pytest.mark.parametrize("limit", [NONE])
def test_what_is_remembered_is_no_event(observed):
    """The second look-up of a locked belief asks no hook."""
    record, world = observed
    smith = world.state.add_belief(label="Bob", bases=["Smith"])
    world.state.lock()
    smith.get_trait("tools")
    before = len(record.events())
    smith.get_trait("tools")
    assert len(record.events()) == before > 0


@pytest.mark.parametrize("limit", [AN_HOUR])
def test_short_ones_are_counts_on_the_span_around_them(observed):
    """A thousand look-ups are one event."""
    record, world = observed
    names = [f"smith {number}" for number in range(1000)]
    smiths = [world.state.add_belief(label=name, bases=["Smith"]) for name in names]
    world.state.lock()
    record.clear()
    with tracer.span("sys", "day", "village", ""):
        for smith in smiths:
            smith.get_trait("tools")
    day = record.event()
    counts = {name: each["count"] for name, each in day.metadata["folded"].items()}
    assert counts == {"memory.trait_operate": 1000, "memory.trait_resolve": 1000}
