"""
Read what a model answered: find the code in it, hold it against the allow-list, and take the cost out of it.

The code has to be a draft as the templates make them, or it is not looked at any further. Of
one that is, the assignments and the expression for ``time_ms`` are taken; its words, comments
and other traits are not.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Final

from dam_obs.draft.check import check
from dam_obs.draft.costs import CostSource
from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.literals import LONGEST_STRING
from dam_obs.draft.method import METHOD
from dam_obs.draft.names import CommandType
from dam_obs.draft.written import COST

MOST_ANSWER: Final = 200_000
"""Characters of an answer; a longer one is not read to its end."""

MOST_CODE: Final = 20_000
"""Characters of code; what is longer is nothing that a person reviews."""

MOST_EXPRESSION: Final = 4_000
"""Characters of the cost."""

_FENCE: Final = re.compile(r"^[ \t]{0,3}(?P<fence>`{3,}|~{3,})[^\n`]*\n", re.M)


class Refused(Exception):
    """An answer that is no draft; the text says why, without a subject."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A cost that a model wrote, checked to be a calculation."""

    cost: CostSource
    remarks: tuple[str, ...]
    """What of the answer was not taken."""


def read_answer(text: str, command: CommandType | None, *, class_name: str) -> Proposal:
    """
    Take the cost out of an answer.

    Args:
        text: All of it.
        command: The command's class, where a draft may import one.
        class_name: Of the class that a draft has.

    Raises:
        Refused: There is no draft in it.
    """
    code = code_of(text)
    try:
        check(code, command=command)
    except DraftRefused as error:
        raise Refused(f"is not what a draft may contain: {error.why}") from error
    node = next(each for each in ast.parse(code).body if isinstance(each, ast.ClassDef))
    if node.name != class_name:
        raise Refused(f"has a class {node.name}, not {class_name}")
    return _proposal(next(each for each in node.body if isinstance(each, ast.AsyncFunctionDef)))


def code_of(text: str) -> str:
    """
    Return the code in an answer: its last fenced block with the method, or all of it where nothing is fenced.

    Raises:
        Refused: There is none, or it is too long, or it breaks off.
    """
    if len(text) > MOST_ANSWER:
        raise Refused(f"is longer than {MOST_ANSWER:,} characters")
    plain = text.replace("\r\n", "\n")
    blocks, is_open = _blocks(plain)
    found = [block for block in blocks if METHOD in block]
    if not found and is_open:
        raise Refused("breaks off in the middle of the code")
    if not blocks and f"async def {METHOD}" in plain:
        found = [plain.strip("\n") + "\n"]
    if not found:
        raise Refused(f"has no code with {METHOD} in it")
    if len(found[-1]) > MOST_CODE:
        raise Refused(f"has more than {MOST_CODE:,} characters of code")
    return found[-1]


def _blocks(text: str) -> tuple[list[str], bool]:
    """Return the fenced blocks, and whether a last one was not closed."""
    blocks: list[str] = []
    place = 0
    while opened := _FENCE.search(text, place):
        closing = re.compile(rf"^[ \t]{{0,3}}{re.escape(opened['fence'])}[`~]*[ \t]*$", re.M)
        closed = closing.search(text, opened.end())
        if closed is None:
            return blocks, True
        blocks.append(text[opened.end() : closed.start()])
        place = closed.end()
    return blocks, False


def _proposal(method: ast.AsyncFunctionDef) -> Proposal:
    *statements, last = [each for each in method.body if not isinstance(each, ast.Expr)]
    assert isinstance(last, ast.Return) and isinstance(last.value, ast.List)  # noqa: S101, PT018 - `check` saw to it
    costs = [each for each in last.value.elts if _trait(each) == COST]
    others = [each for each in last.value.elts if _trait(each) != COST]
    if len(costs) != 1:
        raise Refused(f"returns {len(costs)} {COST}, not one")
    times = [each.value for each in _keywords(costs[0]) if each.arg == "time_ms"]
    if len(times) != 1:
        raise Refused(f"returns an {COST} without a time_ms")
    time = _as_whole(times[0])
    parts: list[ast.stmt | ast.expr] = [*statements, time]
    _require_plain(parts)
    cost = CostSource(
        expression=_ascii(time),
        setup=tuple(_ascii(each) for each in statements),
        imports_math=_uses(parts, "math"),
        imports_enum=_uses(parts, "Enum"),
    )
    if len(cost.expression) + sum(map(len, cost.setup)) > MOST_EXPRESSION:
        raise Refused(f"has a cost of more than {MOST_EXPRESSION:,} characters")
    left = ["It also stated other traits; these are as the evidence has them."] if others else []
    return Proposal(cost, tuple(left))


def _trait(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _keywords(node: ast.expr) -> list[ast.keyword]:
    return node.keywords if isinstance(node, ast.Call) else []


def _as_whole(time: ast.expr) -> ast.expr:
    """Make a whole number of at least 1 of a time, where it is not written as one already."""
    match time:
        case ast.Call(func=ast.Name(id="max"), args=[ast.Constant(value=1), ast.Call(func=ast.Name(id="round"))]):
            return time
    rounded = ast.Call(ast.Name("round"), [time], [])
    return ast.fix_missing_locations(ast.Call(ast.Name("max"), [ast.Constant(1), rounded], []))


def _require_plain(parts: list[ast.stmt | ast.expr]) -> None:
    """Refuse names and texts that a reviewer could take for others."""
    for node in (below for part in parts for below in ast.walk(part)):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if not name.isascii():
            raise Refused("has a name that is not in ASCII")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > LONGEST_STRING:
            raise Refused(f"has a text of more than {LONGEST_STRING} characters")


def _ascii(node: ast.AST) -> str:
    """Write code so that what a reviewer sees is what is there; texts alone may hold other characters."""
    return ast.unparse(node).encode("ascii", "backslashreplace").decode("ascii")


def _uses(parts: list[ast.stmt | ast.expr], name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for part in parts for node in ast.walk(part))
