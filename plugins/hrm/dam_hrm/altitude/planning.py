"""
The plain rules of planning: what an intent asks to be done, in which steps, and what is thought of such a plan.

An intent is matched against a table of patterns, one for each action that the runtime can carry out by itself
(`dam_hrm.execution`); what matches none is answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from dam_hrm.altitude.rules import level_of, without_level
from dam_hrm.altitude.values import Evaluation, Level, Plan
from dam_hrm.reasoning.values import Strategy, StrategyChoice
from dam_hrm.words import head, slug

SUMMARY_CHARACTERS: Final = 80
MAX_STEPS: Final = 20
MAX_OPTIONS: Final = 10
MANY_STEPS: Final = 7
"""A plan of more steps than that is trusted less."""

_ACTIONS: Final[Mapping[str, re.Pattern[str]]] = {
    action: re.compile(pattern, re.IGNORECASE)
    for action, pattern in {
        "halt": r"\s*(?:stop everything|emergency|abort|halt)\b",
        "note": r"\s*(?:please )?(?:note|remember|write down|keep in mind)\b(?: that\b)?[\s:,]*",
        "recall": r"\s*(?:please )?(?:recall|remind me of|what (?:did|do) (?:i|we) (?:note|know|say) about)\b\s*"
        r"(?P<about>.*)",
        "pause": r"\s*(?:pause|put (?:this|it) aside)\b\s*(?P<bookmark>.*)",
        "switch": r"\s*(?:go on with|switch to|back to|resume)\b\s*(?P<lane>.*)",
        "review": r"\s*(?:review|look back)\b|.*\bhow did (?:it|that|this|we) go\b",
        "decide": r"\s*(?:decide|choose)\b\s*(?:between|whether)?\s*(?P<options>.*)"
        r"|\s*should (?:i|we)\s+(?P<either>.+\bor\b.+)",
        "commit": r"\s*(?:i(?:'ll| will)|we(?:'ll| will)|let'?s|commit to|start(?: on)?|work on)\s+(?P<goal>.*)",
        "settle": r"\s*(?:(?:i|we) (?:value|stand for|believe in)|what matters (?:most\b.*?|to (?:me|us)) is\b"
        r"|(?:my|our|the) (?:values?|purpose|principles?|mission"
        r"|goals?|strategy|priorit(?:y|ies)|direction|roadmap|plan)\b.*?\b(?:is|are)\b)",
    }.items()
}
"""What an intent may ask for, in the order in which the first that matches counts."""

_STEPS: Final[Mapping[Strategy, tuple[str, ...]]] = {
    Strategy.QUICK_ANSWER: (),
    Strategy.DECOMPOSITION: ("name the parts", "put them in order", "do the first one"),
    Strategy.VERIFICATION: ("say what must hold", "check it", "act only then"),
    Strategy.EXPLORATION: ("list what is possible", "weigh it", "try the best one in the small"),
    Strategy.DIALOGUE: ("ask what is meant",),
}
_PART: Final = re.compile(r"\s*(?:[;,.]|\band then\b|\bthen\b|\band\b|\bafter that\b)\s*", re.IGNORECASE)
_OPTION: Final = re.compile(r"\s*(?:,|\bor\b|\band\b)\s*", re.IGNORECASE)


def make_plan(altitude: Level, intent: str, choice: StrategyChoice | None) -> Plan:
    """Find the action that an intent asks for, and the steps that its strategy takes."""
    text = without_level(intent)
    strategy = choice.strategy if choice is not None else Strategy.QUICK_ANSWER
    action_type, arguments = action_of(text)
    steps = steps_of(text, strategy) if action_type in ("answer", "commit") else ()
    return Plan(
        altitude=altitude,
        intent=intent,
        plan_summary=f"{action_type}: {text}"[:SUMMARY_CHARACTERS],
        steps=steps,
        action_type=action_type,
        arguments={**arguments, "text": arguments.get("text", text), "strategy": strategy.value, "steps": steps},
    )


def action_of(text: str) -> tuple[str, dict[str, Any]]:
    """Give the action that a text asks for, and its arguments."""
    for action, pattern in _ACTIONS.items():
        found = pattern.match(head(text))
        if found is not None:
            return action, _arguments(action, text, found)
    return "answer", {}


def steps_of(text: str, strategy: Strategy) -> tuple[str, ...]:
    """Give a text's own parts where it has several and is to be decomposed; else the strategy's steps."""
    if strategy is Strategy.DECOMPOSITION:
        parts = tuple(part.strip() for part in _PART.split(head(text).rstrip("?!. ")) if part.strip())
        if len(parts) > 1:
            return parts[:MAX_STEPS]
    return _STEPS[strategy]


def judge_plan(plan: Plan, escalation_level: int) -> Evaluation:
    """
    Say what is thought of a plan.

    Refused: there is no intent. Sent back: a note, a decision or a goal without content. Else approved, with a
    confidence of 0.9, less 0.1 for each escalation level and 0.2 for more than 7 steps.
    """
    if not plan.intent.strip():
        return Evaluation(altitude=plan.altitude, verdict="refused", confidence=1.0, reason="there is nothing to do")
    lacking = _lacking(plan)
    if lacking:
        return Evaluation(altitude=plan.altitude, verdict="revise", confidence=0.8, reason=lacking)
    confidence = 0.9 - 0.1 * escalation_level - (0.2 if len(plan.steps) > MANY_STEPS else 0.0)
    return Evaluation(
        altitude=plan.altitude, verdict="approved", confidence=round(confidence, 2), reason="it can be done"
    )


def _arguments(action: str, text: str, matched: re.Match[str]) -> dict[str, Any]:
    found = matched.groupdict(default="")
    match action:
        case "note":
            rest = text[matched.end() :].strip()
            return {"text": rest, "key": slug(_subject(rest))}
        case "recall":
            return {"about": found["about"].strip(" ?.!"), "key": slug(found["about"])}
        case "decide":
            options = _OPTION.split((found["options"] or found["either"]).strip(" ?.!"))
            return {"options": tuple(each for each in options if each)[:MAX_OPTIONS]}
        case "commit":
            return {"goal": found["goal"].strip(" ?.!"), "lane": slug(found["goal"])}
        case "switch":
            return {"lane": slug(found["lane"])}
        case "pause":
            return {"bookmark": found["bookmark"].strip(" ?.!")}
        case "settle":
            return {"level": (level_of(text) or Level.OPERATIONS).value}
    return {}


def _subject(text: str) -> str:
    """Give what a note is about: what stands before a colon or *is*; else all of it."""
    return re.split(r":|\b(?:is|are|was|were)\b", text, maxsplit=1)[0] or text


_NEEDED: Final = {
    "note": ("key", "what should be noted?"),
    "recall": ("key", "what should be recalled?"),
    "commit": ("goal", "what is the goal?"),
    "switch": ("lane", "which lane of work?"),
}


def _lacking(plan: Plan) -> str:
    """Say what a plan lacks, as a question; nothing where it lacks nothing."""
    if plan.action_type == "decide" and len(plan.arguments.get("options", ())) < 2:
        return "what is there to choose between?"
    name, question = _NEEDED.get(plan.action_type, ("", ""))
    return question if name and not plan.arguments.get(name) else ""
