"""
Bring the sources of settings together: the stronger wins, and what is wrong is named.

A key that cannot be used is left out and becomes a problem, all else applies. What a
problem means is up to the door that was taken: a command stops at it, a program goes on.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

from dam_obs.config.environ import PREFIX, given_in_environ
from dam_obs.config.files import given_in_files, project_folder
from dam_obs.config.given import Given
from dam_obs.config.kinds import kinds
from dam_obs.config.origin import DEFAULT, ConfigError, ConfigProblem, Origin
from dam_obs.config.settings import Settings

logger = logging.getLogger("dam_obs.config")

_LONGEST_VALUE = 40
"""Characters of a wrong value that a message shows."""

_FEW = 5
"""Names that a message lists when none is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """Settings, where each came from, and what could not be used."""

    settings: Settings

    origins: Mapping[str, Origin]
    """For every setting, by its name."""

    problems: tuple[ConfigProblem, ...]

    project: Path
    """The folder whose files were read."""


def load_settings(
    arguments: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    lenient: bool = False,
) -> LoadedSettings:
    """
    Load settings from all sources.

    Paths that a source gives become absolute: in a file they start at the project's
    folder, elsewhere at `folder`.

    Args:
        arguments: Setting name to value; `None` as a value means that the option was not given.
        environ: Environment variables; without it those of this process.
        folder: Where to start looking for files; without it the current folder.
        lenient: For use inside a program, which must not fail because of our
            configuration: what is wrong is left out, logged once and counted as a fault ``config``.

    Raises:
        ConfigError: Something is unknown or does not fit; never if `lenient`.
    """
    loaded = collect_settings(arguments, environ=environ, folder=folder)
    if loaded.problems and not lenient:
        raise ConfigError(loaded.problems)
    for problem in loaded.problems:
        from dam_obs.trace import faults  # recording stands above settings and imports them

        faults.count("config")
        _log_once(str(problem))
    return loaded


def collect_settings(
    arguments: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> LoadedSettings:
    """Load settings as `load_settings` does, say nothing, and leave what is wrong to the caller."""
    folder = _current_folder() if folder is None else folder.absolute()
    project = project_folder(folder)
    everything = chain(
        given_in_files(project),
        given_in_environ(os.environ if environ is None else environ, folder),
        _given_as_arguments(arguments or {}, folder),
    )
    values, origins, problems = _merge(everything)
    every_origin = {field.name: origins.get(field.name, DEFAULT) for field in fields(Settings)}
    return LoadedSettings(settings=Settings(**values), origins=every_origin, problems=tuple(problems), project=project)


_logged: set[str] = set()


def _log_once(problem: str) -> None:
    if problem in _logged:
        return
    _logged.add(problem)
    logger.warning("dam-obs: %s; this is left out, the program is not affected", problem)


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was removed while we stood in it
        return Path("/")


def _given_as_arguments(arguments: Mapping[str, object], folder: Path) -> Iterator[Given]:
    for name, value in arguments.items():
        if value is not None:
            origin = Origin("argument", "--" + name.replace("_", "-"))
            yield Given(origin, name.replace("-", "_"), value, folder)


def _merge(
    everything: Iterable[Given | ConfigProblem],
) -> tuple[dict[str, Any], dict[str, Origin], list[ConfigProblem]]:
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    problems: list[ConfigProblem] = []
    for given in everything:
        if isinstance(given, ConfigProblem):
            problems.append(given)
        elif (problem := _unknown(given)) is not None:
            problems.append(problem)
        else:
            try:
                values[given.key] = _read(given)
                origins[given.key] = given.origin
            except ValueError:
                problems.append(_misfit(given))
    return values, origins, problems


def _read(given: Given) -> object:
    kind = kinds()[given.key]
    value = kind.parse(given.value) if given.is_text and isinstance(given.value, str) else given.value
    return kind.read(value, given.folder)


def _unknown(given: Given) -> ConfigProblem | None:
    names = given.known or tuple(kinds())
    if given.key in kinds() and (given.is_text or given.key in names):
        return None
    from difflib import get_close_matches  # costly, and seldom needed

    prefix = PREFIX if given.key.startswith(PREFIX) else ""  # it would make all variables look alike
    nearest = get_close_matches(given.key.removeprefix(prefix), [name.removeprefix(prefix) for name in names], n=1)
    if nearest:
        hint = f"did you mean {prefix}{nearest[0]}?"
    elif len(names) <= _FEW:
        hint = "there are " + ", ".join(names)
    else:
        hint = "`dam-obs doctor` lists all there are"
    return ConfigProblem(given.origin, f"unknown setting; {hint}")


def _misfit(given: Given) -> ConfigProblem:
    return ConfigProblem(given.origin, f"must be {kinds()[given.key].expects}, not {_shown(given.value)}")


def _shown(value: object) -> str:
    """Show a wrong value, bounded; of what is not plain data only the type, for its `repr` is not ours to run."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _LONGEST_VALUE else repr(value[:_LONGEST_VALUE]) + "..."
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63):
        return str(value)
    return {"dict": "a table", "list": "a list"}.get(type(value).__name__, type(value).__name__)
