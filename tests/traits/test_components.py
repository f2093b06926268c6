"""Entities have at most one component of each class; a class finds its subclasses."""

from __future__ import annotations

import pytest
from dam_traits import ComponentStorage, InvalidComponent, MemoryStorage, UnknownEntity, World
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule


class Name:
    def __init__(self, text=""):
        self.text = text


class FileName(Name): ...


class Size: ...


@pytest.fixture
def world():
    return World(load_plugins=False)


def test_an_entity_has_what_it_was_made_with(world):
    """The very objects."""
    name, size = Name(), Size()
    entity = world.create_entity(name, size)

    assert world.get_components(entity) == [name, size]
    assert world.component_types(entity) == {Name, Size}
    assert world.get_component(entity, Size) is size
    assert world.get_component(entity, FileName) is None


def test_a_component_takes_the_place_of_one_of_its_class(world):
    """Of the very class: one of a subclass stands beside it."""
    entity = world.create_entity(Name("old"))
    new, file = Name("new"), FileName("file")
    world.add_component(entity, file)
    world.add_component(entity, new)

    assert world.get_component(entity, Name) is new
    assert world.get_components(entity, Name) == [new, file]


def test_a_subclass_is_found_by_its_base(world):
    """Where there is none of the class itself."""
    file = FileName()
    entity = world.create_entity(Size(), file)

    assert world.get_component(entity, Name) is file
    assert world.entities_with(Name) == [entity]
    assert world.entities_with(Name, Size) == [entity]
    assert world.entities_with(FileName, Name) == [entity]


def test_removing_is_of_the_very_class(world):
    """It says whether there was one."""
    entity = world.create_entity(FileName())

    assert [world.remove_component(entity, each) for each in (Name, FileName, FileName)] == [False, True, False]
    assert world.component_types(entity) == set()


def test_what_is_given_out_is_the_callers(world):
    """Changing it changes no entity."""
    entity = world.create_entity(Size())
    world.get_components(entity).clear()
    world.component_types(entity).clear()

    assert world.component_types(entity) == {Size}


@pytest.mark.parametrize("entity_id", [99, -1, "1", None, [1]])
def test_an_entity_that_is_not_there_is_an_error(world, entity_id):
    """Everything that takes one says so."""
    world.create_entity()
    for use in (
        world.delete_entity,
        world.get_components,
        world.component_types,
        world.get_available_traits_for_entity,
        lambda entity: world.add_component(entity, Size()),
        lambda entity: world.remove_component(entity, Size),
        lambda entity: world.get_component(entity, Size),
    ):
        with pytest.raises(UnknownEntity, match="there is no entity"):
            use(entity_id)


def test_a_class_is_no_component(world):
    """A forgotten pair of parentheses is told, and no entity is made."""
    entity = world.create_entity()
    for use in (lambda: world.create_entity(Size), lambda: world.add_component(entity, Size)):
        with pytest.raises(InvalidComponent, match="Size is a class: a component is an instance of one"):
            use()
    assert world.storage.entities() == [entity]


def test_a_component_is_no_class(world):
    """Components are asked for and removed by their class."""
    size = Size()
    entity = world.create_entity(size)
    for use in (world.remove_component, world.get_component, world.get_components):
        with pytest.raises(InvalidComponent, match="a Size is no class: components are found by their class"):
            use(entity, size)


def test_a_storage_of_ones_own(world):
    """Whatever keeps the promise of `ComponentStorage` keeps the entities."""

    class Counting(MemoryStorage):
        puts = 0

        def put(self, entity_id, component):
            self.puts += 1
            super().put(entity_id, component)

    storage: ComponentStorage = Counting()
    world = World(storage=storage, load_plugins=False)
    world.add_component(world.create_entity(Size()), Name())

    assert storage.puts == 2


class Stored(RuleBasedStateMachine):
    """Memory storage against a dict of dicts; ids are never given twice."""

    entities = Bundle("entities")

    @initialize()
    def begin(self):
        self.storage = MemoryStorage()
        self.model = {}
        self.given = set()

    @rule(target=entities)
    def create(self):
        entity = self.storage.create()
        assert entity not in self.given
        self.given.add(entity)
        self.model[entity] = {}
        return entity

    @rule(entity=consumes(entities))
    def delete(self, entity):
        self.storage.delete(entity)
        del self.model[entity]
        with pytest.raises(UnknownEntity):
            self.storage.components(entity)

    @rule(entity=entities, kind=st.sampled_from([Name, FileName, Size]))
    def put(self, entity, kind):
        component = kind()
        self.storage.put(entity, component)
        self.model[entity][kind] = component

    @rule(entity=entities, kind=st.sampled_from([Name, FileName, Size]))
    def take(self, entity, kind):
        assert self.storage.take(entity, kind) is (self.model[entity].pop(kind, None) is not None)

    @rule()
    def compare(self):
        assert self.storage.entities() == list(self.model)
        assert {each: self.storage.components(each) for each in self.storage.entities()} == self.model


TestStored = Stored.TestCase
