"""
`ProfileStore`: takes every record in, and says what to expect of the next execution.

Records are counted in memory at once. With a file, what came in is added to it every few
seconds by a thread that lives no longer than that, so nothing on the event loop waits for
a disk; a process that is killed loses at most what came in since. The first question about
a system is the exception: its profile is then read, once. How durations are summed up is
`profile`'s business, and what can go wrong with the file `file`'s.
"""

from __future__ import annotations

import atexit
import logging  # noqa: F401 - before `os.register_at_fork` below: see there
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dam_traits.aggregate import ObservedTraits
from dam_traits.errors import InvalidSetting
from dam_traits.learning.record import ExecutionRecord
from dam_traits.learning.sizes import size_class

if TYPE_CHECKING:
    from dam_traits.learning.file import ProfileFile
    from dam_traits.learning.profile import SystemPerformanceProfile, Tally
    from dam_traits.learning.sketch import Decay

IO_BOUND_BELOW = 0.5
"""With less of its duration on the CPU than this, a system mostly waits."""

_WEEK_S = 7 * 86400.0


class _Known:
    """A profile in memory, and what was answered from it since its last record."""

    __slots__ = ("answers", "profile")

    def __init__(self, profile: SystemPerformanceProfile | None) -> None:
        self.profile = profile
        self.answers: dict[int | None, ObservedTraits | None] = {}


