"""Modules and trace-point files made for a test, and recording into memory."""

import importlib
import sys
import textwrap

import pytest

from dam_obs.points.load import load_file
from dam_obs.testing.fixtures import clock, recorder  # noqa: F401 - fixtures


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write modules into a folder on the import path; what was imported from it is forgotten at the end."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def write(name, source):
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        made.append(name)
        importlib.invalidate_caches()

    yield write
    for name in made:
        sys.modules.pop(name, None)


@pytest.fixture
def imported(module):
    """Write a module and import it."""

    def write(name, source):
        module(name, source)
        return importlib.import_module(name)

    return write


@pytest.fixture
def points(tmp_path):
    """Load a trace-point file with these points, written without its [host]."""

    def load(text):
        path = tmp_path / "points.toml"
        path.write_text('[host]\nname = "demo"\n' + textwrap.dedent(text))
        return load_file(path)

    return load


@pytest.fixture
def point(points):
    """Load one point of ``system.execute`` with these targets and, before them, these lines."""

    def load(*functions, lines="", operation="execute"):
        text = (
            f'[[points]]\nlayer = "system"\noperation = "{operation}"\nmeaning = "A test"\n{textwrap.dedent(lines)}\n'
        )
        return points(text + "".join(f'[[points.targets]]\nfunction = "{each}"\n' for each in functions))

    return load
