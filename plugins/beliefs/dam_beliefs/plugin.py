"""
Which plugins answer the hooks: those given, those installed, and the built-in ones last.

What a world does by itself is a plugin as well (`dam_beliefs.builtin`); nothing is called past the hooks.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import pluggy

from dam_beliefs import hookspecs
from dam_beliefs.errors import PluginBroken

BUILT_IN: Final = ("dam_beliefs.builtin",)
"""Modules that are plugins of every world."""


def plugin_manager(*plugins: object, installed: bool = True, without: Collection[str] = ()) -> pluggy.PluginManager:
    """
    Make a plugin manager for worlds.

    Args:
        plugins: Asked before all others, the last one first.
        installed: Whether those that distributions bring (entry-point group ``dam_beliefs``) count.
        without: Names of installed plugins to leave out.

    Raises:
        PluginBroken: One does not load, or is no plugin; the message says which, and what can be done.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for point in sorted(entry_points(group=hookspecs.PROJECT), key=lambda point: point.name) if installed else ():
        if point.name not in without:
            _load(manager, point)
    for plugin in plugins:
        _add(manager, plugin, str(getattr(plugin, "__name__", None) or type(plugin).__name__))
    # They are `trylast`: the last one to come is the last one to be asked, even after a plugin that is `trylast` too.
    for module in BUILT_IN:
        manager.register(import_module(module), module)
    return manager


def _load(manager: pluggy.PluginManager, point: EntryPoint) -> None:
    distribution = point.dist.name if point.dist is not None else "an unknown distribution"
    way_out = f"repair or uninstall {distribution}, or leave the plugin out (without={{{point.name!r}}})"
    try:
        plugin = point.load()
    except Exception as error:
        why = f"{point.value} does not load: {type(error).__name__}: {error}"
        raise PluginBroken(point.name, f"{why}; {way_out}") from error
    _add(manager, plugin, point.name)


def _add(manager: pluggy.PluginManager, plugin: object, name: str) -> None:
    if isinstance(plugin, type):
        raise PluginBroken(name, f"is a class: give an instance of it, {plugin.__name__}()")
    try:
        manager.register(plugin, name if manager.get_plugin(name) is None else None)
    except (ValueError, pluggy.PluginValidationError) as error:
        raise PluginBroken(name, str(error).splitlines()[-1]) from error
    callers = manager.get_hookcallers(plugin) or []
    unknown = [caller.name for caller in callers if not caller.has_spec()]
    if unknown or not callers:
        manager.unregister(plugin)
        raise PluginBroken(
            name,
            f"implements {', '.join(sorted(unknown))}, which is no hook of dam_beliefs"
            if unknown
            else "has no hook implementation: mark its functions with @dam_beliefs.hookimpl",
        )
