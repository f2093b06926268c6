"""Finding the file of a system: below a folder and nowhere else."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from dam_obs.draft.locate import NotHere, locate

SYSTEM = {
    "system": "app.systems:Extract",
    "source_file": "/srv/build/src/app/systems.py",
    "source_line": 7,
    "source_function": "app.systems:Extract.__call__",
}


def made(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize("name", ["systems.py", "app/systems.py", "src/app/systems.py", "build/src/app/systems.py"])
def test_the_end_of_the_path_finds_it_in_another_checkout(system, tmp_path, name):
    """As long as it names the whole module."""
    made(tmp_path, name)

    if name == "systems.py":
        with pytest.raises(NotHere, match=r"is not below .*: name its folder with --source"):
            locate(system(**SYSTEM), tmp_path)
        return
    found = locate(system(**SYSTEM), tmp_path)
    assert (found.path, found.module, found.qualname) == (tmp_path / name, "app.systems", "Extract")
    assert found.seen == ("__call__", 7)


def test_the_path_itself_wins(system, tmp_path):
    """The run was on this machine."""
    made(tmp_path, "app/systems.py", "copy/app/systems.py")
    here = system(**SYSTEM | {"source_file": str(tmp_path / "copy/app/systems.py")})

    assert locate(here, tmp_path).path == tmp_path / "copy/app/systems.py"


def test_several_files_are_not_chosen_from(system, tmp_path):
    """One of them can be named."""
    made(tmp_path, "app/systems.py", "src/app/systems.py")

    with pytest.raises(NotHere, match=r"its file may be .*app/systems.py and .*app/systems.py: name one with --source"):
        locate(system(**SYSTEM), tmp_path)
    assert locate(system(**SYSTEM), tmp_path / "app/systems.py").path == tmp_path / "app/systems.py"


def test_a_file_of_another_name_is_not_it(system, tmp_path):
    """Though it was named."""
    made(tmp_path, "other.py")

    with pytest.raises(NotHere):
        locate(system(**SYSTEM), tmp_path / "other.py")


@pytest.mark.parametrize("parts", ["venv/lib/python3.11/site-packages", "usr/lib/python3/dist-packages"])
def test_what_is_installed_is_not_edited(system, tmp_path, parts):
    """It would be lost with the next installation."""
    made(tmp_path, f"{parts}/app/systems.py")
    there = system(**SYSTEM | {"source_file": str(tmp_path / parts / "app/systems.py")})

    for source in (tmp_path, tmp_path / parts, tmp_path / parts / "app/systems.py"):
        with pytest.raises(NotHere):
            locate(there, source)


def test_the_standard_library_is_not_edited(system):
    """Whatever folder is named."""
    file = Path(sysconfig.get_path("stdlib")).resolve() / "ast.py"
    there = system(**SYSTEM | {"system": "ast:AST", "source_file": str(file), "source_function": "ast:AST.f"})

    with pytest.raises(NotHere):
        locate(there, file.parent)


def test_a_link_that_leads_out_is_not_followed(system, tmp_path):
    """Of a file or a folder; one that stays inside is."""
    outside, root = tmp_path / "outside", tmp_path / "root"
    made(outside, "app/systems.py")
    root.mkdir()
    (root / "app").symlink_to(outside / "app")
    with pytest.raises(NotHere):
        locate(system(**SYSTEM), root)

    (root / "app").unlink()
    made(root, "real.py", "app/x")
    (root / "app/systems.py").symlink_to(root / "real.py")
    assert locate(system(**SYSTEM), root).path == root / "real.py"


@pytest.mark.parametrize(
    "file", ["../secret/app/systems.py", "/x/../../secret/app/systems.py", "/etc/passwd", "<string>", "a\0b.py", ""]
)
def test_a_path_never_leads_out_of_the_folder(system, tmp_path, file):
    """Whatever a trace says."""
    made(tmp_path, "secret/app/systems.py", "root/x")

    with pytest.raises(NotHere):
        locate(system(**SYSTEM | {"source_file": file}), tmp_path / "root")


def test_the_class_of_inherited_code_is_looked_for_in_its_own_module(system, tmp_path):
    """What ran stands in another file, from which the path is known."""
    made(tmp_path, "src/app/systems.py", "src/lib/base.py")
    inherited = {"source_file": str(tmp_path / "src/lib/base.py"), "source_function": "lib.base:Base.__call__"}

    found = locate(system(**SYSTEM | inherited), tmp_path)
    assert (found.path, found.seen) == (tmp_path / "src/app/systems.py", None)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"system": "Extract"}, "its name does not say which class it is"),
        ({"system": "a b:Extract"}, "its name does not say which class it is"),
        ({"source_file": None}, "the run did not note where its code is"),
        ({"source_function": "elsewhere:f"}, "what ran was code of elsewhere, and where app.systems is was not noted"),
    ],
)
def test_what_is_not_known_is_said(system, tmp_path, changes, why):
    """In one sentence."""
    with pytest.raises(NotHere, match=why):
        locate(system(**SYSTEM | changes), tmp_path)


def test_a_package_own_file_and_a_script_are_found(system, tmp_path):
    """``app/systems/__init__.py``; a script's module is called ``__main__``."""
    made(tmp_path, "app/systems/__init__.py", "tool/main.py")
    package = {"source_file": "/srv/app/systems/__init__.py"}
    script = {
        "system": "__main__:Extract",
        "source_file": "/srv/tool/main.py",
        "source_function": "__main__:Extract.__call__",
    }

    assert locate(system(**SYSTEM | package), tmp_path).path == tmp_path / "app/systems/__init__.py"
    assert locate(system(**SYSTEM | script), tmp_path).path == tmp_path / "tool/main.py"
