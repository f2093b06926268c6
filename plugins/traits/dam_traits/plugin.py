"""
What extends a world: a plugin registers systems, traits and resources, and may implement hooks.

`Plugin` is the promise a plugin keeps; `Plugins` adds them to one world, and takes back all
of one that fails. Which hooks there are stands in `hookspecs`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from dam_traits.errors import InvalidPlugin, shown
from dam_traits.hookspecs import PROJECT

if TYPE_CHECKING:
    from dam_traits.world import World


class Plugin(ABC):
    """
    Base of plugins, given to `World.add_plugin`.

    Methods marked by `dam_traits.hookspecs.hookimpl` are registered as hook implementations
    before `build` is called. Deriving from this class is not needed: any object with ``build``
    or with such functions is a plugin, a module too.
    """

    @abstractmethod
    def build(self, world: World) -> None:
        """
        Register what the plugin brings.

        Called once for each world. What it raises reaches the caller of `World.add_plugin`, and the
        systems, traits, resources, hooks and other plugins that it had registered are gone again.
        """


class Plugins:
    """The plugins of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._manager = world.plugin_manager
        self._added: set[object] = set()

    def add(self, plugin: Any) -> None:
        """
        Register a plugin's hooks, then let it build; a second one of its class does nothing.

        Raises:
            InvalidPlugin: It is a class, or has nothing that a plugin has.
            pluggy.PluginValidationError: A hook implementation for no hook, or with other parameters than the hook's.
        """
        self._check(plugin)
        if _identity(plugin) in self._added:
            return

        before = _Before(self._world, self._added)
        try:
            self._added.add(_identity(plugin))
            self._manager.register(plugin)
            self._manager.check_pending()
            _build(plugin, self._world)
        except BaseException:
            self._added = before.restore()
            raise

    def load(self) -> None:
        """Add those that installed distributions bring."""
        self._manager.load_setuptools_entrypoints(PROJECT)
        self._manager.check_pending()
        for plugin, _ in self._manager.list_plugin_distinfo():
            if _identity(plugin) not in self._added:
                self._added.add(_identity(plugin))
                _build(plugin, self._world)

    def _check(self, plugin: Any) -> None:
        if isinstance(plugin, type):
            raise InvalidPlugin(f"{plugin.__qualname__} is a class: give an instance of it, {plugin.__name__}()")
        if hasattr(plugin, "build"):
            return
        if not any(self._manager.parse_hookimpl_opts(plugin, name) for name in dir(plugin)):
            raise InvalidPlugin(f"{shown(plugin)} is no plugin: it has neither build(world) nor hook implementations")


class _Before:
    """What a world had before a plugin came."""

    def __init__(self, world: World, plugins: set[object]) -> None:
        self._world = world
        self._plugins = set(plugins)
        self._systems = set(world.systems)
        self._implementations = set(world.trait_manager.identifiers())
        self._resources = world.resources.copy()
        self._hooks = world.plugin_manager.get_plugins()

    def restore(self) -> set[object]:
        """Take away what came since; give the plugins there were."""
        world = self._world
        for identifier in world.trait_manager.identifiers():
            if identifier not in self._implementations:
                world.trait_manager.unregister(identifier)
        for system in world.systems:
            if system not in self._systems:
                world.systems.remove(system)
        for plugin in world.plugin_manager.get_plugins() - self._hooks:
            world.plugin_manager.unregister(plugin)
        world.resources = self._resources
        return self._plugins


def _identity(plugin: Any) -> object:
    """Give what makes a second plugin the same: its class where that builds, else the very object."""
    return type(plugin) if hasattr(type(plugin), "build") else id(plugin)


def _build(plugin: Any, world: World) -> None:
    build = getattr(plugin, "build", None)
    if build is not None:
        build(world)
