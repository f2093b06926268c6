"""
Make one text out of the answers of several agents.

Every reducer gives a single answer as it is, and nothing where there is none. Answers come in the order of their
bundle, and whoever comes first there wins where nothing else decides; the same answers always give the same text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from dam_hrm.focus.values import Answer, Reducer


def reduce(reducer: Reducer, answers: Sequence[Answer]) -> str:
    """Reduce answers to one text."""
    if not answers:
        return ""
    return answers[0].text if len(answers) == 1 else REDUCERS[reducer](answers)


def pass_through(answers: Sequence[Answer]) -> str:
    """Give the first answer of the bundle as it is."""
    return answers[0].text


def merge(answers: Sequence[Answer]) -> str:
    """Give each answer a paragraph; what was said already is not said again."""
    first_said = {_folded(answer.text): answer.text.strip() for answer in reversed(answers)}
    said = dict.fromkeys(_folded(answer.text) for answer in answers if answer.text.strip())
    return "\n\n".join(first_said[folded] for folded in said)


def vote(answers: Sequence[Answer]) -> str:
    """
    Give the text that most is said for: the sum of its agents' confidence.

    Texts that differ only in case and spaces are one. Where two have the same, the one of more agents wins, then the
    one that was said first.
    """
    votes: dict[str, list[Answer]] = {}
    for answer in answers:
        votes.setdefault(_folded(answer.text), []).append(answer)
    # `max` gives the first of those that are equal.
    won = max(votes.values(), key=lambda voters: (math.fsum(each.confidence for each in voters), len(voters)))
    return won[0].text


def synthesize(answers: Sequence[Answer]) -> str:
    """Begin with the surest answer and add what was not said yet: sentence by sentence, surer ones first."""
    said: dict[str, str] = {}
    for answer in sorted(answers, key=lambda each: -each.confidence):
        for sentence in _SENTENCE_END.split(answer.text.strip()):
            if sentence:
                said.setdefault(_folded(sentence).rstrip(".!?"), sentence)
    return " ".join(said.values())


REDUCERS: Final[Mapping[Reducer, Callable[[Sequence[Answer]], str]]] = {
    Reducer.PASS_THROUGH: pass_through,
    Reducer.MERGE: merge,
    Reducer.VOTE: vote,
    Reducer.SYNTHESIZE: synthesize,
}

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
