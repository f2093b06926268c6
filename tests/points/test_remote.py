"""One trace over processes that hand work to each other."""

import base64
import json
import os
import subprocess
import sys
import threading

import pytest

import dam_obs
from dam_obs.config import Settings
from dam_obs.points import remote
from dam_obs.points.activate import environment
from dam_obs.store.read import read_events
from dam_obs.testing import recording
from dam_obs.trace import faults
from dam_obs.trace.context import get_current
from dam_obs.trace.tracer import tracer

WORKER = """
import base64, json, sys
from dam_obs.points import remote
import far_host
resumed = remote.resume(json.loads(sys.argv[1]))
with resumed:
    far_host.work(3)
far_host.work(4)  # nobody's
print(base64.b64encode(resumed.brought).decode())
"""

POINTS = """
[host]
name = "far"
[[points]]
layer = "system"
operation = "execute"
meaning = "m"
input = "args.size"
own_threads = true
targets = [{ function = "far_host:work" }]
"""


@pytest.fixture
def worker(tmp_path):
    """Run the work in a process that knows of no recording; give what it brings."""
    (tmp_path / "far_host.py").write_text("def work(size): return size * 2\n")
    (tmp_path / "points.toml").write_text(POINTS)

    def run(carried, **environ):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DAM_OBS")}
        clean |= {"PYTHONPATH": str(tmp_path), "DAM_OBS_POINTS": str(tmp_path / "points.toml"), **environ}
        done = subprocess.run(
            [sys.executable, "-c", WORKER, json.dumps(carried)],
            capture_output=True, text=True, timeout=60, env=clean, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return base64.b64decode(done.stdout)

    return run


def test_spans_come_back_into_the_trace(worker):
    """What ran there is below the span that sent it, and reaches this process's sinks."""
    with recording() as record:
        with tracer.span("system", "send", "here") as span:
            brought = worker(remote.carry())
        remote.bring(brought)
        work = record.event(operation="execute")
        sent = record.event(operation="send")

    assert (work.component, work.input_summary, work.parent_id) == ("far_host:work", "3", sent.trace_id)
    assert (work.otel_trace_id, work.otel_parent_id) == (sent.otel_trace_id, sent.otel_span_id)
    assert work.pid != os.getpid()
    assert (work.cpu_ns, span.trace_id) == (None, sent.trace_id)


def test_what_is_measured_here_is_measured_there(worker):
    """A measured run takes evidence wherever it goes."""
    with recording(measure=True) as record:
        with tracer.span("system", "send", "here"):
            brought = worker(remote.carry())
        remote.bring(brought)
        work = record.event(operation="execute")

    assert work.cpu_ns > 0
    assert work.steps == 1


def test_a_process_that_records_by_itself_brings_nothing(worker, tmp_path):
    """Its spans go to its own sinks, under the parent that it was told."""
    out = tmp_path / "trace.jsonl"
    environ = environment(Settings(output=out, points=(tmp_path / "points.toml",)), {"PYTHONPATH": str(tmp_path)})
    with recording() as record:
        with tracer.span("system", "send", "here"):
            brought = worker(remote.carry(), **environ)
        sent = record.event(operation="send")
    mine, nobodys = read_events(out)

    assert brought == b""
    assert (mine.input_summary, mine.parent_id, mine.otel_parent_id) == ("3", sent.trace_id, sent.otel_span_id)
    assert (nobodys.input_summary, nobodys.parent_id) == ("4", None)


def test_nothing_is_carried_where_nothing_is_current():
    """Without recording, and without a span, the work goes alone."""
    assert remote.carry() == {}
    with recording():
        assert remote.carry() == {}
    assert remote.resume({}) is None


def visit(carried, work):
    resumed = remote.resume(carried)
    with resumed:
        work()
    return resumed.brought


@pytest.fixture
def carried():
    with recording(), tracer.span("system", "send", "here"):
        return remote.carry()


def test_the_context_is_what_it_was_before(carried):
    """A worker that goes on to other work is in nobody's trace."""
    before = get_current()
    visit(carried, lambda: None)
    assert get_current() is before
    assert not tracer.enabled


def test_visits_at_the_same_time_do_not_disturb_each_other(carried):
    """While one goes on, another's end does not switch recording off."""
    inside, leave = threading.Event(), threading.Event()
    brought = []

    def stay():
        inside.set()
        assert leave.wait(20)
        with tracer.span("system", "late", "there"):
            pass

    thread = threading.Thread(target=lambda: brought.append(visit(carried, stay)))
    thread.start()
    assert inside.wait(20)
    other = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
    assert visit(other, lambda: None) == b""
    leave.set()
    thread.join()

    with recording() as record:
        remote.bring(brought[0])
        assert record.event().operation == "late"


def test_the_works_own_exception_comes_out(carried):
    """And what ran up to it is brought all the same."""
    resumed = remote.resume(carried)
    error = ValueError("no")
    with pytest.raises(ValueError, match="no") as raised, resumed, tracer.span("system", "work", "there"):
        raise error

    assert raised.value is error
    with recording() as record:
        remote.bring(resumed.brought)
        assert record.event().status == "error"


def test_what_cannot_be_read_is_a_fault_and_no_error():
    """A worker's answer that is broken does not reach the program."""
    with recording(let_faults_through=False):
        remote.bring(b"nonsense")
        assert faults.counts() == {"points.remote": 1}
    dam_obs.flush()
