"""
Where in a source file a system's ``calculate_traits`` stands, or would stand.

libcst reads the file and says which bytes are which; nothing is written here. A class is
found by its qualified name. Of several of one name, as in the branches of an ``if``, it is
the one with the function that was seen at work in the line where it was seen, else the one
that has a draft already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from dam_obs.draft.literals import shown
from dam_obs.draft.method import MARK, METHOD, has_mark
from dam_obs.draft.source import BOM, Edit, Unplaced, line_end, line_start, newline_of, require_utf8

UNIT: Final = b"    "


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A class, and the place of the method in it. Places are bytes of the file."""

    line: int
    """Of the word ``class``, the first is 1."""

    indent: bytes
    """What stands before each statement of the class."""

    unit: bytes
    """By how much it is more than what stands before ``class``."""

    start: int
    end: int
    """From the line of the mark or of the first decorator to the end of the last line; where there is no method yet,
    both are the end of the class."""

    method: str | None
    """What stands there; `None`: no method yet."""

    opening: Edit | None = None
    """What makes a block of a class that stands in one line."""

    def edits(self, method: bytes, newline: bytes) -> list[Edit]:
        """Say what puts a method here; its lines are indented, and the last has no end."""
        if self.method is not None:
            return [Edit(self.start, self.end, method)]
        opening = [self.opening] if self.opening else []
        return [*opening, Edit(self.start, self.end, newline + newline + method)]


@dataclass(frozen=True, slots=True)
class _Definition:
    name: str
    node: cst.ClassDef | cst.FunctionDef


@dataclass(frozen=True, slots=True)
class Which:
    """A class among those of its qualified name; it stays the same while other things are added to the file."""

    qualname: str
    number: int
    """How many of the same name stand before it."""
    line: int
    """Where it was when it was chosen."""


def choose(data: bytes, qualname: str, seen: tuple[str, int] | None = None) -> Which:
    """
    Find the class of a system in the file as the run may have seen it.

    Args:
        data: The file.
        qualname: Of the class, as Python has it: ``Outer.Inner``, ``make.<locals>.System``.
        seen: A method of the class and its first line, which tells classes of one name apart.

    Raises:
        Unplaced: There is no such class, or more than one, or the file is not UTF-8.
    """
    require_utf8(data)
    reader = _read(data.removeprefix(BOM))
    classes = reader.classes(qualname)
    if not classes and any(each.name == qualname for each in reader.definitions):
        raise Unplaced(f"{shown(qualname)} is a function: pass what was drafted as calculate_traits=", is_function=True)
    chosen = [node for node in classes if seen is not None and reader.has_function(node, *seen)]
    if len(classes) > 1 and not chosen:
        chosen = [node for node in classes if reader.has_draft(node)]
    if len(classes) > 1 and len(chosen) != 1:
        lines = ", ".join(str(reader.line(node)) for node in classes)
        raise Unplaced(f"the file has several classes {shown(qualname)}, in lines {lines}")
    if not classes:
        raise Unplaced(f"the file has no class {shown(qualname)}: it was changed since the run")
    node = chosen[0] if len(classes) > 1 else classes[0]
    return Which(qualname, classes.index(node), reader.line(node))


def target_of(data: bytes, which: Which) -> Target:
    """
    Say where the method of a class is, or would be.

    Raises:
        Unplaced: That is not clear.
    """
    reader = _read(data)
    return reader.target(reader.classes(which.qualname)[which.number])


@lru_cache(maxsize=4)
def _read(data: bytes) -> _Reader:
    """Read a file, or remember it: systems of one file are placed one after the other."""
    return _Reader(data)


