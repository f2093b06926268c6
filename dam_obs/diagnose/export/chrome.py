"""
A chrome trace, for https://ui.perfetto.dev: executions and samples on the time line, by process and thread.

An execution is shown as its segments: the stretches in which it really ran on a thread; one
without segments as a bar of its own. Samples are written as V8 writes its own, which Perfetto
and Chrome's developer tools show as a flame chart of the thread.

The file is written as the trace is read, in two passes. In memory are the bounds of all
segments, which must be seen together to be nested, and the samples of one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np

from dam_obs.diagnose.export.placing import Placing, TimedThread, timed_threads
from dam_obs.diagnose.export.samples import (
    LATEST_NS,
    RunSamples,
    Sampled,
    sane_segments,
    small,
    system_name,
    wall_ns,
)
from dam_obs.diagnose.export.slices import ThreadSegments
from dam_obs.sample.samples import Frame
from dam_obs.store.processes import read_processes
from dam_obs.text import printable
from dam_obs.trace.events import TraceEvent

SAMPLES_AT_ONCE = 5_000
"""Samples in one event of the file."""

_encode = msgspec.json.encode
_Event = dict[str, Any]


def chrome(samples: RunSamples) -> Iterator[bytes]:
    """Yield the file in parts."""
    placing = Placing()
    yield b'{"displayTimeUnit":"ms","traceEvents":['
    comma = b"\n"
    for event in _events(samples, placing):
        yield comma + _encode(event)
        comma = b",\n"
    yield b'\n],"otherData":' + _encode(_about(samples, placing)) + b"}\n"


def _events(samples: RunSamples, placing: Placing) -> Iterator[_Event]:
    threads: dict[tuple[int, int], str] = {}
    yield from _executions(samples, threads)
    for number, thread in enumerate(timed_threads(samples, placing), start=1):
        if thread.times_ns is not None:
            threads[thread.thread.pid, thread.thread.tid] = thread.thread.name
            yield from _flame_chart(thread, f"0x{number:x}")
    yield from _names(samples, threads)
    samples.remarks.append(placing.remark)


def _about(samples: RunSamples, placing: Placing) -> _Event:
    """Say what the file shows, and how far its clock is to be trusted."""
    counts, residual = samples.counts, placing.residual
    return {
        "exporter": "dam-obs",
        "run": printable(samples.run.path.resolve().name),
        "samples": counts.total,
        "samples_in_executions": counts.claimed,
        "samples_outside_executions": counts.unclaimed,
        "samples_placed_in_time": placing.placed,
        "samples_not_placed_in_time": placing.unplaced + placing.unordered,
        "clock": "CLOCK_MONOTONIC",
        "clock_residual": asdict(residual) if residual else None,
        "unix_ns_less_clock": samples.wall_offset_ns,
    }


# -- executions


def _executions(samples: RunSamples, threads: dict[tuple[int, int], str]) -> Iterator[_Event]:
    """Yield what the events show, and note on which threads that was."""
    pieces = _pieces(samples)
    number = 0
    for event in samples.events():
        segments = sane_segments(event)
        pid = small(event.pid) or 0
        if not segments:
            threads.setdefault((pid, _own_thread(event)), "")
            yield from _without_segments(event, samples)
            continue
        shown = _execution(event, samples)
        for index, (start, end, tid) in enumerate(segments, start=1):
            threads.setdefault((pid, tid), "")
            shown["args"]["segment"] = f"{index} of {len(segments)}"
            for begun, ended in pieces.get(number, [(start, end)]):
                yield {**shown, "ph": "X", "tid": tid, "ts": begun / 1000, "dur": (ended - begun) / 1000}
            number += 1


def _pieces(samples: RunSamples) -> dict[int, list[tuple[int, int]]]:
    """Return the pieces of segments that must be cut to be nested, by the number of the segment."""
    threads: dict[tuple[int, int], ThreadSegments] = {}
    number = 0
    for event in samples.events():
        for start, end, tid in sane_segments(event):
            threads.setdefault((event.pid or 0, tid), ThreadSegments()).add(start, end, number)
            number += 1
    pieces: dict[int, list[tuple[int, int]]] = {}
    for thread in threads.values():
        pieces.update(thread.cut())
    return pieces


def _execution(event: TraceEvent, samples: RunSamples) -> _Event:
    system = samples.system_of(event)
    known = {
        "id": printable(event.trace_id),
        "trace_id": event.otel_trace_id,
        "span_id": event.otel_span_id,
        "parent_span_id": event.otel_parent_id,
        "status": event.status,
        "duration_ns": event.duration_ns,
        "cpu_ns": event.cpu_ns,
        "wait_ns": event.wait_ns,
    }
    args = {name: _shown(value) for name, value in known.items() if value is not None}
    return {"name": system_name(system), "cat": system.layer, "pid": small(event.pid) or 0, "args": args}


def _shown(value: str | int) -> str | int:
    if isinstance(value, str):
        return printable(value)
    return min(max(value, -LATEST_NS), LATEST_NS)


def _without_segments(event: TraceEvent, samples: RunSamples) -> Iterator[_Event]:
    """Yield a moment, or the beginning and end of what was not measured in segments."""
    begun = wall_ns(event) - samples.wall_offset_ns if event.start_mono_ns is None else event.start_mono_ns
    begun = min(max(begun, 0), LATEST_NS)
    shown = {**_execution(event, samples), "tid": _own_thread(event), "ts": begun / 1000}
    if event.kind == "event":
        yield {**shown, "ph": "i", "s": "t"}
        return
    duration = event.duration_ns if event.duration_ns is not None else event.duration_ms * 1_000_000
    shown["id"] = printable(event.otel_span_id or event.trace_id)
    yield {**shown, "ph": "b"}
    yield {**shown, "ph": "e", "ts": (begun + min(max(duration, 0), LATEST_NS)) / 1000, "args": {}}


def _own_thread(event: TraceEvent) -> int:
    return small(event.thread_id) or small(event.pid) or 0


# -- samples


def _flame_chart(thread: TimedThread, session: str) -> Iterator[_Event]:
    """Yield the samples of one thread, in order of time."""
    same: _Event = {"cat": "disabled-by-default-v8.cpu_profiler", "ph": "P", "id": session}
    same |= {"pid": thread.thread.pid, "tid": thread.thread.tid}
    nodes = _Nodes()
    stacks = np.repeat(
        np.fromiter((nodes.of(sampled) for sampled in thread.samples), dtype=np.int64, count=len(thread.samples)),
        np.fromiter((sampled.weight for sampled in thread.samples), dtype=np.int64, count=len(thread.samples)),
    )
    assert thread.times_ns is not None  # noqa: S101 - only such threads are asked for
    order = np.argsort(thread.times_ns, kind="stable")
    times_us = np.maximum(thread.times_ns[order] // 1000, 0)
    deltas = np.diff(times_us, prepend=times_us[0])
    stacks = stacks[order]

    first_us = int(times_us[0])
    yield {**same, "name": "Profile", "ts": first_us, "args": {"data": {"startTime": first_us}}}
    for start in range(0, len(stacks), SAMPLES_AT_ONCE):
        part = slice(start, start + SAMPLES_AT_ONCE)
        profile: _Event = {"samples": stacks[part].tolist()}
        if start == 0:
            profile["nodes"] = nodes.table
        data = {"cpuProfile": profile, "timeDeltas": deltas[part].tolist()}
        yield {**same, "name": "ProfileChunk", "ts": int(times_us[start]), "args": {"data": data}}


class _Nodes:
    """The tree of all stacks of a thread."""

    def __init__(self) -> None:
        self.table: list[_Event] = []
        self._numbers: dict[tuple[int, Frame], int] = {}
        self._known: dict[tuple[str, tuple[Frame, ...]], int] = {}
        self._root = self._node(0, Frame("(root)", "", None))

    def of(self, sampled: Sampled) -> int:
        """Return the number of a stack's innermost frame."""
        key = (sampled.branch, sampled.frames)
        number = self._known.get(key)
        if number is None:
            number = self._node(self._root, Frame(sampled.branch, "", None))
            for frame in sampled.frames:
                number = self._node(number, frame)
            self._known[key] = number
        return number

    def _node(self, parent: int, frame: Frame) -> int:
        key = (parent, frame)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers) + 1
            place: _Event = {"functionName": frame.function, "scriptId": 0, "url": frame.file}
            if frame.line is not None:
                place["lineNumber"] = frame.line - 1  # the format counts lines from 0
            node: _Event = {"id": number, "callFrame": place}
            self.table.append({**node, "parent": parent} if parent else node)
        return number


# -- names


def _names(samples: RunSamples, threads: dict[tuple[int, int], str]) -> Iterator[_Event]:
    """Yield the names of all processes and threads that the file speaks of."""
    programs = {note.pid: printable(note.program) for note in read_processes(samples.run)}
    for pid in sorted({pid for pid, _ in threads}):
        yield _name("process_name", pid, pid, programs.get(pid) or "process")
    for (pid, tid), name in sorted(threads.items()):
        yield _name("thread_name", pid, tid, name or ("MainThread" if pid == tid else "thread"))


def _name(kind: str, pid: int, tid: int, name: str) -> _Event:
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": {"name": name}}
