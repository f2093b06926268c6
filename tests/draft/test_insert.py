"""Putting a drafted method into a source file: what a file is like before and after."""

from __future__ import annotations

import ast
import subprocess
import sys
from textwrap import dedent

import pytest

from dam_obs.draft.check import check
from dam_obs.draft.insert import insert
from dam_obs.draft.method import METHOD
from dam_obs.draft.names import command_type
from dam_obs.draft.source import Unplaced
from dam_obs.draft.target import choose
from dam_obs.draft.write import draft_source

MODULE = "app.systems"
MARK = "# Drafted by dam-obs, sha256 "


@pytest.fixture
def put(system):
    """Put a draft for a class into a file; the draft has no docstring to speak of."""

    def put_into(data, qualname="Extract", seen=None, draft=None, command="app.commands:Extraction", module=MODULE):
        name = f"{module}:{qualname}"
        source = draft or draft_source(small(system, name, command), "run")
        which = choose(data, qualname, seen)
        known = command_type(command or "", taken=qualname.rpartition(".")[2])
        return insert(data, source, which, command=known, module=module)

    return put_into


def small(system, name, command, **changes):
    """A system with a short draft."""
    given = {"system": name, "command_type": command, "points": [], "traits": system().traits[:2]}
    return system(**(given | changes))


def method(indent="    ", unit="    ", cmd="Extraction"):
    """What a draft of `small` puts into a class, its mark aside."""
    lines = [
        (0, "@classmethod"),
        (0, f"async def calculate_traits(cls, cmd: {cmd}, world: object) -> list[Trait]:"),
        (1, '"""'),
        (1, "Predict what one execution takes."),
        (0, None),
        (1, "Drafted from run run: 240 executions (231 success, 6 error, 3 blocked)."),
        (0, None),
        (1, "time_ms is meant to hold for 90% of executions."),
        (1, "On executions it had not seen, the linear model's median error is 8%, its bias +1%, and 10%"),
        (1, "  took longer."),
        (1, "size was 120 to 5,000,000; beyond that nothing is known."),
        (0, None),
        (1, "IOBoundTrait: 240 of 240 executions showed it."),
        (1, "ExecutionCostTrait: 240 of 240 executions showed it."),
        (1, '"""'),
        (1, "return ["),
        (2, "ExecutionCostTrait(priority=50, time_ms=max(1, round((3.1 + 0.0021 * cmd.size) * 1.4))),"),
        (2, "IOBoundTrait(),"),
        (1, "]"),
    ]
    return "\n".join("" if text is None else indent + unit * level + text for level, text in lines)


def unmarked(data):
    """A file without the lines of marks."""
    lines = data.decode("utf-8").split("\n")
    return "\n".join(line for line in lines if MARK not in line)


HEAD = """\
from __future__ import annotations

from dam_traits import Command, ExecutionCostTrait, IOBoundTrait, Trait, system

from app.commands import Extraction


"""

