r"""
Where the value ends that is assigned to a secret's name inside a text.

``password='it\'s'`` ends at its quote, ``"credentials": {...}`` at its bracket, a cookie header
at the end of its line, ``?token=abc&page=2`` at the next name. In doubt more is hidden, not less.
"""

from __future__ import annotations

import re
from typing import Final

from dam_obs.trace.secret_names import AUTHORIZATION, COOKIE, TOKEN

Span = tuple[int, int]

_QUOTE: Final = re.compile(r"[bBrRuUfF]{0,2}(\\{0,8}[\"'`])")
_NESTING: Final = re.compile(r"\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|[\[({]|[\])}]", re.DOTALL)
_LINE: Final = re.compile(r"[^\r\n]++")
_BARE: Final = re.compile(r"(?:(?![&;,]\s{0,4}[\"']?[\w.$-]{1,64}[\"']?\s{0,4}[=:]|[\"'`](?:[\s,;:)\]}>]|$)|</)\S)++")
_TRAILING: Final = ".,;:)]}>"
_MARKER: Final = re.compile(r"\[redacted:\w{1,32}\]")
_SHORT_NUMBER: Final = re.compile(r"-?\d{1,5}(?:\.\d{1,5})?")
_NO_VALUE: Final = frozenset(
    (
        *("None", "null", "nil", "undefined", "true", "false", "True", "False", "yes", "no", "***", "…"),
        *("str", "bytes", "int", "float", "bool", "object", "Any", "SecretStr"),
    )
)
"""What stands after a secret's name in a text and is no secret: absence, a truth value, a type."""


def value_span(text: str, start: int, rule: str, key: str, inside: str = "") -> Span | None:
    """
    Return where the value that begins at `start` stands; `None` if nothing there needs hiding.

    Args:
        text: The whole text.
        start: Just behind the sign.
        rule: The key rule that applies.
        key: The name before the sign.
        inside: The quote that both stand in, as in ``-H 'Cookie: a=b'``; empty if none is known.
    """
    if start >= len(text) or _MARKER.match(text, start) or text[start] == inside:
        return None
    quote = _QUOTE.match(text, start)
    if quote is not None:
        return _worth(text, (quote.end(), _quoted_end(text, quote)), rule)
    if text[start] in "[({":
        return start, _nested_end(text, start)
    to_end_of_line = rule in (COOKIE, AUTHORIZATION) or key.lower().endswith("phrase")
    bare = (_LINE if to_end_of_line else _BARE).match(text, start)
    if bare is None:
        return None
    end = bare.end()
    if inside:
        closing = text.find(inside, start, end)
        end = closing if closing >= 0 else end
    if not to_end_of_line:
        end = start + len(text[start:end].rstrip(_TRAILING))
    return _worth(text, (start, end), rule)


def _worth(text: str, span: Span, rule: str) -> Span | None:
    value = text[span[0] : span[1]]
    if not value or value in _NO_VALUE or _MARKER.fullmatch(value):
        return None
    if rule == TOKEN and _SHORT_NUMBER.fullmatch(value):
        return None
    return span


def _quoted_end(text: str, quote: re.Match[str]) -> int:
    """Find the same quote, with as many backslashes before it as the opening one has."""
    closing = quote[1]
    position = quote.end()
    while (position := text.find(closing, position)) >= 0:
        if position == quote.end() or text[position - 1] != "\\":
            return position
        position += len(closing)
    return len(text)


def _nested_end(text: str, start: int) -> int:
    depth = 0
    for token in _NESTING.finditer(text, start):
        if token[0] in "[({":
            depth += 1
        elif token[0] in "])}":
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)
