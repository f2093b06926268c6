"""What is kept of a run's off-CPU intervals: ``offcpu.jsonl.gz``, line by line."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from dam_obs.sample.offcpu.causes import Cause


class Interval(NamedTuple):
    """A thread off the CPU, by the monotonic clock: it waited until `woken_ns`, then for a CPU."""

    thread_id: int
    start_ns: int
    woken_ns: int
    """`start_ns` where it was ready all the time."""
    end_ns: int
    cause: Cause
    stack: int | None = None
    """Which of the stacks, in the order in which they come in the file; `None`: not told."""


class Stack(msgspec.Struct, frozen=True, tag_field="kind", tag="stack"):
    """Where in the kernel a thread went off the CPU; a line of its own, before the first interval that has it."""

    functions: list[str]
    """Outermost first."""


class DeviceRequests(msgspec.Struct, frozen=True, kw_only=True):
    """What one disk was asked for while the run lasted, by whoever on the machine."""

    device: str
    """The kernel's name: ``nvme0n1``; its numbers where there is no name."""
    direction: str
    """``read``, ``write``, ``discard`` or ``flush``."""
    requests: int
    bytes: int
    p50_ns: int
    """From handing it to the disk to its completion."""
    p99_ns: int
    max_ns: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The last line: what the intervals before it cover, and what is missing among them."""

    bpftrace: str
    """Version."""
    clock: str
    """bpftrace's own: ``monotonic`` or ``boottime``. Times in the file are monotonic."""
    clock_offset_ns: int
    """What was taken from bpftrace's times."""
    clock_residual_ns: int
    """How well the two clocks were compared."""
    from_ns: int
    """From here on all threads of the run were watched."""
    to_ns: int
    intervals: int
    lost: int
    """Lines that the kernel dropped, because they were not fetched fast enough; intervals whose end it did not show."""
    cut: int
    """Lines beyond what is kept of one run."""
    ended_early: bool
    """It broke down before the run's end."""
    devices: list[DeviceRequests]
    stacks_from_ns: int = 0
    """Intervals of so long or longer have a stack; 0: none has."""
    stacks_left_out: int = 0
    """Intervals of that length without one, because there were too many or too different ones."""
