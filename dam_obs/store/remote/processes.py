"""
Tell the processes apart that spans are of.

A pid is one of a machine, or of a container, where every first process has the pid 1. What a resource says beside
it makes a process. The first one that has a pid keeps it; another one with the same gets a number of its own, far
above all pids: the pid stands in its last seven digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from dam_obs.store.timing import epoch_ns
from dam_obs.trace.process import ProcessNote

APART: Final = 10_000_000
"""Between the numbers of processes with the same pid: the kernel's pids are below."""

_MAKES_A_PROCESS: Final = (
    "process.pid",
    "process.creation.time",
    "dam.mount_namespace",
    "service.instance.id",
    "host.id",
    "host.name",
    "container.id",
    "k8s.pod.uid",
    "k8s.pod.name",
)


@dataclass(slots=True)
class Seen:
    """A process, and what its spans say of it."""

    number: int
    resource: Mapping[str, Any]
    spans: int = 0
    first_ns: int = 2**63

    def note(self) -> ProcessNote:
        """Return what is known of it; counters of its own are in no span."""
        command = self.resource.get("process.command") or self.resource.get("service.name")
        parent = self.resource.get("process.parent_pid")
        return ProcessNote(
            pid=self.number,
            parent_pid=parent if isinstance(parent, int) else 0,
            program=str(command or "unknown"),
            started_ns=_started_ns(self.resource) or self.first_ns,
            observed=True,
            executions=self.spans,
        )


@dataclass(slots=True)
class Processes:
    """All processes of what is read."""

    seen: dict[tuple[object, ...], Seen] = field(default_factory=dict)
    _pids: dict[int, int] = field(default_factory=dict)

    def of(self, resource: Mapping[str, Any]) -> Seen | None:
        """Return the process that a resource describes; `None` where it names no pid."""
        pid = resource.get("process.pid")
        if not isinstance(pid, int) or isinstance(pid, bool):
            return None
        key = tuple(map(resource.get, _MAKES_A_PROCESS))
        found = self.seen.get(key)
        if found is None:
            others = self._pids.get(pid, 0)
            self._pids[pid] = others + 1
            found = self.seen[key] = Seen(others * APART + pid, dict(resource))
        return found

    @property
    def renumbered(self) -> int:
        """How many have another number than their pid."""
        return sum(count - 1 for count in self._pids.values())


def _started_ns(resource: Mapping[str, Any]) -> int | None:
    try:
        moment = datetime.fromisoformat(str(resource.get("process.creation.time")))
    except ValueError:
        return None
    return epoch_ns(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
