"""Whatever is done to a session's focus, in whichever order."""

from __future__ import annotations

import asyncio

from dam_hrm import Session, hookimpl, plugin_manager
from dam_hrm.focus.lanes import OPEN
from dam_hrm.focus.stances import LEADS_TO
from dam_hrm.focus.values import GateDecision, GateType, Stance
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

LANES = st.sampled_from(["a", "b", "c"])
REASONS = st.sampled_from(["", "because"])


class Watch:
    """Gates that the machine opens and shuts, and what they let through."""

    def __init__(self):
        self.shut = set()
        self.broken = set()
        self.passed = []

    @hookimpl(tryfirst=True)
    def dam_hrm_focus_gate_check(self, request):
        gate = request.gate_type
        if gate in self.broken:
            raise RuntimeError("broken")
        if gate in self.shut:
            return GateDecision(allowed=False, reason="shut")
        self.passed.append((gate, request.context.get("from_stance"), request.context.get("to_stance")))
        return GateDecision(allowed=True, reason="open")


class Focused(RuleBasedStateMachine):
    """A session's focus against what it promises."""

    def __init__(self):
        super().__init__()
        self.watch = Watch()
        self.session = Session(plugins=plugin_manager(self.watch, installed=False))
        self.focus = self.session.focus
        self.runner = asyncio.Runner()
        self.before = self.focus.stance

    def teardown(self):
        self.runner.run(self.session.memory.close())
        self.runner.close()

    def do(self, operation):
        self.watch.passed.clear()
        self.before = self.focus.stance
        return self.runner.run(operation)

    @rule(gate=st.sampled_from(GateType), state=st.sampled_from(["open", "shut", "broken"]))
    def gate_is(self, gate, state):
        self.watch.shut.discard(gate)
        self.watch.broken.discard(gate)
        if state != "open":
            getattr(self.watch, state).add(gate)

    @rule(to=st.sampled_from(Stance), gate=st.none() | st.sampled_from(GateType), reason=REASONS)
    def change_stance(self, to, gate, reason):
        decision = self.do(self.focus.change_stance(to, gate=gate, reason=reason))
        assert (self.focus.stance is to) == decision.allowed

    @rule(lane=LANES, turns=st.integers(-1, 3))
    def open_lane(self, lane, turns):
        decision = self.do(self.focus.open_lane(lane, "goal", turns=turns))
        assert not decision.allowed or self.focus.lane.lane_id == lane

    @rule(lane=st.none() | LANES)
    def switch_lane(self, lane):
        decision = self.do(self.focus.switch_lane(lane, bookmark="here"))
        active = self.focus.lane and self.focus.lane.lane_id
        assert not decision.allowed or active == lane

    @rule(lane=st.none() | LANES)
    def resume_lane(self, lane):
        self.do(self.focus.resume_lane(lane))

    @rule()
    def complete_lane(self):
        self.do(self.focus.complete_lane())

    @rule(lane=st.none() | LANES, turns=st.integers(-1, 3))
    def renew_lane(self, lane, turns):
        self.do(self.focus.renew_lane(lane, turns=turns))

    @rule()
    def tick(self):
        before = {lane.lane_id: lane for lane in self.focus.lanes}
        ended = self.do(self.focus.tick())
        for lane in self.focus.lanes:
            was = before[lane.lane_id]
            assert lane.turns_left == was.turns_left - (was.status == "active")
        assert all(lane.status == "expired" and lane.turns_left == 0 for lane in ended)

    @invariant()
    def the_stance_changes_only_through_a_gate_that_leads_there(self):
        change = (self.before.value, self.focus.stance.value)
        if self.before is not self.focus.stance:
            gates = [gate for gate, *passed in self.watch.passed if tuple(passed) == change]
            assert len(gates) == 1
            assert self.focus.stance in LEADS_TO[gates[0]]

    @invariant()
    def no_lane_has_less_than_no_turns(self):
        for lane in self.focus.lanes:
            assert lane.turns_left > 0 if lane.status in OPEN else lane.turns_left >= 0

    @invariant()
    def at_most_one_lane_is_active(self):
        active = [lane for lane in self.focus.lanes if lane.status == "active"]
        assert active == ([] if self.focus.lane is None else [self.focus.lane])
        assert all(lane.stance is self.focus.stance for lane in active)


TestFocused = Focused.TestCase
TestFocused.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
