"""
The default course of a turn: reasoning, altitude, focus, execution, learning, with memory all along.

A plugin with ``dam_hrm_turn``, asked before. What is refused on the way ends the turn with status ``blocked``; it
is learned from all the same. A layer that fails ends it with `TurnFailed`, which the session makes a turn of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dam_hrm.altitude import rules as altitude_rules
from dam_hrm.altitude.planning import action_of
from dam_hrm.altitude.values import Action, Level
from dam_hrm.asking import HookFailed
from dam_hrm.execution.abilities import ABOUT_THE_SESSION, stance_for
from dam_hrm.hookspecs import hookimpl
from dam_hrm.reasoning import rules as reasoning_rules
from dam_hrm.reasoning.values import MAX_LEVEL, StrategyChoice
from dam_hrm.turn import Turn, TurnFailed

if TYPE_CHECKING:
    from dam_hrm.altitude.values import Plan
    from dam_hrm.learning.values import Match, Situation
    from dam_hrm.reasoning.values import Classification
    from dam_hrm.session import Session

KEPT_CHARACTERS: Final = 1_000
"""Of an input and its reply, in the record of the last turn."""

TRIM_TURNS: Final = 20
"""So often patterns that are of no use are forgotten."""


@hookimpl(trylast=True)
async def dam_hrm_turn(session: Session, text: str) -> Turn:
    """Go through the layers once."""
    course = _Course(session, text)
    try:
        return await course.run()
    except HookFailed as error:
        await course.leave_fast_lane_if_possible()
        raise TurnFailed(error, done=course.done, notes=tuple(course.notes)) from error


class _Refused(Exception):
    """Something said no; the reason is for the user."""


class _PlanRefused(_Refused):
    """The plan was no good: what the strategy made of the input."""


class _Course:
    """One turn on its way."""

    def __init__(self, session: Session, text: str) -> None:
        self._session = session
        self._text = text
        self._number = session.turns
        self._came_from: Level | None = None
        self.notes: list[str] = []
        self.done = ""
        """What has been done, in words for the user."""

    async def run(self) -> Turn:
        """Go."""
        await self._begin()
        choice, situation = await self._reason()
        refused: _Refused | None = None
        try:
            plan = await self._rise_or_descend(choice)
            await self._focus(plan)
            await self._execute(plan)
        except _Refused as refusal:
            refused = refusal
        await self.leave_fast_lane()
        if refused is None or isinstance(refused, _PlanRefused):  # a level, a stance or a consent is not the strategy's
            await self._learn(situation, choice, worked=refused is None)
        await self._remember(worked=refused is None)
        return self._turn("" if refused is None else str(refused))

    def _turn(self, refusal: str) -> Turn:
        return Turn(
            number=self._number,
            text=self._text,
            reply=refusal or self.done,
            status="blocked" if refusal else "success",
            notes=tuple(dict.fromkeys(self.notes)),
        )

    # -- memory, and what time brings

    async def _begin(self) -> None:
        ended = await self._session.focus.tick()
        self.notes += [f"the lease of lane {lane.lane_id} is over: renew it to go on" for lane in ended]
        kept = await self._session.memory.read("altitude", "session")
        if self._number > 1:
            return
        await self._session.learning.load()
        if self._session.altitude.resume(kept.value):
            self.notes.append(f"going on at {self._session.altitude.level.value}, where {self._session.name} left off")

    # -- reasoning

    async def _reason(self) -> tuple[StrategyChoice, Situation]:
        classification = await self._session.reasoning.classify(self._text)
        situation = self._situation(classification)
        match = await self._session.learning.match(situation)
        await self._escalate(classification, match)
        choice = await self._session.reasoning.route(classification, match)
        return choice, situation

    def _situation(self, found: Classification) -> Situation:
        return {
            "input_type": found.input_type,
            "complexity": found.complexity,
            "conflict": found.conflict,
            "stakes": found.stakes,
            "horizon": found.horizon,
        }

    async def _escalate(self, found: Classification, match: Match) -> None:
        """Give more care, or take it back: the user's word first, then what the input asks for, then the ways back."""
        reasoning = self._session.reasoning
        wish = reasoning_rules.override_of(self._text, reasoning.level)
        trigger = reasoning_rules.trigger_of(found)
        if wish is not None:
            if wish != reasoning.level:
                await reasoning.escalate(wish, trigger="override", reason="the user said so")
        elif reasoning_rules.is_sure(match):
            if reasoning.level > 0:
                await reasoning.escalate(
                    reasoning.level - 1, trigger="pattern_match", reason=f"pattern {match.pattern_code}"
                )
        elif trigger is not None:
            if reasoning.level < MAX_LEVEL:
                await reasoning.escalate(reasoning.level + 1, trigger=trigger)
        elif reasoning.level > 0 and found.complexity == "simple":
            await reasoning.escalate(0, trigger="simplified", reason="the input is simple")

    # -- altitude

    async def _rise_or_descend(self, choice: StrategyChoice) -> Plan:
        """Go to the input's level, and make a plan there that can be carried out."""
        await self._move()
        altitude = self._session.altitude
        plan = await altitude.plan(self._text, choice)
        evaluation = await altitude.evaluate(plan)
        if evaluation.verdict == "revise" and choice.fallback is not None:
            again = StrategyChoice(strategy=choice.fallback, reason=evaluation.reason)
            plan = await altitude.plan(self._text, again)
            evaluation = await altitude.evaluate(plan)
        if evaluation.verdict != "approved":
            raise _PlanRefused(evaluation.reason)
        return plan

    async def _move(self) -> None:
        altitude, text = self._session.altitude, self._text
        if action_of(altitude_rules.without_level(text))[0] in ABOUT_THE_SESSION:
            return
        if altitude_rules.is_atomic(text):
            if altitude.level is not Level.MOMENT:
                self._came_from = altitude.level
                await self._transition(Level.MOMENT, reason="an atomic request", atomic=True)
            return
        target = altitude_rules.level_of(text) or altitude.level
        skip = altitude_rules.skip_reason(text)
        if target.height >= altitude.level.height or skip:
            if target is not altitude.level:
                await self._transition(target, reason=skip or f"the input speaks at {target.value}")
            return
        while (below := altitude.level.below) is not None and altitude.level is not target:
            await self._transition(below, reason=f"the input speaks at {target.value}")

    async def _transition(self, target: Level, *, reason: str, atomic: bool = False) -> None:
        moved = await self._session.altitude.transition(target, reason=reason, atomic=atomic)
        if moved.skipped and not atomic:
            self.notes.append(moved.reason)
        if moved.note:
            self.notes.append(moved.note)
        if not moved.allowed:
            self._came_from = None
            raise _Refused(moved.reason)

    async def leave_fast_lane(self) -> None:
        """Go back up to where the atomic request came from."""
        origin, self._came_from = self._came_from, None
        if origin is not None:
            await self._session.altitude.transition(origin, reason="the fast lane ends")

    async def leave_fast_lane_if_possible(self) -> None:
        """Go back up after a failure; what fails at that, too, is told beside it."""
        try:
            await self.leave_fast_lane()
        except HookFailed as error:
            self.notes.append(str(error))

    # -- focus

    async def _focus(self, plan: Plan) -> None:
        """Send the input's signal where it belongs, and take the stance that the plan needs."""
        focus = self._session.focus
        signal = await focus.signal(self._text)
        if signal.signal_type != "none":
            routed = await focus.route(signal)
            if routed.text:
                self.notes.append(routed.text)
            elif not routed.allowed:
                self.notes.append(routed.reason)
        stance = stance_for(plan.action_type, focus.stance)
        if stance is not None:
            decision = await focus.change_stance(stance, reason=plan.plan_summary)
            if not decision.allowed:
                raise _Refused(decision.reason)

    # -- execution

    async def _execute(self, plan: Plan) -> None:
        action = Action(altitude=plan.altitude, action_type=plan.action_type, arguments=plan.arguments)
        result = await self._session.altitude.execute(action)
        if not result.allowed:
            raise _Refused(result.reason)
        self.done = result.output

    # -- learning

    async def _learn(self, situation: Situation, choice: StrategyChoice, *, worked: bool) -> None:
        """Learn what this was like, what was done about it, and whether that worked."""
        learning = self._session.learning
        known = {pattern.pattern_code for pattern in learning.patterns}
        evidence = f"{self._session.name}:{self._number}"
        pattern = await learning.observe(situation, choice.strategy.value, worked=worked, evidence=evidence)
        if pattern is not None and pattern.pattern_code not in known:
            self.notes.append(f"learned pattern {pattern.pattern_code}: {pattern.then}")
        if self._number % TRIM_TURNS == 0:
            await learning.trim()

    async def _remember(self, *, worked: bool) -> None:
        record = {
            "text": self._text[:KEPT_CHARACTERS],
            "reply": self.done[:KEPT_CHARACTERS],
            "turn": self._number,
            "worked": worked,
        }
        await self._session.memory.write("session", "last", record, tier="hot")
