"""
Settings of dam-obs: what there is to set, where each value came from, and which source wins.

From the weakest to the strongest:

1. the defaults of `Settings`;
2. the section ``tracing:`` of ``config/settings.yaml`` (``enabled``, ``output``, ``level``);
3. ``[tool.dam-obs]`` in ``pyproject.toml``;
4. ``dam-obs.toml``;
5. the environment: ``DOPEJAR_TRACE``, then ``DAM_OBS_*``;
6. arguments: options of a command, or what a program passes.

A command stops at what is unknown or does not fit. Inside a program, which must never
fail because of our configuration, `load_settings(lenient=True)` leaves it out and goes on.
"""

from __future__ import annotations

from dam_obs.config.environ import settings_to_environ, variable_of
from dam_obs.config.load import LoadedSettings, collect_settings, load_settings
from dam_obs.config.origin import ConfigError, ConfigProblem, Origin
from dam_obs.config.settings import Settings

__all__ = [
    "ConfigError",
    "ConfigProblem",
    "LoadedSettings",
    "Origin",
    "Settings",
    "collect_settings",
    "load_settings",
    "settings_to_environ",
    "variable_of",
]
