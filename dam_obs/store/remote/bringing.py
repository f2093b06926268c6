"""
Bring what a backend has into a run folder, where it is diagnosed like a run that was measured here.

Events are written as they come and packed whenever there are enough of them, so that neither the memory nor the
disk holds a busy week as lines. What is known of each process stands beside them, and in the manifest where all
that is from and what it lacks.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Final

import msgspec

import dam_obs
from dam_obs.store.closed import LINES, PACKED, closed_folder
from dam_obs.store.errors import NoTraceFound
from dam_obs.store.manifest import AbsentEvidence, HostNote, Manifest, SourceNote, write_manifest
from dam_obs.store.mounts import Mounts, read_mounts, save_mounts
from dam_obs.store.packed import MODE, Unpackable, pack
from dam_obs.store.read import started
from dam_obs.store.remote.events import Account, BackendEvents
from dam_obs.store.remote.processes import Seen
from dam_obs.store.remote.query import Query, moment
from dam_obs.store.repair import encoded
from dam_obs.store.runs import RunFolder
from dam_obs.store.spool import SPARED_BYTES, NoRoom
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.identity import MOUNTS, mount_namespace

FILE_BYTES: Final = 64 * 1024 * 1024
"""So many bytes of lines become a packed file."""

UNKNOWN: Final = "unknown"

_AGAIN: Final = "measure the program itself with `dam-obs diagnose -- COMMAND`"

ABSENT: Final = (
    AbsentEvidence("stacks", "a backend keeps spans, not stacks", _AGAIN),
    AbsentEvidence(
        "process_counters",
        "what a process took in all, what it dropped and what failed in dam-obs itself stand in no span",
        _AGAIN,
    ),
    AbsentEvidence("exit_status", "how the program ended stands in no span", _AGAIN),
    AbsentEvidence("machine", "how many CPUs and how much memory the machine has stands in no span", _AGAIN),
    AbsentEvidence(
        "timelines", "when an execution that was suspended ran on which thread stays in the file of its process", _AGAIN
    ),
)
"""What no backend has."""


DEVICES: Final = AbsentEvidence(
    "devices",
    "which disk a file is on stands in no span, and the processes saw other file systems than we do",
    "read it back where the program ran, before that machine starts anew",
)


def bring(events: Iterable[TraceEvent], run: RunFolder, *, run_id: str, uri: str, query: Query) -> Manifest:
    """
    Put `events` into the folder of a run.

    Args:
        events: Of a backend, ours or a plugin's.
        run: Its folder is there, and empty.
        run_id: What the run is called.
        uri: Where the events are from.
        query: What was asked for.

    Returns:
        The manifest, as it was written.

    Raises:
        BackendError: Something is wrong with the backend, or it has nothing of the kind.
        NoRoom: The events do not fit.
    """
    writer = _Writer(run, uri)
    try:
        for event in events:
            writer.add(event)
    except OSError as error:
        raise NoRoom(uri, f"cannot be written to {run.path} ({error.strerror or error})", folder=run.path) from error
    finally:
        writer.close()
    if not writer.spans:
        raise NoTraceFound(f"in {uri}")
    account = events.account if isinstance(events, BackendEvents) else Account(query, uri.partition(":")[0])
    processes = list(account.processes.seen.values())
    _write_processes(run, processes)
    save_mounts(run, read_mounts() if _is_here(processes) else Mounts([]))
    manifest = _manifest(run_id, writer, account, processes, _source(uri, writer.spans, account))
    write_manifest(run, manifest)
    return manifest


class _Writer:
    """Writes lines, and packs them."""

    def __init__(self, run: RunFolder, uri: str) -> None:
        self._run = run
        self._uri = uri
        self._file: IO[bytes] | None = None
        self._bytes = 0
        self._closed = 0
        self.spans = 0
        self.first_ns = 2**63
        self.last_ns = 0
        self.first_started = ""

    def add(self, event: TraceEvent) -> None:
        if self._file is None:
            self._run.trace.touch(MODE)
            self._file = self._run.trace.open("ab")
        self._file.write(line := encoded(event))
        self._bytes += len(line)
        self.spans += 1
        begun = started(event)
        start_ns = int(begun.timestamp()) * 1_000_000_000 + begun.microsecond * 1_000
        if start_ns < self.first_ns:
            self.first_ns, self.first_started = start_ns, event.timestamp
        self.last_ns = max(self.last_ns, start_ns + (event.duration_ns or 0))
        if self._bytes >= FILE_BYTES:
            self._pack()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _pack(self) -> None:
        """Put what is written behind what was packed before."""
        self.close()
        self._file = None
        self._bytes = 0
        if shutil.disk_usage(self._run.path).free < SPARED_BYTES:
            raise NoRoom(self._uri, "it is nearly full", folder=self._run.path)
        folder = closed_folder(self._run.trace)
        folder.mkdir(exist_ok=True)
        self._closed += 1
        lines = folder / f"{self._closed:023d}{LINES}"
        self._run.trace.replace(lines)
        with suppress(Unpackable):  # then the lines stay
            beside = lines.with_suffix(".part")
            pack(lines, beside)
            beside.replace(lines.with_suffix(PACKED))
            lines.unlink()


def _write_processes(run: RunFolder, processes: Iterable[Seen]) -> None:
    run.processes.mkdir(exist_ok=True)
    for process in processes:
        (run.processes / f"{process.number}.json").write_bytes(msgspec.json.encode(process.note()))


def _is_here(processes: Iterable[Seen]) -> bool:
    """Tell whether all processes saw the file systems that we see."""
    ours = mount_namespace()
    return ours is not None and {process.resource.get(MOUNTS) for process in processes} == {ours}


def _source(uri: str, spans: int, account: Account) -> SourceNote:
    asked = account.asked
    said = {
        "since": None if asked.since_ns is None else moment(asked.since_ns),
        "until": None if asked.until_ns is None else moment(asked.until_ns),
        "service": ", ".join(asked.services),
        "run": asked.run,
        "layer": ", ".join(asked.layers),
        "component": ", ".join(asked.components),
        "id": asked.request,
    }
    return SourceNote(
        uri=uri,
        kind=account.kind,
        asked={name: value for name, value in said.items() if value},
        spans=spans,
        requests=account.requests,
        skipped=account.skipped.reasons.total(),
        first_skipped=account.skipped.first,
        runs=sorted(account.runs),
        loses=list(account.loses),
        notes=account.notes,
    )


def _manifest(
    run_id: str, writer: _Writer, account: Account, processes: Sequence[Seen], source: SourceNote
) -> Manifest:
    resources = [process.resource for process in processes]
    return Manifest(
        run_id=run_id,
        dam_obs_version=dam_obs.__version__,
        versions={},
        started=writer.first_started,
        duration_ns=max(0, writer.last_ns - writer.first_ns),
        command=_most(resources, "process.command") or _most(resources, "service.name") or UNKNOWN,
        exit_status=None,
        host=_host(resources),
        settings={"from": source.uri, **source.asked},
        privilege="not used",
        sampler=None,
        absent=[*ABSENT, *([] if _is_here(processes) else [DEVICES])],
        complete=True,
        source=source,
    )


def _host(resources: Iterable[Mapping[str, Any]]) -> HostNote:
    resources = list(resources)
    system = " ".join(filter(None, (_most(resources, "os.type").capitalize(), _most(resources, "os.version"))))
    return HostNote(
        python=_most(resources, "process.runtime.version") or UNKNOWN,
        implementation=_most(resources, "process.runtime.name") or UNKNOWN,
        kernel=system or UNKNOWN,
        machine=_most(resources, "host.arch") or UNKNOWN,
        cpus=None,
        memory_bytes=None,
    )


def _most(resources: Iterable[Mapping[str, Any]], name: str) -> str:
    """Return what most processes say; how many differ is no part of a head."""
    found = Counter(str(resource[name]) for resource in resources if resource.get(name))
    return found.most_common(1)[0][0] if found else ""
