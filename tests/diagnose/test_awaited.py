"""What was awaited, summed up by place and by kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose import awaited
from dam_obs.diagnose.awaited import AwaitedSums
from dam_obs.diagnose.report import SystemDiagnosis
from dam_obs.trace.events import Awaited, TraceEvent

MakeEvent = Callable[..., TraceEvent]
Diagnose = Callable[..., SystemDiagnosis]

EVENT = TraceEvent(
    trace_id="sys_1_a", parent_id=None, timestamp="2026-01-13T14:00:00+00:00", hrm_layer="system", operation="execute",
    component="demo", input_summary="", output_summary="", duration_ms=0, status="success", metadata={},
)  # fmt: skip
SLEEP = Awaited(kind="sleep", what="asyncio.tasks:sleep", wait_ns=60, times=2, by="m:f", file="m.py", line=3)
QUEUE = Awaited(kind="queue", what="asyncio.queues:Queue.get", wait_ns=30, by="m:g", file="m.py", line=9)


def test_report_has_places_and_kinds(event: MakeEvent, diagnose: Diagnose) -> None:
    """The longest first, with who awaited and what; kinds add up to the time awaiting, short waits included."""
    fields: dict[str, Any] = {"duration_ns": 200, "cpu_ns": 100, "wait_ns": 100}
    one = diagnose(event(awaited=[SLEEP, QUEUE], **fields), event(awaited=[SLEEP], **fields))

    assert one.time.awaiting == {"sleep": 120, "queue": 30, "short": 50}
    assert [(each.what, each.by, each.line, each.wait_ns, each.times, each.executions) for each in one.awaited] == [
        ("asyncio.tasks:sleep", "m:f", 3, 120, 4, 2),
        ("asyncio.queues:Queue.get", "m:g", 9, 30, 1, 1),
    ]
    assert one.awaited_named == 2


def test_executions_without_names_are_like_those_with(event: MakeEvent, diagnose: Diagnose) -> None:
    """Where only some executions have names, kinds are projected to all; places say what was seen."""
    fields: dict[str, Any] = {"duration_ns": 100, "cpu_ns": 0, "wait_ns": 100}
    one = diagnose(event(awaited=[SLEEP], **fields), event(**fields), event(**fields))

    assert one.time.awaiting == {"sleep": 180, "short": 120}
    assert (one.awaited_named, one.awaited[0].wait_ns, one.awaited[0].share) == (1, 60, 0.6)


def test_without_names_nothing_is_said(event: MakeEvent, diagnose: Diagnose) -> None:
    """Not named is not "none"."""
    one = diagnose(event(duration_ns=200, cpu_ns=100, wait_ns=100))

    assert (one.time.awaiting, one.awaited, one.awaited_named) == (None, [], 0)


def test_never_suspended_awaited_nothing(event: MakeEvent, diagnose: Diagnose) -> None:
    """Named, and there was nothing to name."""
    one = diagnose(event(duration_ns=100, cpu_ns=100, wait_ns=0, awaited=[]))

    assert one.time.awaiting == {}


def test_peer_is_told_where_it_was_the_only_one(event: MakeEvent, diagnose: Diagnose) -> None:
    """An execution that connected to one peer waited for that one; of two none is guessed."""
    read = Awaited(kind="network", what="asyncio.streams:StreamReader.read", wait_ns=50)
    fields: dict[str, Any] = {"duration_ns": 100, "cpu_ns": 0, "wait_ns": 50, "awaited": [read, SLEEP]}
    one = diagnose(
        event(touched={"peers": ["db:5432"], "files_read": ["/x"]}, **fields),
        event(touched={"peers": ["db:5432", "cache:6379"]}, **fields),
    )

    assert {each.kind: each.about for each in one.awaited} == {"network": ["db:5432"], "sleep": []}


def test_places_are_bounded(event: MakeEvent) -> None:
    """A program with ever new names is told by kinds at some point, and nothing of its time is lost."""
    sums = AwaitedSums()
    for number in range(2 * awaited.MOST_PLACES):
        sums.add(event(wait_ns=5, awaited=[Awaited(kind="task", what=f"task-{number}", wait_ns=5)]))

    assert len(sums.places) == awaited.MOST_PLACES + 1
    assert sums.by_kind(1_000) == {"task": 1_000}


kinds = st.sampled_from(["sleep", "lock", "network", "unknown"])
rows = st.lists(st.builds(Awaited, kind=kinds, what=st.text(max_size=2), wait_ns=st.integers(-5, 2**40)), max_size=4)
executions = st.lists(st.tuples(st.none() | st.integers(0, 2**40), st.none() | rows), max_size=6)


@given(executions, st.integers(0, 2**50))
def test_kinds_add_up(executions: list[tuple[int | None, Any]], awaiting_ns: int) -> None:
    """To the nanosecond, whatever events say, and none is negative."""
    sums = AwaitedSums()
    for wait_ns, named in executions:
        sums.add(msgspec.structs.replace(EVENT, wait_ns=wait_ns, awaited=named))

    parts = sums.by_kind(awaiting_ns)

    assert parts is None or sum(parts.values()) == awaiting_ns
    assert all(part > 0 for part in (parts or {}).values())
