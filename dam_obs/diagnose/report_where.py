"""The parts of a `DiagnosticReport` that say where a system's wall time went, beyond its sums."""

from __future__ import annotations

from typing import Literal

from dam_obs.diagnose.report_base import Model
from dam_obs.trace.events import AwaitedKind

WaitKind = Literal[
    "sleep",
    "lock",
    "queue",
    "network",
    "process",
    "thread",
    "task",
    "future",
    "turn",
    "consumer",
    "unknown",
    "short",
]
"""`AwaitedKind`, and ``short``: less than a millisecond at a time, or beyond what was named."""


class AwaitedPlace(Model):
    """A place at which executions were suspended, summed over those whose waits have names."""

    kind: AwaitedKind
    what: str
    """What was awaited: ``asyncio.tasks:sleep``, a task's coroutine, an object's type; empty where not known."""
    by: str | None
    """``module:qualname`` of who awaited it."""
    file: str | None
    line: int | None
    """Of the ``await``."""
    wait_ns: int
    share: float
    """Of all that these executions waited."""
    times: int
    executions: int
    about: list[str]
    """The peers, programs or files that most of them may have waited for: those that touched one such thing only."""


class Gaps(Model):
    """
    Time in which nothing that an execution had started was running, of executions that had started something.

    Long gaps may mean that a trace point is missing. `on_cpu_ns`, `awaiting_ns` and `other_ns` add up to
    `uncovered_ns`.
    """

    executions: int
    """Those with others below them."""
    wall_ns: int
    """Theirs."""
    uncovered_ns: int
    on_cpu_ns: int | None
    """Its own computing: CPU time without that of executions below. `None`: not measured, and inside `other_ns`."""
    awaiting_ns: int | None
    """Between its steps."""
    other_ns: int
    """Within its steps and not on the CPU, or not known."""
    longest_ns: int
    """The longest stretch of one execution."""


class CriticalPath(Model):
    """
    How much of the time from start to end of whole traces was decided by this system.

    Of many traces some are taken, by their ids; the same for all systems.
    """

    critical_ns: int
    """On the critical path, and nothing below it was."""
    roots_ns: int
    """How long those traces took, in all."""
    share: float
    """One by the other; over all systems it adds up to 1, less the host's own workings that are in no system."""
    traces: int
    traces_seen: int
    """In the run."""


class InFlight(Model):
    """How many executions were in flight over the time of the run, from its first execution to the end of its last."""

    bucket_ns: float
    """The run in parts of equal length."""
    mean: list[float]
    """In each of them, how many on average."""
