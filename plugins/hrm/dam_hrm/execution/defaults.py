"""
What the runtime can do by itself, as a plugin that is asked last: one function for each action.

All of it is plain: an answer comes from what was noted, or is the list of steps that the strategy takes. Who wants
a model to answer brings a plugin with ``dam_hrm_act``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dam_hrm.altitude.values import ActionResult, Level
from dam_hrm.focus.values import GateType, Stance
from dam_hrm.hookspecs import hookimpl
from dam_hrm.memory.errors import TooLarge
from dam_hrm.names import name_of
from dam_hrm.words import head, slug, telling

if TYPE_CHECKING:
    from dam_hrm.altitude.values import Action
    from dam_hrm.memory.values import Written
    from dam_hrm.session import Session

_Act: TypeAlias = "Callable[[Session, Action], Awaitable[ActionResult]]"


@hookimpl(trylast=True)
async def dam_hrm_act(session: Session, action: Action) -> ActionResult:
    """Do what stands in the table; refuse what does not."""
    act = _ACTS.get(action.action_type)
    if act is None:
        return _refused(f"nothing here can {action.action_type}: a plugin with dam_hrm_act for it would help")
    return await act(session, action)


async def answer(session: Session, action: Action) -> ActionResult:
    """Answer from what was noted, else with the steps that the strategy takes."""
    text, steps = str(action.arguments.get("text", "")), action.arguments.get("steps", ())
    found = await session.memory.read("notes", slug(text) or "-")
    if found.tier is not None:
        return _done(_text_of(found.value), key=found.address.key)
    if steps:
        return _done("; ".join(f"{number}. {step}" for number, step in enumerate(steps, start=1)))
    return _done("Nothing is noted about that.")


async def note(session: Session, action: Action) -> ActionResult:
    """Write a text to memory under a name made of what it is about."""
    key, text = action.arguments["key"], action.arguments["text"]
    try:
        written = await session.memory.write("notes", key, {"text": text, "turn": session.turns})
    except TooLarge as error:
        return _refused(str(error))
    return _done(f"Noted as {key}.", key=key) if written.allowed else _refused(written.reason)


async def recall(session: Session, action: Action) -> ActionResult:
    """Read what was noted."""
    found = await session.memory.read("notes", action.arguments["key"])
    if found.tier is None:
        return _done(f"Nothing is noted about {action.arguments['about']}.")
    return _done(_text_of(found.value), key=found.address.key)


async def settle(session: Session, action: Action) -> ActionResult:
    """Establish a level; what was said is kept if it may be."""
    level = name_of(Level, action.arguments["level"])
    session.altitude.establish(level)
    name = level.name.lower()
    written = await session.memory.write(
        "altitude", name, {"text": head(action.arguments["text"]), "turn": session.turns}
    )
    return _done(f"{level.value} ({name}) is established.{_unkept(written)}", level=level.value)


async def decide(session: Session, action: Action) -> ActionResult:
    """Choose the option that shares most words with what is established; none where nothing tells them apart."""
    options: tuple[str, ...] = tuple(action.arguments["options"])
    known: set[str] = set()
    for name in ("identity", "strategy"):
        found = await session.memory.read("altitude", name)
        known.update(telling(_text_of(found.value)))
    shared = [len(known.intersection(telling(option))) for option in options]
    best = max(shared, default=0)
    if shared.count(best) != 1:
        return _done(f"Nothing established tells {' and '.join(options)} apart: say what matters most.")
    chosen = options[shared.index(best)]
    written = await session.memory.write("decisions", slug(chosen), {"chosen": chosen, "options": list(options)})
    return _done(f"{chosen}: it fits what is established.{_unkept(written)}", chosen=chosen)


async def commit(session: Session, action: Action) -> ActionResult:
    """Open a lane for a goal, and go into execution through the commitment gate."""
    goal, lane = action.arguments["goal"], action.arguments["lane"]
    opened = await session.focus.open_lane(lane, goal)
    if not opened.allowed:
        return _refused(opened.reason)
    if session.focus.stance is not Stance.EXECUTION:
        changed = await session.focus.change_stance(Stance.EXECUTION, reason=f"to {goal}")
        if not changed.allowed:
            return _refused(changed.reason)
    steps = action.arguments.get("steps", ())
    first = f" First: {steps[0]}." if steps else ""
    return _done(f"Lane {lane} is open: {goal}.{first}", lane=lane)


async def switch(session: Session, action: Action) -> ActionResult:
    """Go on in another lane."""
    lane = action.arguments["lane"]
    decision = await session.focus.switch_lane(lane, reason="the user asked")
    if not decision.allowed:
        return _refused(decision.reason)
    current = session.focus.lane
    bookmark = f" You were at: {current.bookmark}" if current is not None and current.bookmark else ""
    return _done(f"In lane {lane}.{bookmark}", lane=lane)


async def pause(session: Session, action: Action) -> ActionResult:
    """Put the present lane aside."""
    decision = await session.focus.pause_lane(bookmark=action.arguments.get("bookmark", ""))
    return _done("The lane is paused.") if decision.allowed else _refused(decision.reason)


async def review(session: Session, action: Action) -> ActionResult:
    """Look back at the turns so far and the lane of work."""
    turns = session.history
    blocked = sum(turn.status == "blocked" for turn in turns)
    failed = sum(turn.status == "error" for turn in turns)
    lane = session.focus.lane
    goal = f" The goal is {lane.goal}." if lane is not None else ""
    return _done(f"{len(turns)} turns so far, {blocked} blocked, {failed} failed.{goal}", turns=len(turns))


async def halt(session: Session, action: Action) -> ActionResult:
    """Stop work: through the emergency gate back to sensemaking, the lane put aside."""
    text = str(action.arguments.get("text", ""))
    decision = await session.focus.change_stance(Stance.SENSEMAKING, gate=GateType.EMERGENCY, reason=text)
    if not decision.allowed:
        return _refused(decision.reason)
    if session.focus.lane is not None:
        await session.focus.pause_lane(reason="emergency")
    return _done("Everything is stopped; what is going on?")


_ACTS: Final[dict[str, _Act]] = {
    each.__name__: each for each in (answer, note, recall, settle, decide, commit, switch, pause, review, halt)
}


def _done(output: str, **data: Any) -> ActionResult:
    return ActionResult(allowed=True, output=output, data=data)


def _refused(reason: str) -> ActionResult:
    return ActionResult(allowed=False, output="", reason=reason)


def _unkept(written: Written) -> str:
    """Say that something is not in memory, where it is not."""
    return "" if written.allowed else f" It is not written to memory: {written.reason}."


def _text_of(value: object) -> str:
    """Give the text of what a note's record has."""
    return str(value.get("text", "")) if isinstance(value, dict) else ""
