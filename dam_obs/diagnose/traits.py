"""
The built-in rules: which traits a system shows, how sure that is, and what else it might be.

A rule takes a `SystemDiagnosis` and answers with traits. Each says its evidence in
figures and names the best other reading. Confidence is between 0 and 1; a draft writes a
trait below `DRAFT_CONFIDENCE` as a comment for the reviewer.

What was not measured gives no trait: no rule reads `None` as zero. A system's *own time* is
its wall time without that in the run queue: a busy machine makes nothing I/O-bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import numpy as np

from dam_obs.diagnose.capacity import MIN_TOUCHED_SHARE
from dam_obs.diagnose.known_waits import known_waits
from dam_obs.diagnose.pools import CPU_POOL, MEMORY_FILESYSTEMS
from dam_obs.diagnose.report import DeviceBytes, InferredTrait, Peer, Process, SystemDiagnosis, TimeSplit
from dam_obs.diagnose.touched import UNKNOWN_DEVICE

DRAFT_CONFIDENCE: Final = 0.6
"""Below this a trait is drafted as a commented line."""

MIN_WAITING_SHARE: Final = 0.5
"""Of its own time; a system that waits less than half of it is not called I/O-bound at all."""

MIN_CPU_SHARE: Final = 0.25
"""Of its own time; a system that computes less does not take a CPU in any sense that matters."""

MIN_DISK_BYTES: Final = 512
"""An execution, on average: with fewer bytes at the device, the page cache served nearly all."""

CACHED_CONFIDENCE: Final = 0.5
"""Most that can be said for a disk whose files were read while the device was asked for nothing."""

ENOUGH_COUNTED: Final = 3
"""Executions whose bytes were counted, from which it is believed that the device was not asked."""

POOLS_NAMED: Final = 5
"""Of peers and programs each; a system with more is named by those used most."""

IDLE_FACTOR: Final = 0.3
"""What is left of the confidence in I/O where most of the waiting is known to have been for none."""

QUICK_NS: Final = 10_000_000
SHORT_NS: Final = 100_000_000

Rule = Callable[[SystemDiagnosis], Sequence[InferredTrait]]


def infer(diagnosis: SystemDiagnosis) -> list[InferredTrait]:
    """Ask all built-in rules."""
    return [trait for rule in RULES for trait in rule(diagnosis)]


def io_bound(diagnosis: SystemDiagnosis) -> list[InferredTrait]:
    """Call a system I/O-bound if it mostly waited; without CPU time measured, say nothing."""
    share = _waiting_share(diagnosis)
    if share is None or share < MIN_WAITING_SHARE:
        return []

    time = diagnosis.time
    sure = float(np.interp(share, [MIN_WAITING_SHARE, 0.8, 1.0], [0.5, 0.85, 0.97])) * _enough(time.measured)
    known, rival = _what_for(diagnosis)
    waited = f"It waited {share:.0%} of {_ms(_own_ns(time))} in {time.measured} executions, else it was on the CPU."
    return [
        InferredTrait(
            trait="IOBoundTrait",
            arguments={},
            confidence=_rounded(sure * known),
            evidence=[waited, *_waits(diagnosis)],
            rival=rival,
        )
    ]


def _what_for(diagnosis: SystemDiagnosis) -> tuple[float, str | None]:
    """Return how far the waiting is explained by I/O, as a factor, and the best other reading."""
    off_cpu_ns = diagnosis.time.wall_ns - (diagnosis.time.on_cpu_ns or 0)
    covered = (diagnosis.waiting_on_children_ns or 0) / max(off_cpu_ns, 1)
    touched = _touched(diagnosis)
    if covered > 0.5:
        return 0.5, (
            f"At least {covered:.0%} of the waiting was for systems that it had started and that are observed "
            "themselves: it coordinates, and the I/O is theirs."
        )
    known = known_waits(diagnosis.time)
    if known is not None and known.idle_share > 0.5:
        share = f"{known.idle_share:.0%} of the waiting"
        return IDLE_FACTOR, f"{share} is known to have been for {known.words(known.idle)}, which is no I/O."
    if known is not None and known.io_share > 0.5:
        beside = f"{known.idle_share:.0%} of the waiting was for {known.words(known.idle)}, which is no I/O."
        return 1.0, beside if known.idle_share >= 0.1 else None
    if covered > 0.02 and touched is None:
        return 0.5, (
            "It started systems that are observed themselves, and touched nothing that was seen: "
            "it may wait for them, or for their turn."
        )
    if touched == "outside":
        beside = "It may wait for a lock or the GIL beside the I/O that was seen."
        return 1.0, beside if _mostly_other(diagnosis) else None

    seen = "No file, peer or program was seen" if touched is None else "Its files may have come from the page cache"
    if _mostly_other(diagnosis):
        return 0.5, f"{seen}: it may wait for a lock, the GIL or a timer, which is not I/O."
    return 0.6, f"{seen}: it may await a timer, another task or its consumer, which is not I/O."


def _touched(diagnosis: SystemDiagnosis) -> Literal["outside", "cache"] | None:
    """Say whether a good part of executions went outside, to the page cache at most, or to nothing that was seen."""
    some = 0.1 * diagnosis.executions
    if any(peer.executions >= some for peer in diagnosis.peers):
        return "outside"
    if any(process.executions >= some for process in diagnosis.processes):
        return "outside"
    disks = [use for use in diagnosis.devices if _is_disk(use) and use.executions >= some]
    if any(use.layer == "block" and (use.bytes or 0) >= MIN_DISK_BYTES * (use.counted or 1) for use in disks):
        return "outside"
    return "cache" if disks else None


def _mostly_other(diagnosis: SystemDiagnosis) -> bool:
    time = diagnosis.time
    return time.other_ns > (time.awaiting_ns or 0) + (time.block_io_ns or 0)


def _waits(diagnosis: SystemDiagnosis) -> list[str]:
    time = diagnosis.time
    parts = (
        (time.awaiting_ns, "suspended at an await or yield"),
        (time.block_io_ns, "waiting for a block device"),
        (time.other_ns, "blocked inside a step: sockets, locks, pipes, sleep"),
    )
    named = [
        f"{nanoseconds / _own_ns(time):.0%} of the time it was {what}."
        for nanoseconds, what in parts
        if nanoseconds is not None and nanoseconds >= 0.05 * _own_ns(time)
    ]
    return [*named, *_names(time), *_queued(time)]


def _names(time: TimeSplit) -> list[str]:
    """Say what was waited for where that is known, and how."""
    known = known_waits(time)
    if known is None:
        return []
    how = " and ".join(
        source
        for source, is_there in (("the names of its awaits", time.awaiting), ("bpftrace", time.causes))
        if is_there
    )
    parts = [
        f"{share:.0%} {said} ({known.words(waits)})"
        for share, said, waits in (
            (known.io_share, "was I/O", known.io),
            (known.idle_share, "was none", known.idle),
        )
        if share >= 0.05
    ]
    return [f"Of the waiting, {' and '.join(parts)}, by {how}."] if parts and how else []


def takes_cpu(diagnosis: SystemDiagnosis) -> list[InferredTrait]:
    """Name the CPU as a resource of what computes for a good part of its time."""
    waiting = _waiting_share(diagnosis)
    if waiting is None or 1 - waiting < MIN_CPU_SHARE:
        return []
    time, share = diagnosis.time, 1 - waiting
    sure = float(np.interp(share, [MIN_CPU_SHARE, 0.5, 0.8, 1.0], [0.3, 0.6, 0.9, 0.97])) * _enough(time.measured)
    evidence = [f"It was on the CPU {share:.0%} of {_ms(_own_ns(time))} in {time.measured} executions."]
    busy = diagnosis.concurrency_mean * (time.on_cpu_ns or 0) / max(time.wall_ns, 1)
    peak = diagnosis.concurrency_peak
    evidence.append(f"While any was in flight, {peak} at once at most, they kept {busy:.2g} CPUs busy.")
    rival = (
        "Executions that it started inline are inside this share."
        if diagnosis.waiting_on_children_ns
        else "Threads that share the interpreter's lock use one CPU between them, however many there are."
    )
    return [_resource(CPU_POOL, sure, [*evidence, *_queued(time)], rival)]


def takes_disks(diagnosis: SystemDiagnosis) -> list[InferredTrait]:
    """Name the devices that a system's files lie on, unless those live in memory."""
    return [_disk(diagnosis, use) for use in diagnosis.devices if _is_disk(use) and _often(diagnosis, use.executions)]


