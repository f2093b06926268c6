"""
The guard at the border: our faults are counted and never become the host's.

`guard` is the one place in dam-obs that catches everything. It stands around our own
code and never around the host's call. What it catches is counted by where it happened,
and logged once for each place and kind of exception.

`dam-obs doctor` and the metric `dam.obs.faults` read `counts()`.
"""

from __future__ import annotations

import logging
import signal
import threading
from functools import partial
from types import CodeType, TracebackType

logger = logging.getLogger("dam_obs.faults")

_counts: dict[str, int] = {}
_counting = threading.RLock()  # a signal handler may count, too, while its thread is at it
_logged: set[tuple[str, type[BaseException]]] = set()


class Guard:
    """
    Keep an exception in our code from reaching the host.

    Usable many times and from many threads at once: it holds no state but its place.

        DRAIN = guard("recorder.drain")
        with DRAIN:
            ...

    What is the host's passes: whatever its signal handlers raise into our code, such as a
    time-out, and `KeyboardInterrupt`. On a thread of our own nothing passes.
    """

    __slots__ = ("detail", "place")

    def __init__(self, place: str, detail: str = "") -> None:
        self.place = place
        self.detail = detail

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is None:
            return False
        try:
            if _is_the_hosts(error, traceback):
                return False
            report(self.place, error, self.detail)
        except Exception:  # noqa: BLE001 - there is no stack left, or a log handler of the host's raised
            return not _strict
        return not _strict


def guard(place: str, detail: str = "") -> Guard:
    """Make a guard for `place`, a dotted name such as ``"sinks.jsonl"``; the log also tells `detail`."""
    return Guard(place, detail)


def report(place: str, error: BaseException, detail: str = "") -> None:
    """Count a fault at `place` and log it, with `detail`, the first time its kind is seen there."""
    count(place)
    known = (place, type(error))
    if known in _logged:
        return
    _logged.add(known)
    # Only the type is logged: a message may hold the very value that was to be redacted.
    where = f"{place} ({detail})" if detail else place
    logger.warning("dam-obs: %s in %s; the program is not affected, see `dam-obs doctor`", type(error).__name__, where)
    logger.debug("dam-obs: where that came from", exc_info=error)


def count(place: str, number: int = 1) -> None:
    """Count `number` faults at `place` without an exception, for instance dropped spans."""
    with _counting:
        _counts[place] = _counts.get(place, 0) + number


def counts() -> dict[str, int]:
    """Return how often each place failed so far in this process."""
    return dict(_counts)


def reset() -> None:
    """Forget all counts, in a forked child and between tests."""
    global _counting
    _counting = threading.RLock()  # in a child, the old one may be held by a thread that is not there
    _counts.clear()
    _logged.clear()


# -- whose an exception is

_SIGNALS = tuple(signal.valid_signals())


class _Thread(threading.local):
    is_ours = False


_thread = _Thread()


def this_thread_is_ours() -> None:
    """Say that the host has nothing to do with this thread, so that its guards let nothing pass."""
    _thread.is_ours = True


def _is_the_hosts(error: BaseException, traceback: TracebackType | None) -> bool:
    if _thread.is_ours:
        return False
    if not isinstance(error, Exception | SystemExit):
        return True
    return threading.get_ident() == threading.main_thread().ident and _comes_from_signal_handler(traceback)


def _comes_from_signal_handler(traceback: TracebackType | None) -> bool:
    """Say whether an exception was raised in, or below, a handler that the host has set for a signal."""
    handlers = [code for number in _SIGNALS if (code := _code(signal.getsignal(number))) is not None]
    while handlers and traceback is not None:
        if any(traceback.tb_frame.f_code is handler for handler in handlers):
            return True
        traceback = traceback.tb_next
    return False


def _code(handler: object) -> CodeType | None:
    """Return the code of a function, method, partial or callable object; `None` for what is not Python's."""
    while isinstance(handler, partial):
        handler = handler.func
    handler = getattr(handler, "__func__", handler)
    if callable(handler) and not hasattr(handler, "__code__"):
        handler = type(handler).__call__
    return getattr(handler, "__code__", None)


_strict = False


def let_through(strict: bool) -> None:
    """
    Let guarded exceptions through (`True`) or catch them (`False`, the default).

    Tests use it by `dam_obs.testing`, so that a fault in our code fails them.
    """
    global _strict
    _strict = strict
