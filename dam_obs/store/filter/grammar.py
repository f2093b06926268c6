"""
From the text of a filter to its tree.

    filter  = [ either ]
    either  = both { "or" both }
    both    = term { [ "and" ] term }
    term    = [ "-" ] ( "(" either ")" | word )
    word    = text | field ":" value | "@" name { "." name } ":" value

Written by hand, by recursive descent: the language has five rules, and what makes a good
message, the nearest field or status and the exact column of what is wrong within a word,
a parser generator would leave to us anyway. Of what there is, luqum (Lucene's syntax) keeps
the state of its lexer in the module, so that two threads disturb each other, and cannot
say where a text is wrong; lark and pyparsing would add a dependency and their import time for these rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dam_obs.store.filter.errors import BadFilter, Mark
from dam_obs.store.filter.fields import data, field
from dam_obs.store.filter.tree import EVERYTHING, All, AnyOf, Node, Not, Says
from dam_obs.store.filter.values import anywhere
from dam_obs.store.filter.words import Sign, Word, words

DEEPEST: Final = 32
"""Parentheses within each other."""

MOST_TERMS: Final = 500
"""Terms of a filter, all together."""


def parse(text: str, now: datetime) -> Node:
    """
    Return the tree of a filter's text.

    Raises:
        BadFilter: It cannot be understood.
    """
    parts = list(words(text))
    if not parts:
        return EVERYTHING
    if len(parts) > MOST_TERMS:
        mark = parts[MOST_TERMS].mark
        raise BadFilter(f"the filter is too long: {MOST_TERMS} words and signs are the most", mark)
    return _Parser(text, parts, now).whole()


class _Parser:
    """Goes over the words once, from the left to the right."""

    def __init__(self, text: str, parts: Sequence[Word | Sign], now: datetime) -> None:
        self._parts = parts
        self._at = 0
        self._now = now
        self._depth = 0
        self._end = Mark(text, len(text), 0)

    def whole(self) -> Node:
        node = self._either()
        if self._next is not None:  # nothing but a parenthesis ends it early
            raise BadFilter("a parenthesis is closed that was not opened: remove it", self._next.mark)
        return node

    @property
    def _next(self) -> Word | Sign | None:
        return self._parts[self._at] if self._at < len(self._parts) else None

    def _either(self) -> Node:
        terms = [self._both()]
        while self._is_word("or"):
            self._at += 1
            terms.append(self._both())
        return terms[0] if len(terms) == 1 else AnyOf(tuple(terms))

    def _both(self) -> Node:
        terms = [self._term()]
        while self._next is not None and not self._is_sign(")") and not self._is_word("or"):
            if self._is_word("and"):
                self._at += 1
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _term(self) -> Node:
        part = self._next
        self._refuse_what_is_no_term(part)
        self._at += 1
        if isinstance(part, Word):
            return _of_word(part, self._now)
        assert part is not None  # noqa: S101 - refused above
        return self._negation(part) if part.sign == "-" else self._group(part)

    def _refuse_what_is_no_term(self, part: Word | Sign | None) -> None:
        before = self._parts[self._at - 1] if self._at else None
        if part is None:
            what = f"{_said(before)} has nothing behind it"
            raise BadFilter(f"{what}: write what else is wanted, or remove it", before.mark if before else self._end)
        if self._is_sign(")"):
            raise BadFilter("there is nothing before this parenthesis: write a term, or remove it", part.mark)
        if self._is_word("or") or self._is_word("and"):
            word = _said(part)
            raise BadFilter(f'{word} has nothing before it: write a term, or "{word}" to look for the word', part.mark)

    def _negation(self, minus: Sign) -> Node:
        following = self._next
        behind = minus.mark.column + 1
        if following is None or following.mark.column != behind or self._is_sign(")"):
            raise BadFilter('- has nothing behind it: write -word, or "-" to look for it', minus.mark)
        if self._is_sign("-"):
            raise BadFilter("one - is enough: remove the other, or quote the text", following.mark)
        return Not(self._term())

    def _group(self, opening: Sign) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadFilter(f"too many parentheses within each other: {DEEPEST} are the most", opening.mark)
        node = self._either()
        if not self._is_sign(")"):
            raise BadFilter("a parenthesis is not closed: put a ) at its end", opening.mark)
        self._at += 1
        self._depth -= 1
        return node

    def _is_sign(self, sign: str) -> bool:
        part = self._next
        return isinstance(part, Sign) and part.sign == sign

    def _is_word(self, word: str) -> bool:
        part = self._next
        return isinstance(part, Word) and (part.plain or "").lower() == word


def _of_word(word: Word, now: datetime) -> Node:
    colon = word.find(":")
    if word.find("@") == 0:
        if colon < 0:
            raise BadFilter(
                f"{word.text} says nothing of the value: write {word.text}:* for all that have it", word.mark
            )
        return data(word.before(colon), word.after(colon))
    if colon == 0:
        raise BadFilter("there is no field before the colon: write one, or quote the text", word.mark)
    if colon > 0:
        return field(word.before(colon), word.after(colon), now)
    if word.plain == "NOT":
        raise BadFilter('what is not wanted has a - before it: write -word, or "NOT" to look for the word', word.mark)
    if not word.text:
        raise BadFilter("there is nothing between the quotation marks: write a phrase, or remove them", word.mark)
    return Says(anywhere(word))


def _said(part: Word | Sign | None) -> str:
    if part is None:
        return "the filter"
    return part.sign if isinstance(part, Sign) else part.text