def _disk(diagnosis: SystemDiagnosis, use: DeviceBytes) -> InferredTrait:
    share = use.executions / diagnosis.executions
    moved = use.bytes or 0
    reached_device = use.layer == "block" and moved > 0
    waited = (diagnosis.time.block_io_ns or 0) / max(_own_ns(diagnosis.time), 1)
    # Files touched say what may be used, bytes at the device that it was, time that it mattered.
    sure = 0.3 + 0.35 * share + (0.2 if reached_device else 0.1 if moved else 0.0) + 0.15 * min(1.0, waited / 0.25)
    if _served_by_cache(use):
        sure = min(sure, CACHED_CONFIDENCE)
    evidence = [f"{share:.0%} of executions touched a file on {use.device} to {use.direction}.", *_capacity(use)]
    if use.bytes is not None:
        where = "at the block device" if use.layer == "block" else "through calls, page cache included"
        evidence.append(f"{_bytes(moved)} were counted {where}, in {use.counted} executions.")
    if use.layer == "calls" and use.device_bytes is not None:
        evidence.append(f"The device itself moved {_bytes(use.device_bytes)} for them.")
    if diagnosis.time.block_io_ns is not None:
        evidence.append(f"{waited:.0%} of its time it waited for block devices.")
    rival = (
        "Bytes that the kernel read ahead, or wrote later for others, are counted for whoever was at work."
        if reached_device
        else "The page cache may have served it: no bytes were counted at the device."
    )
    return _resource(use.pool, sure * _enough(diagnosis.executions), evidence, rival)


