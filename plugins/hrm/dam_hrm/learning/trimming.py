"""Say which patterns are to be forgotten: those that are doubted, and those that nothing has matched for long."""

from __future__ import annotations

from typing import Final

from dam_hrm.learning.values import Pattern, Trimmed

DOUBTED: Final = 0.2
"""Below this confidence a pattern goes."""
UNUSED_TURNS: Final = 50
"""A pattern that neither matched nor changed for more turns than this goes."""


def judge(pattern: Pattern, turn: int) -> Trimmed:
    """Say whether a pattern goes in this turn."""
    unused = turn - pattern.last_turn
    if pattern.protected:
        return _stays(pattern, "it is protected")
    if pattern.confidence < DOUBTED:
        return _goes(pattern, f"its confidence of {pattern.confidence:.2f} is below {DOUBTED}")
    if unused > UNUSED_TURNS:
        return _goes(pattern, f"it was not used for {unused} turns")
    return _stays(pattern, f"its confidence is {pattern.confidence:.2f}, and it was used {max(unused, 0)} turns ago")


def _goes(pattern: Pattern, reason: str) -> Trimmed:
    return Trimmed(pattern_code=pattern.pattern_code, removed=True, reason=reason)


def _stays(pattern: Pattern, reason: str) -> Trimmed:
    return Trimmed(pattern_code=pattern.pattern_code, removed=False, reason=reason)