class ProfileStore:
    """
    The profiles of all systems: an `ExecutionObserver`, and the source of observed traits.

    With a path they are kept in a SQLite file that several runs and processes share;
    without one they last as long as the store. A file that is damaged is set aside with a
    warning and a fresh one begins; one that cannot be written is warned of once, and the
    store goes on in memory and tries again. Neither is ever an error for a caller.
    May be used from several threads.

    Args:
        path: The SQLite file; folders that are missing are made. `None`: in memory alone.
        quantile: Which quantile of the durations is expected of the next one. High, since a schedule
            suffers more from what takes longer than expected than from the opposite.
        half_life_s: A record this old counts half. Infinite: all count the same.
        clock: Gives Unix time in seconds.
        flush_every_s: How long a record may be in memory alone.

    Raises:
        InvalidSetting: One of these is out of its range.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        *,
        quantile: float = 0.8,
        half_life_s: float = _WEEK_S,
        clock: Callable[[], float] = time.time,
        flush_every_s: float = 5.0,
    ) -> None:
        _check(quantile, half_life_s, flush_every_s)
        self.path = None if path is None else Path(path)
        self.quantile = quantile
        self.half_life_s = half_life_s
        self.failures: Counter[str] = Counter()
        """What went wrong with the file, by kind: ``damaged``, ``busy``, ``unavailable``, ``not ours``."""
        self._clock = clock
        self._flush_every_s = flush_every_s
        self._known: dict[tuple[str, str], _Known] = {}
        self._changed: set[tuple[str, str]] = set()
        self._cached_decay: Decay | None = None
        self._cached_file: ProfileFile | None = None
        self._flusher: threading.Thread | None = None
        self._closed = self.path is None
        self._make_locks()
        if self.path is not None:
            _stores.add(self)

    def observe(self, record: ExecutionRecord) -> None:
        """Take one record in: in memory, in a few microseconds, however many came before."""
        key = (record.system, record.version)
        with self._lock:
            known = self._known.get(key) or self._find(key)
            if known.profile is None:
                known.profile = self._new_profile(key, None)
            known.profile.add(record, self._clock())
            known.answers.clear()
            if not self._closed:
                self._changed.add(key)
                if self._flusher is None:
                    self._start_flusher()

    def profile(self, system: str, version: str) -> SystemPerformanceProfile | None:
        """Give what is known of one version of a system, as of now; `None`: nothing."""
        key = (system, version)
        with self._lock:
            return (self._known.get(key) or self._find(key)).profile

    def observed_traits(self, system: str, version: str, size: float | None) -> ObservedTraits | None:
        """
        Say what to expect of the next execution for a command of this size; `None`: nothing was learnt yet.

        From the executions of similar size if there are enough of them, otherwise from how duration
        grew with size in all. The answer is kept until the system's next record.
        """
        key = (system, version)
        of_size = None if size is None else size_class(size)
        known = self._known.get(key)
        if known is not None and of_size in known.answers:
            return known.answers.get(of_size)
        with self._lock:
            known = known or self._find(key)
            answer = known.answers[of_size] = self._answer(known.profile, of_size)
            return answer

    def flush(self) -> None:
        """Add to the file what came in since the last time; waits for other processes, a few seconds at most."""
        with self._writing:
            self._flush()

    def close(self) -> None:
        """Flush and let go of the file. What is observed afterwards stays in memory."""
        self._stop.set()
        with self._writing:
            self._flush()
            with self._lock:
                self._closed = True
                if self._cached_file is not None:
                    self._cached_file.disconnect()

    def _flush(self) -> None:
        if self._closed or self.path is None:
            return
        file = self._file(self.path)
        with self._lock:
            unsaved = self._take_unsaved()
        if not file.save(unsaved, self._take_everything):
            with self._lock:
                self._put_back(unsaved)
        self._catch_up(file)

    def _answer(self, profile: SystemPerformanceProfile | None, of_size: int | None) -> ObservedTraits | None:
        expected = None if profile is None else profile.expected(self.quantile, self._clock(), of_size)
        if profile is None or expected is None:
            return None
        samples, duration_ns = expected
        share = profile.cpu_share
        return ObservedTraits(
            samples=samples,
            quantile=self.quantile,
            time_ms=duration_ns / 1e6,
            io_bound=None if share is None else share < IO_BOUND_BELOW,
        )

    def _find(self, key: tuple[str, str]) -> _Known:
        """Look a system up in the file, once. Under the lock."""
        known = self._known.get(key)
        if known is None:
            tally = None if self._closed or self.path is None else self._file(self.path).read(key)
            known = self._known[key] = _Known(None if tally is None else self._new_profile(key, tally))
        return known

    def _new_profile(self, key: tuple[str, str], tally: Tally | None) -> SystemPerformanceProfile:
        from dam_traits.learning.profile import SystemPerformanceProfile

        return SystemPerformanceProfile(*key, self._decay(), tally)

    def _decay(self) -> Decay:
        if self._cached_decay is None:
            from dam_traits.learning.sketch import Decay

            self._cached_decay = Decay(self.half_life_s)
        return self._cached_decay

    def _file(self, path: Path) -> ProfileFile:
        if self._cached_file is None:
            from dam_traits.learning.file import ProfileFile

            self._cached_file = ProfileFile(path, self._decay(), self._clock, self.failures)
        return self._cached_file

    def _take_unsaved(self) -> dict[tuple[str, str], Tally]:
        changed, self._changed = self._changed, set()
        profiles = ((key, self._known[key].profile) for key in changed)
        return {key: profile.take_unsaved() for key, profile in profiles if profile is not None}

    def _take_everything(self) -> dict[tuple[str, str], Tally]:
        with self._lock:
            self._changed.clear()
            profiles = ((key, known.profile) for key, known in self._known.items())
            return {key: profile.take_all() for key, profile in profiles if profile is not None}

    def _put_back(self, unsaved: dict[tuple[str, str], Tally]) -> None:
        for key, tally in unsaved.items():
            profile = self._known[key].profile
            if profile is not None:
                profile.put_back(tally)
                self._changed.add(key)

    def _catch_up(self, file: ProfileFile) -> None:
        """Take over what other processes have added to the profiles in memory."""
        for key, records in file.changed_by_others().items():
            known = self._known.get(key)
            if known is None or (known.profile is not None and known.profile.records_saved == records):
                continue
            tally = file.read_again(key)
            if tally is not None:
                self._rebase(key, known, tally)

    def _rebase(self, key: tuple[str, str], known: _Known, tally: Tally) -> None:
        with self._lock:
            known.profile = self._new_profile(key, tally) if known.profile is None else known.profile.rebase(tally)
            known.answers.clear()

    def _start_flusher(self) -> None:
        self._flusher = threading.Thread(target=self._flush_later, name="dam-traits-profiles", daemon=True)
        self._flusher.start()

    def _flush_later(self) -> None:
        self._stop.wait(self._flush_every_s)
        self._flusher = None  # before flushing: what comes in from now on starts the next one
        self.flush()

    def _make_locks(self) -> None:
        self._lock = threading.Lock()
        """Held while profiles in memory change, and for a profile's first read; taken after `_writing`."""
        self._writing = threading.Lock()
        """Held while the file is written."""
        self._stop = threading.Event()

    def _before_fork(self) -> None:
        """Let go of the file: an open connection must not get into the child."""
        self._writing.acquire()
        self._lock.acquire()
        if self._cached_file is not None:
            self._cached_file.disconnect()

    def _after_fork_in_parent(self) -> None:
        self._lock.release()
        self._writing.release()

    def _after_fork_in_child(self) -> None:
        """Leave to the parent what it has yet to write."""
        self._make_locks()
        self._flusher = None
        self._take_unsaved()


def _check(quantile: float, half_life_s: float, flush_every_s: float) -> None:
    if not 0.0 <= quantile <= 1.0:
        raise InvalidSetting("ProfileStore", "quantile", quantile, "a number from 0 to 1")
    if not half_life_s >= 0.001:
        raise InvalidSetting("ProfileStore", "half_life_s", half_life_s, "a number of seconds, at least 0.001")
    if not flush_every_s > 0.0:
        raise InvalidSetting("ProfileStore", "flush_every_s", flush_every_s, "a number of seconds above 0")


_stores: weakref.WeakSet[ProfileStore] = weakref.WeakSet()
_forking: list[ProfileStore] = []


def _before_fork() -> None:
    _forking[:] = _stores
    for store in _forking:
        store._before_fork()


def _after_fork_in_parent() -> None:
    for store in _forking:
        store._after_fork_in_parent()
    _forking.clear()


def _after_fork_in_child() -> None:
    for store in _forking:
        store._after_fork_in_child()
    _forking.clear()


def _close_all() -> None:
    for store in list(_stores):
        store.close()


# Before a fork the hooks registered last are called first. A thread that holds one of our locks may need the lock of
# `logging`, which registers hooks too: so that ours is waited for while that is still free, `logging` comes first.
os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
atexit.register(_close_all)
