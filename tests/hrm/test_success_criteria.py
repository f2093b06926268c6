"""The success criteria of the design, one test each, under their own names; how they hold beyond is in other files."""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import os
import subprocess
import sys
import time

from dam_hrm import Level, Stance
from dam_hrm.focus.values import GateType
from dam_hrm.memory.values import Tier

from dam_obs.cli import main
from dam_obs.testing import recording

SCRIPT = """\
I value calm mornings
Our goal is to publish the guide this year
The plan is to write a chapter each week
What is a chapter?
note: the printer is booked
"""

FIRST_FIELDS = [
    "trace_id", "parent_id", "timestamp", "hrm_layer", "operation", "component", "input_summary", "output_summary",
    "duration_ms", "status", "metadata",
]  # fmt: skip
"""The design's event, in its order."""


def run_agent(folder, *arguments, **environ):
    """Run the agent over the script, with nothing of the outer environment that could switch a trace on."""
    (folder / "session.txt").write_text(SCRIPT)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "DOPEJAR", "OTEL_"))}
    return subprocess.run(
        [sys.executable, "-m", "dam_hrm", "--script", "session.txt", *arguments],
        capture_output=True, text=True, timeout=60, cwd=folder, env={**clean, **environ},
    )  # fmt: skip


def as_module(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, timeout=60, cwd=folder, check=True
    )
    return done.stdout


def in_a_loop(test):
    """Run a test that is a coroutine function."""

    @functools.wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


# -- all HRM transitions emit trace events


@in_a_loop
async def test_all_hrm_transitions_emit_trace_events(new_session, recorded):
    """Of level, stance, lane and care: each one that is asked for, whether it is allowed or not, in order."""
    session = new_session()
    levels = [Level.STRATEGY, *itertools.chain.from_iterable(itertools.permutations(Level, 2))]
    stances = [*itertools.chain.from_iterable(itertools.permutations(Stance, 2))]
    asked = {"altitude.transition": [], "focus.stance_change": [], "focus.lane_switch": [], "reasoning.escalate": []}

    async with session:
        for number, to_level in enumerate(levels):
            if number == len(levels) // 2:
                session.altitude.establish("L4")
            before = session.altitude.level
            moved = await session.altitude.transition(to_level, reason="because")
            asked["altitude.transition"].append((before.value, to_level.value, moved.allowed))
        for to_stance in stances:
            before = session.focus.stance
            decision = await session.focus.change_stance(to_stance, reason="because")
            if to_stance is not before:
                asked["focus.stance_change"].append((before.value, to_stance.value, decision.allowed))
        for lane in ("a", "b", "a"):
            before = session.focus.lane
            open_it = (
                session.focus.open_lane(lane, "goal")
                if lane not in {each.lane_id for each in session.focus.lanes}
                else None
            )
            decision = await (open_it or session.focus.switch_lane(lane))
            asked["focus.lane_switch"].append((before.lane_id if before else None, lane, decision.allowed))
        for to_level, trigger in ((1, "conflict"), (3, "conflict"), (2, "override"), (0, "simplified")):
            care = session.reasoning.level
            escalated = await session.reasoning.escalate(to_level, trigger=trigger)
            asked["reasoning.escalate"].append((care, to_level, escalated.allowed))

    seen = {name: [] for name in asked}
    for event in recorded.events():
        name = f"{event.hrm_layer}.{event.operation}"
        if name in seen:
            ends = [event.metadata[key] for key in event.metadata if key.startswith(("from_", "to_"))]
            seen[name].append((*ends, event.status == "success"))
    assert seen == asked
    assert {allowed for _, _, allowed in asked["altitude.transition"]} == {True, False}


# -- all gate checks emit trace events


@in_a_loop
async def test_all_gate_checks_emit_trace_events(new_session, recorded):
    """Of every type, let through or not, by itself or by an operation that has to pass it."""
    async with new_session() as session:
        for gate in GateType:
            for context in ({}, {"reason": "r", "goal": "g", "namespace": "n", "key": "k", "agent": "a"}):
                await session.focus.check(gate, **context)
        alone = [(event.metadata, event.status) for event in recorded.events(operation="gate_check")]
        recorded.clear()
        await session.memory.write("notes", "printer", "booked")
        await session.focus.change_stance("discovery", reason="to look around")
        await session.focus.route(await session.focus.signal("write a report"))
        within = [event.metadata["gate_type"] for event in recorded.events(operation="gate_check")]

    assert [data["gate_type"] for data, _ in alone] == [gate.value for gate in GateType for _ in range(2)]
    assert {data["decision"]: status for data, status in alone} == {"allowed": "success", "denied": "blocked"}
    assert all(data["reason"] for data, _ in alone)
    assert within == ["WriteApproval", "Framing", "AgentApproval", "AgentApproval"]


# -- all memory operations emit trace events


