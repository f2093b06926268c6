"""
Add what is missing to the imports of a file, each once, where a sorted file has it.

A name goes into the statement that imports from its module already; else a statement of its
own goes between its neighbours, as isort orders them. Everything else stays as it is.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from dam_obs.draft.bindings import Wanted, is_type_checking
from dam_obs.draft.formatting import LINE_LENGTH
from dam_obs.draft.source import Edit, Unplaced, edited, line_end, line_start, line_starts, newline_of, parsed

Statement = ast.Import | ast.ImportFrom
Key = tuple[int, int, str]

_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

_TYPE_CHECKING: Final = Wanted("typing", "TYPE_CHECKING")


def add_imports(data: bytes, wanted: Iterable[Wanted], *, module: str, unit: bytes) -> bytes:
    """
    Add imports to a file that does not have them.

    Args:
        data: The file, without a byte-order mark.
        wanted: What to import.
        module: The file's own name as a module, which tells its own package's imports from others.
        unit: What a level of indentation is.
    """
    for want in sorted(wanted, key=lambda each: each.checking):
        data = _for_the_checker(data, want, module, unit) if want.checking else _at_the_top(data, want, module)
    return data


def _at_the_top(data: bytes, want: Wanted, module: str) -> bytes:
    tree = parsed(data)
    body = _behind_docstring(tree)
    into = _statement_for(body, want)
    if into is not None:
        return edited(data, [_member(data, into, want)])
    return _new_statement(data, tree, _leading(body), want, module)


def _for_the_checker(data: bytes, want: Wanted, module: str, unit: bytes) -> bytes:
    for node in parsed(data).body:
        if isinstance(node, ast.If) and is_type_checking(node.test) and node.body[0].lineno > node.lineno:
            into = _statement_for(node.body, want)
            if into is not None:
                return edited(data, [_member(data, into, want)])
            return _new_statement(data, node, _leading(node.body), want, module)

    if _last_import_with_flag(data) is None:
        data = _at_the_top(data, _TYPE_CHECKING, module)
    last = _last_import_with_flag(data)
    if last is None:
        raise Unplaced("there is no place for an import for the type checker")
    newline = newline_of(data)
    block = newline * 2 + b"if TYPE_CHECKING:" + newline + unit + _source(want)
    return edited(data, [_below(data, parsed(data).body, last, block)])


def _last_import_with_flag(data: bytes) -> Statement | None:
    """Find the import of ``TYPE_CHECKING`` above all definitions, or the last one of those that follow right on it."""
    last: Statement | None = None
    for node in _above_definitions(parsed(data).body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            if last is not None or any((alias.asname or alias.name) == "TYPE_CHECKING" for alias in node.names):
                last = node
        elif last is not None:
            break
    return last


def _statement_for(body: Sequence[ast.stmt], want: Wanted) -> ast.ImportFrom | None:
    """Find a statement above all functions and classes that imports other names from the module."""
    above = _above_definitions(body)
    statements = [node for node in above if isinstance(node, ast.ImportFrom) and node.names[0].name != "*"]
    same = (node for node in statements if node.level == 0 and node.module == want.module)
    return next(same, None) if want.name else None


def _member(data: bytes, node: ast.ImportFrom, want: Wanted) -> Edit:
    """Add a name to a statement, in order if the statement is."""
    starts = line_starts(data)
    places = [(starts[a.lineno - 1] + a.col_offset, _end(starts, a)) for a in node.names]
    text = _member_source(want)
    start, end = starts[node.lineno - 1] + node.col_offset, _end(starts, node)
    if b"\n" not in data[start:end]:
        written = [data[first:last] for first, last in places]
        return _one_line(data, Edit(start, end, b""), node, places, written, text)

    at = next((i for i, alias in enumerate(node.names) if _order(alias.name) > _order(want.name or "")), None)
    place = places[-1][0] if at is None else places[at][0]
    blank = data[line_start(data, place) : place]
    between = b"," + newline_of(data) + blank if not blank.strip() else b", "
    if at is None:
        return Edit(places[-1][1], places[-1][1], between + text)
    return Edit(place, place, text + between)


def _one_line(
    data: bytes,
    whole: Edit,
    node: ast.ImportFrom,
    places: list[tuple[int, int]],
    written: list[bytes],
    text: bytes,
) -> Edit:
    """Add to a statement of one line, which becomes a block where it would be too long."""
    at = next((i for i, alias in enumerate(node.names) if _order(alias.name) > _order(text.decode())), None)
    if whole.end - line_start(data, whole.start) + len(text) + 2 <= LINE_LENGTH:
        if at is None:
            return Edit(places[-1][1], places[-1][1], b", " + text)
        return Edit(places[at][0], places[at][0], text + b", ")
    written.insert(len(written) if at is None else at, text)
    newline = newline_of(data)
    blank = data[line_start(data, whole.start) : whole.start]
    outer = blank if not blank.strip() else b""
    members = b"".join(outer + b"    " + member + b"," + newline for member in written)
    content = b"from " + (node.module or "").encode() + b" import (" + newline + members + outer + b")"
    return Edit(whole.start, whole.end, content)


def _new_statement(
    data: bytes, parent: ast.Module | ast.If, leading: list[Statement], want: Wanted, module: str
) -> bytes:
    """Add a statement between those that it sorts between, with a blank line between sections."""
    key = _key_of(want, module)
    before = [node for node in leading if _key(node, module) < key]
    after = [node for node in leading if _key(node, module) >= key]
    newline = newline_of(data)
    first = parent.body[0]
    blank = data[line_start(data, _offset(data, first)) : _offset(data, first)] if isinstance(parent, ast.If) else b""
    text = blank + _source(want)
    if before and (not after or _key(before[-1], module)[0] == key[0]):
        gap = newline if _key(before[-1], module)[0] == key[0] else newline * 2
        return edited(data, [_below(data, parent.body, before[-1], gap + text)])
    if after:
        gap = newline if _key(after[0], module)[0] == key[0] else newline * 2
        edit = _above(data, parent.body, after[0], text + gap)
        above = data[: edit.start].endswith((b"\n\n", b"\n\r\n"))
        return edited(data, [edit if above or not before else Edit(edit.start, edit.end, newline + edit.content)])
    if isinstance(parent, ast.If):
        return edited(data, [_above(data, parent.body, first, text + newline)])
    if _has_docstring(parent):
        wanted = 2 if isinstance(parent.body[1], _DEFINITIONS) else 1
        lacking = max(0, wanted - _blank_lines_below(data, parent.body, first))
        return edited(data, [_below(data, parent.body, first, newline * 2 + text + newline * lacking)])
    return edited(data, [_below_header(data, text)])


def _below(data: bytes, body: Sequence[ast.stmt], node: ast.stmt, text: bytes) -> Edit:
    """Put text below the last line of a statement and of what stands in the same line."""
    line = node.end_lineno or node.lineno
    for other in body:
        if other.lineno <= line < (other.end_lineno or other.lineno):
            line = other.end_lineno or line
    place = line_end(data, line_starts(data)[line - 1])
    return Edit(place, place, text)


def _above(data: bytes, body: Sequence[ast.stmt], node: ast.stmt, text: bytes) -> Edit:
    """Put text above the first line of a statement, and above the comments that stand right above it."""
    line = node.lineno
    for other in reversed(body):
        if other.lineno < line <= (other.end_lineno or other.lineno):
            line = other.lineno
    starts = line_starts(data)
    header = _header_lines(data)
    while line - 2 >= header and data[starts[line - 2] : starts[line - 1]].lstrip(b" \t").startswith(b"#"):
        line -= 1
    return Edit(starts[line - 1], starts[line - 1], text)


def _below_header(data: bytes, text: bytes) -> Edit:
    """Put text above all code, below the comments at the top."""
    newline = newline_of(data)
    starts = line_starts(data)
    header = _header_lines(data)
    place = starts[min(header, len(starts) - 1)]
    above = newline if header else b""
    below = newline if not data[place : line_end(data, place)].strip() else newline * 3
    return Edit(place, place, above + text + below)


def _header_lines(data: bytes) -> int:
    """Count the lines of comments at the top: what starts a script, an encoding, a licence."""
    count = 0
    for line in data.split(b"\n"):
        if not line.startswith(b"#"):
            break
        count += 1
    return count


def _above_definitions(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    return list(itertools.takewhile(lambda node: not isinstance(node, _DEFINITIONS), body))


def _leading(body: Sequence[ast.stmt]) -> list[Statement]:
    """Return the imports at the beginning."""
    found: list[Statement] = []
    for node in body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            break
        found.append(node)
    return found


def _behind_docstring(tree: ast.Module) -> list[ast.stmt]:
    return tree.body[1:] if _has_docstring(tree) else tree.body


def _has_docstring(tree: ast.Module | ast.If) -> bool:
    match tree.body:
        case [ast.Expr(value=ast.Constant(value=str())), *_]:
            return True
    return False


def _blank_lines_below(data: bytes, body: Sequence[ast.stmt], node: ast.stmt) -> int:
    lines = data[_below(data, body, node, b"").start :].split(b"\n")[1:]
    return sum(1 for _ in itertools.takewhile(lambda line: not line.strip(), lines))


def _key(node: Statement, module: str) -> Key:
    if isinstance(node, ast.Import):
        return (_section(node.names[0].name, module), 0, node.names[0].name.casefold())
    return (4 if node.level else _section(node.module or "", module), 1, (node.module or "").casefold())


def _key_of(want: Wanted, module: str) -> Key:
    return (_section(want.module, module), 0 if want.name is None else 1, want.module.casefold())


def _section(name: str, module: str) -> int:
    """Tell the section of an import: ``__future__``, the standard library, others, the file's own package."""
    top = name.partition(".")[0]
    if top == "__future__":
        return 0
    if top in sys.stdlib_module_names:
        return 1
    own = "." in module and top == module.partition(".")[0]
    return 3 if own else 2


def _order(name: str) -> tuple[int, str, str]:
    """Order members as isort does: constants, classes, the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return (kind, name.casefold(), name)


def _source(want: Wanted) -> bytes:
    if want.name is None:
        return f"import {want.module}".encode()
    return b"from " + want.module.encode() + b" import " + _member_source(want)


def _member_source(want: Wanted) -> bytes:
    return f"{want.name} as {want.alias}".encode() if want.alias else (want.name or "").encode()


def _offset(data: bytes, node: ast.stmt) -> int:
    return line_starts(data)[node.lineno - 1] + node.col_offset


def _end(starts: list[int], node: ast.stmt | ast.alias) -> int:
    return starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)
