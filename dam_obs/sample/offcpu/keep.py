"""Write down what bpftrace saw: in monotonic time, causes named, what is missing counted."""

from __future__ import annotations

import gzip
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from dam_obs.sample.offcpu.causes import Calls
from dam_obs.sample.offcpu.clock import Clock
from dam_obs.sample.offcpu.lines import BlockLine, FrameLine, OffLine, StackLine, direction, parse
from dam_obs.sample.offcpu.record import DeviceRequests, Interval, Stack, Summary

DISORDER_NS = 200_000_000
"""Lines of different CPUs arrive that much out of order, at most: what was cut off begins so long before its mark."""

MOST_STACKS = 2_000
"""Different stacks of one run; there are some dozens."""

_MINOR_BITS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of a session beside its lines."""

    bpftrace: str
    clock: Clock
    from_ns: int
    to_ns: int | None
    """By the monotonic clock; `None`: it broke down, and saw nothing after its last line."""
    lost: int
    cut: int
    stacks_from_ns: int = 0
    stacks_cut: int = 0


def keep(lines: Iterable[str], calls: Calls, watched: Watched, path: Path) -> Summary:
    """Write `lines` to `path`, as `record` has them, whole or not at all; return the last line of it."""
    devices, stacks = _Devices(), _Stacks()
    intervals = last_ns = 0
    draft = path.with_name(f".{path.name}.new")
    try:
        with gzip.open(draft, "wb", compresslevel=3) as file:
            for interval in _intervals(lines, calls, watched.clock, devices, stacks):
                if stacks.fresh is not None:
                    file.write(msgspec.json.encode(stacks.fresh) + b"\n")
                file.write(msgspec.json.encode(interval if interval.stack is not None else interval[:5]) + b"\n")
                intervals += 1
                last_ns = max(last_ns, interval.end_ns)
            summary = _summary(watched, intervals, last_ns, devices, stacks)
            file.write(msgspec.json.encode(summary) + b"\n")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return summary


def _summary(watched: Watched, intervals: int, last_ns: int, devices: _Devices, stacks: _Stacks) -> Summary:
    known_to = last_ns - DISORDER_NS if watched.cut or watched.to_ns is None else watched.to_ns
    return Summary(
        bpftrace=watched.bpftrace,
        clock=watched.clock.name,
        clock_offset_ns=watched.clock.offset_ns,
        clock_residual_ns=watched.clock.residual_ns,
        from_ns=watched.from_ns,
        to_ns=max(watched.from_ns, known_to),
        intervals=intervals,
        lost=watched.lost,
        cut=watched.cut,
        ended_early=watched.to_ns is None,
        devices=devices.requests(),
        stacks_from_ns=watched.stacks_from_ns,
        stacks_left_out=watched.stacks_cut + stacks.left_out,
    )


def _intervals(
    lines: Iterable[str], calls: Calls, clock: Clock, devices: _Devices, stacks: _Stacks
) -> Iterator[Interval]:
    for line in lines:
        said = parse(line)
        if isinstance(said, OffLine):
            yield _interval(said, calls, clock)._replace(stack=stacks.of(said))
        elif isinstance(said, StackLine):
            stacks.begin(said)
        elif isinstance(said, FrameLine):
            stacks.add(said)
        elif isinstance(said, BlockLine):
            devices.add(said)


def _interval(line: OffLine, calls: Calls, clock: Clock) -> Interval:
    cause = calls.cause(line.state, line.call)
    woken = line.off if cause == "run_queue" else line.woken or line.on  # no wake-up seen: it waited to the end
    return Interval(
        thread_id=line.thread_id,
        start_ns=clock.monotonic_ns(line.off),
        woken_ns=clock.monotonic_ns(min(max(woken, line.off), line.on)),
        end_ns=clock.monotonic_ns(line.on),
        cause=cause,
    )


class _Stacks:
    """Stacks that were told, each once; one comes before the interval that it belongs to."""

    def __init__(self) -> None:
        self.fresh: Stack | None = None
        """The one that the last interval was the first to have."""
        self.left_out = 0
        self._numbers: dict[tuple[str, ...], int] = {}
        self._told: dict[int, tuple[int, list[str]]] = {}
        """By thread, when it went off the CPU and where."""
        self._open: list[str] = []

    def begin(self, line: StackLine) -> None:
        self._open = []
        self._told[line.thread_id] = line.off, self._open

    def add(self, line: FrameLine) -> None:
        self._open.append(line.function)

    def of(self, line: OffLine) -> int | None:
        """Return the number of an interval's stack; `None` where it has none, or is one too many."""
        self.fresh = None
        off, functions = self._told.pop(line.thread_id, (0, []))
        if off != line.off or not functions:
            return None
        key = tuple(reversed(functions))
        if key not in self._numbers:
            if len(self._numbers) >= MOST_STACKS:
                self.left_out += 1
                return None
            self._numbers[key] = len(self._numbers)
            self.fresh = Stack(list(key))
        return self._numbers[key]


@dataclass(slots=True)
class _Devices:
    """Requests by device and direction."""

    latencies: dict[tuple[int, str], array[int]] = field(default_factory=dict)
    bytes: dict[tuple[int, str], int] = field(default_factory=dict)

    def add(self, line: BlockLine) -> None:
        key = line.device, direction(line.flags)
        self.latencies.setdefault(key, array("q")).append(line.completed - line.issued)
        self.bytes[key] = self.bytes.get(key, 0) + line.bytes

    def requests(self) -> list[DeviceRequests]:
        return [
            _requests(device, way, sorted(latencies), self.bytes[device, way])
            for (device, way), latencies in sorted(self.latencies.items())
        ]


def _requests(device: int, way: str, latencies: list[int], size: int) -> DeviceRequests:
    last = len(latencies) - 1
    return DeviceRequests(
        device=device_name(device),
        direction=way,
        requests=len(latencies),
        bytes=size,
        p50_ns=latencies[last // 2],
        p99_ns=latencies[last * 99 // 100],
        max_ns=latencies[last],
    )


def device_name(device: int, sys: Path = Path("/sys")) -> str:
    """Return the kernel's name of a device by its number; its two numbers where it is gone."""
    numbers = f"{device >> _MINOR_BITS}:{device & (1 << _MINOR_BITS) - 1}"
    link = sys / "dev" / "block" / numbers
    return link.resolve().name if link.exists() else numbers
