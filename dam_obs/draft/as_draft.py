"""
A `calculate_traits` that somebody wrote, put into the form of a draft where it is no more than one.

People write positional arguments, names of their own, constants at the head of the module. What these
stand for can be told from the file alone, and is written out. The result must then pass the drafts'
allow-list, `check`; all else is somebody's program and is left alone.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dam_obs.draft.check import FUNCTIONS, MATH, TRAITS, check
from dam_obs.draft.errors import DraftRefused

CLASS: Final = "Declared"
"""The class of the draft that is made."""

_HEAD: Final = """\
from __future__ import annotations
import math
from enum import Enum
from dam_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait, Trait
from typing import Any
"""
_POSITIONS: Final = {"ResourceUsageTrait": ("pool_path", "amount"), "ExecutionCostTrait": ("priority", "time_ms")}
_OWN: Final = frozenset({"classmethod", "staticmethod"})
_PLACE: Final = re.compile(r" \(line \d+\)|^line \d+ has ")

Function = ast.AsyncFunctionDef | ast.FunctionDef


class NotPlain(Exception):
    """A function that is more than a calculation; the text says why."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A function as a draft."""

    draft: str
    """Source that has passed `check`."""

    unknown: tuple[str, ...]
    """Traits in its list that dam_obs knows nothing of; they are left out."""


def as_draft(module: ast.Module, function: Function, *, is_method: bool) -> Plain:
    """
    Write a function as a draft.

    Args:
        module: What it stands in.
        function: The function.
        is_method: It stands in a class.

    Raises:
        NotPlain: It does more than a draft may.
    """
    names = _parameters(function, is_method=is_method)
    written = _Written(_Names(module, names))
    try:
        body = [written.visit(statement) for statement in copy.deepcopy(_without_docstring(function.body))]
        text = f"{_HEAD}class {CLASS}:\n{_indented(body)}\n"
        check(text, command=None)
    except DraftRefused as error:
        raise NotPlain(_PLACE.sub("", error.why)) from error
    except RecursionError as error:
        raise NotPlain("it is nested too deeply") from error
    return Plain(text, tuple(written.unknown))


def _parameters(function: Function, *, is_method: bool) -> dict[str, str]:
    """Return what the function's parameters are called in a draft."""
    if not isinstance(function, ast.AsyncFunctionDef):
        raise NotPlain("it is not async")
    marks = [mark.id if isinstance(mark, ast.Name) else "" for mark in function.decorator_list]
    if marks not in ([["classmethod"], ["staticmethod"]] if is_method else [[]]):
        raise NotPlain("it has decorators" if marks else "it is no class method")
    given = function.args
    names = [arg.arg for arg in (*given.posonlyargs, *given.args)]
    wanted = ["cls", "cmd", "world"] if marks == ["classmethod"] else ["cmd", "world"]
    if len(names) != len(wanted) or given.kwonlyargs or given.vararg or given.kwarg or given.defaults:
        raise NotPlain("it has other parameters than a command and a world")
    return dict(zip(names, wanted, strict=True))


