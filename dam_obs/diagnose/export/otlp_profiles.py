"""
A run's samples as OTLP Profiles: each sample linked to the span of the execution it was taken in.

A process is a resource. Its samples are in one profile with the time of each, and, where
nothing says when they were taken, in a second one with numbers alone: all samples of a
profile are to have one shape. A sample outside executions has no link.

The whole message is built in memory, since its tables are shared. It grows with distinct
pairs of stack and execution, and by 24 bytes for each sample.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

import dam_obs
from dam_obs.diagnose.export.clock import Residual
from dam_obs.diagnose.export.errors import UnknownSuffix
from dam_obs.diagnose.export.otlp_classes import profiles_pb2
from dam_obs.diagnose.export.otlp_tables import Tables
from dam_obs.diagnose.export.placing import Placing, TimedThread, timed_threads
from dam_obs.diagnose.export.samples import RunSamples, Sampled, Thread
from dam_obs.store.processes import read_processes
from dam_obs.text import printable

JSON_SUFFIX = ".json"
PROTOBUF_SUFFIXES = (".pb", ".binpb")

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_NO_ID = "0" * 32
_Times = list[NDArray[np.int64]]
_Identity = tuple[int, tuple[int, ...], int]
"""Stack, attributes and link: what makes samples the same."""


def otlp_profiles(samples: RunSamples) -> Any:
    """
    Return the samples as a `ProfilesData` message.

    Raises:
        ProfilesUnsupported: the installed classes are of another state of the format.
    """
    data = profiles_pb2().ProfilesData()
    tables = Tables(data.dictionary)
    processes: dict[int, _Process] = {}
    placing = Placing()
    services = _services(samples)
    for thread in timed_threads(samples, placing):
        pid = thread.thread.pid
        if pid not in processes:
            processes[pid] = _Process(samples, tables, _scope(samples, data, pid, services.get(pid, "")))
        processes[pid].add(thread)
    for process in processes.values():
        process.finish(placing.residual)
    samples.remarks.append(placing.remark)
    return data


def check_suffix(path: Path) -> None:
    """
    See that the suffix of `path` says how to write.

    Raises:
        UnknownSuffix: it does not.
    """
    if path.suffix not in (JSON_SUFFIX, *PROTOBUF_SUFFIXES):
        raise UnknownSuffix(path, PROTOBUF_SUFFIXES)


def as_protobuf(data: Any) -> Iterator[bytes]:
    """Yield a message as protobuf."""
    yield data.SerializeToString(deterministic=True)


def as_json(data: Any) -> Iterator[bytes]:
    """Yield a message as OTLP's JSON, in parts: ids in hex, numbers of fields in camelCase."""
    yield b'{"resourceProfiles":['
    for number, resource in enumerate(data.resource_profiles):
        yield b"," if number else b""
        yield from _json(resource)
    dictionary = _plain(data.dictionary)
    # Protobuf's own JSON has bytes in base64; OTLP has ids in hex.
    dictionary["linkTable"] = [
        {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()} if link.span_id else {}
        for link in data.dictionary.link_table
    ]
    yield b'],"dictionary":' + msgspec.json.encode(dictionary) + b"}\n"


_LONG = ("scope_profiles", "profiles", "samples")
"""Lists that hold, at last, all samples: they are written one by one, since as JSON each takes much room."""


def _json(message: Any) -> Iterator[bytes]:
    """Yield a message as JSON, in parts."""
    short = type(message)()
    long: list[tuple[str, Any]] = []
    for field, value in message.ListFields():
        if field.name in _LONG:
            long.append((field.json_name, value))
        elif field.message_type is not None:
            getattr(short, field.name).MergeFrom(value)
        elif field.name == "attribute_indices":
            short.attribute_indices.extend(value)
        else:
            setattr(short, field.name, value)
    inside = msgspec.json.encode(_plain(short))[1:-1]
    yield b"{" + inside
    comma = b"," if inside else b""
    for name, items in long:
        yield comma + b'"' + name.encode() + b'":['
        for number, item in enumerate(items):
            yield b"," if number else b""
            yield from (msgspec.json.encode(_plain(item)),) if name == "samples" else _json(item)
        yield b"]"
        comma = b","
    yield b"}"


def _plain(message: Any) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

    return cast(dict[str, Any], MessageToDict(message, use_integers_for_enums=True))


def _scope(samples: RunSamples, data: Any, pid: int, service: str) -> Any:
    """Add a resource for a process, and return where its profiles go."""
    manifest = samples.manifest
    resource = data.resource_profiles.add()
    named = {"service.name": service or manifest.command, "dam.run.id": manifest.run_id} if manifest else {}
    for key, value in named.items():
        resource.resource.attributes.add(key=key).value.string_value = printable(value)
    if pid:
        resource.resource.attributes.add(key="process.pid").value.int_value = pid
    scope = resource.scope_profiles.add()
    scope.scope.name = "dam_obs"
    scope.scope.version = dam_obs.__version__
    return scope


