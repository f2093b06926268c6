"""
What a source declares about its systems: each `calculate_traits`, found by reading files and never by importing.

A system of a run is a class or function by its module and qualified name; so it is looked for
in the files whose place fits the module's name. What a declaration says of a command is for `sandbox`.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dam_obs.draft.as_draft import Function, NotPlain, Plain, as_draft
from dam_obs.draft.parsing import Unparsed, parse, read_text
from dam_obs.errors import DamObsError

METHOD: Final = "calculate_traits"
MOST_FILES: Final = 5_000
DEEPEST_BASE: Final = 10
_NOT_SEARCHED: Final = frozenset({"node_modules", "__pycache__", "site-packages", "venv"})

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class NotASource(DamObsError):
    """There is no Python where declarations were looked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} has no Python files: name a file, or the folder that holds the program's source")
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculation:
    """One `calculate_traits`."""

    plain: Plain | None
    """As a draft; `None`: it is more than that."""
    why_not: str | None
    qualname: str
    """Where it is found in its module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A class or function that may be a system."""

    file: Path
    line: int
    """Of its `calculate_traits`, or its own if there is none; the first is 1."""
    module: str
    """As the file's place says."""
    root: Path
    """The folder that the module is imported from."""
    qualname: str
    calculation: Calculation | None
    """`None`: it declares nothing."""
    may_inherit: bool
    """It may get a `calculate_traits` from a base that is not in its file."""
    is_base: bool
    """Another class of its file is made of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What was found in a source."""

    found: tuple[Declaration, ...]
    unread: Mapping[Path, str]
    """Files that could not be read, and why."""

    def of(self, system: str, source_file: str | None) -> list[Declaration]:
        """Return those that fit a system best: one, or none, or several where it cannot be told which."""
        module, _, qualname = system.partition(":")
        ranked = [
            (_closeness(each, module, source_file), each)
            for each in self.found
            if qualname and each.qualname in (qualname, qualname.removesuffix(".__call__"))
        ]
        best = max((rank for rank, _ in ranked), default=0)
        return [each for rank, each in ranked if rank == best and rank > 0]


def read_declarations(path: Path, systems: Collection[str]) -> Declarations:
    """
    Find what `path` declares of `systems`, and of others.

    Args:
        path: A file, or a folder that is searched; hidden folders and environments are left out.
        systems: Names of systems, as a run has them.

    Raises:
        NotASource: There are no Python files.
    """
    top = path if path.is_dir() else path.parent
    files = list(_python_files(path))
    if not files:
        raise NotASource(path)
    words = {METHOD, *(system.rpartition(":")[2].rpartition(".")[2] for system in systems)} - {""}
    found: list[Declaration] = []
    unread: dict[Path, str] = {}
    for file in files:
        try:
            text = read_text(file)
            if any(word in text for word in words):
                found += _of_file(file, top, parse(text))
        except Unparsed as error:
            unread[file] = str(error)
        except RecursionError:
            unread[file] = "it is nested too deeply"
    return Declarations(found=tuple(found), unread=unread)


def _python_files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        if path.exists():
            yield path
        return
    left = MOST_FILES
    for folder, inner, files in os.walk(path):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in _NOT_SEARCHED)
        for name in sorted(files):
            file = Path(folder) / name
            if name.endswith(".py") and not file.is_symlink() and left:
                left -= 1
                yield file


# -- one file


def _of_file(file: Path, top: Path, module: ast.Module) -> Iterator[Declaration]:
    root, name = _place(file, top)
    definitions = dict(_definitions(module))
    bases = {base.id for node in definitions.values() if isinstance(node, ast.ClassDef) for base in _names(node.bases)}
    for qualname, node in definitions.items():
        found = _calculation(module, definitions, qualname, node)
        yield Declaration(
            file=file,
            line=(found[1] if found else node).lineno,
            module=name,
            root=root,
            qualname=qualname,
            calculation=found[0] if found else None,
            may_inherit=found is None and _may_inherit(definitions, node),
            is_base=qualname in bases,
        )


