"""What an execution has threads do, counted as its own where its point says so."""

import asyncio
import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dam_obs.points.attach import attached
from dam_obs.points.threads import ThreadWatch
from dam_obs.testing import recording

SOURCE = """
    import asyncio
    async def work(job): return await asyncio.to_thread(job)
    async def several(job): return await asyncio.gather(*(asyncio.to_thread(job) for _ in range(3)))
"""


def compute():
    """Be on the CPU for at least 20 ms."""
    until = time.thread_time_ns() + 20_000_000
    while time.thread_time_ns() < until:
        hashlib.sha256(b"x" * 10_000).digest()
    return threading.get_native_id()


@pytest.fixture
def host(imported):
    return imported("threads_host", SOURCE)


@pytest.fixture
def watch():
    watch = ThreadWatch().open()
    yield
    watch.close()


def run(point, host, name="work", lines="own_threads = true", job=compute):
    with recording(measure=True) as record, attached([point(f"threads_host:{name}", lines=lines)]):
        result = asyncio.run(getattr(host, name)(job))
        return record.event(), result


def test_it_is_on_the_cpu_and_not_waiting(point, host, watch):
    """CPU time, segments and steps of the thread are the execution's; what it waited is without them."""
    event, thread = run(point, host)

    assert event.cpu_ns >= 20_000_000
    assert event.wait_ns <= event.duration_ns - 20_000_000
    assert thread in {where for _, _, where in event.segments}
    assert event.segments == sorted(event.segments)
    assert event.steps >= 3


def test_without_the_flag_it_is_a_wait(point, host, watch):
    """A point that says nothing counts its own steps alone: what threads do may be another system's."""
    event, thread = run(point, host, lines="")

    assert event.cpu_ns < 20_000_000
    assert thread not in {where for _, _, where in event.segments}


def test_pieces_that_overlap_are_covered_once(point, host, watch):
    """Three threads at a time take CPU time thrice, and wall time once."""
    event, _ = run(point, host, "several")

    assert event.cpu_ns >= 60_000_000
    assert 0 <= event.wait_ns < event.duration_ns


def test_what_raises_counts_and_comes_out(point, host, watch):
    """The job's exception is the caller's, and its time is counted all the same."""
    error = ValueError("no")

    def fail():
        compute()
        raise error

    with recording(measure=True) as record, attached([point("threads_host:work", lines="own_threads = true")]):
        with pytest.raises(ValueError, match="no") as raised:
            asyncio.run(host.work(fail))
        event = record.event()

    assert raised.value is error
    assert event.cpu_ns >= 20_000_000


def test_the_stack_names_the_execution(point, host, watch):
    """A sampler sees whose work the thread does."""
    import sys

    def names():
        frame, found = sys._getframe(), []
        while frame:
            found.append(frame.f_code.co_name)
            frame = frame.f_back
        return found

    event, stack = run(point, host, job=names)

    assert f"dam:{event.otel_span_id}" in stack


def test_closing_puts_the_pool_back():
    """Afterwards the pool's method is the very object that it was."""
    before = ThreadPoolExecutor.submit
    watch = ThreadWatch().open()
    assert ThreadPoolExecutor.submit is not before
    watch.close()
    assert ThreadPoolExecutor.submit is before
