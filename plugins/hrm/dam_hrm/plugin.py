"""
Which plugins answer a session's hooks: those given, those installed, and the built-in ones last.

What the runtime does by itself is plugins as well, a module `defaults` for each layer; nothing
is called past the hooks. Plugins are objects, so one manager may serve any number of sessions.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import pluggy

from dam_hrm import hookspecs
from dam_hrm.asking import signed
from dam_hrm.errors import HrmError

BUILT_IN: Final = {
    "dam_hrm.course": "dam_hrm.course",
    "dam_hrm.altitude": "dam_hrm.altitude.defaults",
    "dam_hrm.focus": "dam_hrm.focus.defaults",
    "dam_hrm.reasoning": "dam_hrm.reasoning.defaults",
    "dam_hrm.learning": "dam_hrm.learning.defaults",
    "dam_hrm.memory": "dam_hrm.memory.defaults",
    "dam_hrm.execution": "dam_hrm.execution.defaults",
}
"""The names of the built-in plugins, and their modules."""


class PluginBroken(HrmError):
    """A plugin cannot be used. `__cause__` is what it raised, where it did."""

    def __init__(self, plugin: str, why: str) -> None:
        super().__init__(f"plugin {plugin}: {why}")
        self.plugin = plugin


class Plugins(pluggy.PluginManager):
    """A plugin manager whose plugins sign what they answer, so that a wrong answer is laid at the right door."""

    def register(self, plugin: object, name: str | None = None) -> str | None:
        """
        Register a plugin.

        Raises:
            PluginBroken: It has no hook, one that does not exist, or one with other parameters; or it is there already.
        """
        shown = name or _name(plugin)
        if isinstance(plugin, type):
            raise PluginBroken(shown, f"is a class: give an instance of it, {plugin.__name__}()")
        if any(plugin is each for _, each in self.list_name_plugin()):
            raise PluginBroken(shown, "is registered already")
        if shown in self._names() and name is None:
            shown = f"{shown}-{len(self._names())}"
        try:
            given = super().register(plugin, shown)
            self._check(plugin, shown)
        except pluggy.PluginValidationError as error:
            if self.get_plugin(shown) is plugin:  # pluggy before 1.7 stops half way
                self.unregister(plugin)
            raise PluginBroken(shown, str(error).splitlines()[-1]) from error
        except ValueError as error:
            raise PluginBroken(shown, str(error).splitlines()[0]) from error
        return given

    def _names(self) -> set[str]:
        return {name for name, _ in self.list_name_plugin()}

    def _check(self, plugin: object, name: str) -> None:
        callers = self.get_hookcallers(plugin) or []
        unknown = [caller.name for caller in callers if not caller.has_spec()]
        if unknown or not callers:
            self.unregister(plugin)
            raise PluginBroken(name, _why_no_hook(unknown))
        for caller in callers:
            for each in caller.get_hookimpls():
                if each.plugin is plugin and not (each.wrapper or each.hookwrapper):
                    each.function = signed(each.function, name)  # type: ignore[misc]


def plugin_manager(*plugins: object, installed: bool = True, without: Collection[str] = ()) -> pluggy.PluginManager:
    """
    Make a plugin manager for sessions.

    Args:
        plugins: Asked before all others, the last one first.
        installed: Whether those that distributions bring (entry-point group ``dam_hrm``) count.
        without: Names of installed plugins to leave out.

    Raises:
        PluginBroken: One does not load, or is no plugin; the message says which, and what can be done.
    """
    manager = Plugins(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for point in _installed() if installed else ():
        if point.name not in without:
            _load(manager, point)
    for plugin in plugins:
        manager.register(plugin)
    # They are `trylast`: the last one to come is the last one to be asked, even after a plugin that is `trylast` too.
    for name, module in BUILT_IN.items():
        manager.register(import_module(module), name)
    return manager


def _installed() -> list[EntryPoint]:
    return sorted(entry_points(group=hookspecs.PROJECT), key=lambda point: point.name)


def _load(manager: pluggy.PluginManager, point: EntryPoint) -> None:
    distribution = point.dist.name if point.dist is not None else "an unknown distribution"
    without = f"without={{{point.name!r}}}, --without {point.name}"
    way_out = f"repair or uninstall {distribution}, or leave the plugin out ({without})"
    try:
        manager.register(point.load(), point.name)
    except PluginBroken as error:
        why = str(error).removeprefix(f"plugin {point.name}: ")
        raise PluginBroken(point.name, f"{why}; {way_out}") from error
    except Exception as error:
        why = f"{point.value} does not load: {type(error).__name__}: {error}"
        raise PluginBroken(point.name, f"{why}; {way_out}") from error


def _name(plugin: object) -> str:
    """Name a plugin by what it is: a module by its name, an object by its class."""
    return str(getattr(plugin, "__name__", None) or type(plugin).__name__)


def _why_no_hook(unknown: list[str]) -> str:
    if unknown:
        return f"implements {', '.join(sorted(unknown))}, which is no hook of dam_hrm"
    return "has no hook implementation: mark its functions with @dam_hrm.hookimpl"
