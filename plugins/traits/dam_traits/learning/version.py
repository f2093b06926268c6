"""
The version of a system's code: a short text that changes when its body does.

It is made of the source as Python reads it, so comments, docstrings and layout do not
matter, and every process and every Python has the same; where there is no source, of the
bytecode, which differs between versions of Python. What the code calls elsewhere does not
count, nor does `calculate_traits`: predicting the work is not the work.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

_DEEPEST = 64  # wrappers around a function
_DIGEST_BYTES = 8
_NOT_THE_WORK = frozenset({"calculate_traits"})
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def version_of(target: object) -> str:
    """
    Give the version of a function's or a class's code, as 16 hexadecimal digits.

    A function's: its body, its parameters and its decorators as they are written. A class's:
    its methods and plain constants, and those of the classes that it derives from, the
    standard library's aside. An instance's: its class's. A `functools.partial`'s: its
    function's and the plain values among its arguments.
    """
    return hashlib.blake2b(_described(target).encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _described(target: object) -> str:
    if isinstance(target, functools.partial):
        arguments = [*enumerate(target.args), *sorted(target.keywords.items())]
        return f"partial {_described(target.func)} {[(name, _plain(value)) for name, value in arguments]}"
    function = _function_of(target)
    if function is not None:
        return _of_function(function)
    if isinstance(target, type):
        return _of_class(target)
    name = getattr(target, "__qualname__", None)
    if callable(target) and isinstance(name, str):
        return f"built in {getattr(target, '__module__', None)}.{name}"
    return _of_class(type(target))


def _function_of(target: object) -> FunctionType | None:
    """Find the function below a method, a class's or static method, and decorators that say what they wrap."""
    for _ in range(_DEEPEST):
        if isinstance(target, (staticmethod, classmethod)) or inspect.ismethod(target):
            target = target.__func__
        elif not isinstance(target, type) and callable(wrapped := getattr(target, "__wrapped__", None)):
            target = wrapped
        else:
            break
    return target if type(target) is FunctionType else None


def _of_function(function: FunctionType) -> str:
    tree = _tree_of(function)
    if tree is not None:
        return f"source {_of_node(tree)}"
    defaults = [_plain(value) for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())]
    return f"bytecode {_of_code(function.__code__)} {defaults}"


def _of_class(cls: type) -> str:
    return "\n".join(line for each in cls.__mro__ for line in _of_own_members(each))


def _of_own_members(cls: type) -> Iterator[str]:
    if cls.__module__.partition(".")[0] in sys.stdlib_module_names:
        return
    for name, value in sorted(vars(cls).items()):
        if name in _NOT_THE_WORK:
            continue
        if isinstance(value, property):
            parts = (value.fget, value.fset, value.fdel)
            yield f"{name} {[_described(part) for part in parts if part is not None]}"
        elif isinstance(value, functools.cached_property):
            yield f"{name} {_described(value.func)}"
        elif (function := _function_of(value)) is not None:
            yield f"{name} {_of_function(function)}"
        elif not name.startswith("__"):
            yield f"{name} {_plain(value)}"


def _tree_of(function: FunctionType) -> ast.AST | None:
    """Read a function's source; `None`: there is none, or it is not surely this function's."""
    if function.__name__ == "<lambda>" or function.__code__.co_name == "<lambda>":
        return None
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    node = tree.body[0] if len(tree.body) == 1 else None
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == function.__code__.co_name:
        return node
    return None


def _of_node(node: ast.AST) -> str:
    """Write a tree down so that it is the same from Python 3.11 on: without what is empty, and without docstrings."""
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            value = value[1:]
        elif isinstance(node, ast.JoinedStr):
            value = [each for each in value if not _is_empty_text(each)]
        written = _of_field(value)
        if written:
            fields.append(f"{name}={written}")
    return f"{type(node).__name__}({','.join(fields)})"


def _of_field(value: Any) -> str:
    if isinstance(value, ast.AST):
        return "" if isinstance(value, ast.Load) else _of_node(value)
    if isinstance(value, list):
        return f"[{','.join(_of_field(each) or '-' for each in value)}]" if value else ""
    return "" if value is None else repr(value)


def _is_empty_text(node: ast.AST) -> bool:
    """Tell what CPython 3.12, and no other, puts at the end of a format within an f-string."""
    return isinstance(node, ast.Constant) and node.value == ""


_WITH_DOCSTRING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _of_code(code: CodeType) -> str:
    constants = [_of_code(each) if isinstance(each, CodeType) else _plain(each) for each in _constants(code)]
    names = (code.co_names, code.co_varnames, code.co_freevars)
    return f"{code.co_code.hex()} {constants} {names}"


def _constants(code: CodeType) -> tuple[Any, ...]:
    """Give a code's constants but for its docstring, which comes first where there is one."""
    return ("", *code.co_consts[1:]) if code.co_consts and isinstance(code.co_consts[0], str) else code.co_consts


def _plain(value: object) -> str:
    """Write a value down if it is the same in every process, otherwise only its type."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if type(value) is tuple:
        return f"({','.join(map(_plain, value))})"
    if type(value) is frozenset:
        return f"{{{','.join(sorted(map(_plain, value)))}}}"
    return f"a {type(value).__name__}"
