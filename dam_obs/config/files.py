"""
What the files of a project set.

All files are looked up in one folder, the project's: the nearest one, from the current
folder upwards, that holds ``dam-obs.toml``, ``pyproject.toml``, ``config/settings.yaml``
or ``.git``; without any, the current folder itself. The search ends below a folder that
everybody may write to, such as ``/tmp``: whoever else uses the machine does not configure
your program.

A file that does not concern us costs a look at its text at most: no parser is imported
for it, and what is malformed in it is somebody else's business.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dam_obs.config.given import Given
from dam_obs.config.lines import line_of_key
from dam_obs.config.origin import ConfigProblem, Origin, Source

SEED_KEYS = ("enabled", "output", "level")
"""What the section ``tracing:`` of ``config/settings.yaml`` may hold."""

SETTINGS_YAML = Path("config") / "settings.yaml"
_MARKS = (Path("dam-obs.toml"), Path("pyproject.toml"), SETTINGS_YAML, Path(".git"))


def project_folder(folder: Path) -> Path:
    """Return the folder whose files count for a program started in `folder`."""
    folder = folder.absolute()
    for candidate in (folder, *folder.parents):
        if candidate != folder and _anyone_may_write(candidate):
            break
        if any(os.path.exists(candidate / mark) for mark in _MARKS):
            return candidate
    return folder


def _anyone_may_write(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return True


def given_in_files(project: Path) -> Iterator[Given | ConfigProblem]:
    """Yield what the files of `project` set, the weaker file first."""
    yield from _given(project / SETTINGS_YAML, "settings.yaml", project, "tracing", SEED_KEYS)
    yield from _given(project / "pyproject.toml", "pyproject.toml", project, "tool.dam-obs")
    yield from _given(project / "dam-obs.toml", "dam-obs.toml", project, "")


def _given(
    path: Path, source: Source, project: Path, section: str, known: tuple[str, ...] = ()
) -> Iterator[Given | ConfigProblem]:
    """Yield what `section` of the file at `path` sets."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, UnicodeDecodeError) as error:
        yield ConfigProblem(Origin(source, path=path), f"cannot be read ({_reason(error)})")
        return
    if section and section.rpartition(".")[2] not in text:
        return

    table = _parse_yaml(text, path) if source == "settings.yaml" else _parse_toml(text, path, source)
    for name in filter(None, section.split(".")):
        if isinstance(table, ConfigProblem):
            break
        table = _inner(table, name, Origin(source, section, path))
    if isinstance(table, ConfigProblem):
        yield table
        return

    for key, value in table.items():
        written = f"{section}.{key}" if section else str(key)
        origin = Origin(source, written, path, line_of_key(text, (*filter(None, section.split(".")), str(key))))
        yield Given(origin, str(key).replace("-", "_"), value, project, known=known)


def _inner(table: Mapping[str, Any], name: str, origin: Origin) -> Mapping[str, Any] | ConfigProblem:
    inner = table.get(name)
    if inner is None:
        return {}
    if not isinstance(inner, dict):
        return ConfigProblem(origin, "must be a table of settings")
    return inner


def _parse_toml(text: str, path: Path, source: Source) -> Mapping[str, Any] | ConfigProblem:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        return ConfigProblem(Origin(source, path=path, line=int(found[1]) if found else None), f"is not TOML: {error}")


def _parse_yaml(text: str, path: Path) -> Mapping[str, Any] | ConfigProblem:
    import yaml

    try:
        table = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        origin = Origin("settings.yaml", path=path, line=mark.line + 1 if mark else None)
        return ConfigProblem(origin, f"is not YAML: {getattr(error, 'problem', None) or 'it cannot be parsed'}")
    return table if isinstance(table, dict) else {}


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "it is not UTF-8"
