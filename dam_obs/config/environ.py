"""
Settings as environment variables: one for each setting, read here and written for child processes.

A variable whose name begins with ``_DAM_OBS_`` is a message between processes of
dam-obs, not a setting, and is none of this module's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from dam_obs.config.given import Given
from dam_obs.config.kinds import kinds
from dam_obs.config.origin import DEFAULT, ConfigError, ConfigProblem, Origin
from dam_obs.config.settings import Settings

PREFIX = "DAM_OBS_"
SEED_SWITCH = "DOPEJAR_TRACE"


def variable_of(setting: str) -> str:
    """Return the name of the environment variable of `setting`."""
    return PREFIX + setting.upper()


def given_in_environ(environ: Mapping[str, str], folder: Path) -> Iterator[Given]:
    """Yield what the environment sets, the weaker first; relative paths start at `folder`."""
    if environ.get(SEED_SWITCH):
        yield Given(Origin("environment", SEED_SWITCH), "enabled", environ[SEED_SWITCH], folder, is_text=True)

    known = {variable_of(name): name for name in kinds()}
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        setting = known.get(variable)
        if _is_set(setting, environ[variable]):
            origin = Origin("environment", variable)
            yield Given(origin, setting or variable, environ[variable], folder, is_text=True, known=tuple(known))


def _is_set(setting: str | None, text: str) -> bool:
    """Tell whether a variable counts: an empty one sets a list to nothing and leaves all else as it was."""
    return bool(text) or setting is None or kinds()[setting].separator is not None


def settings_to_environ(settings: Settings, origins: Mapping[str, Origin] | None = None) -> dict[str, str]:
    """
    Turn settings into the variables that give a child process the same ones.

    Args:
        settings: What the child is to have.
        origins: From `LoadedSettings`; then values that were set to what is the default
            are passed as well, so that a file the child reads cannot change them.

    Returns:
        Variables for what differs from the default; paths in them are absolute, since a
        child may start in another folder.

    Raises:
        ConfigError: An element of a list holds the separator of that list.
    """
    defaults = Settings()
    origins = origins or {}
    return {
        variable_of(name): _text(name, value)
        for name, value in ((field.name, getattr(settings, field.name)) for field in fields(Settings))
        if value != getattr(defaults, name) or (value is not None and origins.get(name, DEFAULT) != DEFAULT)
    }


def _text(name: str, value: object) -> str:
    kind = kinds()[name]
    if isinstance(value, Path):
        return kind.write(value.absolute())
    if not isinstance(value, tuple):
        return kind.write(value)

    elements = tuple(each.absolute() if isinstance(each, Path) else each for each in value)
    for each in elements:
        if kind.separator and kind.separator in str(each):
            origin = Origin("environment", variable_of(name))
            says = f"{each} holds {kind.separator!r} and so cannot be handed to a child process: rename it"
            raise ConfigError([ConfigProblem(origin, says)])
    return kind.write(elements)
