"""
The guard at the border: our faults are counted and never become the host's.

`guard` is the one place in dam-obs that catches everything. It stands around our own
code and never around the host's call. What it catches is counted by where it happened,
and logged once for each place and kind of exception.

`dam-obs doctor` and the metric `dam.obs.faults` read `counts()`.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from types import TracebackType

logger = logging.getLogger("dam_obs.faults")

_counts: Counter[str] = Counter()
_counting = threading.Lock()
_logged: set[tuple[str, type[BaseException]]] = set()


class Guard:
    """
    Keep an exception in our code from reaching the host.

    Usable many times and from many threads at once: it holds no state but its place.

        DRAIN = guard("recorder.drain")
        with DRAIN:
            ...

    `KeyboardInterrupt` and `SystemExit` pass: they are the host's to handle.
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
        if not isinstance(error, Exception):
            return False
        report(self.place, error, self.detail)
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
        _counts[place] += number


def counts() -> dict[str, int]:
    """Return how often each place failed so far in this process."""
    return dict(_counts)


def reset() -> None:
    """Forget all counts, in a forked child and between tests."""
    global _counting
    _counting = threading.Lock()  # in a child, the old one may be held by a thread that is not there
    _counts.clear()
    _logged.clear()


_strict = False


def let_through(strict: bool) -> None:
    """
    Let guarded exceptions through (`True`) or catch them (`False`, the default).

    Tests use it by `dam_obs.testing`, so that a fault in our code fails them.
    """
    global _strict
    _strict = strict
