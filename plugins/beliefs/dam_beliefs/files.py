"""Worlds in files: TOML and JSON to read, JSON to write."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from dam_beliefs.errors import BadWorld


def read(path: Path) -> Any:
    """
    Return what a file holds, by its name TOML or JSON.

    Raises:
        BadWorld: It is not there, not to be read, or not written as its name says.
    """
    if path.suffix not in (".toml", ".json"):
        raise BadWorld(str(path), "is named neither .toml nor .json")
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise BadWorld(str(path), f"cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise BadWorld(str(path), f"is no {path.suffix[1:].upper()}: {error}") from error


def write(path: Path, data: Any) -> None:
    """
    Write JSON; a file that is there is replaced at once or not at all.

    Raises:
        OSError: It cannot be written; what was there is as it was.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False, indent=1)
            file.write("\n")
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
