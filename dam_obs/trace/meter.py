"""
The step meter: what one execution took, in the steps in which it really ran.

A step is one uninterrupted stretch on a thread: a whole plain call, or a coroutine from
one ``send`` to its next suspension. For each the meter adds up thread CPU time and wall
time, keeps the segment (start, end, native thread id), and reads the kernel's counters.

Each step is called through a one-line function whose code object is named by the span's
id, ``dam:00f067aa0ba902b7``. So a sampling profiler that knows nothing of us writes down
with every stack which execution it belongs to, and no clocks have to be compared.

The counters are costly, so they are read for as many executions of a system as keeps them
below a share of its running time (see `Pace`); the others have none, rather than zeros. So
it is with the names of what an execution was suspended for (see `awaited`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, Final, NamedTuple, TypeVar

from dam_obs.trace import awaited, counters, faults, ids
from dam_obs.trace.site import CallSite, Pace

Result = TypeVar("Result")

NEAR_NS: Final = 50_000
"""Segments on one thread that are no further apart than this become one."""

MOST_SEGMENTS: Final = 512
"""Segments of one execution; past that the last one is stretched, and `steps` still counts all."""

MOST_NAMING_NS: Final = 20_000
"""What naming one wait is taken to cost at most: if it took longer, the thread was off the CPU meanwhile."""

TAG: Final = "dam:"
"""How the name of a step's code object starts."""

measuring = False
"""Whether executions are measured in this process; see `switch`."""

_own_io: dict[str, int] = {}


def switch(on: bool) -> None:
    """Start or stop measuring the executions that start from now on."""
    global measuring, _own_io
    if on and not measuring:
        counters.read()
        before = counters.read()
        after = counters.read()
        # Reading the counters is itself I/O; that much is taken off every difference.
        _own_io = {name: after[name] - before[name] for name in ("rchar", "syscr") if name in before}
    measuring = on


