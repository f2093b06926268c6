"""What dam-obs sees of a world: each step that its trace points name, whole and below the right parent."""

import asyncio
import os
import threading

import pytest
from dam_traits import observability

from dam_obs.points.load import read_file
from dam_obs.testing import event
from dam_obs.trace import faults


def tree(record, *operations, of=None):
    """Return spans as name, status and what is below, in order of their start; only these operations, if given."""
    events = [each for each in record.events() if not operations or each.operation in operations]
    kept = {each.trace_id for each in events}
    parents = {each.trace_id: each.parent_id for each in record.events()}

    def above(each):
        parent = each.parent_id
        while parent is not None and parent not in kept:
            parent = parents.get(parent)
        return parent

    def below(parent):
        children = sorted((each for each in events if above(each) == parent), key=lambda each: each.timestamp)
        return [(name(each), each.status, below(each.trace_id)) for each in children]

    return below(of)


def name(each):
    return each.component.partition(":")[2] if each.operation == "execute" else each.operation


def run(world, *commands):
    """Dispatch commands, each after the other, and close the world."""

    async def main():
        async with world:
            return [await world.dispatch_command(command).get_all_results() for command in commands]

    return asyncio.run(main())


def test_the_files_are_right(points):
    """Nothing is wrong in what is shipped."""
    for path in observability.dam_obs_trace_points():
        assert read_file(path).problems == ()
    assert [file.host for file in points] == ["dam_traits"]


def test_each_step_of_a_command_is_a_span(observed, systems, record):
    """All that is named: predicting, choosing, taking pools, executing, telling; in this order, below the dispatch."""
    run(observed(systems.Hasher), systems.Hash(7))

    assert tree(record) == [
        ("register", "success", []),
        (
            "dispatch",
            "success",
            [
                ("calculate_traits", "success", []),
                ("select", "success", []),
                ("acquire", "success", []),
                ("Hasher", "success", []),
                ("observe", "success", []),
            ],
        ),
    ]
    assert faults.counts() == {}


def test_an_execution_says_all_there_is_to_say(observed, systems, record):
    """System, command, answer and place in the code are on the event, whole."""
    run(observed(systems.Hasher), systems.Hash(7))
    dispatch = record.event(operation="dispatch")
    execute = record.event(operation="execute")

    assert execute == event(
        "system",
        "execute",
        "observed_systems:Hasher",
        kind="span",
        parent_id=dispatch.trace_id,
        input_summary="observed_systems.Hash(size=7)",
        output_summary="7",
        duration_ns=execute.duration_ns,
    )
    assert dispatch == event(
        "system",
        "dispatch",
        "observed",
        kind="step",
        input_summary="observed_systems.Hash(size=7)",
        duration_ns=dispatch.duration_ns,
    )
    (span,) = [each for each in record.spans() if each.event is execute]
    assert span.code["function"] == "observed_systems:Hasher.__call__"


def test_the_steps_that_decide_say_what(observed, systems, record):
    """Which system, which strategy, chosen why; only at level debug."""
    world = observed(systems.Hasher)
    run(world, systems.Hash(7))
    data = {each.operation: (each.kind, each.component, each.metadata) for each in record.events()}
    system = "observed_systems:Hasher"

    assert data["register"] == ("step", "observed", {"system": system})
    assert data["calculate_traits"] == ("step", "observed", {"system": system})
    assert data["select"] == ("step", "observed", {"strategy": world.strategy.name, "chosen": system})
    assert data["observe"] == ("step", "observed", {"system": system, "outcome": "success"})
    assert record.event(operation="select").output_summary != ""


def test_waiting_for_a_pool_is_blocked_and_says_for_which(observed, systems, record):
    """Of two that need the same one, the second is blocked until the first is done, and says how long it was."""
    run(observed(systems.Hasher, systems.walk, systems.ingest, capacities={"cpu": 1}), systems.Ingest(1))
    first, second = sorted(record.events(operation="acquire"), key=lambda each: each.status, reverse=True)

    assert (first.status, first.input_summary, first.metadata) == (
        "success",
        "cpu/heavy",
        {"pool": "cpu/heavy", "wait_ns": 0},
    )
    assert (second.status, second.input_summary, second.metadata["pool"]) == ("blocked", "cpu/heavy", "cpu/heavy")
    assert 0 < second.metadata["wait_ns"] <= second.duration_ns


def test_systems_in_threads_and_generators_have_their_parents(observed, systems, record):
    """Whoever dispatches is above, whether what runs is a class in a thread or a generator that is left early."""
    run(observed(systems.Hasher, systems.walk, systems.ingest), systems.Ingest(1))

    assert tree(record, "execute") == [
        ("ingest", "success", [("Hasher", "success", []), ("Hasher", "success", []), ("walk", "success", [])])
    ]
    threads = {name(each): each.thread_id for each in record.events(operation="execute")}
    assert threads["ingest"] == threads["walk"] == threading.get_native_id() != threads["Hasher"]
    assert record.event(component="observed_systems:walk").metadata == {"closed_early": True}


def test_a_refusal_is_blocked_and_a_failure_an_error(observed, systems, record):
    """By what the system answers, and by what it raises."""
    world = observed(systems.approve, systems.fail)
    with pytest.raises(ValueError, match="no"):
        run(world, systems.Approve(2), systems.Approve(5), systems.Failing(1))

    assert [each.status for each in record.events(operation="execute")] == ["success", "blocked", "error"]
    assert faults.counts() == {}


def test_systems_of_an_event_are_observed(observed, systems, record):
    """Nothing is selected for an event, but what runs is a span all the same."""

    async def main():
        async with observed(systems.hear) as world:
            await world.dispatch_event(systems.Done(3)).get_all_results()

    asyncio.run(main())

    assert record.event(operation="execute").input_summary == "observed_systems.Done(size=3)"


def test_a_command_that_nobody_reads_is_no_span(observed, systems, record):
    """Dispatch is lazy, so there is nothing to see of what never runs."""

    async def main():
        async with observed(systems.approve) as world:
            world.dispatch_command(systems.Approve(1))

    asyncio.run(main())

    assert record.events(operation="dispatch") == []


def test_one_trace_spans_processes(observed, systems, record):
    """What runs in a process of the executor's is in the same trace, below the dispatch, with that process's pid."""
    assert run(observed(systems.far), systems.Far(10)) == [[45]]
    dispatch = record.event(operation="dispatch")
    execute = record.event(operation="execute")

    assert execute == event(
        "system",
        "execute",
        "observed_systems:far",
        parent_id=dispatch.trace_id,
        otel_trace_id=dispatch.otel_trace_id,
        otel_parent_id=dispatch.otel_span_id,
        input_summary="observed_systems.Far(size=10)",
        output_summary="45",
        duration_ns=execute.duration_ns,
    )
    assert execute.pid != os.getpid()


def test_hooks_that_no_point_names_make_no_spans(observed, systems, record):
    """Looking up, merging and measuring are not worth a span each."""
    run(observed(systems.Hasher), systems.Hash(7))

    assert {each.operation for each in record.events()} == {
        *("register", "dispatch", "calculate_traits", "select", "acquire", "execute", "observe"),
    }
