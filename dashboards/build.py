"""
``python -m dashboards.build``: write the dashboards, or with ``--check`` say which are not what this would write.

What is written is committed, so that people without Python can load it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from dashboards import itself, layers, overview, scheduler, systems
from dashboards.encode import encode
from dashboards.model import Dashboard
from dashboards.points import LayerOperations, read_layers

FOLDER: Final = Path(__file__).parent / "generated"

PAGES: Final[Sequence[Callable[[Sequence[LayerOperations]], Dashboard]]] = (
    overview.page,
    layers.page,
    scheduler.page,
    systems.page,
    itself.page,
)


def files() -> dict[str, str]:
    """Return what each file is to hold, by its name."""
    operations = read_layers()
    dashboards = [page(operations) for page in PAGES]
    return {f"{each.uid}.json": json.dumps(encode(each), indent=2) + "\n" for each in dashboards}


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of files that are missing, not as they would be made, or made by nothing."""
    wanted = files()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write(folder: Path = FOLDER) -> list[str]:
    """Make the folder hold what it is to hold; return the names of files that were changed."""
    changed = stale(folder)
    wanted = files()
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is stale")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files are (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.check:
        names = stale(options.folder)
        for name in names:
            print(f"{name} is stale: run `make dashboards` and commit what it writes", file=sys.stderr)
        return 1 if names else 0
    for name in write(options.folder):
        print(f"Changed {options.folder / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
