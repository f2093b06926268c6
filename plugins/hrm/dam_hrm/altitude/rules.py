"""
The plain rules of altitude: at which level an input speaks, and whether a move may be made.

Words are looked for in a table; what is found at the highest level counts. All of it is the
same for the same input, whenever and wherever it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

from dam_hrm.altitude.values import Footing, Level, Move, Moved
from dam_hrm.words import head

ATOMIC_WORDS: Final = 12
ATOMIC_CHARACTERS: Final = 200
"""An atomic request has at most so many."""

_TOLD: Final = re.compile(r"\s*(?P<level>l[1-4]|identity|strategy|operations|moment)\s*:\s*", re.IGNORECASE)
"""An input may say its level itself: ``L3: ...`` or ``strategy: ...``."""

_WORDS: Final = {
    Level.IDENTITY: r"who (?:am i|i am|are we|we are)|(?:my|our) (?:values?|purpose|principles?|identity|mission)"
    r"|(?:i|we) (?:value|stand for|believe in)|matters? (?:most|to (?:me|us))|mission",
    Level.STRATEGY: r"strateg(?:y|ies|ic)|goals?|priorit(?:y|ies|i[sz]e)|direction|long[- ]term|roadmap|vision"
    r"|trade-?offs?|this year|next year|what should (?:i|we) focus on",
    Level.OPERATIONS: r"plan|project|schedule|organi[sz]e|prepare|steps?|milestones?|tasks?|deadlines?|process|launch"
    r"|(?:this|next) (?:week|month)|how (?:do|should|can) (?:i|we)",
    Level.MOMENT: r"now|today|tonight|right away|at once|what time|remind|note|remember|recall|next step"
    r"|this (?:minute|hour|morning|afternoon|evening)",
}
_AT_LEVEL: Final = {level: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for level, words in _WORDS.items()}
_NOTE: Final = re.compile(r"(?:please )?(?:note|remember|write down|keep in mind|recall|remind)\b", re.IGNORECASE)
_ATOMIC: Final = re.compile(
    r"(?:please )?(?:what|when|where|who|which|how (?:many|much|long|far|old)|is|are|was|were|does|do|did|can"
    r"|show|tell|list|define|translate|convert|spell|say)\b",
    re.IGNORECASE,
)
_JOINED: Final = re.compile(r";|\b(?:and then|then|afterwards|and also)\b", re.IGNORECASE)
_SKIP: Final = re.compile(
    r"\b(?:skip|pass over|without)\b.{1,200}?\b(?:because|since|as)\b(?P<reason>.+)", re.IGNORECASE
)


def level_of(text: str) -> Level | None:
    """
    Say at which level an input speaks; `None` where nothing tells.

    What the input says itself (``L2: ...``) counts before any word in it.
    """
    told = _TOLD.match(text)
    if told is not None:
        word = told["level"].lower()
        return next(each for each in Level if word in (each.value.lower(), each.name.lower()))
    return next((level for level, words in _AT_LEVEL.items() if words.search(head(text))), None)


def without_level(text: str) -> str:
    """Give an input without the level that it says itself."""
    told = _TOLD.match(text)
    return text.strip() if told is None else text[told.end() :].strip()


def is_atomic(text: str) -> bool:
    """
    Say whether an input is one request that can be answered at once.

    To note or recall something is, whatever it is about. Anything else is if it is short, begins like a question or a
    small command, joins nothing to it, and speaks of nothing above the moment. One that says its level has to say L1.
    """
    words = without_level(text)
    if _TOLD.match(text) is not None and level_of(text) is not Level.MOMENT:
        return False
    if _NOTE.match(words) is not None:
        return True
    return (
        len(words) <= ATOMIC_CHARACTERS
        and len(words.split()) <= ATOMIC_WORDS
        and _ATOMIC.match(words) is not None
        and _JOINED.search(words) is None
        and level_of(text) in (None, Level.MOMENT)
    )


def skip_reason(text: str) -> str:
    """Give the reason for which an input asks to pass over a level (``skip the strategy because ...``), or nothing."""
    asked = _SKIP.search(head(text))
    return "" if asked is None else asked["reason"].strip(" .!")


# -- moves


def judge(move: Move, established: Set[Level]) -> Moved:
    """
    Say whether a move may be made.

    Up, or nowhere: always. Down: the level that is left has to be established, and a level that is passed over needs a
    reason. An atomic request takes the fast lane past both, with a note of what is missing above.
    """
    if move.to_level.height >= move.from_level.height:
        return Moved(
            allowed=True, reason="going up is always allowed" if _goes_up(move) else "that is the level already"
        )

    passed = passed_over(move)
    missing = [each for each in (move.from_level, *passed) if each not in established]
    if move.atomic:
        return Moved(
            allowed=True, reason="an atomic request takes the fast lane", note=_reminder(missing), skipped=passed
        )
    if move.from_level not in established:
        return Moved(allowed=False, reason=f"{_named(move.from_level)} is not established: {_HELP[move.from_level]}")
    if not passed:
        return Moved(allowed=True, reason=f"{_named(move.from_level)} is established")
    if not move.reason.strip():
        names = " and ".join(map(_named, passed))
        return Moved(allowed=False, reason=f"{names} would be passed over, which needs a reason")
    reason = f"{move.reason} (passed over {', '.join(passed)})"
    return Moved(allowed=True, reason=reason, note=_reminder(missing), skipped=passed)


def passed_over(move: Move) -> tuple[Level, ...]:
    """Give the levels between the two of a way down, in the order in which they are passed."""
    heights = range(move.from_level.height - 1, move.to_level.height, -1)
    return tuple(Level(f"L{height}") for height in heights)


def footing_of(move: Move, moved: Moved) -> Footing:
    """Say what a level rests on that was gone down to, if not on the one above it."""
    if move.atomic:
        return Footing.FAST_LANE
    return Footing.SKIP if moved.skipped else Footing.GRANTED


def _goes_up(move: Move) -> bool:
    return move.to_level.height > move.from_level.height


_HELP: Final = {
    Level.IDENTITY: "say what matters to you (“I value ...”), or ask for one thing that can be answered at once",
    Level.STRATEGY: "say what the goal is (“Our goal is ...”), or ask for one thing that can be answered at once",
    Level.OPERATIONS: "say what the plan is (“The plan is ...”), or ask for one thing that can be answered at once",
    Level.MOMENT: "",
}
"""What helps where a level is missing."""


def _named(level: Level) -> str:
    return f"{level.value} ({level.name.lower()})"


def _reminder(missing: list[Level]) -> str:
    if not missing:
        return ""
    names = ", ".join(map(_named, missing))
    return f"{names} {'is' if len(missing) == 1 else 'are'} not established yet"