def _served_by_cache(use: DeviceBytes) -> bool:
    """
    Say whether it read and asked the device for nothing; what is written goes there sooner or later.

    Who maps a file, or opens it for another thread or program to read, reads nothing itself: of that nothing is known.
    """
    counted = use.counted or 0
    if use.direction != "read" or use.layer != "calls" or use.device_bytes is None or counted < ENOUGH_COUNTED:
        return False
    return (use.bytes or 0) >= MIN_DISK_BYTES * counted


def _is_disk(use: DeviceBytes) -> bool:
    return use.device not in MEMORY_FILESYSTEMS and use.device != UNKNOWN_DEVICE


def takes_network(diagnosis: SystemDiagnosis) -> list[InferredTrait]:
    """Name the peers that a system connected to."""
    waiting = _waiting_share(diagnosis) or 0.0
    traits = []
    for peer in diagnosis.peers[:POOLS_NAMED]:
        if not _often(diagnosis, peer.executions):
            continue
        share = peer.executions / diagnosis.executions
        sure = 0.35 + 0.45 * share + 0.15 * waiting
        rival = (
            "Executions without a connection of their own may have used one that was kept open."
            if share < 0.9
            else "What limits it may stand behind this address, a balancer or a proxy, or be its client's own pool."
        )
        evidence = [f"{share:.0%} of executions connected to {peer.address}.", *_capacity(peer)]
        traits.append(_resource(peer.pool, sure * _enough(diagnosis.executions), evidence, rival))
    return traits


def takes_programs(diagnosis: SystemDiagnosis) -> list[InferredTrait]:
    """Name the programs that a system started."""
    traits = []
    for process in diagnosis.processes[:POOLS_NAMED]:
        if not _often(diagnosis, process.executions):
            continue
        share = process.executions / diagnosis.executions
        evidence = [f"{share:.0%} of executions started {process.name}.", *_capacity(process)]
        rival = "Its own CPU time and bytes are not counted here: they belong to the program."
        traits.append(_resource(process.pool, (0.4 + 0.55 * share) * _enough(diagnosis.executions), evidence, rival))
    return traits


