"""What altitude does by itself: the plain rules, as a plugin that is asked last."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from dam_hrm.altitude.planning import judge_plan, make_plan
from dam_hrm.altitude.rules import judge
from dam_hrm.altitude.summary import summarize
from dam_hrm.altitude.values import ActionResult, Moved
from dam_hrm.asking import ask
from dam_hrm.execution.abilities import ability_of, refusal_of_stance
from dam_hrm.hookspecs import hookimpl

if TYPE_CHECKING:
    from dam_hrm.altitude.values import Action, Evaluation, Level, Move, Plan
    from dam_hrm.reasoning.values import StrategyChoice
    from dam_hrm.session import Session


@hookimpl(trylast=True)
def dam_hrm_altitude_transition(session: Session, move: Move) -> Moved:
    """Go by what is established, the reason, and whether the request is atomic."""
    return judge(move, session.altitude.established)


@hookimpl(wrapper=True, specname="dam_hrm_altitude_transition")
def keep_what_moved(session: Session, move: Move) -> Generator[None, Any, Any]:
    """Write an allowed move to memory, whichever plugin allowed it."""
    answer = yield
    return _kept(session, move, answer)


async def _kept(session: Session, move: Move, answer: Any) -> Any:
    moved = await answer if inspect.isawaitable(answer) else answer
    if isinstance(moved, Moved) and moved.allowed and move.to_level is not move.from_level:
        conversation = session.conversation
        kept = {**session.altitude.kept(move), "summary": summarize(conversation)}
        await session.memory.write("altitude", "session", kept, summary_of=conversation)
    return moved


@hookimpl(trylast=True)
def dam_hrm_altitude_plan(altitude: Level, intent: str, choice: StrategyChoice | None) -> Plan:
    """Go by a table of what an intent may ask for."""
    return make_plan(altitude, intent, choice)


@hookimpl(trylast=True)
def dam_hrm_altitude_evaluate(session: Session, plan: Plan) -> Evaluation:
    """Look whether the plan has what it needs."""
    return judge_plan(plan, session.reasoning.level)


@hookimpl(trylast=True)
async def dam_hrm_altitude_execute(session: Session, action: Action) -> ActionResult:
    """Let the stance and, where the action writes, the user's consent allow it; then it is acted."""
    ability = ability_of(action.action_type)
    refusal = refusal_of_stance(action.action_type, session.focus.stance)
    if refusal:
        return ActionResult(allowed=False, output="", reason=refusal)
    if ability.writes:
        consent = await session.focus.consent("memory.write", f"{ability.writes}.*")
        if not consent.allowed:
            return ActionResult(allowed=False, output="", reason=consent.reason)
    return await ask(session.hook.dam_hrm_act, ActionResult, session=session, action=action)
