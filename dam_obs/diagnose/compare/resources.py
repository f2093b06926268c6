"""
What a system takes beside time, in two runs: bytes by device and direction, peers, programs, kinds of failure.

Peers, programs and failures are counts of executions, whose shares a report knows as exactly
as a run folder. Bytes are judged where single executions are at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dam_obs.diagnose.compare.figure import Figure, of_counts, of_means, told
from dam_obs.diagnose.compare.side import DeviceKey, RunSide, Spread
from dam_obs.diagnose.report import DeviceBytes, DiagnosticReport, SystemDiagnosis

MOST: Final = 50
"""Devices, peers, programs or kinds of failure of one system that are compared: the most used ones."""

_SECOND_NS: Final = 1e9


def bytes_moved(
    before: tuple[SystemDiagnosis, Spread | None], after: tuple[SystemDiagnosis, Spread | None], level: float
) -> tuple[Figure, ...]:
    """Compare the bytes that an execution moves, by device and direction; bytes of calls only with bytes of calls."""
    first, second = _devices(before[0]), _devices(after[0])
    figures = []
    for key in sorted(first.keys() | second.keys())[:MOST]:
        rows = first.get(key), second.get(key)
        layers = {row.layer for row in rows if row is not None}
        if len(layers) == 1 and None not in layers:
            figures.append(_device((before, after), key, rows, str(layers.pop()), level))
    return tuple(figures)


def _devices(system: SystemDiagnosis) -> dict[DeviceKey, DeviceBytes]:
    return {(row.direction, row.device): row for row in system.devices if row.bytes is not None}


def _device(
    sides: tuple[tuple[SystemDiagnosis, Spread | None], tuple[SystemDiagnosis, Spread | None]],
    key: DeviceKey,
    rows: tuple[DeviceBytes | None, DeviceBytes | None],
    layer: str,
    level: float,
) -> Figure:
    direction, device = key
    name = f"{direction} {device} ({'calls' if layer == 'calls' else 'disk'})"
    spreads = [spread for _, spread in sides]
    if spreads[0] is not None and spreads[1] is not None and spreads[0].counted and spreads[1].counted:
        moments = [spread.moments_of_bytes(layer, key) for spread in spreads if spread is not None]
        return of_means(name, "bytes", moments[0], moments[1], level, None)
    means = [_mean(system, row) for (system, _), row in zip(sides, rows, strict=True)]
    return told(name, "bytes", means[0], means[1])


def _mean(system: SystemDiagnosis, row: DeviceBytes | None) -> float | None:
    """Return the bytes an execution of the system, those that did not touch the device included."""
    if row is None:
        return 0.0
    counted = row.counted if row.counted is not None else row.executions
    if not counted or not system.executions or row.bytes is None:
        return None
    return row.bytes / counted * row.executions / system.executions


def shares(before: SystemDiagnosis, after: SystemDiagnosis, level: float) -> tuple[Figure, ...]:
    """Compare the shares of executions that met a peer, started a program, or failed in some way."""
    return (
        *_shares("peer", _peers(before), _peers(after), (before.executions, after.executions), level),
        *_shares("starts", _programs(before), _programs(after), (before.executions, after.executions), level),
        *_shares("fails with", before.errors, after.errors, (before.executions, after.executions), level),
    )


def _shares(
    kind: str, before: Mapping[str, int], after: Mapping[str, int], of: tuple[int, int], level: float
) -> list[Figure]:
    names = sorted(before.keys() | after.keys(), key=lambda name: (-before.get(name, 0) - after.get(name, 0), name))
    return [
        of_counts(
            f"{kind} {name}",
            (min(before.get(name, 0), of[0]), of[0]),
            (min(after.get(name, 0), of[1]), of[1]),
            level,
        )
        for name in names[:MOST]
    ]


def _peers(system: SystemDiagnosis) -> dict[str, int]:
    return {peer.address: peer.executions for peer in system.peers}


def _programs(system: SystemDiagnosis) -> dict[str, int]:
    return {process.name: process.executions for process in system.processes}


def pace(before: tuple[SystemDiagnosis, RunSide], after: tuple[SystemDiagnosis, RunSide]) -> tuple[Figure, ...]:
    """Tell of executions a second and of memory; one run has one of each, so neither can be judged."""
    rates = [
        system.executions / side.report.duration_ns * _SECOND_NS if side.report.duration_ns > 0 else None
        for system, side in (before, after)
    ]
    peaks = [system.peak_memory_delta_bytes for system, _ in (before, after)]
    figures = [told("executions a second", "per_second", rates[0], rates[1])]
    if peaks[0] is not None or peaks[1] is not None:
        figures.append(told("peak memory", "bytes", *(None if peak is None else float(peak) for peak in peaks)))
    return tuple(figures)


def of_processes(before: DiagnosticReport, after: DiagnosticReport) -> tuple[Figure, ...]:
    """Tell what the processes of a run took together, and the most memory that one had."""
    memory = [
        max((float(one.max_rss_bytes) for one in report.processes if one.max_rss_bytes is not None), default=None)
        for report in (before, after)
    ]
    cpu = [_sum_of_cpu(report) for report in (before, after)]
    figures = [told("duration", "ns", float(before.duration_ns), float(after.duration_ns))]
    if cpu[0] is not None or cpu[1] is not None:
        figures.append(told("CPU time", "ns", cpu[0], cpu[1]))
    if memory[0] is not None or memory[1] is not None:
        figures.append(told("most memory of a process", "bytes", memory[0], memory[1]))
    return tuple(figures)


def _sum_of_cpu(report: DiagnosticReport) -> float | None:
    known = [one.cpu_ns for one in report.processes if one.cpu_ns is not None]
    return float(sum(known)) if known else None
