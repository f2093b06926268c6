"""What dam-obs records of dam_entities: every operation, with its data, in one trace with the children."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from dam_entities import Entity, Runtime, observability, plugin_manager

from dam_obs.points.hosts import observe
from dam_obs.points.load import load_file
from dam_obs.testing import recording


class Student(Entity):
    name: str = "Bob"
    age: int = 18


class Graduate(Entity):
    name: str = ""


def older(student: Student) -> Student:
    student.age += 1
    return student


def graduate(student: Student) -> Graduate:
    return Graduate(name=student.name)


def fail() -> int:
    raise KeyError


@pytest.fixture
def record():
    with recording() as made:
        yield made


@pytest.fixture
def observed(record) -> Runtime:
    files = [load_file(path) for path in observability.dam_obs_trace_points()]
    runtime = Runtime(plugins=plugin_manager(installed=False))
    for function in (older, graduate, fail):
        runtime.callables.register(function.__name__, function)
    watching = observe(runtime.plugins, files)
    yield runtime
    watching.stop()


def points(record, operation):
    return [event for event in record.events() if event.operation == operation]


def data(event):
    return event.metadata


def test_every_operation_is_recorded(observed, record):
    """Register, fork, resolve, execute, isolate and merge, nested as they were asked for."""
    bob = Student()
    observed.register(bob)
    first = bob.ecs_id
    observed.fork(bob, age=20)
    observed.execute("older", {"student": f"@{first}"})
    done = observed.execute_isolated("graduate", {"student": f"@{first}"}, isolation="fork")

    (registered,) = points(record, "register")
    assert (registered.hrm_layer, data(registered)["created"]) == ("memory", f"={first}")
    (forked,) = points(record, "fork")
    assert (data(forked)["before"], data(forked)["after"]) == (str(first), str(bob.ecs_id))
    resolved = points(record, "resolve")
    assert [data(event)["references"] for event in resolved] == [1, 1]
    assert data(resolved[0])["entities"] == f"student={first}"
    (executed,) = points(record, "execute")
    assert (executed.component, executed.status) == ("older", "success")
    assert data(executed)["read"] == f"student={first}"
    assert data(executed)["forked"].startswith("student=")
    (isolated,) = points(record, "isolate")
    assert data(isolated)["isolation"] == "fork"
    assert data(isolated)["child_pid"] == done.pid
    assert data(isolated)["child_cpu_ns"] == done.used.cpu_ns
    assert data(isolated)["child_peak_memory_bytes"] == done.used.peak_memory_bytes
    assert data(isolated)["created"] == f"result={done.value.ecs_id}"
    (merged,) = points(record, "merge")
    assert data(merged)["versions"] == 1
    assert merged.parent_id == isolated.trace_id
    assert [event.parent_id for event in resolved] == [executed.trace_id, isolated.trace_id]


def test_a_failed_child_is_recorded_with_what_it_used(observed, record):
    """The span has the error, the event the process."""
    with pytest.raises(Exception, match="fail raised"):
        observed.execute_isolated("fail", isolation="fork")
    (isolated,) = points(record, "isolate")
    (ended,) = points(record, "child_ended")
    assert isolated.status == "error"
    assert (data(ended)["outcome"], ended.parent_id) == ("CallRaised", isolated.trace_id)
    assert data(ended)["child_cpu_ns"] >= 0
    assert data(ended)["child_peak_memory_bytes"] > 1_000_000


PROGRAM = """
import sys
from dam_entities import CallableRegistry, Entity, current

class Thing(Entity):
    number: int = 0

@CallableRegistry.register("inner")
def inner(number: int) -> int:
    return number + 1

@CallableRegistry.register("outer")
def outer(number: int) -> int:
    return CallableRegistry.execute("inner", {"number": number})

if __name__ == "__main__":
    print(current().execute_isolated("outer", {"number": 1}, isolation=sys.argv[1]).value)
"""


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["fork", "forkserver", "spawn"])
def test_the_childs_spans_join_the_trace(tmp_path, isolation):
    """Whichever way it was made, under `dam-obs run`."""
    (tmp_path / "program.py").write_text(PROGRAM)
    observed = [sys.executable, "-m", "dam_obs.cli", "run", "--output", "trace.jsonl", "--"]
    ran = subprocess.run(
        [*observed, sys.executable, "program.py", isolation],
        cwd=tmp_path, capture_output=True, text=True, timeout=110, check=True,
    )  # fmt: skip
    assert ran.stdout.split() == ["2"]

    events = [json.loads(line) for line in Path(tmp_path / "trace.jsonl").read_text().splitlines()]
    (isolated,) = [event for event in events if event["operation"] == "isolate"]
    (inner,) = [event for event in events if event["operation"] == "execute"]
    assert inner["component"] == "inner"
    assert inner["otel_trace_id"] == isolated["otel_trace_id"]
    assert inner["pid"] == isolated["metadata"]["child_pid"] != isolated["pid"]
    assert inner["parent_id"] == isolated["trace_id"]
