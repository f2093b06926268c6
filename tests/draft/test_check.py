"""What drafted code may contain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.draft.check import check
from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.names import CommandType

COMMAND = CommandType("app.commands", "Extract", None, "Extract")

HEAD = """\
from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Any

from dam_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait, Trait

if TYPE_CHECKING:
    from app.commands import Extract

"""

GOOD = (
    HEAD
    + '''
class System:  # for app:System
    """A stub."""

    @classmethod
    async def calculate_traits(cls, cmd: Extract, world: object) -> list[Trait]:
        """Predict."""
        kind = cmd.kind.name if isinstance(cmd.kind, Enum) else str(cmd.kind)
        kind_ms = {"a": 1.5, "b": -2}
        median = kind_ms.get(kind, 1.0) + 0.1 * max(cmd.size, 0) * math.log2(1 + len(cmd.entry.name))
        return [
            ResourceUsageTrait(pool_path="disk/read/vda", amount=1),
            # doubtful (confidence 0.41): ResourceUsageTrait(pool_path="cpu", amount=1)
            ExecutionCostTrait(priority=50, time_ms=max(1, round(median ** 0.5 * 1.4))),
            IOBoundTrait(),
        ]
'''
)


def method(body: str, signature: str = "cls, cmd: Extract, world: object") -> str:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    opening = f"class System:\n    @classmethod\n    async def calculate_traits({signature}) -> list[Trait]:"
    return f"{HEAD}\n{opening}\n{lines}\n"


def expression(source: str) -> str:
    return method(f"return [ExecutionCostTrait(time_ms={source})]")


def test_a_draft_with_all_that_is_allowed_passes():
    """Assignments, arithmetic, categories, and a list of traits."""
    check(GOOD, command=COMMAND)


def test_a_draft_for_a_dict_passes():
    """Items of the command are its fields."""
    signature = "cls, cmd: dict[str, Any], world: object"
    source = method(
        'return [ExecutionCostTrait(time_ms=cmd["size"] if cmd["size"] > 3 else len(cmd["entry"]))]', signature
    )

    check(source.replace("if TYPE_CHECKING:\n    from app.commands import Extract\n", ""), command=None)


ALLOWED = (
    "int(cmd.size)",
    "abs(cmd.size - 100)",
    "float(cmd.size)",
    "not cmd.flag",
    "1 if cmd.flag and cmd.size > 3 or not cmd.deep else 2",
    "3 if 1 < cmd.size <= 3 != cmd.count else 4",
    "min(cmd.size, 3) if len(cmd.name) >= 2 else math.ceil(cmd.size / 3)",
)


@pytest.mark.parametrize("source", ALLOWED)
def test_an_expression_that_only_computes_passes(source):
    """By cases, with whole numbers, and with the words that join conditions."""
    check(expression(source), command=COMMAND)


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os').system('true')",
        "exec('1')",
        "eval('1')",
        "open('/etc/passwd')",
        "getattr(cmd, 'size')",
        "world.close()",
        "world",
        "cls",
        "cls.x",
        "cmd",
        "cmd.__class__",
        "cmd._hidden",
        "cmd.size()",
        "cmd.size.bit_length()",
        "cmd.get('x')",
        "cmd['__class__']",
        "cmd[0]",
        "cmd[cmd.size]",
        "''.format(cmd.size)",
        "'%s' % 3",
        "(lambda: 1)()",
        "lambda: 1",
        "[x for x in cmd.entries]",
        "{x for x in cmd.entries}",
        "{**cmd.entries}",
        "[1]",
        "(1, 2)",
        "f'{cmd.size}'",
        "b'x'",
        "1j",
        "...",
        "u'x'",
        "(x := 3)",
        "await cmd.size",
        "(yield)",
        "*cmd.size",
        "cmd.size << 100",
        "cmd.size // 2",
        "9 ** 9999",
        "cmd.size ** cmd.size",
        "9 ** True ** 99",
        "max(*cmd.size)",
        "max(cmd.size, key=len)",
        "isinstance(cmd, int)",
        "isinstance(cmd.kind, Enum, 3)",
        "math",
        "math.inf",
        "math.factorial(99999)",
        "unknown",
        "print(1)",
        "max",
        "Enum",
        "1 < cmd.size in 3",
        "not print(1)",
        "cmd.a and open(cmd.b)",
        "int(cmd.size, base=2)",
        "int.from_bytes(cmd.name)",
        "float.fromhex(cmd.name)",
        "abs",
        "cmd.a in cmd.b",
        "cmd.a is cmd.b",
        "-" * 500 + "1" + " + 1" * 30_000,
    ],
)
def test_an_expression_with_anything_else_is_refused(source):
    """No other call, name, attribute or kind of expression."""
    with pytest.raises(DraftRefused):
        check(expression(source), command=COMMAND)


@pytest.mark.parametrize(
    "body",
    [
        "import os\nreturn []",
        "return None",
        "return",
        "pass",
        "'doc'",
        "return [IOBoundTrait()] + [IOBoundTrait()]",
        "return [IOBoundTrait]",
        "return [Trait()]",
        "return [IOBoundTrait(1)]",
        "return [IOBoundTrait(**cmd.x)]",
        "return [*cmd.x]",
        "return [print()]",
        "return [3]",
        "yield []\nreturn []",
        "while True: pass\nreturn []",
        "for x in cmd.y: pass\nreturn []",
        "if cmd.size: return []\nreturn []",
        "cmd.size = 3\nreturn []",
        "cmd = 3\nreturn []",
        "world = 3\nreturn []",
        "max = 3\nreturn []",
        "IOBoundTrait = 3\nreturn []",
        "_x = 3\nreturn []",
        "x: int = 3\nreturn []",
        "x = y = 3\nreturn []",
        "a, b = 1, 2\nreturn []",
        "x += 1\nreturn []",
        "del cmd\nreturn []",
        "global x\nreturn []",
        "print(1)\nreturn []",
        "assert cmd.size\nreturn []",
        "return []\nx = 3",
        "x = 1\nx = x.get(3).__class__\nreturn []",
    ],
)
def test_a_body_that_does_anything_else_is_refused(body):
    """Assignments to names of its own, and a list of traits."""
    with pytest.raises(DraftRefused):
        check(method(body), command=COMMAND)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import math", "import os"),
        ("import math", "import math as len"),
        ("import math", "import math, os"),
        ("from enum import Enum", "from enum import *"),
        ("from enum import Enum", "from enum import IntEnum as Enum"),
        ("from enum import Enum", "from .enum import Enum"),
        ("from typing import TYPE_CHECKING, Any", "from typing import get_type_hints"),
        ("IOBoundTrait, Resource", "IOBoundTrait as round, Resource"),
        ("from app.commands import Extract", "from app.commands import Extract as len"),
        ("from app.commands import Extract", "from os import Extract"),
        ("from app.commands import Extract", "from app.commands import Extract, Other"),
        ("from app.commands import Extract", "from app.commands import Extract; import os"),
        ("if TYPE_CHECKING:", "if True:"),
        ("if TYPE_CHECKING:\n    from", "from"),
        ("from __future__ import annotations\n", ""),
        ("class System:", "class System(object):"),
        ("class System:", "class System(metaclass=type):"),
        ("class System:", "@len\nclass System:"),
        ("class System:", "class len:"),
        ("class System:", "class _System:"),
        ("class System:", "x = 1\nclass System:"),
        ("class System:", "print(1)\nclass System:"),
        ("class System:", "class Other: pass\nclass System:"),
        ("class System:", "# ruff: noqa\nclass System:"),
        ("    @classmethod", "    x = 1\n    @classmethod"),
        ("    @classmethod", "    @staticmethod"),
        ("    @classmethod", "    @classmethod\n    @len"),
        ("    @classmethod\n", ""),
        ("async def", "def"),
        ("calculate_traits", "__init_subclass__"),
        ("cmd: Extract", "cmd: Extract = 3"),
        ("cmd: Extract", "cmd: print(1)"),
        ("cmd: Extract", "cmd"),
        ("world: object", "world: object, *more: object"),
        ("world: object", "world: object, **more: object"),
        ("world: object", "world: object, /"),
        ("world: object", "*, world: object"),
        ("-> list[Trait]", "-> list[print(1)]"),
        ("-> list[Trait]", ""),
        ("return [IOBoundTrait()]", "return [IOBoundTrait()]  # type: ignore"),
        ("return [IOBoundTrait()]", "return [IOBoundTrait()]  #noqa"),
        ("return [IOBoundTrait()]", "return [IOBoundTrait()]  # fmt: skip"),
        ("return [IOBoundTrait()]", "return [IOBoundTrait()]  # \u202e"),
        ("return [IOBoundTrait()]", "return [IOBoundTrait()]\f"),
        ("return [IOBoundTrait()]", "return [IOBoundTrait()]\0"),
        ("return [IOBoundTrait()]", "return [IOBoundTrait()"),
        ("return [IOBoundTrait()]", "return [IOBoundTrait()]" + " " * 100_000),
        ("from __future__", "# -*- coding: utf-7 -*-\nfrom __future__"),
    ],
)
def test_a_module_that_is_anything_else_is_refused(old, new):
    """One class with one method, the imports it needs, and no word to tools."""
    good = method("return [IOBoundTrait()]")
    check(good, command=COMMAND)
    assert old in good

    with pytest.raises(DraftRefused):
        check(good.replace(old, new, 1), command=COMMAND)


def test_a_refusal_names_the_line():
    """So that the author of a template finds it."""
    with pytest.raises(DraftRefused, match=r"no draft: a call that a draft has no use for \(line 16\)"):
        check(expression("exec('1')"), command=COMMAND)


def test_no_command_may_be_imported_where_there_is_none():
    """The type is `Any` then."""
    with pytest.raises(DraftRefused):
        check(GOOD, command=None)


LEAVES = ["1", "2.5", "'a'", "True", "None", "cmd.size", "cmd.entry.size", "x"]
COMPUTING = [
    "({0} + {1})", "({0} / {1})", "({0} if {1} else {2})", "({0} < {1} <= {2})", "({0} and {1} or {2})", "(not {0})",
    "-({0})", "max({0}, {1})", "int({0})", "len({0})", "math.log2({0})", "({0}) ** 2",
]  # fmt: skip
MORE = [
    "({0}).__class__", "({0})._x", "({0}).bit_length()", "({0})[0]", "[{0}]", "({0}, {1})", "{{*({0})}}", "f'{{{0}}}'",
    "({0} << {1})", "({0} % {1})", "({0} // {1})", "({0} @ {1})", "~({0})", "({0} in {1})", "({0} is {1})",
    "({0}) ** cmd.size", "lambda: {0}", "(y := {0})", "[y for y in {0}]", "open({0})", "getattr({0}, {1})", "eval({0})",
    "math.factorial({0})", "max(*{0})", "max({0}, key={1})", "str.format({0})", "({0})()", "await {0}",
]  # fmt: skip


def trees(shapes):
    """Expressions of these shapes, nested."""
    return st.recursive(
        st.sampled_from(LEAVES),
        lambda inner: st.builds(
            lambda shape, *parts: shape.format(*parts), st.sampled_from(shapes), inner, inner, inner
        ),
        max_leaves=10,
    )


@given(trees(COMPUTING))
def test_whatever_only_computes_passes(source):
    """However it is nested."""
    check(method(f"x = 1\nreturn [ExecutionCostTrait(time_ms={source})]"), command=COMMAND)


@given(trees(COMPUTING), st.sampled_from(MORE), trees(COMPUTING), st.sampled_from(COMPUTING), trees(COMPUTING))
def test_one_thing_more_anywhere_is_refused(inner, more, other, around, beside):
    """Below whatever stands around it, and beside whatever is allowed."""
    source = around.format(more.format(f"({inner})", f"({other})"), f"({beside})", "1")
    with pytest.raises(DraftRefused):
        check(method(f"x = 1\nreturn [ExecutionCostTrait(time_ms={source})]"), command=COMMAND)
