"""The altitude layer of a session: where it is between identity and the moment, and what it does there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from dam_hrm.altitude.rules import footing_of
from dam_hrm.altitude.values import Action, ActionResult, Evaluation, Footing, Level, Move, Moved, Plan
from dam_hrm.asking import ask
from dam_hrm.names import name_of

if TYPE_CHECKING:
    from dam_hrm.reasoning.values import StrategyChoice
    from dam_hrm.session import Session

TRIES: Final = 8
"""How often a move is decided anew where the level has changed meanwhile."""


class Altitude:
    """
    A session's altitude: a level, and the levels that are established.

    A level is established once it is clear what holds there; what is below it rests on that. A session starts
    at L4 with nothing established.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._level = Level.IDENTITY
        self._established: frozenset[Level] = frozenset()
        self._footing = Footing.ESTABLISHED

    @property
    def level(self) -> Level:
        """Where the session is."""
        return self._level

    @property
    def established(self) -> frozenset[Level]:
        """The levels that are clear."""
        return self._established

    @property
    def footing(self) -> Footing:
        """What the present level rests on: the level above it, or an exception that was made."""
        return self._footing

    def establish(self, level: Level | str) -> None:
        """Take note that a level is clear. Levels above or below it need not be."""
        level = name_of(Level, level)
        with self._session.lock:
            self._established |= {level}
            self._settle()

    async def transition(self, to_level: Level | str, *, reason: str = "", atomic: bool = False) -> Moved:
        """
        Change the level, if it may be.

        Two at the same time: what was decided for a level that the session has left meanwhile is decided anew.

        Args:
            to_level: A `Level`, or its text (``"L2"``, ``"operations"``).
            reason: Why; needed where a level is passed over.
            atomic: For one request that is answered at once: the fast lane.
        """
        target = name_of(Level, to_level)
        for _ in range(TRIES):
            move = Move(from_level=self._level, to_level=target, reason=reason, atomic=atomic)
            moved = await ask(self._session.hook.dam_hrm_altitude_transition, Moved, session=self._session, move=move)
            if not moved.allowed or self._apply(move, moved):
                return moved
        return Moved(allowed=False, reason=f"the level changed {TRIES} times while this was decided: try again")

    async def plan(self, intent: str, choice: StrategyChoice | None = None) -> Plan:
        """Make a plan for an intent, at the present level."""
        return await ask(
            self._session.hook.dam_hrm_altitude_plan,
            Plan,
            session=self._session,
            altitude=self._level,
            intent=intent,
            choice=choice,
        )

    async def evaluate(self, plan: Plan) -> Evaluation:
        """Say what is thought of a plan."""
        return await ask(self._session.hook.dam_hrm_altitude_evaluate, Evaluation, session=self._session, plan=plan)

    async def execute(self, action: Action) -> ActionResult:
        """Carry out an action, if it may be."""
        return await ask(
            self._session.hook.dam_hrm_altitude_execute, ActionResult, session=self._session, action=action
        )

    # -- what memory keeps

    def kept(self, move: Move) -> dict[str, Any]:
        """Give what memory keeps of this once a move is made."""
        with self._session.lock:
            return {
                "session": self._session.name,
                "turn": self._session.turns,
                "level": move.to_level.value,
                "established": sorted(each.value for each in self._established),
            }

    def resume(self, kept: object) -> bool:
        """Go on from what memory kept, if that makes sense and was of a session of this name; say whether."""
        if not isinstance(kept, Mapping) or kept.get("session") != self._session.name:
            return False
        levels = [each for each in Level if each.value == kept.get("level")]
        established = kept.get("established")
        if not levels or not isinstance(established, list) or any(each not in list(Level) for each in established):
            return False
        with self._session.lock:
            self._level = levels[0]
            self._established = frozenset(Level(each) for each in established)
            self._footing = Footing.GRANTED
            self._settle()
        return True

    # -- applying

    def _apply(self, move: Move, moved: Moved) -> bool:
        with self._session.lock:
            if self._level is not move.from_level:
                return False
            self._level = move.to_level
            if move.to_level.height < move.from_level.height:
                self._footing = footing_of(move, moved)
            elif self._footing is Footing.ESTABLISHED:
                self._footing = Footing.RISEN
            self._settle()
            return True

    def _settle(self) -> None:
        """Forget an exception once the level no longer needs one."""
        above = self._level.above
        if above is None or above in self._established:
            self._footing = Footing.ESTABLISHED
