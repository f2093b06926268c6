"""A plugin builds into a world, brings hooks, is added once, and if it fails leaves nothing."""

from __future__ import annotations

import importlib.metadata
import sys
import types

import pluggy
import pytest
from dam_traits import (
    Command,
    InvalidPlugin,
    InvalidSystem,
    Plugin,
    Trait,
    TraitIdentifier,
    TraitImplementation,
    World,
    hookimpl,
)


class Ask(Command[None]): ...


class Component: ...


class Setting: ...


class Asking(Trait):
    identifier = TraitIdentifier.from_string("asking")
    Ask = Ask


def handle(cmd: Ask) -> None: ...
def broken(cmd) -> None: ...


@pytest.fixture
def world():
    return World(load_plugins=False)


class Builder(Plugin):
    def __init__(self, built=None):
        self.built = [] if built is None else built

    def build(self, world):
        self.built.append(self)
        world.add_resource(Setting())
        world.trait_manager.register(TraitImplementation(Asking, {Ask: handle}, "ask"), Component)


class Hooked:
    @hookimpl
    def dam_traits_size_of(self, command):
        return 7.0


def state(world):
    """What a plugin could have changed."""
    hooks = world.plugin_manager.get_plugins()
    return world.systems.names(), world.trait_manager.identifiers(), world.has_resource(Setting), hooks


def test_a_plugin_builds(world):
    """What it registers is there, and adding can be chained."""
    assert world.add_plugin(Builder()) is world
    assert [str(each) for each in world.trait_manager.identifiers()] == ["asking:Component"]
    assert [each.target for each in world.systems] == [handle]


def test_a_second_one_of_its_class_does_nothing(world):
    """So plugins can each add those that they need."""
    built = []
    first = Builder(built)
    world.add_plugin(first).add_plugin(Builder(built)).add_plugin(first)

    assert built == [first]


def test_a_plugin_may_add_another(world):
    """Whether that was added before or not."""

    class Depending(Plugin):
        def build(self, world):
            world.add_plugin(Builder())
            world.register_system(handle, on_command=Ask)

    world.add_plugin(Depending())

    assert len(world.systems) == 1


def test_hooks_come_with_it(world):
    """A plugin need not build: hooks are enough, of several of one class as well."""
    world.add_plugin(Hooked()).add_plugin(Hooked())

    assert world.plugin_manager.hook.dam_traits_size_of(command=Ask()) == 7.0
    assert sum(isinstance(each, Hooked) for each in world.plugin_manager.get_plugins()) == 2


def test_a_module_is_a_plugin(world):
    """With its functions, once."""
    built = []
    module = types.ModuleType("some_plugin")
    module.build = built.append
    world.add_plugin(module)
    world.add_plugin(module)

    assert built == [world]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_one_that_fails_leaves_nothing(world, error):
    """Its systems, traits, resources, hooks and plugins are gone; it can be added again."""

    class Failing(Hooked, Plugin):
        fails = True

        def build(self, world):
            world.add_plugin(Builder())
            world.register_system(handle, on_command=Ask)
            if self.fails:
                raise error

    before = state(world)
    with pytest.raises(type(error)):
        world.add_plugin(Failing())
    assert state(world) == before
    assert world.systems.for_command(Ask) == ()

    Failing.fails = False
    world.add_plugin(Failing())
    assert [each.target for each in world.systems] == [handle]


def test_an_invalid_system_in_a_plugin_leaves_what_was_there(world):
    """What was registered before the plugin stays."""
    known = world.register_system(handle, on_command=Ask)

    class Wrong(Plugin):
        def build(self, world):
            Builder().build(world)
            world.register_system(broken, on_command=Ask)

    with pytest.raises(InvalidSystem):
        world.add_plugin(Wrong())

    assert tuple(world.systems) == (known,)
    assert world.trait_manager.identifiers() == ()


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (Builder, r"Builder is a class: give an instance of it, Builder\(\)"),
        (object(), r"a object is no plugin: it has neither build\(world\) nor hook implementations"),
        (None, "None is no plugin"),
        ("builder", "'builder' is no plugin"),
    ],
)
def test_what_is_no_plugin_is_refused(world, plugin, message):
    """With the reason."""
    before = state(world)
    with pytest.raises(InvalidPlugin, match=message):
        world.add_plugin(plugin)
    assert state(world) == before


class Misspelt:
    @hookimpl
    def dam_traits_sise_of(self, command): ...


class WrongParameter:
    @hookimpl
    def dam_traits_size_of(self, commands): ...


@pytest.mark.parametrize("plugin", [Misspelt, WrongParameter])
def test_hooks_that_fit_no_specification_are_refused(world, plugin):
    """pluggy says which; the world's hooks stay what they were."""
    before = state(world)
    with pytest.raises(pluggy.PluginValidationError):
        world.add_plugin(plugin())
    assert state(world) == before
    assert world.plugin_manager.hook.dam_traits_size_of(command=Ask()) is None


def test_distributions_bring_plugins(monkeypatch):
    """By an entry point in the group ``dam_traits``, unless the world is told not to look."""
    module = types.ModuleType("brought_plugin")
    built = []
    module.build = built.append
    monkeypatch.setitem(sys.modules, "brought_plugin", module)
    point = importlib.metadata.EntryPoint("brought", "brought_plugin", "dam_traits")
    distribution = types.SimpleNamespace(entry_points=[point], metadata={"name": "brought"})
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: [distribution])

    World("without", load_plugins=False)
    world = World("with")
    world.add_plugin(module)

    assert built == [world]
