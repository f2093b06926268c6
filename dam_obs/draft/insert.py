"""
Put a drafted ``calculate_traits`` into the class that it is for; text in, text out.

The method is laid out for where it will stand, gets its mark, and is checked once more as
what it has become. A method that is there already is replaced, or left as it is where it
says the same. Whose it was is told, not judged: `rewrite` does that.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final, Literal

from dam_obs.draft.bindings import (
    bindings,
    has_future_annotations,
    is_there_when_defined,
    missing,
    refuse_shadows,
    wanted_imports,
)
from dam_obs.draft.check import check
from dam_obs.draft.formatting import LINE_LENGTH, formatted
from dam_obs.draft.imports import add_imports
from dam_obs.draft.method import METHOD, fingerprint, has_mark, is_as_drafted, marked, without_mark
from dam_obs.draft.names import CommandType
from dam_obs.draft.source import BOM, Unplaced, edited, newline_of, parsed, require_utf8
from dam_obs.draft.target import Target, Which, target_of

Owner = Literal["nobody", "draft", "edited", "person"]
"""Whose the method was: there was none, it was as drafted, a draft that was edited, written by hand."""

_LEVEL: Final = 4
_NARROWEST: Final = 60


@dataclass(frozen=True, slots=True)
class Inserted:
    """A file with a drafted method in it."""

    data: bytes
    owner: Owner
    """Of the method that stood there."""
    changed: bool
    """Whether the method says something else than before."""
    before: str
    """The method that stood there, empty where there was none."""
    after: str
    """The method as it is now, if it was changed."""


def insert(data: bytes, draft: str, which: Which, *, command: CommandType | None, module: str) -> Inserted:
    """
    Put the method of a draft into a file.

    Args:
        data: The file.
        draft: Checked source of a draft.
        which: The class that it is for.
        command: What the draft was checked with.
        module: The file's own name as a module.

    Raises:
        Unplaced: It does not go in there; the text says why.
        DraftRefused: What it would become is no draft.
    """
    require_utf8(data)
    text = data.removeprefix(BOM)
    tree, drafted = parsed(text), ast.parse(draft)
    target = target_of(text, which)
    _require_plain(tree, target)
    wanted = wanted_imports(drafted)
    absent = missing(tree, wanted, module=module, class_line=target.line)
    refuse_shadows(tree, _method_of(drafted), target.line)

    quoted = not has_future_annotations(tree) and any(
        want.checking and not is_there_when_defined(tree, want.local, target.line) for want in wanted
    )
    method = _laid_out(draft, target, command, quoted=quoted)
    owner = _owner(target.method)
    changed = target.method is None or fingerprint(without_mark(target.method)) != fingerprint(without_mark(method))
    if changed:
        newline = newline_of(text)
        lines = _indented(method, target).encode("utf-8").replace(b"\n", newline)
        text = edited(text, target.edits(lines, newline))
        _require_same(text, which, method)
    text = add_imports(text, absent, module=module, unit=target.unit)
    parsed(text)
    return Inserted(
        data[: len(data) - len(data.removeprefix(BOM))] + text,
        owner,
        changed,
        target.method or "",
        _indented(method, target),
    )


def _owner(method: str | None) -> Owner:
    if method is None:
        return "nobody"
    if is_as_drafted(method):
        return "draft"
    return "edited" if has_mark(method) else "person"


def _require_plain(tree: ast.Module, target: Target) -> None:
    """Make sure that the class has the method once at most, as a method, and none from its decorator."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.ClassDef) and node.lineno == target.line):
            continue
        bound = [binding for binding in bindings(node.body) if binding.name == METHOD]
        if len(bound) != (0 if target.method is None else 1):
            raise Unplaced(f"the class in line {target.line} binds {METHOD} in a way of its own")
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and any(each.arg == METHOD for each in decorator.keywords):
                raise Unplaced(f"the class in line {target.line} is given {METHOD} by its decorator, which wins")


def _laid_out(draft: str, target: Target, command: CommandType | None, *, quoted: bool) -> str:
    """Format the method for its place, indented by one level, with its mark, and check it."""
    head, method = _parts(draft)
    if quoted and command is not None:
        method = method.replace(f"cmd: {command.annotation}", f'cmd: "{command.annotation}"', 1)
    further = max(0, len(target.indent.expandtabs(_LEVEL)) - _LEVEL)
    if quoted or further:
        length = max(LINE_LENGTH - further, _NARROWEST)
        _, method = _parts(formatted(f"{head}\n{method}", line_length=length))
    method = marked(method, " " * _LEVEL)
    check(f"{head}\n{method}\n", command=command)
    return method


def _parts(draft: str) -> tuple[str, str]:
    """Part a draft: all up to the line of its class, and its method."""
    node = next(each for each in ast.parse(draft).body if isinstance(each, ast.ClassDef))
    method = _method_in(node)
    lines = draft.split("\n")
    first = min(method.lineno, *(each.lineno for each in method.decorator_list))
    return "\n".join(lines[: node.lineno]), "\n".join(lines[first - 1 : method.end_lineno])


def _method_of(draft: ast.Module) -> ast.AsyncFunctionDef:
    return _method_in(next(each for each in draft.body if isinstance(each, ast.ClassDef)))


def _method_in(node: ast.ClassDef) -> ast.AsyncFunctionDef:
    return next(each for each in node.body if isinstance(each, ast.AsyncFunctionDef))


def _indented(method: str, target: Target) -> str:
    """Indent the lines of a method as its class is."""
    return "\n".join(_indented_line(line, target) for line in method.split("\n"))


def _indented_line(line: str, target: Target) -> str:
    if not line.strip():
        return ""
    levels, rest = divmod(len(line) - len(line.lstrip(" ")), _LEVEL)
    unit = target.unit.decode() or " " * _LEVEL
    return target.indent.decode() + unit * (levels - 1) + " " * rest + line.lstrip(" ")


def _require_same(data: bytes, which: Which, method: str) -> None:
    """Make sure that the file, read afresh, has the method that was checked."""
    there = target_of(data, which).method
    if (
        there is None
        or not is_as_drafted(there)
        or fingerprint(without_mark(there)) != fingerprint(without_mark(method))
    ):
        raise Unplaced("what was written does not read as what was drafted")