class _Names:
    """What names mean within a function."""

    def __init__(self, module: ast.Module, parameters: dict[str, str]) -> None:
        self.parameters = parameters
        self._bound: Counter[str] = Counter()
        self._imported: dict[str, tuple[str, str]] = {}
        self._constants: dict[str, ast.Constant] = {}
        for statement in _of_module(module):
            self._bind(statement)

    def meaning(self, name: str, local: set[str]) -> ast.expr:
        """
        Return what stands for a name in a draft.

        Raises:
            NotPlain: It is something of the module that a draft does not know.
        """
        if name in self.parameters:
            return ast.Name(self.parameters[name])
        if name in local:
            return ast.Name(name)
        if "*" in self._bound:
            raise NotPlain("its module imports *, so names may mean anything")
        if self._bound[name] > 1:
            raise NotPlain(f"it uses {name}, which its module defines more than once")
        if name in self._imported:
            return self._known(name, *self._imported[name])
        if name in self._constants:
            return self._constants[name]
        if name in self._bound or name not in FUNCTIONS:
            raise NotPlain(f"it uses {name} of its module")
        return ast.Name(name)

    def is_imported_class(self, name: str) -> bool:
        """Whether a name is that of something imported, and so may be a trait of another kind."""
        return self._bound[name] == 1 and name in self._imported and self._imported[name][1] not in TRAITS

    def _known(self, name: str, module: str, member: str) -> ast.expr:
        if member in TRAITS or (module, member) in {("math", ""), ("enum", "Enum")}:
            return ast.Name(member or module)
        if module == "math" and member in MATH:
            return ast.Attribute(ast.Name("math"), member)
        raise NotPlain(f"it uses {name}, which its module imports")

    def _bind(self, statement: ast.AST) -> None:
        match statement:
            case ast.Import(names=names):
                for alias in names:
                    self._bind_import(alias.asname or alias.name.partition(".")[0], alias.name, "")
            case ast.ImportFrom(module=module, names=names):
                for alias in names:
                    self._bind_import(alias.asname or alias.name, module or "", alias.name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self._bound[name] += 1
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant() as value):
                self._constants[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant() as value):
                self._constants[name] = value
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self._bound[name] += 1
            case ast.Global(names=names):
                self._bound.update(names * 2)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                self._bound[name] += 1

    def _bind_import(self, name: str, module: str, member: str) -> None:
        if self._imported.get(name) != (module, member):  # the same again, as for type checkers, changes nothing
            self._bound[name] += 1
        self._imported[name] = (module, member)


class _Written(ast.NodeTransformer):
    """Writes a body with the names of a draft."""

    def __init__(self, names: _Names) -> None:
        self._names = names
        self._local: set[str] = set()
        self.unknown: list[str] = []

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        """Remember a local name; its value is told with the names before it."""
        node.value = self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                if target.id in self._names.parameters:
                    raise NotPlain(f"it assigns to {target.id}")
                self._local.add(target.id)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Leave out what the type checker alone reads."""
        if node.value is None:
            raise NotPlain("it declares a name without a value")
        return self.visit_Assign(ast.Assign([node.target], node.value, lineno=node.lineno))

    def visit_Return(self, node: ast.Return) -> ast.Return:
        """Leave out traits of other kinds."""
        if isinstance(node.value, ast.List | ast.Tuple):
            kept = [each for each in node.value.elts if not self._is_unknown(each)]
            node.value = ast.List([self.visit(each) for each in kept])
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Name the arguments of a trait."""
        node = ast.Call(
            func=self.visit(node.func),
            args=[self.visit(each) for each in node.args],
            keywords=[ast.keyword(each.arg, self.visit(each.value)) for each in node.keywords],
        )
        if isinstance(node.func, ast.Name) and node.func.id in TRAITS and node.args:
            names = _POSITIONS.get(node.func.id, ())
            if len(node.args) > len(names):
                raise NotPlain(f"it gives {node.func.id} too many arguments")
            node.keywords = [*map(ast.keyword, names, node.args), *node.keywords]
            node.args = []
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Take a trait by its name where its module stands before it."""
        if isinstance(node.value, ast.Name) and node.attr in TRAITS and self._names.is_imported_class(node.value.id):
            return ast.Name(node.attr)
        return ast.Attribute(self.visit(node.value), node.attr)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Say what the name stands for."""
        return self._names.meaning(node.id, self._local)

    def _is_unknown(self, node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Name(id=name)) if self._names.is_imported_class(name):
                self.unknown.append(name)
                return True
        return False


def _of_module(module: ast.Module) -> Iterator[ast.AST]:
    """Yield all that is run with a module itself, and what functions declare as its own."""
    waiting: list[tuple[ast.AST, bool]] = [(statement, True) for statement in reversed(module.body)]
    while waiting:
        node, is_modules = waiting.pop()
        if is_modules or isinstance(node, ast.Global):
            yield node
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        waiting += [(child, is_modules and not inside) for child in ast.iter_child_nodes(node)]


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _indented(body: list[ast.stmt]) -> str:
    head = "    @classmethod\n    async def calculate_traits(cls, cmd: Any, world: Any) -> list[Trait]:\n"
    lines = ast.unparse(ast.fix_missing_locations(ast.Module(body, []))).splitlines() or ["pass"]
    return head + "\n".join(f"        {line}" for line in lines)
