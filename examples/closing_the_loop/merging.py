"""
Move a drafted ``calculate_traits`` into the class it is for, as a person does who has reviewed it.

The draft is read as text and never run.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import libcst as cst
from libcst.codemod import CodemodContext
from libcst.codemod.visitors import AddImportsVisitor


def merge(draft: Path, module: Path) -> str:
    """
    Put the method of a draft into its class in a module, with what it imports, and name the class.

    Raises:
        ValueError: The draft has not exactly one class, or the module has no such class.
    """
    drafted = cst.parse_module(draft.read_text(encoding="utf-8"))
    target = cst.parse_module(module.read_text(encoding="utf-8"))
    classes = [each for each in drafted.body if isinstance(each, cst.ClassDef)]
    if len(classes) != 1:
        raise ValueError(f"{draft} has {len(classes)} classes: a draft has one")
    (source,) = classes
    inserting = _Inserting(source)
    context = CodemodContext()
    merged = target.visit(inserting)
    if not inserting.done:
        raise ValueError(f"{module} has no class {source.name.value}")
    for name, member in _imports(drafted.body):
        AddImportsVisitor.add_needed_import(context, name, member)
    module.write_text(AddImportsVisitor(context).transform_module(merged).code, encoding="utf-8")
    return source.name.value


class _Inserting(cst.CSTTransformer):
    """Adds the body of one class to the class of the same name."""

    def __init__(self, source: cst.ClassDef) -> None:
        self.done = False
        self._source = source

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        """Add to the one class."""
        if updated_node.name.value != self._source.name.value:
            return updated_node
        self.done = True
        first, *others = self._source.body.body
        added = [first.with_changes(leading_lines=[cst.EmptyLine(indent=False)]), *others]
        body = updated_node.body
        return updated_node.with_changes(body=body.with_changes(body=[*body.body, *added]))


def _imports(statements: Iterable[cst.CSTNode]) -> Iterable[tuple[str, str | None]]:
    """Give what the code itself needs, as ``(module, name in it)``; types come with the module that it goes into."""
    for line in statements:
        if not isinstance(line, cst.SimpleStatementLine):
            continue
        for statement in line.body:
            if isinstance(statement, cst.Import):
                yield from ((alias.evaluated_name, None) for alias in statement.names)
            elif isinstance(statement, cst.ImportFrom) and not isinstance(statement.names, cst.ImportStar):
                module = cst.helpers.get_full_name_for_node(statement.module) if statement.module else None
                names = [alias.evaluated_name for alias in statement.names]
                if module not in (None, "__future__"):
                    yield from ((module, name) for name in names if name != "TYPE_CHECKING")
