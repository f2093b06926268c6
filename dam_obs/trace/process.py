"""What an observed process says of itself: counters that no event carries, one small file for each process."""

from __future__ import annotations

import msgspec


class ProcessNote(msgspec.Struct, kw_only=True, omit_defaults=True):
    """
    ``processes/<pid>-<start>.json`` of a run folder.

    Rewritten about once a second and at the end, so that a killed process leaves the last one.
    """

    pid: int
    parent_pid: int
    program: str
    """The program's name alone."""
    started_ns: int
    """Wall clock, nanoseconds since the epoch."""
    start_ticks: int | None = None
    """When it started, in the kernel's ticks since boot: two processes that had one pid differ in it."""
    observed: bool = False
    """Python with dam-obs in it, which says all this of itself; else its counters were read from outside."""
    executions: int = 0
    """Spans recorded."""
    dropped: int = 0
    """Spans lost because the queue was full."""
    faults: dict[str, int] = {}
    """dam-obs's own faults by place."""
    cpu_ns: int | None = None
    max_rss_bytes: int | None = None
    read_bytes: int | None = None
    """Block-layer bytes of the whole process."""
    write_bytes: int | None = None
    points_attached: list[str] = []
    points_missing: list[str] = []
    """Targets that were named and not found."""
    references_escaped: list[str] = []
    """References taken before attaching, which go round the trace point."""
    ended: bool = False
    """It got to its end, rather than being killed."""
