"""
What drafted code may contain: nothing that could do more than compute traits from a command.

The code is parsed and its tree compared with a short list of what is allowed; it is never
imported or run. It does not matter who wrote it: a built-in template, a plugin's, or anyone else.

Allowed are imports of `dam_traits`, `typing`, `math` and `enum`, the command's class for the
type checker alone, and one class with one method, ``calculate_traits``. The method assigns
to names of its own and returns a list of traits; what they are made of is literals, public
attributes of ``cmd``, arithmetic, and a few calls that have no effect.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import Final, NoReturn

from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.names import CommandType, is_public_name

LONGEST_SOURCE: Final = 100_000

TRAITS: Final = frozenset({"ExecutionCostTrait", "IOBoundTrait", "ResourceUsageTrait"})
FUNCTIONS: Final = frozenset({"abs", "float", "int", "isinstance", "len", "max", "min", "round", "str"})
MATH: Final = frozenset({"log", "log2", "log10", "sqrt", "ceil"})
"""Of the module `math`."""

_FROM_IMPORTS: Final = {
    "__future__": frozenset({"annotations"}),
    "dam_traits": TRAITS | {"Trait"},
    "enum": frozenset({"Enum"}),
    "typing": frozenset({"Any", "TYPE_CHECKING"}),
}
_OPERATORS: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_RESERVED: Final = TRAITS | FUNCTIONS | {"Any", "Enum", "TYPE_CHECKING", "Trait", "cls", "cmd", "math", "world"}

_INSTRUCTION: Final = re.compile(
    r"#\s*(?:type|mypy|pyright|pyre|pytype|ruff|flake8|isort|pylint|fmt|yapf|noqa|nosec|pragma)\b", re.I
)
_CODING: Final = re.compile(r"coding[:=]")


def check(source: str, *, command: CommandType | None) -> None:
    """
    Refuse code that is not a draft.

    Args:
        source: Python source.
        command: The command's class, where the draft may import one for the type checker.

    Raises:
        DraftRefused: It does not parse, or holds something that a draft has no use for.
    """
    _check_text(source)
    try:
        tree = ast.parse(source)
        _check_comments(source)
        _check_tree(tree, command)
    except (SyntaxError, ValueError, tokenize.TokenError) as error:
        raise DraftRefused("it is not valid Python") from error
    except (RecursionError, MemoryError) as error:
        raise DraftRefused("it is nested too deeply") from error


def _check_tree(tree: ast.Module, command: CommandType | None) -> None:
    classes = [statement for statement in tree.body if isinstance(statement, ast.ClassDef)]
    if len(classes) != 1:
        raise DraftRefused(f"it has {len(classes)} classes, not one")
    for statement in tree.body:
        if not isinstance(statement, ast.ClassDef):
            _check_module_statement(statement, command)
    _check_postponed_annotations(tree)
    _check_class(classes[0], command)


def _check_text(source: str) -> None:
    if len(source) > LONGEST_SOURCE:
        raise DraftRefused(f"it is longer than {LONGEST_SOURCE:,} characters")
    if not all(char == "\n" or char.isprintable() for char in source):
        raise DraftRefused("it has characters that cannot be seen")
    if any(_CODING.search(line) for line in source.split("\n", 2)[:2]):
        raise DraftRefused("it declares an encoding")


def _check_comments(source: str) -> None:
    """Refuse comments that tell a tool to look away."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and _INSTRUCTION.search(token.string):
            raise DraftRefused(f"line {token.start[0]} has a comment that instructs a tool")


def _check_module_statement(statement: ast.stmt, command: CommandType | None) -> None:
    match statement:
        case ast.ImportFrom(module=str(module), names=names, level=0) if module in _FROM_IMPORTS:
            if not all(alias.name in _FROM_IMPORTS[module] and alias.asname is None for alias in names):
                _refuse(statement, f"an import from {module} that a draft has no use for")
        case ast.Import(names=[ast.alias(name="math", asname=None)]):
            pass
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=[ast.ImportFrom() as imported], orelse=[]):
            if command is None or ast.unparse(imported) != command.import_line:
                _refuse(statement, "an import that is not the command's")
        case _:
            _refuse(statement, "a statement that a draft has no use for")


def _check_postponed_annotations(tree: ast.Module) -> None:
    """Annotations stay text: the command's class is imported for the type checker alone."""
    match tree.body[0]:
        case ast.ImportFrom(module="__future__"):
            return
    raise DraftRefused("it does not begin with `from __future__ import annotations`")


def _check_class(node: ast.ClassDef, command: CommandType | None) -> None:
    if node.bases or node.keywords or node.decorator_list or getattr(node, "type_params", []):
        _refuse(node, "a class that is more than a stub")
    if not is_public_name(node.name) or node.name in _RESERVED:
        _refuse(node, "a class with a name that is taken")
    match _without_docstring(node.body):
        case [ast.AsyncFunctionDef(name="calculate_traits") as method]:
            _check_method(method, command)
        case _:
            _refuse(node, "a class with anything but one `async def calculate_traits`")


