"""Go through everything that the trace-point files of locked_system and the_assist name; knows nothing of tracing."""

from types import SimpleNamespace

from locked_system.core import focus
from locked_system.core.governance.delegation import DelegationManager
from locked_system.core.governance.gates import GateController
from locked_system.core.learning import PatternStore
from locked_system.core.memory_bus import MemoryBus
from locked_system.core.orchestrator import Orchestrator
from locked_system.core.reasoning import ActionRouter
from locked_system.executor.gates import GateController as LaterGates
from locked_system.executor.pipeline import Executor
from locked_system.lanes.gates import EvaluationGate, LaneSwitchGate, WorkDeclarationGate
from locked_system.loop import LockedLoop
from locked_system.memory.history import History
from locked_system.memory.slow import Commitment, SlowMemory
from locked_system.words import Gate, Reducer, Stance
from the_assist.hrm.altitude import AltitudeGovernor


def turns():
    loop = LockedLoop()
    print(loop.process("What is due?").response)
    try:
        loop.process(" ")
    except ValueError as error:
        print(error)
    for text in ("write a report", "read it"):
        print(Executor().step(text).message)


def gates():
    loop, slow = LockedLoop(), SlowMemory()
    controller = GateController(loop.stance, slow, History())
    slow.set_commitment(Commitment("the report"))
    print(
        controller.attempt_gate("commitment", "go").success, controller.attempt_gate("framing", "x", Stance.EXECUTION)
    )
    print(controller.attempt_emergency("stop").success, controller.attempt_emergency("stop").success)
    print(focus.StanceMachine().transition(Stance.EXECUTION, Gate.FRAMING, "no way"))
    print(focus.GateController().attempt(Gate.FRAMING, {}), focus.GateController().attempt(Gate.COMMITMENT, {}))
    print([LaterGates().resolve_gate("g1", {"type": answer}).status.value for answer in ("approve", "deny")])
    print(DelegationManager().check("agent", "notes"))


def lanes():
    print(WorkDeclarationGate("report").execute(None).lane_id)
    switch = LaneSwitchGate("lane_1", "taxes")
    print(switch.execute(None, {}).approved, switch.execute(None, {}, bookmark="page 3").lane_id)
    print(EvaluationGate("lane_2", "taxes").execute(None, {}).decision)


def reason_and_learn():
    print(ActionRouter().route("Should I?", Stance.SENSEMAKING).action_plan.action_type)
    bus = MemoryBus()
    store = PatternStore(bus)
    for confidence in (0.8, 0.1):
        print(store.add_pattern("strategy", "ask first", {"stakes": "high"}, {}, ["turn 1", "turn 2"], confidence))
    print(len(store.match_patterns({"stakes": "high"})))
    bus.write_working("p1", "draft", "text")
    print(bus.read_working("p1", "draft"), bus.write_shared("fact", 1, "me", 0.9), bus.write_shared("lie", 1, "me", 0))
    print(bus.read_shared("fact"))


def agents():
    def run(agent, context):
        bus = MemoryBus()
        bus.write_working(agent, "answer", context.user_input)  # a traced call on a thread of the pool
        return f"DECISION by {agent}" if agent == "bad" else f"{agent} proposes"

    context = SimpleNamespace(user_input="go on", reducer=Reducer.MERGE)
    for who in (["a", "b"], ["a", "bad"]):
        print(Orchestrator(run).execute(who, ", ".join, context).result)


def levels():
    governor = AltitudeGovernor()
    print(governor.can_descend("L3", "L2", "plan my week").allowed)
    governor.context.grounded = True
    print(governor.can_descend("L3", "L2", "plan my week").allowed)
    governor.record_transition("L2", "the user asked")


if __name__ == "__main__":
    for part in (turns, gates, lanes, reason_and_learn, agents, levels):
        part()
