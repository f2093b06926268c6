"""
The operations of the runtime, as hooks: what a plugin can watch or replace.

A session asks these of its plugin manager, a pluggy host named ``dam_hrm``. A plugin is an
object with functions marked by `hookimpl`, given to `dam_hrm.plugin_manager(...)` or brought
by a distribution's entry point in group ``dam_hrm``. What the runtime does by itself is such
plugins too, and they are asked last.

Each operation is asked with the session and one value that says all of it, and answers with
one value. pluggy is synchronous: an implementation that has to wait (for a model, for a disk)
returns an awaitable; otherwise it may return the plain value at once. `None`, where it is not
an awaitable's, means no opinion: the next implementation is asked.

An implementation decides; the session applies the decision. So one that raises, or answers
with something else than it should, changes nothing: a gate is then denied with the reason,
any other operation raises `dam_hrm.HookFailed` with the plugin's name.
"""

# A specification has no body.
# mypy: disable-error-code="empty-body"
from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pluggy

if TYPE_CHECKING:
    from dam_hrm.altitude.values import Action, ActionResult, Evaluation, Level, Move, Moved, Plan
    from dam_hrm.focus.values import (
        Answer,
        Consent,
        ConsentRequest,
        GateDecision,
        GateRequest,
        LaneSwitch,
        Reducer,
        Routed,
        Signal,
        StanceChange,
    )
    from dam_hrm.learning.values import Generalized, Match, Pattern, Situation, Trimmed
    from dam_hrm.memory.values import Address, Found, Shift, Shifted, WriteRequest, Written
    from dam_hrm.reasoning.values import Classification, Escalated, Escalation, StrategyChoice
    from dam_hrm.session import Session
    from dam_hrm.turn import Turn

