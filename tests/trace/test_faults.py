"""The guard at the border: what is ours stays here and is counted, what is the host's passes."""

import functools
import inspect
import logging
import os
import signal
import sys
import threading

import pytest

from dam_obs.trace import faults


@pytest.fixture(autouse=True)
def no_counts():
    """Begin and end without faults."""
    faults.reset()
    yield
    faults.reset()


class Alarm(Exception):
    """What a program raises when its time is over."""


def ring(number, frame):
    raise Alarm


class Bell:
    """Handlers that are not plain functions."""

    def ring(self, number, frame):
        raise Alarm

    def __call__(self, number, frame):
        self.ring(number, frame)


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError(), SystemExit(3)])
def test_our_own_is_counted_and_kept(error):
    """What our code or a plugin raises, and be it `SystemExit`, does not reach the host."""
    with faults.guard("somewhere"):
        raise error

    assert faults.counts() == {"somewhere": 1}


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_what_ends_things_passes(error):
    """Ctrl-C and the end of a generator are the host's."""
    with pytest.raises(error), faults.guard("somewhere"):
        raise error

    assert faults.counts() == {}


@pytest.mark.parametrize(
    "handler",
    [ring, Bell().ring, Bell(), functools.partial(ring), lambda number, frame: ring(number, frame)],
    ids=["function", "method", "object", "partial", "lambda"],
)
def test_what_a_signal_handler_raises_passes(handler):
    """A time-out by signal that comes while our code runs is the program's, as it would be without us."""
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(Alarm), faults.guard("somewhere"):
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert faults.counts() == {}


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_nothing_leaves_a_thread_of_our_own(error):
    """On a thread that is ours there is no host to pass anything to."""
    ended = []

    def work():
        faults.this_thread_is_ours()
        with faults.guard("drain"):
            raise error
        ended.append("well")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert (ended, faults.counts()) == (["well"], {"drain": 1})


def test_a_log_handler_that_raises_does_not_matter():
    """The program's own logging may be broken; the fault is counted all the same."""

    class Broken(logging.Handler):
        def handle(self, record):
            raise OSError("no log")

    broken = Broken()
    faults.logger.addHandler(broken)
    try:
        with faults.guard("somewhere"):
            raise KeyError
    finally:
        faults.logger.removeHandler(broken)

    assert faults.counts() == {"somewhere": 1}


def test_a_closed_standard_error_does_not_matter(monkeypatch, tmp_path):
    """A program without handlers logs to standard error; that may be closed."""
    with open(tmp_path / "err", "w") as stream:
        pass
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(faults.logger, "propagate", False)
    monkeypatch.setattr(faults.logger, "handlers", [logging.StreamHandler(stream)])

    with faults.guard("somewhere"):
        raise KeyError

    assert faults.counts() == {"somewhere": 1}


def test_a_guard_holds_where_no_stack_is_left():
    """However few frames are left, a fault of ours is not the program's."""

    guard = faults.guard("deep")

    def at_depth(frames_left):
        with guard:
            raise KeyError
        return frames_left

    def dig(to):
        return dig(to - 1) if to else at_depth(to)

    limit = sys.getrecursionlimit()
    here = len(inspect.stack())
    outcomes = {_without_recursion_error(dig, limit - here - short) for short in range(3, 120)}

    assert outcomes <= {0, "the program's own"}
    assert 0 in outcomes


def _without_recursion_error(dig, depth):
    try:
        return dig(depth)
    except RecursionError as error:
        # Only where the program itself had no frame left: no frame of ours is in the traceback.
        traceback, files = error.__traceback__, set()
        while traceback is not None:
            files.add(os.path.basename(traceback.tb_frame.f_code.co_filename))
            traceback = traceback.tb_next
        return "the program's own" if "faults.py" not in files else "ours"


def test_counting_within_counting_does_not_wait_for_itself():
    """A signal handler counts while its thread is counting."""
    with faults._counting:
        faults.count("inner")

    assert faults.counts() == {"inner": 1}
