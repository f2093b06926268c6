"""
Conditions on a belief's own traits, ``rank >= 5 and guild in ['smiths', 'masons']``: comparisons, never Python.

The grammar is whole: comparisons joined by ``and``; each is a trait, one of ``== != < <= > >= in``, and a number, a
text in quotes, ``true``, ``false``, ``null`` or a list of those. What a trait does not say (`None`) is neither less nor
more than anything. A subject is compared by its label.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from dam_beliefs.errors import BadCondition
from dam_beliefs.subject import Subject

if TYPE_CHECKING:
    from dam_beliefs.world import World

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<sign>==|!=|<=|>=|<|>|\[|\]|,)
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?(?![\w.]))
    |(?P<text>'[^']*'|"[^"]*")
    |(?P<word>[^\W\d][\w-]*))""",
    re.VERBOSE,
)
_LONGEST_NUMBER: Final = 300
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SIGNS: Final = {*_ORDER, "==", "!=", "in"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a condition."""

    trait: str
    sign: str
    literal: Any

    def holds(self, value: Any, text: str) -> bool:
        """
        Say whether it holds for a value of the trait.

        Raises:
            BadCondition: Values of these types have no order.
        """
        if isinstance(value, Subject) and value.label is not None:
            value = value.label
        if self.sign == "in":
            return any(_same(value, each) for each in self.literal)
        if self.sign in ("==", "!="):
            return _same(value, self.literal) == (self.sign == "==")
        if value is None:
            return False
        why = f"compares {self.trait}, which is {value!r}, with {self.literal!r}"
        if isinstance(value, bool):
            raise BadCondition(text, why)
        try:
            return bool(_ORDER[self.sign](value, self.literal))
        except TypeError as error:
            raise BadCondition(text, why) from error


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold: all of it."""

    text: str
    comparisons: tuple[Comparison, ...]

    def holds(self, value_of: Callable[[str], Any]) -> bool:
        """Say whether it holds, with the traits' values as `value_of` gives them."""
        return all(each.holds(value_of(each.trait), self.text) for each in self.comparisons)


def _same(value: Any, literal: Any) -> bool:
    return bool(value == literal) and isinstance(value, bool) == isinstance(literal, bool)


@lru_cache(maxsize=1024)
def parse(text: str) -> Condition:
    """
    Read a condition.

    Raises:
        BadCondition: It is none.
    """
    tokens = list(_tokens(text))
    comparisons = [_comparison(tokens, text)]
    while tokens:
        if tokens.pop(0) != ("word", "and"):
            raise BadCondition(text, "has something behind a comparison that is not 'and'")
        comparisons.append(_comparison(tokens, text))
    return Condition(text, tuple(comparisons))


def check_condition(text: str, world: World) -> None:
    """
    Look at a condition that is to be kept.

    Raises:
        BadCondition: It cannot be read, or asks for a trait that there is not.
    """
    for each in parse(text).comparisons:
        if each.trait not in world.traittypes:
            raise BadCondition(text, f"asks for {each.trait}, and no trait is called that")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise BadCondition(text, f"cannot be read from {text[position:].strip()!r} on")
        yield found.lastgroup, found[found.lastgroup]
        position = found.end()


def _comparison(tokens: list[tuple[str, str]], text: str) -> Comparison:
    if len(tokens) < 3:
        raise BadCondition(text, "ends before a comparison does")
    (kind, trait), (_, sign) = tokens.pop(0), tokens.pop(0)
    if kind != "word" or sign not in _SIGNS:
        raise BadCondition(text, f"has {trait} {sign} where a trait and a comparison belong")
    literal = _literal(tokens, text)
    if (sign == "in") != isinstance(literal, tuple):
        raise BadCondition(text, "takes a list with 'in', and one value with everything else")
    if sign in _ORDER and (literal is None or isinstance(literal, bool)):
        raise BadCondition(text, f"asks what is less or more than {_word(literal)}, and nothing is")
    return Comparison(trait, sign, literal)


def _literal(tokens: list[tuple[str, str]], text: str) -> Any:
    if tokens[:1] != [("sign", "[")]:
        return _value(tokens, text)
    tokens.pop(0)
    values: list[Any] = []
    while tokens[:1] != [("sign", "]")]:
        if values and (not tokens or tokens.pop(0) != ("sign", ",")):
            raise BadCondition(text, "has a list without an end")
        values.append(_value(tokens, text))
    tokens.pop(0)
    return tuple(values)


def _word(constant: bool | None) -> str:
    """Return how a constant is written."""
    return next(word for word, each in _CONSTANTS.items() if each is constant)


def _value(tokens: list[tuple[str, str]], text: str) -> Any:
    kind, word = tokens.pop(0) if tokens else ("", "")
    if kind == "number":
        if len(word) > _LONGEST_NUMBER:
            raise BadCondition(text, f"has a number of {len(word)} digits; at most {_LONGEST_NUMBER} are read")
        return float(word) if "." in word else int(word)
    if kind == "text":
        return word[1:-1]
    if kind == "word" and word in _CONSTANTS:
        return _CONSTANTS[word]
    raise BadCondition(text, f"has {word or 'nothing'} where a value belongs")
