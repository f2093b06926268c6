"""Declarations are found by reading files."""

from __future__ import annotations

import os

import pytest

from dam_obs.draft.declared import NotASource, read_declarations

SOURCE = """\
from dam_traits import IOBoundTrait, system
from elsewhere import Base

async def cost(cmd, world):
    return [IOBoundTrait()]

@system(calculate_traits=cost)
class Given:
    @classmethod
    async def calculate_traits(cls, cmd, world):
        return 1 / 0

@system(on_command=int, calculate_traits=cost)
def function(cmd): ...

class Own:
    @classmethod
    async def calculate_traits(cls, cmd, world):
        return [IOBoundTrait()]

class Child(Own): ...

class Stranger(Base): ...

class Bare: ...

class Assigned:
    calculate_traits = cost

@system(calculate_traits=lambda cmd, world: [])
class Expression: ...

class Outer:
    class Inner:
        @classmethod
        async def calculate_traits(cls, cmd, world):
            return []

if True:
    class Conditional:
        @staticmethod
        async def calculate_traits(cmd, world):
            return []
"""


@pytest.fixture
def source(tmp_path):
    """A package below a folder of sources."""
    folder = tmp_path / "src" / "shop"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "work.py").write_text(SOURCE)
    return tmp_path / "src"


FOUND = {
    "Given": (4, True),
    "function": (4, True),
    "Own": (18, True),
    "Child": (18, True),
    "Stranger": (23, None),
    "Bare": (25, None),
    "Assigned": (28, "its calculate_traits is assigned"),
    "Expression": (30, "its calculate_traits is given by an expression"),
    "Outer.Inner": (36, True),
    "Conditional": (42, True),
}


@pytest.mark.parametrize(("qualname", "expected"), FOUND.items(), ids=FOUND.keys())
def test_each_kind_of_declaration_is_found(source, qualname, expected):
    """With the line that it stands in."""
    (found,) = read_declarations(source, []).of(f"shop.work:{qualname}", None)

    told = found.calculation and (found.calculation.why_not or found.calculation.plain is not None)
    assert (found.line, told) == expected
    assert found.may_inherit == (qualname == "Stranger")
    assert found.is_base == (qualname == "Own")


PLACES = [
    ("", "shop.work:Own", 1),
    ("shop", "shop.work:Own", 1),
    ("shop/work.py", "shop.work:Own", 1),
    ("", "work:Own", 1),
    ("", "shop.other:Own", 0),
    ("", "other.work:Own", 0),
    ("", "shop.work:Gone", 0),
    ("", "shop.work", 0),
    ("", "", 0),
    ("", "../../etc:passwd", 0),
]


@pytest.mark.parametrize(("below", "system", "number"), PLACES)
def test_a_system_is_found_by_its_module_and_name(source, below, system, number):
    """Whether a folder, the package or the file is named."""
    assert len(read_declarations(source / below, [system]).of(system, None)) == number


def test_a_program_is_found_by_its_file(source):
    """Its module is ``__main__``, whatever the file is called."""
    found = read_declarations(source, ["__main__:Own"])

    assert len(found.of("__main__:Own", "/srv/app/work.py")) == 1
    assert found.of("__main__:Own", "/srv/app/other.py") == []


def test_the_closest_of_several_is_taken(source):
    """And if there is none, all of them, for nobody can tell."""
    twin = source / "old" / "shop"
    twin.mkdir(parents=True)
    (twin / "work.py").write_text(SOURCE)
    found = read_declarations(source, [])

    assert len(found.of("shop.work:Own", None)) == 2
    assert [each.module for each in found.of("old.shop.work:Own", None)] == ["old.shop.work"]


BROKEN = {
    "syntax": (b"class calculate_traits(:", "it is not valid Python"),
    "bytes": (b"\xff\xfe calculate_traits", "it is no UTF-8 text"),
    "null": b"x\0calculate_traits",
    "deep": (b"x = " + b"-" * 100_000 + b"1 # calculate_traits", None),
    "large": (b"# calculate_traits" + b"#" * 3_000_000, "it is longer than 2,000,000 bytes"),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_cannot_be_read_is_said_to_be(source, content, recwarn):
    """And the others are read all the same; the parser's warnings are nobody's business."""
    raw, why = content if isinstance(content, tuple) else (content, "it is not valid Python")
    (source / "broken.py").write_bytes(raw)
    (source / "odd.py").write_text("calculate_traits = '\\d'\n")
    found = read_declarations(source, [])

    assert list(found.unread) == [source / "broken.py"]
    assert why is None or found.unread[source / "broken.py"] == why
    assert len(found.of("shop.work:Own", None)) == 1
    assert not recwarn.list


def test_environments_hidden_folders_and_links_are_not_searched(source, tmp_path):
    """Nor is anything that lies outside."""
    for name in (".hidden", "venv", "node_modules"):
        (source / name).mkdir()
        (source / name / "work.py").write_text(SOURCE)
    outside = tmp_path / "outside.py"
    outside.write_text(SOURCE)
    (source / "link.py").symlink_to(outside)
    (source / "folder").symlink_to(tmp_path)

    assert {each.file for each in read_declarations(source, []).found} == {source / "shop" / "work.py"}


def test_nothing_of_a_source_is_run(source, tmp_path):
    """It is not even imported."""
    (source / "shop" / "work.py").write_text(f"open({str(tmp_path / 'done')!r}, 'w')\n{SOURCE}")

    assert read_declarations(source, []).found
    assert not (tmp_path / "done").exists()


def test_a_folder_without_python_is_bad_input(tmp_path):
    """Rather than nothing to check."""
    with pytest.raises(NotASource, match="has no Python files"):
        read_declarations(tmp_path, [])


def test_a_pipe_is_not_waited_for(source):
    """Whatever it is called, and whether it is found or named."""
    os.mkfifo(source / "pipe.py")
    found = read_declarations(source, [])

    assert found.unread == {source / "pipe.py": "it is no file"}
    assert read_declarations(source / "pipe.py", []).unread == {source / "pipe.py": "it is no file"}
