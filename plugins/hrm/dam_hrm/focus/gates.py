"""
Ask a gate, and take anything but a clear yes for a no.

A plugin that raises, that answers with something else than a decision, or that nobody answers for, is a
denial whose reason says so; it is never an exception. The plain rules by which the built-in gates decide are below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from dam_hrm.asking import HookFailed, ask
from dam_hrm.focus.consent import exactly
from dam_hrm.focus.values import Consent, ConsentRequest, GateDecision, GateRequest, GateType, Stance

if TYPE_CHECKING:
    from dam_hrm.session import Session

HOOKS: Final[Mapping[GateType, str]] = {
    GateType.FRAMING: "dam_hrm_gate_framing",
    GateType.COMMITMENT: "dam_hrm_gate_commitment",
    GateType.EVALUATION: "dam_hrm_gate_evaluation",
    GateType.EMERGENCY: "dam_hrm_gate_emergency",
    GateType.WRITE_APPROVAL: "dam_hrm_gate_write_approval",
    GateType.AGENT_APPROVAL: "dam_hrm_gate_agent_approval",
}
"""The hook that each gate is."""

WRITE: Final = "memory.write"
"""The operation to which the write approval gate asks for consent; its scope is ``namespace.key``."""
ANSWER: Final = "agent.answer"
"""The operation that the agent approval gate looks up; its scope is ``bundle.agent``."""
PERSONAL: Final = "user"
"""What is written to this namespace, and to those below it, is about a person: that person is asked."""


async def ask_gate(hook: Any, /, **arguments: Any) -> GateDecision:
    """Ask a hook that decides; whatever goes wrong with it is a denial that says what it was."""
    try:
        return await ask(hook, GateDecision, **arguments)
    except HookFailed as failure:
        return denied(f"the gate failed: {failure}")


async def ask_consent(session: Session, request: ConsentRequest) -> Consent:
    """Ask whether the user allows something; whatever goes wrong is a no that says what it was."""
    try:
        return await ask(session.hook.dam_hrm_focus_consent_check, Consent, session=session, request=request)
    except HookFailed as failure:
        return Consent(allowed=False, reason=f"the consent check failed: {failure}")


def allowed(reason: str) -> GateDecision:
    """Say yes."""
    return GateDecision(allowed=True, reason=reason)


def denied(reason: str) -> GateDecision:
    """Say no."""
    return GateDecision(allowed=False, reason=reason)


def framing(request: GateRequest) -> GateDecision:
    """Let anybody make sense of things; to discover, or to leave what is being done, takes a reason."""
    reason = _text(request, "reason")
    if reason:
        return allowed(f"it is clear what matters: {reason}")
    if _text(request, "from_stance") == Stance.EXECUTION:
        return denied("something is being done: give the reason to leave it")
    if _text(request, "to_stance") == Stance.DISCOVERY:
        return denied("it is not clear what to look for: give the reason")
    return allowed("there is something to make sense of")


def commitment(request: GateRequest) -> GateDecision:
    """Commit to a goal: one that is given, or the active lane's."""
    goal = _text(request, "goal")
    return allowed(f"the goal is {goal}") if goal else denied("there is no goal: open a lane with one, or give it")


def evaluation(request: GateRequest) -> GateDecision:
    """Look back at what is being done, or at the active lane, or at what the reason names."""
    if _text(request, "from_stance") == Stance.EXECUTION:
        return allowed("there is what was being done to look back at")
    lane, reason = _text(request, "lane"), _text(request, "reason")
    if lane or reason:
        return allowed(f"there is {reason or f'lane {lane}'} to look back at")
    return denied("there is nothing to look back at: nothing is being done, and no lane is active")


def emergency(request: GateRequest) -> GateDecision:
    """Stop everything for who says why."""
    reason = _text(request, "reason")
    return allowed(f"stopped: {reason}") if reason else denied("an emergency needs a reason")


async def write_approval(session: Session, request: GateRequest) -> GateDecision:
    """Let the runtime write; ask the person whom it is about, and never go against a no."""
    namespace, key = _text(request, "namespace"), _text(request, "key")
    if not namespace or not key:
        return denied("a write needs a namespace and a key")
    scope = exactly(f"{namespace}.{key}")
    if namespace.split(".")[0] == PERSONAL:
        consent = await session.focus.consent(WRITE, scope)
        return GateDecision(allowed=consent.allowed, reason=consent.reason)
    return _unless_refused(
        session, ConsentRequest(operation=WRITE, scope=scope), f"{namespace} is no personal namespace"
    )


def agent_approval(session: Session, request: GateRequest) -> GateDecision:
    """Let every agent answer whom nobody said no to."""
    agent, bundle = _text(request, "agent"), _text(request, "bundle")
    if not agent:
        return denied("an agent needs a name")
    scope = f"{exactly(bundle)}.{exactly(agent)}"
    return _unless_refused(session, ConsentRequest(operation=ANSWER, scope=scope), f"nobody said no to {agent}")


RULES: Final[Mapping[GateType, Callable[[GateRequest], GateDecision]]] = {
    GateType.FRAMING: framing,
    GateType.COMMITMENT: commitment,
    GateType.EVALUATION: evaluation,
    GateType.EMERGENCY: emergency,
}
"""The rules that go by the request alone."""


def _unless_refused(session: Session, request: ConsentRequest, otherwise: str) -> GateDecision:
    given = session.focus.answered(request.operation, request.scope)
    return allowed(otherwise) if given is None else GateDecision(allowed=given.allowed, reason=given.words)


def _text(request: GateRequest, name: str) -> str:
    value = request.context.get(name, "")
    return value.strip() if isinstance(value, str) else ""
