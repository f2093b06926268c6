"""The recorder: nothing it meets reaches the program, and what it drops is counted."""

import logging
import threading
import time

import pytest

from dam_obs import tracer
from dam_obs.config import Settings
from dam_obs.testing import recording
from dam_obs.trace import faults
from dam_obs.trace.recorder import Recorder
from dam_obs.trace.redact import Redactor
from dam_obs.trace.span import queue


class Listing:
    """A sink that keeps components."""

    def __init__(self):
        self.seen = []

    def __call__(self, batch):
        self.seen += [span.event.component for span in batch]

    def flush(self, timeout):
        self.seen.append("flush")

    def close(self, timeout):
        self.seen.append("close")


class Raising(Listing):
    """A sink that always fails."""

    def __call__(self, batch):
        raise OSError("no space left on device")


class Sleeping(Listing):
    """A sink that stalls until it is let go."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()

    def __call__(self, batch):
        self.go.wait(30)


@pytest.fixture
def switched_on():
    """Let the tracer record, whoever drains."""
    faults.reset()
    queue.start_afresh()
    tracer.enabled = True
    yield
    tracer.enabled = False
    queue.start_afresh()
    queue.resize(65_536)
    faults.reset()


def spans(*components):
    """Record a span for each component."""
    for component in components:
        with tracer.span("sys", "execute", component):
            pass


def recorder(*sinks, **settings):
    """Make a recorder over these sinks."""
    return Recorder(Settings(**settings), [lambda sink=sink: sink for sink in sinks], Redactor())


def test_spans_reach_the_sinks_within_the_flush_interval(switched_on):
    """The drain thread comes round by itself."""
    sink = Listing()
    running = recorder(sink, flush_interval=0.01)
    running.start()
    spans("a", "b")
    for _ in range(500):
        if sink.seen:
            break
        time.sleep(0.01)
    running.shutdown()

    assert sink.seen == ["a", "b", "flush", "close"]


def test_shutdown_brings_everything_to_its_place(switched_on):
    """What has ended before `shutdown` is in the sinks after it, whatever the interval."""
    sink = Listing()
    running = recorder(sink, flush_interval=3600)
    running.start()
    spans(*map(str, range(1000)))
    running.shutdown()

    assert sink.seen == [*map(str, range(1000)), "flush", "close"]


def test_a_sink_that_raises_disturbs_no_other(switched_on, caplog):
    """The fault is counted each time and logged once; the other sink has everything."""
    sink = Listing()
    running = recorder(Raising(), sink)
    with caplog.at_level(logging.WARNING, "dam_obs.faults"):
        for name in ("a", "b", "c"):
            spans(name)
            running.flush()
    running.shutdown()

    assert [name for name in sink.seen if name not in ("flush", "close")] == ["a", "b", "c"]
    assert faults.counts() == {"sinks.test_recorder": 3}
    assert len(caplog.records) == 1


def test_a_sink_that_stalls_delays_nobody(switched_on):
    """With a stuck sink the program goes on; what does not fit into the queue is dropped and counted."""
    stuck = Sleeping()
    running = recorder(stuck, flush_interval=0.001, queue_size=100)
    running.start()
    spans("first")
    for _ in range(500):
        if not len(queue):
            break
        time.sleep(0.01)
    spans(*map(str, range(150)))
    flushed = running.flush(timeout=0.05)
    dropped = queue.dropped
    stuck.go.set()
    running.shutdown()

    assert (flushed, dropped) == (False, 50)
    assert faults.counts() == {"queue.dropped": 50}


def test_shutdown_gives_up_on_a_sink_that_stalls(switched_on):
    """The end of the process waits no longer than it was told to."""
    stuck = Sleeping()
    running = recorder(stuck, flush_interval=0.001)
    running.start()
    spans("first")
    running.shutdown(timeout=0.2)
    stuck.go.set()

    assert faults.counts() == {"recorder.shutdown_timeout": 1}


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        ("debug", ["fine", "failed", "blocked"]),
        ("info", ["fine", "failed", "blocked"]),
        ("warn", ["failed", "blocked"]),
    ],
)
def test_the_level_decides_what_is_kept(level, kept):
    """`warn` keeps what failed or was blocked; `info` and `debug` keep all."""
    with recording(settings=Settings(level=level)) as record:
        spans("fine")
        with pytest.raises(KeyError), tracer.span("sys", "execute", "failed"):
            raise KeyError("x")
        with tracer.span("sys", "execute", "blocked") as span:
            span.set_status("blocked")

    assert [event.component for event in record.events()] == kept


def test_a_drained_span_keeps_neither_parent_nor_context():
    """However long somebody keeps a span current, its ancestors are let go once it is recorded."""
    with recording() as record:
        with tracer.span("sys", "execute", "outer"), tracer.span("sys", "execute", "inner") as inner:
            pass
        record.spans()

    assert inner.enclosing is None
    assert not inner.base
