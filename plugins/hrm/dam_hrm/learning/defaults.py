"""What learning does by itself: the plugin that is asked last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dam_hrm.hookspecs import hookimpl
from dam_hrm.learning import generalizing, matching, patterns, trimming
from dam_hrm.learning.values import Generalized, Match, Pattern, Situation, Trimmed

if TYPE_CHECKING:
    from dam_hrm.session import Session


@hookimpl(trylast=True)
def dam_hrm_learning_pattern_match(session: Session, situation: Situation) -> Match:
    """Take the best by score."""
    return matching.match(session.learning.patterns, situation)


@hookimpl(trylast=True)
def dam_hrm_learning_pattern_add(session: Session, pattern: Pattern) -> Pattern:
    """Join it with the one of its code."""
    return patterns.joined(session.learning.find(pattern.pattern_code), pattern)


@hookimpl(trylast=True)
def dam_hrm_learning_pattern_trim(session: Session, pattern: Pattern) -> Trimmed:
    """Go by confidence and use."""
    return trimming.judge(pattern, session.turns)


@hookimpl(trylast=True)
def dam_hrm_learning_generalize(session: Session, patterns: Sequence[Pattern]) -> Generalized:
    """Take what they have in common."""
    return generalizing.generalized(patterns)
