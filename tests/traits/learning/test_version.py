"""A version changes when the code does, and is the same everywhere else."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dam_traits.learning import version_of

BASE = '''
import functools

def retry(times):
    return lambda function: function

@retry(times=3)
async def resize(cmd, width=100):
    """Make it small."""
    # slowly
    total = 0
    for part in cmd.parts:
        total += len(part) * width
    return {"a", "b", f"{total:>{width}}"}

class Resize:
    """A system."""
    WIDTH = 100
    def __call__(self, cmd):
        return self.helper(cmd) + 1
    def helper(self, cmd):
        return self.WIDTH
    @property
    def name(self):
        return "resize"
    @classmethod
    async def calculate_traits(cls, cmd, world):
        return []

class Special(Resize):
    pass

small = lambda cmd: cmd.size in {"a", "b", "c"}
half = functools.partial(resize, width=50)
'''
NAMES = ["resize", "Resize", "Special", "small", "half"]


@pytest.fixture
def versions(tmp_path):
    """The versions of everything in a module made of a source."""
    made = 0

    def of(source: str) -> dict[str, str]:
        nonlocal made
        made += 1
        path = tmp_path / f"module_{made}" / "shop.py"
        path.parent.mkdir()
        path.write_text(source)
        spec = importlib.util.spec_from_file_location("shop", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return {name: version_of(getattr(module, name)) for name in NAMES}

    return of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# slowly", "# quickly, and with\n    # more words"),
        ('"""Make it small."""', '"""Make it\n\n    tiny."""'),
        ('    """Make it small."""\n', ""),
        ('"""A system."""', '"""The system."""'),
        ("\nclass Resize", "\n\n\n\nclass Resize"),
        ("total += len(part) * width", "total += (len( part )*width)"),
        ("        return []", '        return ["anything"]'),
    ],
)
def test_what_is_no_code_changes_nothing(versions, old, new):
    """Comments, docstrings, layout and predictions are not the work."""
    assert versions(BASE.replace(old, new)) == versions(BASE)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("total = 0", "total = 1", {"resize", "half"}),
        ("cmd.parts", "cmd.pages", {"resize", "half"}),
        ("width=100", "width=101", {"resize", "half"}),
        ("times=3", "times=4", {"resize", "half"}),
        ("(cmd) + 1", "(cmd) + 2", {"Resize", "Special"}),
        ("return self.WIDTH", "return 2 * self.WIDTH", {"Resize", "Special"}),
        ("WIDTH = 100", "WIDTH = 200", {"Resize", "Special"}),
        ('return "resize"', 'return "reduce"', {"Resize", "Special"}),
        ("(Resize):\n    pass", "(Resize):\n    WIDTH = 1", {"Special"}),
        ('"c"}', '"d"}', {"small"}),
        ("width=50", "width=60", {"half"}),
    ],
)
def test_changed_code_changes_the_version(versions, old, new, changed):
    """A changed body changes the version of what it is the body of, and no other."""
    before, after = versions(BASE), versions(BASE.replace(old, new))

    assert {name for name in NAMES if before[name] != after[name]} == changed


def test_versions_differ(versions):
    """Different code has different versions; a class that adds nothing to another has that one's."""
    found = versions(BASE)

    assert found["Special"] == found["Resize"]
    assert len({*found.values()}) == len(NAMES) - 1


def other_pythons():
    found = []
    for number, full in (("3.12", "3.12.1"), ("3.13", "3.13.0")):
        program = shutil.which(f"python{number}")
        if program is not None:
            environment = {**os.environ, "PYENV_VERSION": full}
            if subprocess.run([program, "-c", ""], env=environment, check=False, capture_output=True).returncode == 0:
                found.append((program, environment))
    return found


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_every_process_has_the_same(tmp_path, versions, seed):
    """Versions do not depend on the process's hash seed."""
    assert asked(tmp_path, sys.executable, {**os.environ, "PYTHONHASHSEED": seed}, NAMES) == versions(BASE)


def test_every_python_has_the_same(tmp_path, versions):
    """Where there is source, versions do not depend on the version of Python."""
    pythons = other_pythons()
    if not pythons:
        pytest.skip("needs another Python")
    named = ["resize", "Resize", "Special", "half"]
    expected = {name: version for name, version in versions(BASE).items() if name in named}

    assert [asked(tmp_path, *python, named) for python in pythons] == [expected] * len(pythons)


def asked(folder: Path, python: str, environment: dict[str, str], names: list[str]) -> dict[str, str]:
    """Ask a Python for the versions of what is in `BASE`."""
    (folder / "shop.py").write_text(BASE)
    source = Path(sys.modules[version_of.__module__].__file__).read_text()
    (folder / "version.py").write_text(source)
    code = f"import shop, version; print({{name: version.version_of(getattr(shop, name)) for name in {names}}})"
    run = subprocess.run([python, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return eval(run.stdout)


def test_without_source_the_bytecode_counts():
    """Code made from a text has a version too, which changes with its body and its defaults, not with its docstring."""

    def made(source: str) -> str:
        names: dict[str, object] = {}
        exec(source, names)
        return version_of(names["f"])

    plain = made("def f(x=1):\n    'One.'\n    return [y + 1 for y in x]")

    assert made("def f(x=1):\n    'Two.'\n    return [y + 1 for y in x]") == plain
    assert made("def f(x=1):\n    'One.'\n    return [y + 2 for y in x]") != plain
    assert made("def f(x=2):\n    'One.'\n    return [y + 1 for y in x]") != plain
    assert made("def f(x=1):\n    'One.'\n    return [y - 1 for y in x]") != plain


def plain_work(cmd):
    return cmd


class Work:
    def __call__(self, cmd):
        return cmd


def test_wrapped_function_is_the_function_itself():
    """A decorator that says what it wraps, as tracing does, makes no other version."""

    @functools.wraps(plain_work)
    def traced(*args):
        return plain_work(*args)

    assert version_of(traced) == version_of(plain_work)


def test_instance_is_its_class():
    """A system registered as an instance has the version of its class."""
    assert version_of(Work()) == version_of(Work)


def test_bound_method_is_its_function():
    """What it is bound to does not count."""
    assert version_of(Work().__call__) == version_of(Work.__call__)


@pytest.mark.parametrize("target", [len, print, str.upper, functools.partial(int, base=2), object(), int])
def test_anything_has_a_version(target):
    """What has no Python code has a version as well, the same each time."""
    assert version_of(target) == version_of(target)
    assert len(version_of(target)) == 16
