"""
Which names a file binds, and whether a drafted method finds in them what it means.

A draft speaks of ``Trait``, ``max`` or its command's class. In another file these names may
be something else; then the method would say something else there, and is not put there.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dam_obs.draft.literals import shown
from dam_obs.draft.source import Unplaced

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Binding:
    """A name that a scope binds."""

    name: str
    line: int
    module: str | None = None
    """Where it is imported from; `None`: it is bound otherwise. Relative imports begin with dots."""
    original: str | None = None
    """Its name there; `None`: the module itself."""
    checking: bool = False
    """For the type checker alone."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An import that a drafted method needs."""

    module: str
    name: str | None
    """`None`: the module itself."""
    alias: str | None = None
    checking: bool = False
    """It is enough that the type checker sees it."""

    @property
    def local(self) -> str:
        """What it is called in the file."""
        return self.alias or self.name or self.module


def bindings(body: Iterable[ast.stmt]) -> list[Binding]:
    """List what statements of one scope bind, those in branches and loops included."""
    return [binding for statement in body for binding in _bound(statement, checking=False)]


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition holds for the type checker alone."""
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
    return False


def wanted_imports(draft: ast.Module) -> list[Wanted]:
    """List what a draft imports, but for what only says so: ``__future__`` and ``TYPE_CHECKING``."""
    return [
        Wanted(bound.module, bound.original, _alias(bound), bound.checking)
        for bound in bindings(draft.body)
        if bound.module not in (None, "__future__") and bound.original != "TYPE_CHECKING"
        if bound.module is not None
    ]


def missing(tree: ast.Module, wanted: Iterable[Wanted], *, module: str, class_line: int) -> list[Wanted]:
    """
    Say what of `wanted` a file does not have yet.

    Args:
        tree: The file.
        wanted: What the method needs.
        module: The file's own name as a module.
        class_line: Where the method's class stands.

    Raises:
        Unplaced: A name that is wanted means something else there.
    """
    known: dict[str, list[Binding]] = {}
    for binding in bindings(tree.body):
        known.setdefault(binding.name, []).append(binding)
    for scope in enclosing(tree, class_line):
        for binding in _of_scope(scope):
            known.setdefault(binding.name, []).append(Binding(binding.name, binding.line))

    absent = []
    for want in wanted:
        there = known.get(want.local, [])
        other = [binding for binding in there if not _is(binding, want, module)]
        if other:
            raise Unplaced(f"{shown(want.local)} is something else in the file (line {other[0].line})")
        if want.module == module and not there:
            raise Unplaced(f"{shown(want.local)} is no longer in the file: it was changed since the run")
        if not any(want.checking or not binding.checking for binding in there):
            absent.append(want)
    return absent


def refuse_shadows(tree: ast.Module, method: ast.AsyncFunctionDef, class_line: int) -> None:
    """
    Make sure that the builtins a method uses are Python's own, and that its class does not rename its annotations.

    Raises:
        Unplaced: One is something else.
    """
    used = _used(method) & vars(builtins).keys()
    scopes = [bindings(tree.body), *map(_of_scope, enclosing(tree, class_line))]
    for binding in (binding for scope in scopes for binding in scope if binding.name in used):
        raise Unplaced(f"{binding.name} is something else in the file (line {binding.line})")

    annotations = [each.annotation for each in method.args.args if each.annotation]
    outside = set().union(*map(_used, [*method.decorator_list, *annotations, method.returns or method]))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.lineno == class_line:
            for binding in bindings(node.body):
                if binding.name in outside:
                    raise Unplaced(f"{shown(binding.name)} is something else in the class (line {binding.line})")


def _used(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def enclosing(tree: ast.Module, line: int) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions around a line, the outermost first."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno < line <= (node.end_lineno or 0):
            yield node


def has_future_annotations(tree: ast.Module) -> bool:
    """Whether annotations are not evaluated."""
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" and "annotations" in _names(node)
        for node in tree.body
    )


def is_there_when_defined(tree: ast.Module, name: str, line: int) -> bool:
    """Whether a name of the module is bound when the class in a line is made."""
    return any(binding.name == name and binding.line < line and not binding.checking for binding in bindings(tree.body))


def _is(binding: Binding, want: Wanted, module: str) -> bool:
    """Whether a binding is what is wanted; an import of the class from elsewhere in its own package is."""
    if binding.module is None:
        return want.checking and want.module == module
    if binding.original != want.name:
        return False
    if binding.module == want.module:
        return True
    package = want.module.partition(".")[0]
    relative = binding.module.startswith(".") and module.partition(".")[0] == package
    return want.checking and (relative or binding.module.partition(".")[0] == package)


def _of_scope(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Binding]:
    given = node.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [*(Binding(arg.arg, arg.lineno) for arg in arguments if arg), *bindings(node.body)]


def _bound(node: ast.AST, *, checking: bool) -> Iterator[Binding]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                local = alias.asname or alias.name.partition(".")[0]
                yield Binding(local, node.lineno, alias.name if alias.asname else local, None, checking)
        case ast.ImportFrom(names=names):
            source = "." * node.level + (node.module or "")
            for alias in names:
                yield Binding(alias.asname or alias.name, node.lineno, source, alias.name, checking)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield Binding(name, node.lineno, checking=checking)
        case ast.Name(id=name, ctx=ast.Store()):
            yield Binding(name, node.lineno, checking=checking)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield Binding(name, node.lineno, checking=checking)
    if isinstance(node, _SCOPES):
        return
    if isinstance(node, ast.If) and is_type_checking(node.test):
        for child in node.body:
            yield from _bound(child, checking=True)
        for child in node.orelse:
            yield from _bound(child, checking=checking)
        return
    for below in ast.iter_child_nodes(node):
        yield from _bound(below, checking=checking)


def _alias(bound: Binding) -> str | None:
    return None if bound.name in (bound.original, bound.module) else bound.name


def _names(node: ast.ImportFrom) -> set[str]:
    return {alias.name for alias in node.names}
