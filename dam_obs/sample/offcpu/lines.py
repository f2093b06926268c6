"""Understand what ``offcpu.bt`` prints, line by line; what it cannot mean is no line of it."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class OffLine(NamedTuple):
    """A thread has been off the CPU; times by bpftrace's clock."""

    thread_id: int
    off: int
    woken: int
    """0: nobody woke it, it was ready all the time."""
    on: int
    state: int
    call: int | None


class StackLine(NamedTuple):
    """The head of the kernel's stack of an interval; its frames come next."""

    thread_id: int
    off: int


class FrameLine(NamedTuple):
    """A frame of that stack, innermost first."""

    function: str


class BlockLine(NamedTuple):
    """A disk has done what it was asked for."""

    device: int
    flags: str
    bytes: int
    issued: int
    completed: int


Line: TypeAlias = OffLine | BlockLine | StackLine | FrameLine


def parse(line: str) -> Line | None:
    """Return what `line` says; `None` if it is torn or none of these."""
    if line.startswith(" "):
        function = line.strip().partition("+")[0]
        return FrameLine(function) if function else None
    kind, _, rest = line.partition(" ")
    fields = rest.split()
    try:
        if kind == "I" and len(fields) == 6:
            thread, off, woken, on, state, call = map(int, fields)
            return OffLine(thread, off, woken, on, state, call - 1 if call > 0 else None) if off <= on else None
        if kind == "S" and len(fields) == 2:
            return StackLine(int(fields[0]), int(fields[1]))
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