class _Reader:
    """A parsed file and the places of its nodes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        text = data.decode("utf-8")
        try:
            module = cst.parse_module(text)
        except (cst.ParserSyntaxError, RecursionError) as error:
            raise Unplaced("the file cannot be parsed") from error
        if module.code != text:
            raise Unplaced("the file cannot be read without a loss")
        self._spans = MetadataWrapper(module, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
        collected = _Definitions()
        module.visit(collected)
        self.definitions = collected.found

    def classes(self, qualname: str) -> list[cst.ClassDef]:
        """Return the classes of a name, in order."""
        found = [each.node for each in self.definitions if each.name == qualname]
        return [node for node in found if isinstance(node, cst.ClassDef)]

    def line(self, node: cst.CSTNode) -> int:
        """Return the line of a definition's own first word."""
        return self._data.count(b"\n", 0, self._spans[node].start) + 1

    def has_function(self, node: cst.ClassDef, name: str, line: int) -> bool:
        """Whether a class has a function that begins, decorators included, in a line."""
        functions = [each for each in node.body.body if isinstance(each, cst.FunctionDef) and each.name.value == name]
        return any(self._data.count(b"\n", 0, self._start(each)) + 1 == line for each in functions)

    def has_draft(self, node: cst.ClassDef) -> bool:
        """Whether a class got a method from a draft, which has moved its lines since it was seen."""
        return has_mark(self.target(node).method or "")

    def target(self, node: cst.ClassDef) -> Target:
        """Say where the method of a class is, or would be."""
        start = self._start(node)
        outer = self._data[line_start(self._data, start) : start]
        end = self._end(node)
        if not isinstance(node.body, cst.IndentedBlock):
            return self._of_one_line(node, outer, end)

        first = self._start(node.body.body[0])
        indent = self._data[line_start(self._data, first) : first]
        if indent.strip(b" \t"):
            raise Unplaced(f"the class in line {self.line(node)} is indented by other than blanks")
        unit = indent[len(outer) :] if indent.startswith(outer) else UNIT
        end = self._with_comments(end, indent)
        target = Target(line=self.line(node), indent=indent, unit=unit, start=end, end=end, method=None)
        methods = [each for each in node.body.body if isinstance(each, cst.FunctionDef) and each.name.value == METHOD]
        if len(methods) > 1:
            raise Unplaced(f"the class in line {target.line} has several methods {METHOD}")
        return self._with_method(target, methods[0]) if methods else target

    def _of_one_line(self, node: cst.ClassDef, outer: bytes, end: int) -> Target:
        """``class A: pass`` becomes a block when something is added to it."""
        if outer.strip(b" \t") or not isinstance(node.body, cst.SimpleStatementSuite):
            raise Unplaced(f"the class in line {self.line(node)} stands in one line with something else")
        indent = outer + UNIT
        begins = self._spans[node.body.body[0]].start
        blank = len(node.body.leading_whitespace.value.encode("utf-8"))
        opening = Edit(begins - blank, begins, newline_of(self._data) + indent)
        return Target(line=self.line(node), indent=indent, unit=UNIT, start=end, end=end, method=None, opening=opening)

    def _with_method(self, target: Target, node: cst.FunctionDef) -> Target:
        start = line_start(self._data, self._start(node))
        above = line_start(self._data, start - 1)
        if MARK.fullmatch(self._data[above : line_end(self._data, above)].decode("utf-8")):
            start = above
        end = self._with_comments(self._end(node), target.indent, deeper=True)
        return replace(target, start=start, end=end, method=self._data[start:end].decode("utf-8"))

    def _start(self, node: cst.CSTNode) -> int:
        """Return where a statement begins, its decorators included."""
        decorators: Sequence[cst.Decorator] = ()
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            decorators = node.decorators
        return self._spans[decorators[0] if decorators else node].start

    def _end(self, node: cst.CSTNode) -> int:
        span = self._spans[node]
        return line_end(self._data, span.start + span.length)

    def _with_comments(self, end: int, indent: bytes, *, deeper: bool = False) -> int:
        """Go on to the last comment below a statement that is indented as much, or more."""
        place = end
        while place < len(self._data):
            start = self._data.index(b"\n", place) + 1
            place = line_end(self._data, start)
            line = self._data[start:place]
            blank = len(line) - len(line.lstrip(b" \t"))
            if not line.strip():
                continue
            inside = line.startswith(indent) and (blank > len(indent) if deeper else True)
            if not (line[blank:].startswith(b"#") and inside):
                break
            end = place
        return end


class _Definitions(cst.CSTVisitor):
    """Collects classes and functions with their qualified names."""

    def __init__(self) -> None:
        self.found: list[_Definition] = []
        self._path: list[str] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        """Note it."""
        self._enter(node, node.name.value)

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
        """Leave it."""
        self._path.pop()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Note it; what is in it is local."""
        self._enter(node, node.name.value)
        self._path.append("<locals>")

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        """Leave it."""
        del self._path[-2:]

    def _enter(self, node: cst.ClassDef | cst.FunctionDef, name: str) -> None:
        self._path.append(name)
        self.found.append(_Definition(".".join(self._path), node))
