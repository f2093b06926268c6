"""Read ``offcpu.jsonl.gz`` back: intervals as columns, thread by thread."""

from __future__ import annotations

import gzip
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from dam_obs.errors import DamObsError
from dam_obs.sample.offcpu.causes import CAUSES, Cause
from dam_obs.sample.offcpu.record import Interval, Stack, Summary

_RUN_QUEUE = CAUSES.index("run_queue")


class BrokenIntervals(DamObsError):
    """A file of off-CPU intervals cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} holds no off-CPU intervals ({why}): measure again, or remove it to go without")
        self.path = path
        self.why = why


@dataclass(slots=True)
class Stretches:
    """What one thread waited for, one stretch after the other; an interval is its wait and its way to a CPU."""

    starts_ns: array[int] = field(default_factory=lambda: array("q"))
    ends_ns: array[int] = field(default_factory=lambda: array("q"))
    causes: array[int] = field(default_factory=lambda: array("b"))
    """Places in `CAUSES`."""
    stacks: array[int] = field(default_factory=lambda: array("i"))
    """Places in `OffCpu.stacks`; -1: none."""

    def add(self, start_ns: int, end_ns: int, cause: int, stack: int = -1) -> None:
        """Append a stretch; an empty one is left out."""
        if end_ns > start_ns:
            self.starts_ns.append(start_ns)
            self.ends_ns.append(end_ns)
            self.causes.append(cause)
            self.stacks.append(stack)


@dataclass(frozen=True, slots=True)
class OffCpu:
    """The off-CPU intervals of a run."""

    summary: Summary
    threads: dict[int, Stretches]
    """By native thread id; not in order."""
    stacks: tuple[tuple[str, ...], ...] = ()
    """Functions of the kernel, outermost first."""

    def total_ns(self, cause: Cause) -> int:
        """Return how long all threads together were off the CPU for `cause`."""
        place = _PLACES[cause]
        return sum(
            end - start
            for thread in self.threads.values()
            for start, end, of in zip(thread.starts_ns, thread.ends_ns, thread.causes, strict=True)
            if of == place
        )


def read_offcpu(path: Path) -> OffCpu | None:
    """
    Return the intervals at `path`; `None` if there is no such file.

    Raises:
        BrokenIntervals: it is there, and is not what its name says.
    """
    if not path.is_file():
        return None
    try:
        with gzip.open(path, "rb") as file:
            return collect(file)
    except (OSError, EOFError, zlib.error) as error:
        raise BrokenIntervals(path, "it is damaged") from error
    except ValueError as error:  # msgspec's errors are such, too
        raise BrokenIntervals(path, str(error)) from error


def collect(lines: Iterable[bytes]) -> OffCpu:
    """
    Put `lines` together by thread.

    Raises:
        ValueError: one of them is no interval, or the summary at the end is missing.
    """
    threads: dict[int, Stretches] = {}
    stacks: list[tuple[str, ...]] = []
    last = b""
    for line in lines:
        if line.startswith(_STACK_LINE):
            stacks.append(tuple(_STACK.decode(line).functions))
        elif line.startswith(b"{"):
            last = line
        else:
            _add(threads, _INTERVAL.decode(line), len(stacks))
    if not last:
        raise ValueError("it has no end")
    return OffCpu(msgspec.json.decode(last, type=Summary), threads, tuple(stacks))


_INTERVAL = msgspec.json.Decoder(Interval)
_STACK = msgspec.json.Decoder(Stack)
_STACK_LINE = b'{"kind":"stack"'
_PLACES: dict[Cause, int] = {cause: place for place, cause in enumerate(CAUSES)}


def _add(threads: dict[int, Stretches], interval: Interval, stacks: int) -> None:
    if not interval.start_ns <= interval.woken_ns <= interval.end_ns:
        raise ValueError(f"an interval ends before it begins: {tuple(interval)}")
    thread = threads.get(interval.thread_id)
    if thread is None:
        thread = threads[interval.thread_id] = Stretches()
    stack = -1 if interval.stack is None else interval.stack
    if not -1 <= stack < stacks:
        raise ValueError(f"an interval names a stack that is not there: {tuple(interval)}")
    thread.add(interval.start_ns, interval.woken_ns, _PLACES[interval.cause], stack)
    thread.add(interval.woken_ns, interval.end_ns, _RUN_QUEUE, stack if interval.cause == "run_queue" else -1)
