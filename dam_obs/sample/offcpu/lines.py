"""Understand what ``offcpu.bt`` prints, line by line; what it cannot mean is no line of it."""

from __future__ import annotations

from typing import NamedTuple


class OffLine(NamedTuple):
    """A thread has been off the CPU; times by bpftrace's clock."""

    thread_id: int
    off: int
    woken: int
    """0: nobody woke it, it was ready all the time."""
    on: int
    state: int
    call: int | None


class BlockLine(NamedTuple):
    """A disk has done what it was asked for."""

    device: int
    flags: str
    bytes: int
    issued: int
    completed: int


def parse(line: str) -> OffLine | BlockLine | None:
    """Return what `line` says; `None` if it is torn or none of these."""
    kind, _, rest = line.partition(" ")
    fields = rest.split()
    try:
        if kind == "I" and len(fields) == 6:
            thread, off, woken, on, state, call = map(int, fields)
            return OffLine(thread, off, woken, on, state, call - 1 if call > 0 else None) if off <= on else None
        if kind == "B" and len(fields) == 5:
            device, size, issued, completed = (int(fields[place]) for place in (0, 2, 3, 4))
            return BlockLine(device, fields[1], size, issued, completed) if issued <= completed else None
    except ValueError:
        return None
    return None


def direction(flags: str) -> str:
    """Return what a disk was asked for, from the kernel's letters: ``WS`` is a write, ``FF`` a flush."""
    if "D" in flags or "E" in flags:
        return "discard"
    if "R" in flags:
        return "read"
    return "write" if "W" in flags else "flush"