BODIES = {
    "at the end of the class": (
        "class Extract:\n    x = 1\n\n\ny = 2\n",
        f"class Extract:\n    x = 1\n\n{method()}\n\n\ny = 2\n",
    ),
    "at the end of the file": (
        "class Extract:\n    x = 1\n",
        f"class Extract:\n    x = 1\n\n{method()}\n",
    ),
    "at the end of a file without an end": (
        "class Extract:\n    x = 1",
        f"class Extract:\n    x = 1\n\n{method()}",
    ),
    "below the comments of the class": (
        "class Extract:\n    x = 1  # one\n    # two\n\n        # three\n\n# four\n",
        f"class Extract:\n    x = 1  # one\n    # two\n\n        # three\n\n{method()}\n\n# four\n",
    ),
    "trailing blanks and empty lines stay": (
        "class Extract:  \n    x = 1   \n \n   \ny = 2\n",
        f"class Extract:  \n    x = 1   \n\n{method()}\n \n   \ny = 2\n",
    ),
    "into a class of one line": (
        "class Extract: pass  # done\ny = 2\n",
        f"class Extract:\n    pass  # done\n\n{method()}\ny = 2\n",
    ),
    "into a class with a docstring alone": (
        'class Extract:\n    """It."""\n',
        f'class Extract:\n    """It."""\n\n{method()}\n',
    ),
    "into a class indented by tabs": (
        "class Extract:\n\tdef f(self):\n\t\treturn 1\n",
        f"class Extract:\n\tdef f(self):\n\t\treturn 1\n\n{method(chr(9), chr(9))}\n",
    ),
    "into a class indented by two": (
        "class Extract:\n  def f(self):\n    return 1\n",
        f"class Extract:\n  def f(self):\n    return 1\n\n{method('  ', '  ')}\n",
    ),
    "in the place of a method": (
        (
            "class Extract:\n    a = 1\n\n    # mine\n    @classmethod\n    # inside\n"
            "    async def calculate_traits(cls, c, w):\n"
            "        return []\n        # still inside\n\n    # of b\n    b = 2\n"
        ),
        f"class Extract:\n    a = 1\n\n    # mine\n{method()}\n\n    # of b\n    b = 2\n",
    ),
    "in the place of a method of one line at the end": (
        "class Extract:\n    def calculate_traits(self): return []",
        f"class Extract:\n{method()}",
    ),
    "below a string that looks like code": (
        'class Extract:\n    x = """\nclass Extract:\n    def calculate_traits(): pass\n"""; y = 1 # "\n',
        (
            'class Extract:\n    x = """\nclass Extract:\n    def calculate_traits(): pass\n"""; y = 1 # "\n'
            f"\n{method()}\n"
        ),
    ),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_method_goes_where_a_person_would_put_it(put, name, newline, bom):
    """Everything else is byte for byte what it was, also by other conventions of lines and marks."""
    before, after = ((HEAD + text).replace("\n", newline) for text in BODIES[name])
    done = put(bom + before.encode()).data

    assert done.startswith(bom)
    assert unmarked(done.removeprefix(bom)) == after
    assert done.count(MARK.encode()) == 1
    ast.parse(done)


@pytest.mark.parametrize("name", BODIES)
def test_writing_twice_gives_the_same_bytes(put, name):
    """The second time there is nothing to do."""
    once = put((HEAD + BODIES[name][0]).encode())
    twice = put(once.data)

    assert (once.changed, twice.changed, twice.owner) == (True, False, "draft")
    assert twice.data == once.data


def test_a_nested_class_is_found_by_its_qualified_name_and_its_lines_are_no_longer(put):
    """Lines are broken for where they will stand."""
    deep = "class Deep:\n    class Mine:\n        class Extract:\n            x = 1\n\nclass Extract:\n    y = 1\n"
    done = put((HEAD + deep).encode(), qualname="Deep.Mine.Extract").data.decode()

    assert done.endswith("\n\nclass Extract:\n    y = 1\n")
    assert "            async def calculate_traits(" in done
    assert max(map(len, done.splitlines())) <= 120


def test_a_local_class_is_found_too(put):
    """As Python calls it."""
    done = put(
        (HEAD + "def make():\n    class Extract:\n        x = 1\n    return Extract\n").encode(),
        "make.<locals>.Extract",
    )

    assert unmarked(done.data).endswith(f"        x = 1\n\n{method(' ' * 8)}\n    return Extract\n")


TWICE = """\
if FAST:
    class Extract:
        def __call__(self): return 1
else:
    class Extract:
        @traced
        def __call__(self): return 2
"""


@pytest.mark.parametrize(("line", "expected"), [(10, 0), (13, 1)])
def test_of_classes_of_one_name_it_is_the_one_that_ran(put, line, expected):
    """By the line in which its method was seen."""
    done = put((HEAD + TWICE).encode(), seen=("__call__", line)).data
    assert put(done, seen=("__call__", line)).data == done
    classes = [node for node in ast.walk(ast.parse(done)) if isinstance(node, ast.ClassDef)]

    assert [any(getattr(each, "name", "") == METHOD for each in node.body) for node in classes].index(True) == expected


FUTURE = "from __future__ import annotations\n"

REFUSED = {
    "no class": ("x = 1\n", "no class Extract: it was changed since the run"),
    "another class": ("class extract:\n    x = 1\n", "no class Extract"),
    "a function": ("async def Extract(): pass\n", "Extract is a function: pass what was drafted as calculate_traits="),
    "two classes": (TWICE, "several classes Extract, in lines 2, 5"),
    "two methods": (
        "class Extract:\n    def calculate_traits(): 1\n    def calculate_traits(): 2\n",
        "the class in line 1 has several methods calculate_traits",
    ),
    "a method under a condition": (
        "class Extract:\n    if X:\n        def calculate_traits(): 1\n",
        "the class in line 1 binds calculate_traits in a way of its own",
    ),
    "an attribute": ("class Extract:\n    calculate_traits = f\n", "binds calculate_traits in a way of its own"),
    "a decorator that has it": (
        "@system(calculate_traits=f)\nclass Extract:\n    x = 1\n",
        "the class in line 2 is given calculate_traits by its decorator, which wins",
    ),
    "another max": ("from mine import max\nclass Extract:\n    x = 1\n", "max is something else in the file (line 1)"),
    "another Trait": ("class Trait: pass\nclass Extract:\n    x = 1\n", "Trait is something else in the file (line 1)"),
    "another list in the class": (
        "class Extract:\n    def list(self): pass\n",
        "list is something else in the class (line 2)",
    ),
    "another Trait around": (
        "def f(Trait):\n    class Extract:\n        x = 1\n",
        "Trait is something else in the file (line 1)",
    ),
    "no Python": ("class Extract:\n", "the file cannot be parsed"),
    "another encoding": ("# coding: latin-1\nclass Extract:\n    x = 1\n", "declares the encoding iso-8859-1"),
    "an unknown encoding": ("# coding: no-such\nclass Extract: pass\n", "declares an encoding that Python does not"),
    "bytes that are no text": ("class Extract: pass # \udcff\n", "not UTF-8"),
    "a lone carriage return": ("class Extract:\n    x = 1\r    y = 1\n", "a carriage return without a line feed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_where_it_is_not_clear_it_is_refused_with_the_reason(put, name):
    """No guess is made."""
    text, why = REFUSED[name]
    qualname = "f.<locals>.Extract" if "around" in name else "Extract"

    with pytest.raises(Unplaced) as caught:
        put(text.encode("utf-8", "surrogateescape"), qualname)
    assert why in str(caught.value)


IMPORTS = {
    "all are there": (HEAD, HEAD),
    "none is there": (
        "",
        (
            "from typing import TYPE_CHECKING\n\nfrom dam_traits import ExecutionCostTrait, IOBoundTrait, Trait\n\n"
            "if TYPE_CHECKING:\n    from app.commands import Extraction\n\n\n"
        ),
    ),
    "below a docstring": (
        '"""It."""\n\n\n',
        (
            '"""It."""\n\nfrom typing import TYPE_CHECKING\n\n'
            "from dam_traits import ExecutionCostTrait, IOBoundTrait, Trait\n\n"
            "if TYPE_CHECKING:\n    from app.commands import Extraction\n\n\n"
        ),
    ),
    "below a header and a docstring": (
        '#!/usr/bin/env python\n# coding: utf-8\n"""It."""\n\n',
        (
            '#!/usr/bin/env python\n# coding: utf-8\n"""It."""\n\nfrom typing import TYPE_CHECKING\n\n'
            "from dam_traits import ExecutionCostTrait, IOBoundTrait, Trait\n\n"
            "if TYPE_CHECKING:\n    from app.commands import Extraction\n\n\n"
        ),
    ),
    "below a header": (
        "#!/usr/bin/env python\n# licence\n\n",
        (
            "#!/usr/bin/env python\n# licence\n\nfrom typing import TYPE_CHECKING\n\n"
            "from dam_traits import ExecutionCostTrait, IOBoundTrait, Trait\n\n"
            "if TYPE_CHECKING:\n    from app.commands import Extraction\n\n"
        ),
    ),
    "among others, in order": (
        FUTURE + "\nimport abc\nimport zlib\nfrom app.commands import Extraction\n\n# ours\nfrom app import x\n\n\n",
        FUTURE + "\nimport abc\nimport zlib\n\nfrom dam_traits import ExecutionCostTrait, IOBoundTrait, Trait\n\n"
        "from app.commands import Extraction\n\n# ours\nfrom app import x\n\n\n",
    ),
    "into a statement": (
        FUTURE + "from dam_traits import Command, Trait, system  # why\nfrom app.commands import Extraction\n\n\n",
        FUTURE + "from dam_traits import Command, ExecutionCostTrait, IOBoundTrait, Trait, system  # why\n"
        "from app.commands import Extraction\n\n\n",
    ),
    "into a statement of many lines": (
        FUTURE
        + "from dam_traits import (\n    Command,  # one\n    system\n)\nfrom app.commands import Extraction\n\n\n",
        FUTURE
        + "from dam_traits import (\n    Command,  # one\n    ExecutionCostTrait,\n    IOBoundTrait,\n    Trait,\n"
        "    system\n)\nfrom app.commands import Extraction\n\n\n",
    ),
    "into a block for the checker": (
        FUTURE + "from typing import TYPE_CHECKING\nfrom dam_traits import ExecutionCostTrait, IOBoundTrait, Trait\n\n"
        "if TYPE_CHECKING:\n    from app.commands import Other\n\n\n",
        FUTURE + "from typing import TYPE_CHECKING\nfrom dam_traits import ExecutionCostTrait, IOBoundTrait, Trait\n\n"
        "if TYPE_CHECKING:\n    from app.commands import Extraction, Other\n\n\n",
    ),
    "what the checker alone has is not there": (
        FUTURE + "from typing import TYPE_CHECKING\n\nfrom app.commands import Extraction\n\n"
        "if TYPE_CHECKING:\n    from dam_traits import IOBoundTrait\n\n\n",
        FUTURE
        + "from typing import TYPE_CHECKING\n\nfrom dam_traits import ExecutionCostTrait, IOBoundTrait, Trait\n\n"
        "from app.commands import Extraction\n\nif TYPE_CHECKING:\n    from dam_traits import IOBoundTrait\n\n\n",
    ),
    "the command from elsewhere in its package": (
        HEAD.replace("from app.commands", "from ."),
        HEAD.replace("from app.commands", "from ."),
    ),
    "behind statements that share a line": (
        FUTURE + 'import abc; x = """\n"""\nfrom app.commands import Extraction\n\n',
        FUTURE + 'import abc; x = """\n"""\n\nfrom dam_traits import ExecutionCostTrait, IOBoundTrait, Trait\n'
        "from app.commands import Extraction\n\n",
    ),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_imports_that_are_missing_are_added_in_their_places(put, name):
    """And no others."""
    before, after = IMPORTS[name]
    done = unmarked(put((before + "class Extract:\n    x = 1\n").encode()).data)
    head = done[: done.index("class Extract")]

    assert head == after
    assert put((head + "class Extract:\n    x = 1\n").encode()).data.startswith(head.encode())


def test_a_statement_that_would_be_too_long_becomes_a_block(put):
    """Each name on its own line."""
    names = ", ".join(f"A{number:015}" for number in range(5))
    done = put(f"{FUTURE}from dam_traits import {names}\nclass Extract:\n    x = 1\n".encode()).data.decode()

    assert "from dam_traits import (\n    A000000000000000,\n" in done
    assert "    ExecutionCostTrait,\n    IOBoundTrait,\n    Trait,\n)\n" in done


@pytest.mark.parametrize(
    ("head", "cmd"),
    [
        (FUTURE, "Extraction"),
        ("", '"Extraction"'),
        ("from app.commands import Extraction\n", "Extraction"),
        ("if 1:\n    from app.commands import Extraction\n", "Extraction"),
        ("import typing\nif typing.TYPE_CHECKING:\n    from app.commands import Extraction\n", '"Extraction"'),
    ],
)
def test_an_annotation_is_quoted_where_it_would_be_looked_up_too_early(put, head, cmd):
    """The command's class is imported for the type checker alone, so the module must not ask for it."""
    assert f"cmd: {cmd}, world" in put((head + "class Extract:\n    x = 1\n").encode()).data.decode()


def test_a_command_of_the_same_file_is_not_imported(put):
    """If it stands above it is there, if below it is quoted."""
    above = put(b"class Extraction: pass\nclass Extract:\n    x = 1\n", command=f"{MODULE}:Extraction").data.decode()
    below = put(b"class Extract:\n    x = 1\nclass Extraction: pass\n", command=f"{MODULE}:Extraction").data.decode()

    assert "import Extraction" not in above + below
    assert "cmd: Extraction," in above
    assert 'cmd: "Extraction",' in below
    with pytest.raises(Unplaced, match="Extraction is no longer in the file"):
        put(b"class Extract:\n    x = 1\n", command=f"{MODULE}:Extraction")


def test_what_is_written_is_still_a_draft(put, system):
    """The method of the file, behind the imports of its draft, passes the same check."""
    draft = draft_source(small(system, f"{MODULE}:Extract", "app.commands:Extraction"), "run")
    done = put((HEAD + "class Extract:\n    x = 1\n").encode()).data.decode()
    head = draft[: draft.index("    @classmethod")]

    check(head + done[done.index(f"    {MARK}") :], command=command_type("app.commands:Extraction", taken="Extract"))


EDITS = {
    "a number": ("1.4", "1.5", "edited"),
    "a word of the docstring": ("Predict what", "Guess what", "edited"),
    "a comment": ("return [", "return [  # sure", "edited"),
    "a comment at the end": ("        ]\n", "        ]\n        # sure\n", "edited"),
    "a decorator": ("    @classmethod", "    @cached\n    @classmethod", "edited"),
    "the mark": (MARK, MARK + "0", "person"),
    "the mark's place": ("method\n", "method\n    # so it is\n", "person"),
    "blanks": ("(cls, cmd", "(  cls,\n    cmd", "draft"),
    "lines": ("        return [", "\n\n        return [", "draft"),
    "a last comma": ("priority=50, ", "priority=50  , ", "draft"),
    "quotes and parentheses": ("(3.1 + 0.0021 * cmd.size)", "((3.1 + (0.0021 * cmd.size)))", "draft"),
}


@pytest.mark.parametrize("name", EDITS)
def test_whose_a_method_is_shows(put, system, name):
    """Code, words and comments count as an edit; layout is a formatter's."""
    old, new, owner = EDITS[name]
    written = put((HEAD + "class Extract:\n    x = 1\n").encode()).data.decode()
    assert old in written
    other = draft_source(small(system, f"{MODULE}:Extract", "app.commands:Extraction", executions=7), "run")

    done = put(written.replace(old, new, 1).encode(), draft=other)
    assert (done.owner, done.changed) == (owner, True)


def test_a_method_that_says_the_same_stays_as_it_is_laid_out(put):
    """A project's formatter is not worked against."""
    written = put((HEAD + "class Extract:\n    x = 1\n").encode()).data.replace(b"(cls, cmd", b"(\n        cls, cmd")

    done = put(written)
    assert (done.changed, done.data) == (False, written)


def test_a_draft_that_was_moved_by_hand_is_left_alone(put):
    """It has no mark, and needs none: it says the same."""
    text = (HEAD + dedent(f"class Extract:\n{method()}\n")).encode()
    done = put(text)

    assert (done.owner, done.changed, done.data) == ("person", False, text)


SORTED = [
    '"""It."""\n\n',
    '"""It."""\n\nprint(1)\n\n\n',
    f"{FUTURE}\nimport abc\nimport zlib\n\nprint(abc, zlib)\n\n\n",
    f"{FUTURE}\nimport zlib\nfrom abc import ABC\n\nfrom app.commands import Extraction\n\nprint(zlib, ABC)\n\n\n",
    f"{FUTURE}\nfrom dam_traits import system\nfrom zope import x\n\nfrom app import y\n\nprint(system, x, y)\n\n\n",
    f"{FUTURE}\nimport attrs\n\nfrom . import z\n\nprint(attrs, z)\n\n\n",
    (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from collections.abc import Sized\n\n"
        'x: "Sized"\n\n\n'
    ),
    f"{FUTURE}\nfrom dam_traits import (\n    Command,\n    system,\n)\n\nprint(Command, system)\n\n\n",
    "#!/usr/bin/env python\n\n\n",
    "# licence\n",
    "",
]


def test_a_file_that_was_formatted_and_sorted_still_is(put, tmp_path):
    """By ruff's formatter, its order of imports, and its search for unused and unknown names."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "commands.py").touch()
    body = "class Extract:\n    x = 1\n\n    def f(self) -> None: ...\n\n\nclass Other: ...\n"
    for number, head in enumerate(SORTED):
        (tmp_path / "app" / f"s{number}.py").write_bytes(put((head + body).encode()).data)

    for command in (["format", "--check", "--diff"], ["check", "--select", "I,F", "--config", "src = ['.']"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "--line-length", "120", "app"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
