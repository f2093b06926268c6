"""
Hold the parts of a value to what they should be, when it is made.

So a plugin that answers with something odd is found at once, where it made it, and not by whoever reads it later.
"""

from __future__ import annotations

from collections.abc import Iterable


def check_type(what: str, value: object, kind: type) -> None:
    """
    See that a value is of a type.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{what} is a {kind.__name__}, not {value!r:.80}")


def check_each(what: str, values: object, kind: type) -> None:
    """
    See that a tuple has values of a type.

    Raises:
        TypeError: It is no tuple, or has something else.
    """
    check_type(what, values, tuple)
    for value in values if isinstance(values, tuple) else ():
        check_type(f"each of {what}", value, kind)


def check_word(what: str, word: object, known: Iterable[str]) -> None:
    """
    See that a word is one of those that are known.

    Raises:
        ValueError: It is not.
    """
    known = tuple(known)
    if word not in known:
        raise ValueError(f"{what} is one of {', '.join(known)}, not {word!r:.80}")


def check_share(what: str, share: object) -> None:
    """
    See that a number is from 0 to 1.

    Raises:
        ValueError: It is not, or no number.
    """
    if not isinstance(share, (int, float)) or isinstance(share, bool) or not 0 <= share <= 1:
        raise ValueError(f"{what} is a number from 0 to 1, not {share!r:.80}")
