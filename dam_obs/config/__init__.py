"""
Settings of dam-obs: what there is to set, where each value came from, and which source wins.

From the weakest to the strongest:

1. the defaults of `Settings`;
2. the section ``tracing:`` of ``config/settings.yaml`` (``enabled``, ``output``, ``level``);
3. ``[tool.dam-obs]`` in ``pyproject.toml``;
4. ``dam-obs.toml``;
5. the environment: ``DOPEJAR_TRACE``, then ``DAM_OBS_*``;
6. arguments: options of a command, or what a program passes.

Three doors lead to the same loading: `load_settings` collects problems, `strict_settings`
raises the first (commands), `host_settings` logs and counts them (inside a program, which
must never fail because of our configuration).
"""

from __future__ import annotations

from dam_obs.config.environ import settings_to_environ, variable_of
from dam_obs.config.load import LoadedSettings, host_settings, load_settings, strict_settings
from dam_obs.config.origin import ConfigError, ConfigProblem, Origin
from dam_obs.config.settings import Settings

__all__ = [
    "ConfigError",
    "ConfigProblem",
    "LoadedSettings",
    "Origin",
    "Settings",
    "host_settings",
    "load_settings",
    "settings_to_environ",
    "strict_settings",
    "variable_of",
]
