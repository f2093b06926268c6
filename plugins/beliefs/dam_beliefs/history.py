"""
`History`: for each trait, which of a line of versions has last said something of it.

A version that changes one trait is silent on all others. To ask it for one of those must not cost a step for each
version that ever was, so a locked belief knows how far down the next one is that has something to say. Versions share
what they know of this (persistent maps): each costs what is new in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rpds import HashTrieMap

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.node import Node

KINDS: Final = ""
"""Stands among the traits for the kinds of a belief that was learned; no trait is called so."""


@dataclass(frozen=True, slots=True)
class History:
    """Of one belief in a line, each with the next as its only base."""

    depth: int
    """How many lie below it in its line."""
    end: Belief
    """The last one of the line: it has several bases, none, or an archetype."""
    speakers: HashTrieMap[str, tuple[int, Belief]]
    """Those above the end that say something, with their depth, by what they say it of."""

    def next(self, trait: str) -> tuple[int, Node]:
        """Return the next one that is to be asked, and how many steps down it is."""
        depth, belief = self.speakers.get(trait, (0, self.end))
        return self.depth - depth, belief


def history_of(belief: Belief) -> History:
    """Return the history of a locked belief, and let all in its line keep theirs."""
    line: list[Belief] = []
    below: Belief | None = belief
    while below is not None and below.history is None:
        line.append(below)
        below = below.only_version_below
    known = below.history if below is not None else None
    for each in reversed(line):
        known = each.history = _of(each, known)
    return known or _of(belief, None)


def _of(belief: Belief, below: History | None) -> History:
    if below is None:
        return History(0, belief, HashTrieMap())
    depth, speakers = below.depth + 1, below.speakers
    for trait in {*belief.own_traits, *belief.all_operations, *([KINDS] if belief.kinds else [])}:
        speakers = speakers.insert(trait, (depth, belief))
    return History(depth, below.end, speakers)