def _services(samples: RunSamples) -> dict[int, str]:
    """Return what the spans of each process call their service: by OpenTelemetry's variable, else by its program."""
    given = os.environ.get("OTEL_SERVICE_NAME", "")
    return {note.pid: given or _name_of(note.program) for note in read_processes(samples.run)}


def _name_of(program: str) -> str:
    name = program.removesuffix(".py")
    return "python" if name in ("-c", "-m", "-") else name


class _Process:
    """Fills the profiles of one process."""

    def __init__(self, samples: RunSamples, tables: Tables, scope: Any) -> None:
        self._samples = samples
        self._tables = tables
        self._scope = scope
        self._timed: _Profile | None = None
        self._untimed: _Profile | None = None

    def add(self, thread: TimedThread) -> None:
        """Add the samples of a thread."""
        if thread.times_ns is not None:
            self._timed = self._timed or _Profile(self._samples, self._tables, self._scope.profiles.add())
            self._timed.add(thread)
        else:
            self._untimed = self._untimed or _Profile(self._samples, self._tables, self._scope.profiles.add())
            self._untimed.add(thread)

    def finish(self, residual: Residual | None) -> None:
        """Note what is known at the end alone."""
        if self._timed is not None:
            self._timed.finish(residual)
        if self._untimed is not None:
            self._untimed.finish(None)


class _Profile:
    """Fills one profile."""

    def __init__(self, samples: RunSamples, tables: Tables, profile: Any) -> None:
        self._samples = samples
        self._tables = tables
        self._to = profile
        self._claimed = 0
        self._unclaimed = 0
        self._linked = 0
        self._first_ns: int | None = None
        self._last_ns = 0
        profile.sample_type.type_strindex = tables.string("samples")
        profile.sample_type.unit_strindex = tables.string("count")
        profile.period_type.type_strindex = tables.string("wall")
        profile.period_type.unit_strindex = tables.string("nanoseconds")
        profile.period = round(samples.period_ns)

    def add(self, thread: TimedThread) -> None:
        """Add the samples of a thread; equal ones become one, with a time for each."""
        same: dict[_Identity, _Times] = {}
        numbers: dict[_Identity, int] = {}
        for sampled, times in thread.each():
            key = self._identity(sampled, thread.thread)
            numbers[key] = numbers.get(key, 0) + sampled.weight
            if times is not None:
                same.setdefault(key, []).append(times)
            if sampled.span is None:
                self._unclaimed += sampled.weight
            else:
                self._claimed += sampled.weight
        for (stack, attributes, link), number in numbers.items():
            self._linked += number if link else 0
            added = self._to.samples.add(stack_index=stack, attribute_indices=attributes, link_index=link)
            taken = same.get((stack, attributes, link))
            if taken is None:
                added.values.append(number)
                continue
            added.values.extend([1] * number)
            added.timestamps_unix_nano.extend(self._unix(np.concatenate(taken)))

    def finish(self, residual: Residual | None) -> None:
        """Note what was counted, how good the times are, and from when to when it was."""
        known = {
            "dam.samples.in_executions": self._claimed,
            "dam.samples.outside_executions": self._unclaimed,
            "dam.samples.linked": self._linked,
        }
        if residual is not None:
            known["dam.clock.residual_median_ns"] = residual.median_ns
            known["dam.clock.residual_p95_ns"] = residual.p95_ns
        self._to.attribute_indices.extend(self._tables.attribute(key, value) for key, value in known.items())
        if self._first_ns is not None:
            self._to.time_unix_nano = self._first_ns
            self._to.duration_nano = self._last_ns - self._first_ns + 1  # the end is not part of it

    def _identity(self, sampled: Sampled, thread: Thread) -> _Identity:
        tables, system = self._tables, sampled.system
        attributes = [tables.attribute("thread.name", thread.name)] if thread.name else []
        if thread.tid:
            attributes.append(tables.attribute("thread.id", thread.tid))
        if system is not None:
            attributes.append(tables.attribute("dam.layer", system.layer))
            attributes.append(tables.attribute("dam.operation", system.operation))
            attributes.append(tables.attribute("dam.component", system.component))
        return tables.stack(sampled.frames), tuple(attributes), self._link(sampled.span)

    def _link(self, span: str | None) -> int:
        """Return the link to a span; none where the event that knows its trace never came."""
        execution = self._samples.executions.get(span) if span else None
        trace_id = (execution.trace_id or "").lower() if execution else ""
        if span is None or not _TRACE_ID.fullmatch(trace_id) or trace_id == _NO_ID:
            return 0
        return self._tables.link(bytes.fromhex(trace_id), bytes.fromhex(span))

    def _unix(self, times_ns: NDArray[np.int64]) -> list[int]:
        unix = np.sort(np.maximum(times_ns + self._samples.wall_offset_ns, 0))
        first, last = int(unix[0]), int(unix[-1])
        self._first_ns = first if self._first_ns is None else min(first, self._first_ns)
        self._last_ns = max(last, self._last_ns)
        return [int(time) for time in unix]
