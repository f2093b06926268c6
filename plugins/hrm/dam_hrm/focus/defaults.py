"""
What focus does by itself: the plugin that is asked last.

Each function here is the plain rule of one hook; what it goes by is in the other modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dam_hrm.asking import HookFailed, ask
from dam_hrm.focus import agents, gates, routing, signals, stances
from dam_hrm.focus.gates import allowed, ask_gate, denied
from dam_hrm.focus.values import (
    Answer,
    Consent,
    ConsentRequest,
    GateDecision,
    GateRequest,
    GateType,
    LaneSwitch,
    Reducer,
    Routed,
    Signal,
    StanceChange,
)
from dam_hrm.hookspecs import hookimpl
from dam_hrm.suspects import suspects

if TYPE_CHECKING:
    from dam_hrm.session import Session


@hookimpl(trylast=True)
async def dam_hrm_focus_stance_change(session: Session, change: StanceChange) -> GateDecision:
    """Ask the gate of the change, if it leads there."""
    why_not = stances.refusal(change, session.focus.stance)
    if why_not:
        return denied(why_not)
    lane = session.focus.lane
    return await session.focus.check(
        change.gate,
        from_stance=change.from_stance.value,
        to_stance=change.to_stance.value,
        reason=change.reason,
        lane=lane.lane_id if lane else "",
        goal=lane.goal if lane else "",
    )


@hookimpl(trylast=True)
async def dam_hrm_focus_gate_check(session: Session, request: GateRequest) -> GateDecision:
    """Ask the hook of the gate's type."""
    return await ask_gate(getattr(session.hook, gates.HOOKS[request.gate_type]), session=session, request=request)


@hookimpl(trylast=True)
def dam_hrm_gate_framing(session: Session, request: GateRequest) -> GateDecision:
    """Decide by rule."""
    return gates.RULES[GateType.FRAMING](request)


@hookimpl(trylast=True)
def dam_hrm_gate_commitment(session: Session, request: GateRequest) -> GateDecision:
    """Decide by rule."""
    return gates.RULES[GateType.COMMITMENT](request)


@hookimpl(trylast=True)
def dam_hrm_gate_evaluation(session: Session, request: GateRequest) -> GateDecision:
    """Decide by rule."""
    return gates.RULES[GateType.EVALUATION](request)


@hookimpl(trylast=True)
def dam_hrm_gate_emergency(session: Session, request: GateRequest) -> GateDecision:
    """Decide by rule."""
    return gates.RULES[GateType.EMERGENCY](request)


@hookimpl(trylast=True)
async def dam_hrm_gate_write_approval(session: Session, request: GateRequest) -> GateDecision:
    """Decide by what the user allowed."""
    return await gates.write_approval(session, request)


@hookimpl(trylast=True)
def dam_hrm_gate_agent_approval(session: Session, request: GateRequest) -> GateDecision:
    """Decide by what the user allowed."""
    return gates.agent_approval(session, request)


@hookimpl(trylast=True)
def dam_hrm_focus_lane_switch(session: Session, switch: LaneSwitch) -> GateDecision:
    """Let the user go where there is a lane; one whose lease has ended is left in any case."""
    if switch.leaves_as == "expired":
        return allowed(f"the lease of lane {switch.from_lane} is over")
    why_not = session.focus.refusal(switch)
    return denied(why_not) if why_not else allowed(_words(session, switch))


def _words(session: Session, switch: LaneSwitch) -> str:
    if switch.to_lane is None:
        return f"lane {switch.from_lane} is {switch.leaves_as}"
    if switch.opens is not None:
        return f"lane {switch.to_lane} is open for {switch.opens.turns_left} turns"
    bookmark = next((lane.bookmark for lane in session.focus.lanes if lane.lane_id == switch.to_lane), "")
    return f"lane {switch.to_lane} goes on{f' at {bookmark}' if bookmark else ''}"


@hookimpl(trylast=True)
async def dam_hrm_focus_consent_check(session: Session, request: ConsentRequest) -> Consent:
    """Go by what was answered before; else ask, where somebody is there."""
    given = session.focus.answered(request.operation, request.scope)
    if given is not None:
        return Consent(allowed=given.allowed, reason=given.words)
    hook = session.hook.dam_hrm_ask_user
    try:
        answer = await ask(hook, object, session=session, request=request)
    except HookFailed as failure:
        return Consent(allowed=False, reason=f"asking for {request.summary} failed: {failure}")
    if answer is None:
        return Consent(allowed=False, reason=f"nobody is there to ask for {request.summary}")
    if not isinstance(answer, bool):
        said = f"{hook.name}: {suspects(hook)} answered with {type(answer).__name__} where bool was due"
        return Consent(allowed=False, reason=f"asking for {request.summary} failed: {said}")
    return Consent(allowed=answer, reason=f"the user said {'yes' if answer else 'no'} to {request.summary}", asked=True)


@hookimpl(trylast=True)
async def dam_hrm_focus_route(session: Session, signal: Signal) -> Routed:
    """Ask the agents of the signal's bundle."""
    return await routing.route(session, signal)


@hookimpl(trylast=True)
def dam_hrm_signal(session: Session, text: str) -> Signal:
    """Go by the words."""
    return signals.signal_of(text)


@hookimpl(trylast=True)
def dam_hrm_bundles(session: Session) -> Mapping[str, Sequence[str]]:
    """Name the built-in agents."""
    return agents.BUNDLES


@hookimpl(trylast=True)
def dam_hrm_reducer(session: Session, bundle: str) -> Reducer:
    """Merge what there is no other rule for."""
    return agents.BUNDLE_REDUCERS.get(bundle, Reducer.MERGE)


@hookimpl(trylast=True)
def dam_hrm_agent(session: Session, agent: str, signal: Signal) -> Answer | None:
    """Let the built-in agents answer."""
    answers = agents.AGENTS.get(agent)
    return None if answers is None else answers(session, signal)
