"""Which plugins answer a session's hooks: those given, those installed, and the built-in ones last."""

from __future__ import annotations

import pluggy

from dam_hrm import hookspecs


def plugin_manager(*plugins: object, installed: bool = True) -> pluggy.PluginManager:
    """
    Make a plugin manager for sessions.

    Args:
        plugins: Asked before all others, the last one first.
        installed: Whether those that distributions bring (entry-point group ``dam_hrm``) count.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    # Each layer has a module `defaults` with the plain rules.
    for plugin in plugins:
        manager.register(plugin)
    return manager
