"""
The plain rules of reasoning: what an input is like, which strategy fits that, and how much care it gets.

An input is looked at by word lists. Each measure is one function with its rule in its docstring; nothing is learned
here, and the same input always gives the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from dam_hrm.reasoning.values import MAX_LEVEL, Classification, Escalated, Escalation, Strategy, StrategyChoice
from dam_hrm.words import head

if TYPE_CHECKING:
    from dam_hrm.learning.values import Match

SIMPLE_WORDS: Final = 12
COMPLEX_WORDS: Final = 40
COMPLEX_CLAUSES: Final = 4
UNCERTAIN: Final = 0.5
"""An input is uncertain from here on."""

UNSURE: Final = 0.5
"""Below this confidence a classification is asked about rather than relied on."""

SURE: Final = 0.7
"""A pattern of this confidence is gone by."""

Input = Literal["question", "task", "decision", "statement", "command"]
Trigger = Literal["uncertainty", "conflict", "cost_value", "horizon"]


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_TYPES: Final[Mapping[Input, re.Pattern[str]]] = {
    "decision": re.compile(
        r"\b(?:should (?:i|we)|decide|choose|which of)\b|\b(?:whether|either)\b.{1,200}?\bor\b", re.IGNORECASE
    ),
    "command": re.compile(
        r"\s*(?:please )?(?:note|remember|recall|remind|show|list|stop|halt|pause|resume|switch|go on|skip)\b",
        re.IGNORECASE,
    ),
    "task": re.compile(
        r"\s*(?:please |let'?s |help me (?:to )?|i (?:need|want) (?:you )?to )?(?:plan|write|prepare|build|make|create"
        r"|draft|organi[sz]e|design|fix|move|publish|launch|start|work on|commit to|review|compare|analy[sz]e|set up"
        r"|finish)\b",
        re.IGNORECASE,
    ),
    "question": re.compile(
        r"\?\s*$|^\s*(?:what|when|where|who|why|which|how|is|are|was|were|do|does|did|can|could|would|will)\b",
        re.IGNORECASE,
    ),
}
"""What an input may be, in the order in which the first that fits counts; none: a statement."""

_HEDGES: Final = _words(
    r"maybe|perhaps|probably|possibly|might|not sure|unsure|uncertain|don'?t know|no idea|i guess|i think|wonder"
    r"|depends|confus(?:ed|ing)|unclear"
)
_INTERNAL: Final = _words(
    r"torn|part of me|on the other hand|but i(?: also)?|mixed feelings|and yet|can'?t decide|at the same time"
)
_EXTERNAL: Final = _words(
    r"disagrees?|argu(?:e|es|ing|ment)|against (?:me|us)|insists?|conflict|versus|they want|he wants|she wants|refuses?"
    r"|my boss|opposed?"
)
_HIGH_STAKES: Final = _words(
    r"irreversibl[ey]|delet(?:e|es|ing)|quit|resign|sell|buy (?:a|the) house|legal|lawsuit|contract|health|surgery"
    r"|money|savings|invest(?:ment)?|fire|production|marry|divorce|sign"
)
_MEDIUM_STAKES: Final = _words(
    r"customers?|clients?|deadlines?|launch|team|budget|publish|release|interview|promise[ds]?"
)
_IMMEDIATE: Final = _words(r"now|today|tonight|right away|at once|immediately|asap|urgent(?:ly)?|this (?:minute|hour)")
_FAR: Final = _words(r"years?|decades?|long[- ]term|life|someday|career|retire(?:ment)?|future|generations?|eventually")
_WEIGHTY: Final = _words(
    r"strategy|architecture|trade-?offs?|dependenc(?:y|ies)|migrat(?:e|ion)|system|organi[sz]ation"
)
_CLAUSE: Final = re.compile(r"[;,:]|\b(?:and|then|but|because|while|after|before|unless|if)\b", re.IGNORECASE)
_SIMPLER: Final = _words(r"just answer|keep it simple|simply|quickly|no need to think|never mind the details")
_HARDER: Final = _words(r"think (?:hard|harder|carefully|twice)|take your time|be careful|double[- ]check|in depth")


# -- classifying


def classify(text: str) -> Classification:
    """Say what an input is like, by all measures."""
    text = head(text)
    fitting = input_types(text)
    uncertainty = uncertainty_of(text)
    return Classification(
        input_type=fitting[0] if fitting else "statement",
        complexity=complexity_of(text),
        uncertainty=uncertainty,
        conflict=conflict_of(text),
        stakes=stakes_of(text),
        horizon=horizon_of(text),
        confidence=confidence_of(text, len(fitting)),
    )


def input_types(text: str) -> list[Input]:
    """Give all types that an input could be, the one that counts first."""
    return [each for each, pattern in _TYPES.items() if pattern.search(text)]


def complexity_of(text: str) -> Literal["simple", "moderate", "complex"]:
    """
    Judge by length and by how much is joined together.

    Complex: more than 40 words, or 4 clauses, or 2 with a word such as *architecture*. Simple: at most 12 words and
    one clause, without such a word.
    """
    words, clauses = len(text.split()), 1 + len(_CLAUSE.findall(text))
    weighty = _WEIGHTY.search(text) is not None
    if words > COMPLEX_WORDS or clauses >= COMPLEX_CLAUSES or (weighty and clauses > 1):
        return "complex"
    return "simple" if words <= SIMPLE_WORDS and clauses == 1 and not weighty else "moderate"


def uncertainty_of(text: str) -> float:
    """Start at 0.1; each hedge (*maybe*, *not sure*, ...) adds 0.3, each question mark 0.1; 1 at most."""
    return round(min(1.0, 0.1 + 0.3 * len(_HEDGES.findall(text)) + 0.1 * text.count("?")), 2)


def conflict_of(text: str) -> Literal["none", "internal", "external"]:
    """Find somebody who wants something else (external), else the speaker of two minds (internal)."""
    if _EXTERNAL.search(text):
        return "external"
    return "internal" if _INTERNAL.search(text) else "none"


def stakes_of(text: str) -> Literal["low", "medium", "high"]:
    """Look for what cannot be taken back (high), else for what others count on (medium)."""
    if _HIGH_STAKES.search(text):
        return "high"
    return "medium" if _MEDIUM_STAKES.search(text) else "low"


def horizon_of(text: str) -> Literal["immediate", "near", "far"]:
    """Go by words of time; what is far counts more than what is now. No such word: near."""
    if _FAR.search(text):
        return "far"
    return "immediate" if _IMMEDIATE.search(text) else "near"


def confidence_of(text: str, fitting: int) -> float:
    """One type fits: 0.9. Several: 0.7. None (a statement): 0.6. Fewer than two words: 0.3, whatever fits."""
    if len(text.split()) < 2:
        return 0.3
    if fitting == 0:
        return 0.6
    return 0.9 if fitting == 1 else 0.7


# -- choosing a strategy


def choose(classification: Classification, level: int, match: Match | None = None) -> StrategyChoice:
    """
    Choose a strategy: the first of these that applies.

    A pattern that is sure enough: what it says. High stakes: verification. Conflict: dialogue. Complex:
    decomposition. Uncertain, or a decision: exploration. A classification that is hardly one: dialogue. Else a quick
    answer, but from escalation level 2 on verification, and on level 3 dialogue, which leaves it to the user.
    """
    strategy, reason = _by_classification(classification)
    if match is not None and is_sure(match) and match.then in set(Strategy):
        reason = f"pattern {match.pattern_code} says so"
        return StrategyChoice(strategy=Strategy(match.then), reason=reason, fallback=strategy)
    if strategy is Strategy.QUICK_ANSWER and level >= 2:
        strategy = Strategy.DIALOGUE if level == MAX_LEVEL else Strategy.VERIFICATION
        reason = f"escalation level {level} leaves no quick answer"
    return StrategyChoice(strategy=strategy, reason=reason, fallback=FALLBACKS[strategy])


def is_sure(match: Match) -> bool:
    """Say whether a pattern fits that can be gone by."""
    return match.pattern_code is not None and match.confidence >= SURE


FALLBACKS: Final[Mapping[Strategy, Strategy | None]] = {
    Strategy.QUICK_ANSWER: Strategy.EXPLORATION,
    Strategy.DECOMPOSITION: Strategy.DIALOGUE,
    Strategy.VERIFICATION: Strategy.DIALOGUE,
    Strategy.EXPLORATION: Strategy.DIALOGUE,
    Strategy.DIALOGUE: None,
}
"""What is done where a strategy's plan is sent back."""


