"""
The mark of a drafted method in a source file: a comment above it with a hash of what was drafted.

The hash is of what the method says: its code, the words of its docstring, its comments. How
it is laid out does not count, for formatters lay it out anew. So a method with another hash
than its mark has a person's work in it. The mark keeps nobody from forging it.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from typing import Final

METHOD: Final = "calculate_traits"
MARK: Final = re.compile(r"[ \t]*# Drafted by dam-obs, sha256 ([0-9a-f]{16}) of this method[ \t]*")


def marked(method: str, indent: str) -> str:
    """Put the mark above a method."""
    return f"{indent}# Drafted by dam-obs, sha256 {fingerprint(method)} of this method\n{method}"


def is_as_drafted(method: str) -> bool:
    """Whether a method has a mark above it, and says what it said when it got it."""
    first, _, rest = method.replace("\r\n", "\n").partition("\n")
    found = MARK.fullmatch(first)
    return found is not None and found[1] == fingerprint(rest)


def has_mark(method: str) -> bool:
    """Whether a method was drafted once."""
    return MARK.fullmatch(method.replace("\r\n", "\n").partition("\n")[0]) is not None


def without_mark(method: str) -> str:
    """Return a method without the mark above it."""
    text = method.replace("\r\n", "\n")
    return text.partition("\n")[2] if has_mark(text) else text


def fingerprint(method: str) -> str:
    """
    Hash what an indented method says.

    Returns:
        16 hex digits; of text that is no method on its own, none that a draft could have.
    """
    text = f"class _:\n{method}\n"
    try:
        said = [*_code(text), *_comments(text)]
    except (SyntaxError, ValueError, tokenize.TokenError):
        said = ["", text]
    return hashlib.sha256("\n".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _code(text: str) -> list[str]:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(words)) as constant):
                constant.value = " ".join(words.split())
    return [ast.unparse(tree)]


def _comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string.lstrip("# ").rstrip() for token in tokens if token.type == tokenize.COMMENT]