@in_a_loop
async def test_all_memory_operations_emit_trace_events(new_session, recorded):
    """Reads of every tier and of nothing, writes to every tier, and every way between tiers."""
    expected = []
    async with new_session() as session:
        memory = session.memory
        for tier in Tier:
            await memory.write("space", tier.value, {"at": tier.value}, tier=tier)
            expected.append(("write", tier.value, {"tier": tier.value, "tokens_saved": None}))
            found = await memory.read("space", tier.value)
            expected.append(("read", tier.value, {"tier": found.tier.value}))
        await memory.read("space", "nothing")
        expected.append(("read", "nothing", {"tier": None}))
        for operation, to_tier in (("demote", "cold"), ("promote", "warm"), ("promote", "hot"), ("demote", "warm")):
            shifted = await getattr(memory, operation)("space", "hot", to_tier)
            expected.append((operation, "hot", {"from_tier": shifted.shift.from_tier.value, "to_tier": to_tier}))
        seen = [
            (
                event.operation,
                event.metadata["key"],
                {k: v for k, v in event.metadata.items() if k not in ("namespace", "key")},
            )
            for event in recorded.events(hrm_layer="memory")
        ]

    assert seen == expected


# -- trace output is valid JSONL


def test_trace_output_is_valid_jsonl(tmp_path):
    """Each line is one JSON object that begins with the design's fields, in its order; the last line ends too."""
    done = run_agent(tmp_path, DOPEJAR_TRACE="1")
    text = (tmp_path / "trace.jsonl").read_text(encoding="utf-8")
    events = [json.loads(line) for line in text.splitlines()]

    assert done.returncode == 0
    assert text.endswith("\n")
    assert len(events) > 40
    assert [list(event)[: len(FIRST_FIELDS)] for event in events] == [FIRST_FIELDS] * len(events)


# -- parent/child correlation works


@in_a_loop
async def test_parent_child_correlation_works(new_session, recorded):
    """What an operation asks for is below it; see `test_parents` for tasks, threads and generators."""
    async with new_session() as session:
        session.altitude.establish("L4")
        await session.altitude.transition("L3", reason="on")
        transition, write, gate = sorted(recorded.events(), key=lambda event: event.timestamp)

    assert [event.operation for event in (transition, write, gate)] == ["transition", "write", "gate_check"]
    assert (transition.parent_id, write.parent_id, gate.parent_id) == (None, transition.trace_id, write.trace_id)
    assert len({event.otel_trace_id for event in (transition, write, gate)}) == 1


# -- UI flag toggles visibility


def test_ui_flag_toggles_visibility(tmp_path):
    """`--trace` shows the tree, and only then; the variable switches the file on and off. The replies are the same."""
    folders = [tmp_path / name for name in ("plain", "flag", "on", "off")]
    for folder in folders:
        folder.mkdir()
    plain, flag, on, off = (
        run_agent(folders[0]),
        run_agent(folders[1], "--trace"),
        run_agent(folders[2], DOPEJAR_TRACE="1"),
        run_agent(folders[3], DOPEJAR_TRACE="0"),
    )

    assert {done.stdout for done in (plain, flag, on, off)} == {plain.stdout}
    assert [done.stderr for done in (plain, on, off)] == ["", "", ""]
    assert "[alt] transition: L4→L3 → success" in flag.stderr
    assert [(folder / "trace.jsonl").exists() for folder in folders] == [False, True, True, False]


# -- performance overhead < 1 ms per event

LIMIT_NS = 1_000_000
TIMES = 1_000


def cpu_ns(session, times):
    """Return the CPU time, of all threads, that so many gate checks take."""

    async def check():
        for _ in range(times):
            await session.focus.check("Framing", reason="r")

    begin = time.process_time_ns()
    asyncio.run(check())
    return time.process_time_ns() - begin


def test_performance_overhead_is_below_1_ms_per_event(new_session):
    """
    CPU time per event, recording, redaction and the work itself included, on all threads.

    A bound on CPU time, not on wall time, and many times what it takes: benchmarks/hrm_overhead.py has the figures.
    """
    with recording() as record:
        taken = cpu_ns(new_session(), TIMES)
        events = record.events(operation="gate_check")

    assert len(events) == TIMES
    assert taken / len(events) < LIMIT_NS


# -- trace viewer CLI works


def test_trace_viewer_cli_works(tmp_path, monkeypatch, capsys):
    """The design's four ways to ask of the agent's own trace, and the statistics; as modules too."""
    run_agent(tmp_path, DOPEJAR_TRACE="1")
    monkeypatch.chdir(tmp_path)
    events = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text(encoding="utf-8").splitlines()]
    change = next(event for event in events if event["operation"] == "transition")

    def shown(*arguments):
        assert main(arguments) == 0
        return capsys.readouterr().out

    altitude, blocked = shown("view", "--hrm", "altitude"), shown("view", "--status", "blocked")
    request = shown("view", "--trace-id", change["trace_id"])
    newest, stats = shown("view", "--last", "100"), shown("stats")

    assert "[mem] write: session.last → written" in newest
    assert "[alt] transition: L4→L3 → success" in altitude
    assert "[foc] consent_check: memory.write on notes.* → denied" in blocked
    assert request.splitlines()[0].startswith("[sys] turn: Our goal is to publish the guide this year")
    assert "altitude: " in stats
    assert "Slowest operations:" in stats
    assert as_module(tmp_path, "dam_obs.view", "--last", "100") == newest
