"""
The focus layer of a session: its stance, its lanes, what the user consented to, and where signals go.

An operation asks its hook and then applies what was decided, under the session's lock and only if nothing
has come in between that speaks against it. No hook is asked while the lock is held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dam_hrm.asking import ask
from dam_hrm.focus import stances
from dam_hrm.focus.consent import Consents, Given, Questions
from dam_hrm.focus.gates import allowed, ask_consent, ask_gate, denied
from dam_hrm.focus.lanes import Lanes
from dam_hrm.focus.values import (
    Consent,
    ConsentRequest,
    GateDecision,
    GateRequest,
    GateType,
    Lane,
    LaneSwitch,
    Routed,
    Signal,
    Stance,
    StanceChange,
)
from dam_hrm.names import name_of

if TYPE_CHECKING:
    from dam_hrm.session import Session


class Focus:
    """A session's focus."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._stance: Stance = stances.FIRST
        self._lanes = Lanes()
        self._consents = Consents()
        self._questions = Questions()

    # -- stances and gates

    @property
    def stance(self) -> Stance:
        """How the session goes about its work now."""
        return self._stance

    async def change_stance(
        self, to: Stance | str, *, gate: GateType | str | None = None, reason: str = ""
    ) -> GateDecision:
        """
        Change the stance through a gate; where it is denied, nothing changes.

        Args:
            to: The stance; the one that holds already asks nobody.
            gate: The one to go through; `None`: the one that leads there. Emergency has to be named.
            reason: Why, for the gate and for the trace.

        Raises:
            UnknownName: There is no such stance, or gate.
        """
        stance = name_of(Stance, to)
        through = stances.gate_to(stance) if gate is None else name_of(GateType, gate)
        before = self._stance
        if stance == before:
            return allowed(f"the stance is {stance.value} already")
        change = StanceChange(from_stance=before, to_stance=stance, gate=through, reason=reason)
        decision = await ask_gate(self._session.hook.dam_hrm_focus_stance_change, session=self._session, change=change)
        if not decision.allowed:
            return decision
        with self._session.lock:
            why_not = stances.refusal(change, self._stance)
            if why_not:
                return denied(why_not)
            self._stance = stance
            self._lanes.follow(stance)
        return decision

    async def check(self, gate: GateType | str, /, **context: Any) -> GateDecision:
        """
        Ask a gate; a plugin that fails at it is a denial that says so.

        Args:
            gate: Which.
            context: What it is about: ``reason`` and ``goal``, or what its hook's description names.

        Raises:
            UnknownName: There is no such gate.
        """
        request = GateRequest(gate_type=name_of(GateType, gate), context=context)
        return await ask_gate(self._session.hook.dam_hrm_focus_gate_check, session=self._session, request=request)

    # -- lanes

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """All lanes; the one that changed its status last is the last. Those that ended are kept for a while."""
        with self._session.lock:
            return self._lanes.all

    @property
    def lane(self) -> Lane | None:
        """The lane in which work goes on."""
        with self._session.lock:
            return self._lanes.active

    def refusal(self, switch: LaneSwitch) -> str:
        """Say why a switch of lanes could not be made now, whatever is answered to it; empty where it could."""
        with self._session.lock:
            return self._lanes.refusal(switch)

    async def open_lane(self, lane_id: str, goal: str, *, turns: int = 10, bookmark: str = "") -> GateDecision:
        """
        Open a lane and go on in it; the one that was active is paused.

        Args:
            lane_id: Its name, which no open lane has.
            goal: What it is for.
            turns: Its lease.
            bookmark: Where the lane that is left should go on.
        """
        lane = Lane(lane_id=lane_id, goal=goal, status="paused", turns_left=turns, stance=self._stance)
        switch = LaneSwitch(
            from_lane=self._active_id(), to_lane=lane_id, reason=f"to {goal}", bookmark=bookmark, opens=lane
        )
        return await self._switch(switch)

    async def switch_lane(self, to: str | None, *, reason: str = "", bookmark: str = "") -> GateDecision:
        """
        Go on in a paused lane, in the stance it was left in if the gate that leads there allows; `None`: in no lane.

        The lane that was active is paused with the bookmark, and keeps its turns.
        """
        before = self._active_id()
        if to is not None and to == before:
            return allowed(f"lane {to} is active already")
        switch = LaneSwitch(from_lane=before, to_lane=to, reason=reason, bookmark=bookmark)
        return await self._switch(switch)

    async def pause_lane(self, *, reason: str = "", bookmark: str = "") -> GateDecision:
        """Leave the active lane; it keeps its turns, the stance, and the bookmark."""
        return await self.switch_lane(None, reason=reason, bookmark=bookmark)

    async def resume_lane(self, lane_id: str | None = None, *, reason: str = "") -> GateDecision:
        """Go on in a paused lane; `None`: the one that was paused last."""
        if lane_id is not None:
            return await self.switch_lane(lane_id, reason=reason)
        with self._session.lock:
            paused = self._lanes.paused
        return await self.switch_lane(paused[-1].lane_id, reason=reason) if paused else denied("no lane is paused")

    async def complete_lane(self, *, reason: str = "") -> GateDecision:
        """End the active lane: its goal is reached, or given up."""
        return await self._switch(
            LaneSwitch(from_lane=self._active_id(), to_lane=None, reason=reason, leaves_as="completed")
        )

    async def renew_lane(self, lane_id: str | None = None, *, turns: int = 10) -> GateDecision:
        """
        Give a lane a lease of this many turns from now on; one that had expired is paused then.

        Args:
            lane_id: `None`: the active one.
            turns: One at least.
        """
        with self._session.lock:
            name = self._active_id() if lane_id is None else lane_id
            why_not = "no lane is active" if name is None else self._lanes.renew(name, turns)
        return denied(why_not) if why_not else allowed(f"lane {name} has {turns} turns")

    async def tick(self) -> tuple[Lane, ...]:
        """
        Let a turn pass: the active lane's lease counts down, and ends where no turn is left.

        Gives the lanes that ended. A lease that is over is over: the hook of the lane switch hears of it, after the
        fact, and what it answers changes nothing.
        """
        with self._session.lock:
            ended = self._lanes.tick()
        if ended is None:
            return ()
        switch = LaneSwitch(from_lane=ended.lane_id, to_lane=None, reason="its lease is over", leaves_as="expired")
        await ask_gate(self._session.hook.dam_hrm_focus_lane_switch, session=self._session, switch=switch)
        return (ended,)

    async def _switch(self, switch: LaneSwitch) -> GateDecision:
        decision = await ask_gate(self._session.hook.dam_hrm_focus_lane_switch, session=self._session, switch=switch)
        if not decision.allowed:
            return decision
        with self._session.lock:
            why_not = self._lanes.refusal(switch)
            if why_not:
                return denied(why_not)
            entered = self._lanes.apply(switch)
            if switch.opens is not None:
                self._lanes.follow(self._stance)
        if entered is None or switch.opens is not None:
            return decision
        return await self._take_up(entered, decision)

    async def _take_up(self, lane: Lane, decision: GateDecision) -> GateDecision:
        """Go back to the stance in which a lane was left, if its gate allows."""
        change = await self.change_stance(lane.stance, reason=f"lane {lane.lane_id} goes on")
        if change.allowed:
            return decision
        with self._session.lock:
            stance = self._stance
            self._lanes.follow(stance)
        return allowed(f"{decision.reason}; the stance stays {stance.value}: {change.reason}")

    def _active_id(self) -> str | None:
        active = self.lane
        return None if active is None else active.lane_id

    # -- consent

    async def consent(self, operation: str, scope: str) -> Consent:
        """
        Say whether the user allows an operation within a scope; asks at most once for it, whoever wants to know.

        Either may be a pattern, such as ``memory.write`` on ``altitude.*``: the answer then holds for all that it
        covers. Where nobody is there to ask, or the asking fails, that is a no that is not kept.
        """
        request = ConsentRequest(operation=operation, scope=scope)
        async with self._questions.turn(request) as is_free:
            if not is_free:
                return Consent(allowed=False, reason=f"{request.summary} is being asked for already")
            consent = await ask_consent(self._session, request)
            if consent.asked:
                self.grant(operation, scope, allowed=consent.allowed)
            return consent

    def answered(self, operation: str, scope: str) -> Given | None:
        """Give the most specific answer that was given to what covers this; `None` where there is none."""
        with self._session.lock:
            return self._consents.known(ConsentRequest(operation=operation, scope=scope))

    def grant(self, operation: str, scope: str, *, allowed: bool = True) -> None:
        """Keep the user's answer, given without being asked."""
        with self._session.lock:
            self._consents.keep(ConsentRequest(operation=operation, scope=scope), allowed)

    def revoke(self, operation: str, scope: str) -> None:
        """Take the user's consent back: to this, and to all that it covers, it is no from now on, without asking."""
        with self._session.lock:
            self._consents.revoke(ConsentRequest(operation=operation, scope=scope))

    # -- signals

    async def signal(self, text: str) -> Signal:
        """
        Say what an input calls for.

        Raises:
            HookFailed: A plugin failed at it.
        """
        return await ask(self._session.hook.dam_hrm_signal, Signal, session=self._session, text=text)

    async def route(self, signal: Signal) -> Routed:
        """
        Send a signal to its bundle, and reduce what the agents answer.

        Raises:
            HookFailed: A plugin failed at it; an agent that fails is only left out.
        """
        return await ask(self._session.hook.dam_hrm_focus_route, Routed, session=self._session, signal=signal)
