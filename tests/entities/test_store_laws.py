"""
Laws of the store, over random graphs of entities, random changes and random calls.

A model beside the store remembers what each version held when it was made; the store must say the same for ever.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from dam_entities import Entity, Runtime, plugin_manager
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule


class Thing(Entity):
    name: str = ""
    number: float = 0.0
    things: list[Thing] = []
    by_key: dict[str, Thing] = {}
    pair: tuple[Thing, ...] = ()
    values: dict[str, list[int]] = {}
    anything: Any = None


def shape(entity: Entity, seen: dict[UUID, int] | None = None) -> Any:
    """Return what an entity holds, and which of the entities in it are the same version: one object in a copy."""
    seen = {} if seen is None else seen
    if entity.ecs_id in seen:
        return ("again", seen[entity.ecs_id])
    seen[entity.ecs_id] = len(seen)
    return tuple((name, _value(value, seen)) for name, value in entity if name not in Entity.model_fields)


def _value(value: Any, seen: dict[UUID, int]) -> Any:
    if isinstance(value, Entity):
        return shape(value, seen)
    if isinstance(value, dict):
        return tuple((key, _value(item, seen)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(_value(item, seen) for item in value)
    return repr(value)


VALUES = st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers(), max_size=2))


class StoreMachine(RuleBasedStateMachine):
    """Things are made, put into each other, changed, kept, forked and handed to functions."""

    things = Bundle("things")

    @initialize()
    def begin(self) -> None:
        self.runtime = Runtime(plugins=plugin_manager(installed=False))
        self.store = self.runtime.store
        self.held: dict[Any, Any] = {}
        self.live: list[Thing] = []

        def change(one: Thing, two: Thing) -> Thing:
            one.number += 1
            two.values["called"] = [len(two.values)]
            return Thing(name="made", things=[one])

        self.runtime.callables.register("change", change)

    @rule(target=things, name=st.text(max_size=3), number=st.floats())
    def make(self, name: str, number: float) -> Thing:
        thing = Thing(name=name, number=number)
        self.live.append(thing)
        return thing

    @rule(thing=things, value=VALUES)
    def set_a_value(self, thing: Thing, value: Any) -> None:
        thing.anything = value

    @rule(thing=things, key=st.sampled_from("ab"), value=st.integers(0, 3))
    def change_a_list_in_a_dict(self, thing: Thing, key: str, value: int) -> None:
        thing.values.setdefault(key, []).append(value)

    @rule(outer=things, inner=things, place=st.sampled_from(["list", "dict", "tuple"]))
    def put_in(self, outer: Thing, inner: Thing, place: str) -> None:
        if outer in _all_in(inner):
            return  # that cycles are refused is another test's business
        if place == "list":
            outer.things.append(inner)
        elif place == "dict":
            outer.by_key["key"] = inner
        else:
            outer.pair = (*outer.pair, inner)

    @rule(thing=things)
    def take_out(self, thing: Thing) -> None:
        if thing.things:
            thing.things.pop(0)
        thing.by_key.clear()

    @rule(thing=things)
    def register(self, thing: Thing) -> None:
        before = len(self.store)
        self.store.register(thing)
        assert not self.store.has_diverged(thing)
        self.note(thing)
        kept = len(self.store)
        assert kept >= before
        self.store.register(thing)
        assert len(self.store) == kept

    @rule(target=things, thing=things)
    def take_a_copy(self, thing: Thing) -> Thing:
        self.register(thing)
        copied = self.store.get(thing.ecs_id, Thing)
        assert shape(copied) == shape(thing)
        assert not self.store.has_diverged(copied)
        return copied

    @rule(target=things, one=things, two=things)
    def call(self, one: Thing, two: Thing) -> Thing:
        if one is two or one in _all_in(two) or two in _all_in(one):
            two = Thing()
        made: Thing = self.runtime.execute("change", {"one": one, "two": two})
        for thing in (one, two, made):
            assert not self.store.has_diverged(thing)
            self.note(thing)
        return made

    def note(self, thing: Thing) -> None:
        for each in _all_in(thing):
            self.held.setdefault(each.ecs_id, shape(each))

    @invariant()
    def every_version_reads_as_it_was(self) -> None:
        for ecs_id, held in getattr(self, "held", {}).items():
            assert shape(self.store.get(ecs_id)) == held

    @invariant()
    def the_graph_is_acyclic_and_lineage_complete(self) -> None:
        if not hasattr(self, "store"):
            return
        state = self.store.state
        order = {version.ecs_id: number for number, version in enumerate(state.below(state.versions))}
        assert len(order) == len(state)
        for version in (state.version(ecs_id) for ecs_id in order):
            assert all(order[child] < order[version.ecs_id] for child in version.children)
            line = [each.ecs_id for each in state.lineage(version.lineage_id)]
            assert version.ecs_id in line
            if version.parent_id is not None:
                assert line.index(version.parent_id) < line.index(version.ecs_id)
            assert state.history(version.ecs_id)[-1] is version
            assert set(version.derived_from) <= order.keys()


def _all_in(thing: Thing) -> set[Thing]:
    found = {thing}
    for inner in [*thing.things, *thing.by_key.values(), *thing.pair]:
        found |= _all_in(inner)
    return found


StoreMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestStore = pytest.mark.timeout(600)(pytest.mark.slow(StoreMachine.TestCase))
