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


class Ending(Listing):
    """A sink that ends the thread it is called on, if it is let."""

    def __call__(self, batch):
        raise SystemExit(3)


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


@pytest.mark.parametrize("stalls_in", ["flush", "close"])
def test_a_sink_that_stalls_at_the_end_does_not_hold_the_program(switched_on, stalls_in):
    """Sinks are closed on the drain thread, too: the caller of `shutdown` waits as long as it was told."""
    go = threading.Event()
    stuck = Listing()
    setattr(stuck, stalls_in, lambda timeout: go.wait(30))
    running = recorder(stuck, flush_interval=0.001)
    running.start()
    spans("first")
    running.shutdown(timeout=0.5)
    counted = faults.counts()
    go.set()

    assert (stuck.seen[0], counted) == ("first", {"recorder.shutdown_timeout": 1})


def test_a_sink_that_ends_its_thread_does_not_end_ours(switched_on):
    """`SystemExit` out of a sink is a fault like any other; recording goes on."""
    sink = Listing()
    running = recorder(Ending(), sink, flush_interval=0.001)
    running.start()
    for name in ("a", "b"):
        spans(name)
        running.flush()
    running.shutdown()

    assert [name for name in sink.seen if name not in ("flush", "close")] == ["a", "b"]
    assert faults.counts() == {"sinks.test_recorder": 2}


def test_a_stalled_sink_holds_up_one_fork_and_recording_goes_on_afterwards(switched_on):
    """A fork waits for the drain thread once; when the sink comes back, what was recorded meanwhile arrives."""
    stuck = Sleeping()
    sink = Listing()
    running = recorder(stuck, sink, flush_interval=0.001)
    running.start()
    spans("first")
    for _ in range(500):
        if not len(queue):
            break
        time.sleep(0.01)
    for _ in range(20):
        running.before_fork()
        running.after_fork_in_parent()
    counted = faults.counts()
    stuck.go.set()
    for _ in range(500):
        if "first" in sink.seen:
            break
        time.sleep(0.01)
    spans("second")
    flushed = running.flush()
    running.shutdown()

    assert counted == {"recorder.fork_with_thread": 20}
    assert (flushed, [name for name in sink.seen if name not in ("flush", "close")]) == (True, ["first", "second"])


def test_a_fork_in_the_midst_of_much_loses_nothing(switched_on):
    """The drain thread stops between batches, and goes on after the fork."""
    sink = Listing()
    running = recorder(sink, flush_interval=0.001)
    running.start()
    for number in range(3000):
        spans(str(number))
        if number % 1000 == 500:
            running.before_fork()
            running.after_fork_in_parent()
    running.shutdown()

    assert [name for name in sink.seen if name not in ("flush", "close")] == [str(number) for number in range(3000)]


def test_without_a_thread_a_flush_writes(switched_on, monkeypatch):
    """Where no thread can be started, the program goes on, and what was recorded is written by who flushes."""
    sink = Listing()
    running = recorder(sink)
    monkeypatch.setattr(threading.Thread, "start", lambda thread: (_ for _ in ()).throw(RuntimeError("no thread")))
    running.start()
    spans("a")
    flushed = running.flush()
    running.shutdown()

    assert (flushed, sink.seen, faults.counts()) == (True, ["a", "flush", "flush", "close"], {"recorder.start": 1})


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