def _definitions(module: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Yield classes, classes within them, and functions; of several of one name the last stays."""
    waiting: list[tuple[str, ast.stmt]] = [("", statement) for statement in reversed(module.body)]
    while waiting:
        prefix, node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, node
            waiting += [(f"{prefix}{node.name}.", child) for child in node.body if isinstance(child, ast.ClassDef)]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.If | ast.Try):
            waiting += [(prefix, child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def _calculation(
    module: ast.Module, definitions: Mapping[str, Definition], qualname: str, node: Definition
) -> tuple[Calculation, ast.expr | ast.stmt] | None:
    """Return what a definition declares, and where: what its decorator names counts before its own method."""
    given = _given(node)
    if given is not None:
        target = definitions.get(given.id) if isinstance(given, ast.Name) else None
        if isinstance(target, ast.FunctionDef | ast.AsyncFunctionDef):
            return _plain(module, target, target.name, is_method=False), target
        why = "its calculate_traits is given by an expression"
        return Calculation(plain=None, why_not=why, qualname=f"{qualname}.{METHOD}"), given
    for owner in _line_of(definitions, qualname, node):
        for statement in reversed(owner.body):
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == METHOD:
                return _plain(module, statement, f"{qualname}.{METHOD}", is_method=True), statement
            if METHOD in _assigned(statement):
                why = "its calculate_traits is assigned"
                return Calculation(plain=None, why_not=why, qualname=f"{qualname}.{METHOD}"), statement
    return None


def _plain(module: ast.Module, function: Function, qualname: str, *, is_method: bool) -> Calculation:
    try:
        return Calculation(plain=as_draft(module, function, is_method=is_method), why_not=None, qualname=qualname)
    except NotPlain as error:
        return Calculation(plain=None, why_not=str(error), qualname=qualname)


def _given(node: Definition) -> ast.expr | None:
    """Return what a decorator is given as `calculate_traits`."""
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call):
            for keyword in mark.keywords:
                if keyword.arg == METHOD:
                    return keyword.value
    return None


def _line_of(definitions: Mapping[str, Definition], qualname: str, node: Definition) -> Iterator[ast.ClassDef]:
    """Yield a class and what it inherits from within its file, the nearest first."""
    waiting: list[Definition | None] = [node]
    for _ in range(DEEPEST_BASE):
        if not waiting:
            return
        owner = waiting.pop(0)
        if isinstance(owner, ast.ClassDef):
            yield owner
            waiting += [definitions.get(base.id) for base in _names(owner.bases)]


def _may_inherit(definitions: Mapping[str, Definition], node: Definition) -> bool:
    if not isinstance(node, ast.ClassDef):
        return False
    known = {"object", "Protocol", "ABC"}
    for owner in _line_of(definitions, node.name, node):
        names = [base.id if isinstance(base, ast.Name) else "" for base in owner.bases]
        if any(name not in known and name not in definitions for name in names):
            return True
    return False


def _names(bases: list[ast.expr]) -> list[ast.Name]:
    return [base for base in bases if isinstance(base, ast.Name)]


def _assigned(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return [name]
    return []


# -- places


def _place(file: Path, top: Path) -> tuple[Path, str]:
    """Return the folder that a file is imported from and its module's name: by its packages, else by its place."""
    root = file.resolve().parent
    while (root / "__init__.py").is_file() and root.parent != root:
        root = root.parent
    if root == file.resolve().parent and file.parent != top:
        root = top.resolve()
    parts = list(file.resolve().relative_to(root).with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return root, ".".join(parts)


def _closeness(each: Declaration, module: str, source_file: str | None) -> int:
    """Return how many names of a module's, from its last, are those of a declaration's file; 0: it is another one."""
    if module in ("__main__", ""):
        return _common(each.file.resolve().parts, Path(source_file or "").parts)
    ours, theirs = each.module.split("."), module.split(".")
    common = _common(ours, theirs)
    return common if common == min(len(ours), len(theirs)) else 0


def _common(some: Collection[str], others: Collection[str]) -> int:
    count = 0
    for one, other in zip(reversed([*some]), reversed([*others]), strict=False):
        if one != other:
            break
        count += 1
    return count
