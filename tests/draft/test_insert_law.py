"""Whatever a source file is like, a draft goes into it and nothing else in it changes, or it is refused."""

from __future__ import annotations

import ast
import itertools

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dam_obs.draft.insert import insert
from dam_obs.draft.method import METHOD
from dam_obs.draft.names import command_type
from dam_obs.draft.patch import unified
from dam_obs.draft.source import Unplaced
from dam_obs.draft.target import choose
from dam_obs.draft.write import draft_source

COMMAND = "app.commands:Extraction"
MARK = b"# Drafted by dam-obs, sha256 "

headers = st.sampled_from(
    ["", "#!/usr/bin/env python\n", "# coding: utf-8\n\n", "#!x\n# -*- coding: UTF8 -*-\n# licence\n"]
)
docstrings = st.sampled_from(["", '"""It."""\n', '"""\nIt.\n\\N{BULLET} class Extract:\n"""\n\n', "'x'; y = 1\n"])
imports = st.lists(
    st.sampled_from(
        [
            "import abc\n",
            "import zlib; import math\n",
            "import os.path as p  # why\n",
            "from dam_traits import Trait\n",
            "from dam_traits import (\n    Command,  # one\n    system,\n)\n",
            "from dam_traits import Command, \\\n    system\n",
            "from typing import TYPE_CHECKING\n",
            "from app.commands import Extraction\n",
            "from . import commands\n",
            "from .x import (y)\n",
            "\n",
            "# about the next\n",
            "if TYPE_CHECKING:\n    from app.commands import Extraction\n",
            "try:\n    import fast\nexcept ImportError:\n    fast = None\n",
            "x = 1\n",
        ]
    ),
    max_size=6,
)
members = st.lists(
    st.sampled_from(
        [
            "a = 1\n",
            "a = 1; b = 2  # é\n",
            "\n",
            "   \n",
            "# about it\n",
            "    # deeper\n",
            'x = """\n  class Extract:\n\tdef calculate_traits(): pass\n"""\n',
            "def f(self): return 1\n",
            "@traced\ndef g(self):\n    # in it\n    return {\n1: 2}  \n    # at its end\n",
            "class Extract:\n    b = 1\n",
            "class Inner:\n    def calculate_traits(self): pass\n",
            "if 1:\n    c = 1\nelse:\n    d = (1,\n  2)\n",
            "x = 1 + \\\n  2\n",
            "\x0c\n",
            "t = '\u2028\x85\\\n'\n",
        ]
    ),
    min_size=1,
    max_size=6,
)
methods = st.sampled_from(
    [
        "",
        f"def {METHOD}(self): return []\n",
        (
            f"@classmethod\n# why\nasync def {METHOD}(cls, cmd, world):\n"
            "    '''\nIt.\n    '''\n    return [  # no\n]\n    # end\n"
        ),
    ]
)
decorators = st.sampled_from(["", "@system\n", "@system(\n  on_command=C,\n)  # c\n# between\n@other\n"])
units = st.sampled_from(["    ", "  ", "\t", "   "])
endings = st.sampled_from(
    ["", "\n", "\n\n# the end", "\n\ny = 2\n", "\n# class Extract: pass\n", "\n\n\nclass Other: pass"]
)


@st.composite
def files(draw):
    """A file with a class, between two parts that have nothing to do with it."""
    unit = draw(units)
    body = [*draw(members), draw(methods), *draw(st.just([]) | members)]
    body = [*body, "z = 1\n"] if draw(st.booleans()) or not any(part.strip(" \n#") for part in body) else body
    text = "".join(_indented(part, unit) for part in body)
    future = draw(st.sampled_from(["", "from __future__ import annotations\n"]))
    head = draw(headers) + draw(docstrings) + future + "".join(draw(imports)) + draw(st.sampled_from(["", "\n\n"]))
    made = f"{head}{draw(decorators)}class Extract(object):  # it\n{text}{draw(endings)}"
    made = made.rstrip("\n") if draw(st.booleans()) else made
    if draw(st.booleans()):
        made = made.replace("\n", "\r\n")
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + made.encode()


def _indented(part, unit):
    """Indent the lines of a member, strings left as they are."""
    if '"""' in part or "'''" in part or "\\\n" in part or "\x0c" in part or "{\n" in part:
        first, *others = part.split("\n")
        kept = [line if '"""' in part or "\\\n" in part or not line.strip() else unit + line for line in others]
        return "\n".join([first if "\x0c" in first else unit + first, *kept])
    return "".join(unit + line if line.strip() else line for line in part.splitlines(keepends=True))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(data=files())
def test_only_the_method_and_its_imports_are_new(system, data):
    """Every other line is there, in order and byte for byte; the tree without both is the same; once is enough."""
    try:
        before = ast.parse(data)
    except SyntaxError:
        event("no Python")
        return
    try:
        which = choose(data, "Extract")
        done = insert(data, draft(system), which, command=command_type(COMMAND, taken="Extract"), module="app.systems")
    except Unplaced as reason:
        event(f"refused: {str(reason)[:40]}")
        return

    event("written")
    assert _tree(ast.parse(done.data)) == _tree(before)
    assert _is_within(_without_method(data), _without_method(done.data))
    assert done.data.count(MARK) == 1
    assert done.data.endswith(b"\n") == data.endswith(b"\n")
    again = insert(
        done.data, draft(system), which, command=command_type(COMMAND, taken="Extract"), module="app.systems"
    )
    assert (again.changed, unified("a.py", done.data, again.data)) == (False, b"")


DRAFTS = {}


def draft(system):
    """Make the draft once."""
    if not DRAFTS:
        DRAFTS["one"] = draft_source(system(system="app.systems:Extract", command_type=COMMAND), "run")
    return DRAFTS["one"]


def _class(tree):
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Extract")


def _methods(tree):
    return [node for node in _class(tree).body if getattr(node, "name", "") == METHOD]


def _tree(tree):
    """A file's tree without the method and all imports."""
    _class(tree).body = [node for node in _class(tree).body if getattr(node, "name", "") != METHOD]
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom) and not _checks(node)]
    return ast.dump(tree)


def _checks(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _without_method(data):
    """A file's bytes without the lines of the method, its mark and the comments at its end."""
    lines = data.split(b"\n")
    node = next(iter(_methods(ast.parse(data))), None)
    if node is None:
        return data
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    first -= lines[first - 2].strip().startswith(MARK)
    column = _blank(lines[first - 1])
    below = itertools.takewhile(lambda line: not line.strip() or _belongs(line, column), lines[node.end_lineno :])
    comments = [place for place, line in enumerate(below, node.end_lineno + 1) if line.strip()]
    return b"\n".join([*lines[: first - 1], *lines[max([node.end_lineno, *comments]) :]])


def _blank(line):
    return len(line) - len(line.lstrip())


def _belongs(line, column):
    """Whether a line is a comment further in than the method."""
    return line.strip().startswith(b"#") and _blank(line) > column


def _is_within(old, new):
    """Whether `new` is `old` with something put in between."""
    rest = iter(new.replace(b"\r\n", b"\n"))
    return all(byte in rest for byte in old.replace(b"\r\n", b"\n"))
