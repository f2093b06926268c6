"""
Cut the text of a filter into words and signs.

A word ends at white space or a parenthesis. Quotation marks may begin anywhere in it:
what is between them is taken as it is, so that ``component:"my file"`` is one word. Each
letter knows where it stood and whether it was quoted, for a sign means nothing in quotes.

What the words mean is `grammar`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from dam_obs.store.filter.errors import BadFilter, Mark

_QUOTE: Final = '"'
_ESCAPE: Final = "\\"
_SIGNS: Final = frozenset("()")


class Letter(NamedTuple):
    """One character of a word."""

    character: str
    column: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Sign:
    """A parenthesis, or the minus before what is not wanted."""

    sign: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a part of one."""

    letters: tuple[Letter, ...]
    mark: Mark
    """Where it stands, quotation marks included."""

    @property
    def text(self) -> str:
        """What it says, without quotation marks."""
        return "".join(letter.character for letter in self.letters)

    @property
    def plain(self) -> str | None:
        """The same, if nothing in it is quoted; `None` otherwise."""
        return None if any(letter.quoted for letter in self.letters) else self.text

    @property
    def is_empty(self) -> bool:
        """There is nothing, not even quotation marks."""
        return self.mark.length == 0

    def find(self, sign: str) -> int:
        """Return the place of an unquoted `sign`; -1 for none."""
        for place, letter in enumerate(self.letters):
            if letter.character == sign and not letter.quoted:
                return place
        return -1

    def split(self, sign: str) -> list[Word]:
        """Return the parts between unquoted `sign`s."""
        parts, rest = [], self
        while (place := rest.find(sign)) >= 0:
            parts.append(rest.before(place))
            rest = rest.after(place)
        return [*parts, rest]

    def before(self, place: int) -> Word:
        """Return what stands before the letter at `place`."""
        end = self.letters[place].column
        return Word(self.letters[:place], Mark(self.mark.text, self.mark.column, end - self.mark.column))

    def after(self, place: int) -> Word:
        """Return what stands behind the letter at `place`."""
        begin = self.letters[place].column + 1
        end = self.mark.column + self.mark.length
        return Word(self.letters[place + 1 :], Mark(self.mark.text, begin, end - begin))


def words(text: str) -> Iterator[Word | Sign]:
    """
    Yield the words and signs of `text`.

    Raises:
        BadFilter: A quotation mark is not closed.
    """
    at = 0
    while at < len(text):
        character = text[at]
        if character.isspace():
            at += 1
        elif character in _SIGNS or character == "-":
            yield Sign(character, Mark(text, at, 1))
            at += 1
        else:
            word = _word(text, at)
            yield word
            at += word.mark.length


def _word(text: str, begin: int) -> Word:
    letters: list[Letter] = []
    at = begin
    while at < len(text) and not text[at].isspace() and text[at] not in _SIGNS:
        if text[at] == _QUOTE:
            at = _quoted(text, at, letters)
        else:
            letters.append(Letter(text[at], at, False))
            at += 1
    return Word(tuple(letters), Mark(text, begin, at - begin))


def _quoted(text: str, begin: int, letters: list[Letter]) -> int:
    """Add what is in quotation marks to `letters`; return the place behind them."""
    at = begin + 1
    while at < len(text) and text[at] != _QUOTE:
        if text[at] == _ESCAPE and text[at + 1 : at + 2] in (_QUOTE, _ESCAPE):
            at += 1
        letters.append(Letter(text[at], at, True))
        at += 1
    if at >= len(text):
        raise BadFilter('a quotation mark is not closed: put a " at the end of the phrase', Mark(text, begin, 1))
    return at + 1
