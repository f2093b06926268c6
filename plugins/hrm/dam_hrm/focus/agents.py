"""
The built-in agents: small ones, that go by the words of a signal and by the session's lanes and need no model.

An agent is a function from a session and a signal to what it says. Which of them answer to what stands in `BUNDLES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from dam_hrm.focus.signals import NONE
from dam_hrm.focus.values import Answer, Reducer, Signal, Stance

if TYPE_CHECKING:
    from dam_hrm.session import Session

Agent = Callable[["Session", Signal], Answer]

MAX_STEPS: Final = 7
"""That the planner names."""


def listener(session: Session, signal: Signal) -> Answer:
    """Say back what was said."""
    return Answer(agent="listener", text=f"I hear: {_short(signal.text)}", confidence=0.5)


def steadier(session: Session, signal: Signal) -> Answer:
    """Offer the smallest next thing."""
    lane = session.focus.lane
    small = (
        f"where {lane.lane_id} goes on: {lane.bookmark or lane.goal}" if lane else "one thing that takes five minutes"
    )
    return Answer(agent="steadier", text=f"There is time. A small step is enough: {small}.", confidence=0.6)


def planner(session: Session, signal: Signal) -> Answer:
    """Take the parts of what was said for its steps."""
    parts = [part.strip(" ,.;:!?") for part in _PARTS.split(signal.text)]
    steps = [_short(part) for part in parts if part][:MAX_STEPS]
    numbered = " ".join(f"({number}) {step}." for number, step in enumerate(steps, start=1))
    return Answer(agent="planner", text=f"Steps: {numbered}" if steps else "No steps yet.", confidence=0.8)


def critic(session: Session, signal: Signal) -> Answer:
    """Name what was not said and will be asked for."""
    missing = [what for what, said in _EXPECTED.items() if not said.search(signal.text)]
    text = f"Not said yet: {', '.join(missing)}." if missing else "Nothing is missing."
    return Answer(agent="critic", text=text, confidence=0.6)


def bookkeeper(session: Session, signal: Signal) -> Answer:
    """Say where things stand."""
    lane, paused = session.focus.lane, [each.lane_id for each in session.focus.lanes if each.status == "paused"]
    active = f"Lane {lane.lane_id} has {lane.turns_left} turns left." if lane else "No lane is active."
    waiting = f" Paused: {', '.join(paused)}." if paused else ""
    return Answer(agent="bookkeeper", text=active + waiting, confidence=0.9)


def reviewer(session: Session, signal: Signal) -> Answer:
    """Ask for a look back."""
    lane = session.focus.lane
    goal = f"Is this reached: {lane.goal}?" if lane else "What has come of it?"
    return Answer(agent="reviewer", text=f"{goal} What would you do in another way?", confidence=0.7)


NOW: Final = "Do it now."
LATER: Final = "Plan it first."


def triage(session: Session, signal: Signal) -> Answer:
    """Be for doing at once what sounds like it."""
    return Answer(agent="triage", text=NOW if signal.strength > 0.5 else LATER, confidence=0.6)


def clock(session: Session, signal: Signal) -> Answer:
    """Be for doing at once what is due today."""
    return Answer(agent="clock", text=NOW if _SOON.search(signal.text) else LATER, confidence=0.8)


def workload(session: Session, signal: Signal) -> Answer:
    """Be for planning while something else is being done."""
    busy = session.focus.lane is not None and session.focus.stance == Stance.EXECUTION
    return Answer(agent="workload", text=LATER if busy else NOW, confidence=0.5)


AGENTS: Final[Mapping[str, Agent]] = {
    each.__name__: each for each in (listener, steadier, planner, critic, bookkeeper, reviewer, triage, clock, workload)
}

BUNDLES: Final[Mapping[str, tuple[str, ...]]] = {
    NONE: ("listener",),
    "interrupt": ("bookkeeper",),
    "urgency": ("triage", "clock", "workload"),
    "emotional": ("listener", "steadier"),
    "completion": ("reviewer", "bookkeeper"),
    "formal_work": ("planner", "critic"),
}

BUNDLE_REDUCERS: Final[Mapping[str, Reducer]] = {
    NONE: Reducer.PASS_THROUGH,
    "interrupt": Reducer.PASS_THROUGH,
    "urgency": Reducer.VOTE,
    "emotional": Reducer.MERGE,
    "completion": Reducer.MERGE,
    "formal_work": Reducer.SYNTHESIZE,
}
"""Any other bundle's answers are merged."""

_PARTS: Final = re.compile(r"[\n.;!?]+|,\s+(?:and\s+)?|\s+(?:and then|then|and)\s+", re.IGNORECASE)
_SOON: Final = re.compile(r"\b(?:today|tonight|now|asap|minutes?|hours?|at once|immediately|overdue)\b", re.IGNORECASE)
_EXPECTED: Final = {
    "by when": re.compile(
        r"\b(?:by|before|until|today|tonight|tomorrow|now|next|week|month|deadline|\d{1,2}:\d\d|\w+day)\b",
        re.IGNORECASE,
    ),
    "how to tell that it is done": re.compile(
        r"\b(?:so that|until|passes|done when|at least|at most|exactly|\d+)\b", re.IGNORECASE
    ),
    "for whom": re.compile(r"\b(?:for|to|with|me|us|my|our)\b", re.IGNORECASE),
}


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 120 else f"{words[:119]}…"