def _step(call: Callable[..., Result], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Result:
    return call(*args, **kwargs)


_CODE = _step.__code__
_GLOBALS: dict[str, Any] = {"__name__": __name__, "__builtins__": {}}
_NAMING: Final = faults.guard("meter.awaited")


class _Elsewhere(NamedTuple):
    """A piece of the work that ran on another thread."""

    begun: int
    ended: int
    thread: int
    cpu_ns: int
    before: dict[str, int] | None
    after: dict[str, int] | None


class Meter:
    """The evidence of one execution."""

    __slots__ = (
        "_before",
        "_begun",
        "_counted",
        "_cpu",
        "_elsewhere",
        "_entered",
        "_naming_ns",
        "_pace",
        "_reading_ns",
        "_running",
        "awaited",
        "call",
        "cpu_ns",
        "first_ns",
        "io",
        "last_ns",
        "running_ns",
        "segments",
        "steps",
        "touched",
    )

    def __init__(self, span_id: int, site: CallSite) -> None:
        name = f"{TAG}{span_id:016x}"
        self.call: Callable[[Callable[..., Any], tuple[Any, ...], Mapping[str, Any]], Any] = FunctionType(
            _CODE.replace(co_name=name, co_qualname=name), _GLOBALS
        )
        """Calls with arguments, under the execution's name: between `enter` and `leave`, from where they stand."""
        self.steps = 0
        self.cpu_ns = 0
        self.running_ns = 0
        """Wall time of all steps."""
        self.first_ns = 0
        """When the first step began, by the monotonic clock."""
        self.last_ns = 0
        """When the last step ended."""
        self.segments: list[tuple[int, int, int]] = []
        self.io: dict[str, int] | None = None
        self.touched: dict[str, dict[str, None]] | None = None
        self._running = 0
        self._before: dict[str, int] | None = None
        self._elsewhere: list[_Elsewhere] | None = None
        self._reading_ns = 0
        self._naming_ns = 0
        self.keep(site.pace)

    def keep(self, pace: Pace) -> None:
        """Go by this pace, and not by the call site's; before the first step."""
        self._pace = pace
        self._counted = pace.next_counts()
        self.awaited: awaited.Waits | None = {} if pace.next_names() else None
        """What it was suspended for; `None`: not named."""

    # A step is `enter`, `call`, `leave`. They are not one function, for that would stand on the stack meanwhile: a
    # sampler holds the program for as long as it reads the stack, and that goes by the number of frames.

    def enter(self, work: Any = None) -> None:
        """
        Begin a step.

        Args:
            work: The coroutine, generator or async generator that goes on with it.
        """
        self._running += 1
        # A step inside a step (a generator that is closed while it runs) is part of the outer one already.
        if self._running > 1:
            return
        begun = ids.monotonic_ns()
        if work is not None and begun - self.last_ns >= awaited.NAMED_NS and self.steps:
            begun = self._waited(work, begun)
        if self._counted:
            self._entered = begun
            self._before = counters.read()
            begun = ids.monotonic_ns()
        self._begun = begun
        self._cpu = time.thread_time_ns()

    def leave(self) -> None:
        """End the step, and add up what it took."""
        self._running -= 1
        if self._running:
            return
        cpu = time.thread_time_ns() - self._cpu
        begun, ended = self._begun, ids.monotonic_ns()
        self._add(begun, ended, cpu)
        before = self._before
        if before is not None:
            self._before = None
            self._add_counters(before, counters.read())
            self._reading_ns += begun - self._entered + ids.monotonic_ns() - ended

    def _waited(self, work: Any, now: int) -> int:
        """Name what `work` has waited for, and return the time by then: finding that out is no part of a step."""
        if self.awaited is None:
            return now
        with _NAMING:
            awaited.note(self.awaited, work, now - self.last_ns)
        named = ids.monotonic_ns()
        self._naming_ns += min(named - now, MOST_NAMING_NS)
        return named

    def add_sync(self, begun: int, ended: int, cpu_ns: int) -> None:
        """Add a stretch that was measured from outside: the body of a ``with`` block."""
        self._add(begun, ended, cpu_ns)

    def _add(self, begun: int, ended: int, cpu_ns: int) -> None:
        if not self.steps:
            self.first_ns = begun
        self.steps += 1
        self.last_ns = ended
        self.cpu_ns += cpu_ns
        self.running_ns += ended - begun
        thread = ids.thread_id()
        segments = self.segments
        if not segments:
            segments.append((begun, ended, thread))
            return
        first, last, where = segments[-1]
        if where == thread and (begun - last <= NEAR_NS or len(segments) >= MOST_SEGMENTS):
            segments[-1] = (first, ended, thread)
        elif len(segments) < MOST_SEGMENTS:
            segments.append((begun, ended, thread))

    def elsewhere(self, call: Callable[..., Result]) -> Callable[..., Result]:
        """Return `call` so that running it on another thread, maybe beside the steps, is part of the work."""
        if self._elsewhere is None:
            self._elsewhere = []
        taken, tagged = self._elsewhere, self.call

        def run(*args: Any, **kwargs: Any) -> Result:
            before = counters.read() if self._counted else None
            begun = ids.monotonic_ns()
            cpu = time.thread_time_ns()
            try:
                return tagged(call, args, kwargs)  # type: ignore[no-any-return]
            finally:
                cpu = time.thread_time_ns() - cpu
                ended = ids.monotonic_ns()
                after = counters.read() if before is not None else None
                # Added up at the end, by one thread. Appending is one step for Python, so it needs no lock.
                taken.append(_Elsewhere(begun, ended, ids.thread_id(), cpu, before, after))

        return run

    def _add_elsewhere(self, pieces: list[_Elsewhere]) -> None:
        on_steps = _covered(self.segments)
        for piece in pieces:
            if not self.steps:
                self.first_ns = piece.begun
            self.steps += 1
            self.cpu_ns += piece.cpu_ns
            self.last_ns = max(self.last_ns, piece.ended)
            if piece.before is not None and piece.after is not None:
                self._add_counters(piece.before, piece.after)
            if len(self.segments) < MOST_SEGMENTS:
                self.segments.append((piece.begun, piece.ended, piece.thread))
        self.segments.sort()
        self.running_ns += _covered(self.segments) - on_steps

    def _add_counters(self, before: dict[str, int], after: dict[str, int]) -> None:
        totals = self.io if self.io is not None else {}
        for name, value in after.items():
            if name in before:
                spent = value - before[name] - _own_io.get(name, 0)
                totals[name] = totals.get(name, 0) + max(0, spent)
        self.io = totals

    def settle(self) -> None:
        """At the end: take in what ran elsewhere, and decide how often counters are worth reading here from now on."""
        if self._elsewhere:
            pieces, self._elsewhere = self._elsewhere, None
            self._add_elsewhere(pieces)
        self._pace.took(self.running_ns, self._reading_ns, self._naming_ns)
        # What waits for the drain thread needs no name on the stack any more, and that is a third of it.
        self.call = _step
        self._cpu = 0

    def touch(self, kind: str, name: str) -> None:
        """Note a file, peer or process; see `audit`."""
        if self.touched is None:
            self.touched = {}
        names = self.touched.setdefault(kind, {})
        if len(names) < MOST_TOUCHED:
            names[name] = None


def _covered(segments: list[tuple[int, int, int]]) -> int:
    """Return how much time at least one of the segments covers."""
    covered = until = 0
    for begun, ended, _ in sorted(segments):
        covered += max(0, ended - max(begun, until))
        until = max(until, ended)
    return covered


MOST_TOUCHED: Final = 64
"""Names of one kind that one execution keeps."""


class Stretch:
    """
    Measures what no trampoline can stand under: the body of a ``with`` block, a hook call of pluggy's.

    In the body of a ``with`` block inside a running event loop the thread's counters would count other tasks too, and
    on another thread they would be another thread's: then there is no evidence.
    """

    __slots__ = ("_begun", "_cpu", "_thread")

    def __init__(self) -> None:
        self._thread = ids.thread_id()
        self._begun = ids.monotonic_ns()
        self._cpu = time.thread_time_ns()

    @staticmethod
    def possible() -> bool:
        """Say whether this is plain synchronous code."""
        # Not imported here: a program without an event loop need not wait for it.
        running_loop = getattr(sys.modules.get("asyncio"), "_get_running_loop", None)  # half imported, it has none yet
        return running_loop is None or running_loop() is None

    def end(self, meter: Meter) -> None:
        """Give what was measured to `meter`, if it is this thread's."""
        if ids.thread_id() == self._thread:
            meter.add_sync(self._begun, ids.monotonic_ns(), time.thread_time_ns() - self._cpu)