def execution_cost(diagnosis: SystemDiagnosis) -> list[InferredTrait]:
    """
    Say what an execution costs; always, and with how sure it is.

    ``time_ms`` is not among the arguments: `SystemDiagnosis.cost` at its quantile stands for it.
    ``priority`` puts short work first, as nothing else is known of what matters: 10 if the 90 %
    quantile is below 10 ms, 50 below 100 ms, else 100, which is the trait's own default.
    """
    cost, p90 = diagnosis.cost, diagnosis.latency.p90_ns
    priority = 10 if p90 < QUICK_NS else 50 if p90 < SHORT_NS else 100
    law = f"{cost.quantile_factor:.3g} times ({cost.expression}) ms"
    evidence = [
        f"{cost.quantile:.0%} of {cost.executions} executions that succeeded took at most {law}.",
        f"Priority {priority}, since 90% of all executions took at most {_ms(p90)}.",
    ]
    if cost.held_out is None:
        sure = 0.3 * _enough(cost.executions)
    else:
        sure = float(np.interp(cost.held_out.mdape, [0.0, 0.25, 0.5, 1.0], [0.97, 0.85, 0.7, 0.3]))
        sure *= float(np.interp(cost.quantile_factor, [2.0, 5.0, 20.0], [1.0, 0.85, 0.5]))
        evidence.append(
            f"Of executions it had not seen, it missed the median one by {cost.held_out.mdape:.0%}, "
            f"and {cost.held_out.under_rate:.0%} took longer than it said."
        )
    others = [*cost.warnings, *(f"The next best law: {law}" for law in cost.rejected)]
    return [
        InferredTrait(
            trait="ExecutionCostTrait",
            arguments={"priority": priority},
            confidence=_rounded(sure),
            evidence=evidence,
            rival=others[0] if others else "No other law was tried: its commands have no features that differ.",
        )
    ]


RULES: Final[tuple[Rule, ...]] = (io_bound, takes_cpu, takes_disks, takes_network, takes_programs, execution_cost)


def _resource(pool: str, confidence: float, evidence: list[str], rival: str | None) -> InferredTrait:
    """
    Make a trait for one unit of `pool`, of which `_capacity` says how many were seen in use.

    An execution uses one thread and, step by step, one connection, one program, one device at a time. What it
    uses for a small share of its time only, it holds as a whole meanwhile: a smaller amount would let too many in.
    """
    return InferredTrait(
        trait="ResourceUsageTrait",
        arguments={"pool_path": pool, "amount": 1},
        confidence=_rounded(confidence),
        evidence=evidence,
        rival=rival,
    )


def _capacity(use: DeviceBytes | Peer | Process) -> list[str]:
    """Say how many units of a pool were seen in use."""
    if use.at_once is None:
        return []
    plural = "" if use.at_once == 1 else "s"
    return [f"At most {use.at_once} execution{plural} used {use.pool} at once: the capacity seen."]


def _often(diagnosis: SystemDiagnosis, executions: int) -> bool:
    return executions > 0 and executions >= MIN_TOUCHED_SHARE * diagnosis.executions


def _own_ns(time: TimeSplit) -> int:
    """Return the wall time without that in the run queue: a busy machine's doing, not the system's."""
    return time.wall_ns - (time.run_queue_ns or 0)


def _waiting_share(diagnosis: SystemDiagnosis) -> float | None:
    """Return the share of its own time that a system was off the CPU; `None` where that was not measured."""
    time = diagnosis.time
    if time.on_cpu_ns is None or not _own_ns(time):
        return None
    return 1 - time.on_cpu_ns / _own_ns(time)


def _queued(time: TimeSplit) -> list[str]:
    """Say it where a busy machine held the system up."""
    queued_ns = time.run_queue_ns or 0
    if queued_ns < 0.05 * time.wall_ns:
        return []
    return [
        f"Another {_ms(queued_ns)} it was ready and waiting for a CPU: the machine was busy, which is left out here."
    ]


def _enough(executions: int) -> float:
    """Return a factor that grows with the number of executions: 0.5 for one, 0.91 for ten, near 1 for fifty."""
    return executions / (executions + 1)


def _rounded(confidence: float) -> float:
    return round(min(max(confidence, 0.0), 1.0), 3)


def _ms(nanoseconds: float) -> str:
    milliseconds = nanoseconds / 1e6
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:,.3g} TiB"
