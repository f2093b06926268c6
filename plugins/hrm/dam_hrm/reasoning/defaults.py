"""What reasoning does by itself: the plain rules, as a plugin that is asked last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam_hrm.hookspecs import hookimpl
from dam_hrm.reasoning import rules

if TYPE_CHECKING:
    from dam_hrm.learning.values import Match
    from dam_hrm.reasoning.values import Classification, Escalated, Escalation, StrategyChoice
    from dam_hrm.session import Session


@hookimpl(trylast=True)
def dam_hrm_reasoning_classify(text: str) -> Classification:
    """Go by word lists."""
    return rules.classify(text)


@hookimpl(trylast=True)
def dam_hrm_reasoning_route(session: Session, classification: Classification, match: Match | None) -> StrategyChoice:
    """Go by what was learned, by the classification and by the present escalation level."""
    return rules.choose(classification, session.reasoning.level, match)


@hookimpl(trylast=True)
def dam_hrm_reasoning_escalate(escalation: Escalation) -> Escalated:
    """Allow what stays within the levels and goes in its trigger's direction."""
    return rules.judge(escalation)
