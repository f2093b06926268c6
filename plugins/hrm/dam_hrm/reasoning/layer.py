"""The reasoning layer of a session: what an input is like, how to go about it, and how much care it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from dam_hrm.asking import ask
from dam_hrm.errors import UnknownName
from dam_hrm.reasoning.values import Classification, Escalated, Escalation, StrategyChoice, Trigger

if TYPE_CHECKING:
    from dam_hrm.learning.values import Match
    from dam_hrm.session import Session

TRIES: Final = 8
"""How often an escalation is decided anew where the level has changed meanwhile."""


class Reasoning:
    """A session's reasoning; its escalation level starts at 0."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._level = 0

    @property
    def level(self) -> int:
        """How much care inputs get: from 0, none in particular, to 3."""
        return self._level

    async def classify(self, text: str) -> Classification:
        """Say what an input is like."""
        return await ask(
            self._session.hook.dam_hrm_reasoning_classify, Classification, session=self._session, text=text
        )

    async def route(self, classification: Classification, match: Match | None = None) -> StrategyChoice:
        """Choose a strategy, for an input of this kind of which patterns say that."""
        return await ask(
            self._session.hook.dam_hrm_reasoning_route,
            StrategyChoice,
            session=self._session,
            classification=classification,
            match=match,
        )

    async def escalate(self, to_level: int, *, trigger: Trigger, reason: str = "") -> Escalated:
        """
        Change how much care inputs get, if it may be; a lower level is the way back.

        Two at the same time: what was decided for a level that the session has left meanwhile is decided anew.

        Raises:
            UnknownName: There is no such trigger.
            HookFailed: A plugin failed at it.

        Args:
            to_level: 0 to 3.
            trigger: ``uncertainty``, ``conflict``, ``cost_value`` and ``horizon`` lead up; ``pattern_match`` and
                ``simplified`` lead back; ``override`` is the user's word, and leads either way.
            reason: In words.
        """
        if trigger not in get_args(Trigger):
            raise UnknownName("trigger", trigger, get_args(Trigger))
        for _ in range(TRIES):
            escalation = Escalation(from_level=self._level, to_level=to_level, trigger=trigger, reason=reason)
            escalated = await ask(
                self._session.hook.dam_hrm_reasoning_escalate, Escalated, session=self._session, escalation=escalation
            )
            if not escalated.allowed or self._apply(escalation, escalated):
                return escalated
        reason = f"the level changed {TRIES} times while this was decided: try again"
        return Escalated(allowed=False, level=self._level, reason=reason)

    def _apply(self, escalation: Escalation, escalated: Escalated) -> bool:
        with self._session.lock:
            if self._level != escalation.from_level:
                return False
            self._level = escalated.level
            return True