def _by_classification(found: Classification) -> tuple[Strategy, str]:
    if found.stakes == "high":
        return Strategy.VERIFICATION, "the stakes are high"
    if found.conflict != "none":
        return Strategy.DIALOGUE, f"there is a conflict ({found.conflict})"
    if found.complexity == "complex":
        return Strategy.DECOMPOSITION, "it has many parts"
    if found.uncertainty >= UNCERTAIN:
        return Strategy.EXPLORATION, "much is uncertain"
    if found.input_type == "decision":
        return Strategy.EXPLORATION, "there is something to decide"
    if found.confidence < UNSURE:
        return Strategy.DIALOGUE, "it is not clear what is meant"
    return Strategy.QUICK_ANSWER, f"it is a {found.complexity} {found.input_type}"


# -- escalating

RAISING: Final = ("uncertainty", "conflict", "cost_value", "horizon")
"""Triggers that lead up, one level at a time."""

LOWERING: Final = ("pattern_match", "simplified")
"""Triggers that lead back down, any number of levels. The user's override leads either way, as far as it says."""


def trigger_of(found: Classification) -> Trigger | None:
    """Say what about an input asks for more care; the first that applies."""
    if found.stakes == "high":
        return "cost_value"
    if found.conflict != "none":
        return "conflict"
    if found.uncertainty >= UNCERTAIN:
        return "uncertainty"
    return "horizon" if found.horizon == "far" and found.complexity == "complex" else None


def override_of(text: str, level: int) -> int | None:
    """Give the level that the user's own words ask for: none with *just answer*, one more with *think hard*."""
    text = head(text)
    if _SIMPLER.search(text):
        return 0
    return min(level + 1, MAX_LEVEL) if _HARDER.search(text) else None


def judge(escalation: Escalation) -> Escalated:
    """Say whether the level may change: within 0 to 3, in the direction of its trigger, up one level at a time."""
    here, there, trigger = escalation.from_level, escalation.to_level, escalation.trigger
    refusal = None
    if not 0 <= there <= MAX_LEVEL:
        refusal = f"there is no level {there}: they go from 0 to {MAX_LEVEL}"
    elif there == here:
        refusal = f"level {here} holds already"
    elif trigger in RAISING and there < here:
        refusal = f"{trigger} leads up: the way back is {', '.join(LOWERING)} or override"
    elif trigger in LOWERING and there > here:
        refusal = f"{trigger} leads back: the way up is {', '.join(RAISING)} or override"
    elif trigger in RAISING and there > here + 1:
        refusal = f"{trigger} leads up one level at a time, from {here} to {here + 1}"
    if refusal is not None:
        return Escalated(allowed=False, level=here, reason=refusal)
    return Escalated(allowed=True, level=there, reason=escalation.reason or trigger)