PROJECT = "dam_hrm"
"""The name of the pluggy project, and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

_T = TypeVar("_T")
Maybe: TypeAlias = _T | Awaitable[_T] | None
"""The value, an awaitable of it, or no opinion."""


# -- the whole


@hookspec(firstresult=True)
def dam_hrm_turn(session: Session, text: str) -> Maybe[Turn]:
    """Go through one turn: reasoning, altitude, focus, execution, learning, with memory all along."""


@hookspec(firstresult=True)
def dam_hrm_act(session: Session, action: Action) -> Maybe[ActionResult]:
    """
    Carry out an action of a type that this plugin knows; `None` for one that it does not.

    This is where a tool or a model is plugged in. Asked by ``dam_hrm_altitude_execute``.
    """


# -- altitude


@hookspec(firstresult=True)
def dam_hrm_altitude_transition(session: Session, move: Move) -> Maybe[Moved]:
    """Say whether the level may change; the session changes it if so."""


@hookspec(firstresult=True)
def dam_hrm_altitude_plan(session: Session, altitude: Level, intent: str, choice: StrategyChoice | None) -> Maybe[Plan]:
    """Make a plan for an intent, by the strategy that reasoning chose."""


@hookspec(firstresult=True)
def dam_hrm_altitude_evaluate(session: Session, plan: Plan) -> Maybe[Evaluation]:
    """Say what is thought of a plan before it is carried out."""


@hookspec(firstresult=True)
def dam_hrm_altitude_execute(session: Session, action: Action) -> Maybe[ActionResult]:
    """Carry out an action, through the gates it has to pass."""


# -- focus


@hookspec(firstresult=True)
def dam_hrm_focus_stance_change(session: Session, change: StanceChange) -> Maybe[GateDecision]:
    """Say whether the stance may change, by asking the gate of the change; the session changes it if so."""


@hookspec(firstresult=True)
def dam_hrm_focus_gate_check(session: Session, request: GateRequest) -> Maybe[GateDecision]:
    """Ask a gate; the built-in one asks the hook of its type, below."""


@hookspec(firstresult=True)
def dam_hrm_focus_lane_switch(session: Session, switch: LaneSwitch) -> Maybe[GateDecision]:
    """
    Say whether work may go on in another lane; the session switches if so.

    A lane whose lease is over (``switch.leaves_as`` is ``expired``) has ended already: this is told, not asked.
    """


@hookspec(firstresult=True)
def dam_hrm_focus_consent_check(session: Session, request: ConsentRequest) -> Maybe[Consent]:
    """
    Say whether the user allows an operation: from what was answered before, else by asking once.

    An answer that was asked for now (``asked=True``) is kept for the session and for all that the request covers; a
    policy of a plugin's own is not. What was answered before: ``session.focus.answered(operation, scope)``.
    """


@hookspec(firstresult=True)
def dam_hrm_focus_route(session: Session, signal: Signal) -> Maybe[Routed]:
    """
    Send a signal to the agents of a bundle and reduce their answers to one.

    By default each agent passes the agent approval gate, those let through answer at the same time, and one that
    fails is left out and named in the reason.
    """


@hookspec(firstresult=True)
def dam_hrm_gate_framing(session: Session, request: GateRequest) -> Maybe[GateDecision]:
    """
    Is it clear what matters? Leads to sensemaking or discovery.

    For a change of stance the context of this gate and of the next three has ``from_stance``, ``to_stance`` and
    ``reason``, and ``lane`` and ``goal`` of the active lane, empty where there is none.
    """


@hookspec(firstresult=True)
def dam_hrm_gate_commitment(session: Session, request: GateRequest) -> Maybe[GateDecision]:
    """Is there a goal to go for? Leads to execution."""


@hookspec(firstresult=True)
def dam_hrm_gate_evaluation(session: Session, request: GateRequest) -> Maybe[GateDecision]:
    """Is there something to look back at? Leads to evaluation."""


@hookspec(firstresult=True)
def dam_hrm_gate_emergency(session: Session, request: GateRequest) -> Maybe[GateDecision]:
    """Must everything stop? Leads to sensemaking from anywhere."""


@hookspec(firstresult=True)
def dam_hrm_gate_write_approval(session: Session, request: GateRequest) -> Maybe[GateDecision]:
    """
    May this be written to memory? The context has ``namespace``, ``key`` and ``tier``.

    By default yes, unless the user said no to ``memory.write`` on ``namespace.key``; in the namespace ``user`` only
    if the user says yes.
    """


@hookspec(firstresult=True)
def dam_hrm_gate_agent_approval(session: Session, request: GateRequest) -> Maybe[GateDecision]:
    """
    May this agent answer? The context has ``agent``, ``bundle`` and ``signal_type``.

    By default yes, unless the user said no to ``agent.answer`` on ``bundle.agent``.
    """


@hookspec(firstresult=True)
def dam_hrm_ask_user(session: Session, request: ConsentRequest) -> Maybe[bool]:
    """
    Ask whoever sits in front of the session; `None`: nobody does, which counts as no.

    Asked at most once for a request, however many tasks and threads want to know. A no because nobody was there, or
    because this failed, is not kept: the next time is another one.
    """


@hookspec(firstresult=True)
def dam_hrm_signal(session: Session, text: str) -> Maybe[Signal]:
    """Say what an input calls for, beside its content: a type of signal of the built-in rules, or one of your own."""


@hookspec
def dam_hrm_bundles(session: Session) -> Mapping[str, Sequence[str]]:
    """
    Name the agents of bundles, by the signal type that they answer to. All answers are put together.

    The built-in agents come first, then each plugin's in order of registration, each one once. An agent's name is what
    ``dam_hrm_agent`` is asked with. A signal that no bundle answers to goes to the bundle ``none``.
    """


@hookspec(firstresult=True)
def dam_hrm_reducer(session: Session, bundle: str) -> Reducer | None:
    """Say how a bundle's answers become one; by default those of a plugin's bundle are merged."""


@hookspec(firstresult=True)
def dam_hrm_agent(session: Session, agent: str, signal: Signal) -> Maybe[Answer]:
    """Let the agent of this name answer; `None` for one that this plugin does not know."""


# -- reasoning


@hookspec(firstresult=True)
def dam_hrm_reasoning_classify(session: Session, text: str) -> Maybe[Classification]:
    """Say what an input is like."""


@hookspec(firstresult=True)
def dam_hrm_reasoning_route(
    session: Session, classification: Classification, match: Match | None
) -> Maybe[StrategyChoice]:
    """Choose a strategy; `match` is what patterns say, where they were asked."""


@hookspec(firstresult=True)
def dam_hrm_reasoning_escalate(session: Session, escalation: Escalation) -> Maybe[Escalated]:
    """Say whether an input gets more care, or, on the way back, less; the session applies it."""


# -- learning


@hookspec(firstresult=True)
def dam_hrm_learning_pattern_match(session: Session, situation: Situation) -> Maybe[Match]:
    """
    Find the pattern that fits a situation best.

    The session's are ``session.learning.patterns``; the code of one of a plugin's own is taken as it is.
    """


@hookspec(firstresult=True)
def dam_hrm_learning_pattern_add(session: Session, pattern: Pattern) -> Maybe[Pattern]:
    """
    Learn a pattern, or more of one that is known by this code; gives it as it is kept, under the same code.

    What happens to the known one in the meantime is added to the answer. By default one that says the same is joined
    with it; one that says something else takes its place only if it is surer. What a protected one says stays.
    """


@hookspec(firstresult=True)
def dam_hrm_learning_pattern_trim(session: Session, pattern: Pattern) -> Maybe[Trimmed]:
    """Say whether a pattern is forgotten; the session forgets it if so, but never a protected one."""


@hookspec(firstresult=True)
def dam_hrm_learning_generalize(session: Session, patterns: Sequence[Pattern]) -> Maybe[Generalized]:
    """Make one pattern out of several; the session puts it in their place where there is one."""


# -- memory


@hookspec(firstresult=True)
def dam_hrm_memory_read(session: Session, address: Address) -> Maybe[Found]:
    """Read a record, from the nearest tier that has it."""


@hookspec(firstresult=True)
def dam_hrm_memory_write(session: Session, request: WriteRequest) -> Maybe[Written]:
    """Write a record, through the write approval gate."""


@hookspec(firstresult=True)
def dam_hrm_memory_promote(session: Session, shift: Shift) -> Maybe[Shifted]:
    """Bring a record nearer."""


@hookspec(firstresult=True)
def dam_hrm_memory_demote(session: Session, shift: Shift) -> Maybe[Shifted]:
    """Put a record further away."""


# -- the surroundings


@hookspec
def dam_hrm_closing(session: Session) -> Any:
    """Hear that a session is closing, before its memory is; may return an awaitable. Every implementation is called."""