def _check_method(node: ast.AsyncFunctionDef, command: CommandType | None) -> None:
    match node.decorator_list:
        case [ast.Name(id="classmethod")]:
            pass
        case _:
            _refuse(node, "a method that is not just a classmethod")
    _check_signature(node, command)

    *assignments, last = _without_docstring(node.body) or [ast.Pass()]
    names: set[str] = set()
    for statement in assignments:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                _check_expression(value, names)
            case _:
                _refuse(statement, "a statement other than an assignment to a name")
        if not is_public_name(name) or name in _RESERVED:
            _refuse(statement, "an assignment to a name that is taken")
        names.add(name)
    match last:
        case ast.Return(value=ast.List(elts=traits)):
            for trait in traits:
                _check_trait(trait, names)
        case _:
            _refuse(node, "a method that does not end by returning a list")


def _check_signature(node: ast.AsyncFunctionDef, command: CommandType | None) -> None:
    given = node.args
    if getattr(node, "type_params", []) or given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg:
        _refuse(node, "a method with other parameters than cls, cmd and world")
    if given.defaults or given.kw_defaults or [arg.arg for arg in given.args] != ["cls", "cmd", "world"]:
        _refuse(node, "a method with other parameters than cls, cmd and world")

    cls, cmd, world = (_annotation(arg.annotation) for arg in given.args)
    allowed = {"Any", "dict[str, Any]"} if command is None else {"Any", command.annotation}
    if cls or cmd not in allowed or world not in {"Any", "World", "object"}:
        _refuse(node, "a parameter with another annotation than expected")
    if _annotation(node.returns) != "list[Trait]":
        _refuse(node, "a method that does not return list[Trait]")


def _check_trait(node: ast.expr, names: set[str]) -> None:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords) if name in TRAITS:
            for keyword in keywords:
                if keyword.arg is None:
                    _refuse(node, "arguments that are not named")
                _check_expression(keyword.value, names)
        case _:
            _refuse(node, "an entry of the list that is not a trait")


def _check_expression(node: ast.expr, names: set[str]) -> None:
    """Refuse all but literals, values of `names`, arithmetic, and calls without effect."""
    match node:
        case ast.Constant(value=value, kind=None) if value is None or type(value) in (bool, int, float, str):
            return
        case ast.Name(id=name) if name in names:
            return
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATORS):
            parts = [left, right]
            if isinstance(op, ast.Pow) and not _is_number(right):
                _refuse(node, "a power with an exponent that is not a plain number")
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            parts = [operand]
        case ast.BoolOp(values=values):
            parts = values
        case ast.IfExp(test=test, body=body, orelse=orelse):
            parts = [test, body, orelse]
        case ast.Compare(left=left, ops=ops, comparators=others) if all(isinstance(op, _COMPARISONS) for op in ops):
            parts = [left, *others]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            parts = [*filter(None, keys), *values]
        case ast.Attribute(value=value, attr=attr) if is_public_name(attr) and _is_field(value):
            parts = []
        case ast.Subscript(value=ast.Name(id="cmd"), slice=ast.Constant(value=str(key))) if is_public_name(key):
            parts = []
        case ast.Call(func=func, args=args, keywords=[]):
            parts = _checked_call(node, func, args, names)
        case _:
            _refuse(node, "an expression that a draft has no use for")
    for part in parts:
        _check_expression(part, names)


def _checked_call(  # noqa: RET503 - _refuse does not return
    node: ast.expr, func: ast.expr, args: list[ast.expr], names: set[str]
) -> list[ast.expr]:
    """Return the arguments that are still to be checked."""
    match func, args:
        case ast.Name(id="isinstance"), [value, ast.Name(id="Enum")]:
            return [value]
        case ast.Name(id=name), _ if name in FUNCTIONS - {"isinstance"}:
            return args
        case ast.Attribute(value=ast.Name(id="math"), attr=name), _ if name in MATH:
            return args
        case ast.Attribute(value=ast.Name(id=name), attr="get"), _ if name in names:
            return args
    _refuse(node, "a call that a draft has no use for")


def _is_field(node: ast.expr) -> bool:
    """Whether an expression is ``cmd``, or a public field of it."""
    match node:
        case ast.Name(id="cmd"):
            return True
        case ast.Attribute(value=value, attr=attr):
            return is_public_name(attr) and _is_field(value)
        case ast.Subscript(value=ast.Name(id="cmd"), slice=ast.Constant(value=str(key))):
            return is_public_name(key)
    return False


def _is_number(node: ast.expr) -> bool:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_number(operand)
        case ast.Constant(value=value):
            return isinstance(value, int | float) and abs(value) <= 10
    return False


def _annotation(node: ast.expr | None) -> str:
    """Return an annotation as text; one that is written as a string is that text."""
    match node:
        case None:
            return ""
        case ast.Constant(value=str(text)):
            return text
    return ast.unparse(node)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _refuse(node: ast.stmt | ast.expr, what: str) -> NoReturn:
    line = getattr(node, "lineno", None)
    raise DraftRefused(f"{what} (line {line})" if line else what)
