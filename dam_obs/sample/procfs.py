"""
What the kernel counts for a tree of processes, read from outside by ``/proc``.

A process is known by its pid and its start time, so a pid that is used again is another
process. One that was seen as a descendant stays in the tree when its parent dies. The
number of processes kept is bounded; what is left out is counted.

A process that lives shorter than the time between two readings may never be seen.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dam_obs.store.manifest import HostNote
from dam_obs.trace.process import ProcessNote

MOST_PROCESSES = 4096
"""Processes kept of one tree."""

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True, kw_only=True)
class ProcessCounters:
    """One process, as it was when it was last seen."""

    pid: int
    start_ticks: int
    """When it started, in the kernel's ticks since boot."""
    parent_pid: int
    name: str
    """The program's name alone."""
    executable: str | None = None
    """`None`: not ours to know."""
    cpu_ns: int = 0
    max_rss_bytes: int | None = None
    read_bytes: int | None = None
    """Block-layer bytes; `None`: not ours to know."""
    write_bytes: int | None = None
    ended: bool = False

    def note(self) -> ProcessNote:
        """Return what the run folder keeps of a process that says nothing of itself."""
        since_boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return ProcessNote(
            pid=self.pid,
            parent_pid=self.parent_pid,
            program=self.name,
            start_ticks=self.start_ticks,
            started_ns=time.time_ns() - since_boot_ns + self.start_ticks * 1_000_000_000 // _TICKS_PER_SECOND,
            cpu_ns=self.cpu_ns,
            max_rss_bytes=self.max_rss_bytes,
            read_bytes=self.read_bytes,
            write_bytes=self.write_bytes,
            ended=self.ended,
        )


def is_running(pid: int, start_ticks: int | None = None) -> bool:
    """
    Tell whether a process lives: one that has ended and waits to be asked for its status does not.

    With `start_ticks`, one that has its pid now and started at another time is not it.
    """
    stat = _stat(Path(f"/proc/{pid}/stat"))
    if stat is None or stat.is_zombie:
        return False
    return start_ticks is None or stat.start_ticks == start_ticks


def program_name(pid: int) -> str:
    """Return the name of the program that process `pid` runs, as the kernel has it."""
    stat = _stat(Path(f"/proc/{pid}/stat"))
    return stat.name if stat else str(pid)


def cpu_ns_of(pid: int) -> int | None:
    """Return the CPU time that process `pid` has taken, in steps of some milliseconds; `None` if it is gone."""
    stat = _stat(Path(f"/proc/{pid}/stat"))
    return stat.cpu_ns if stat else None


def memory_bytes_of(pid: int) -> int:
    """Return the memory that process `pid` has resident; 0 if it is gone."""
    stat = _stat(Path(f"/proc/{pid}/stat"))
    return stat.rss_bytes if stat else 0


def descends_from(pid: int, ancestor: int) -> bool:
    """Tell whether process `pid` is `ancestor`, or below it: whose parent has died, is so no longer."""
    seen: set[int] = set()
    while pid not in (ancestor, 0, *seen):
        seen.add(pid)
        stat = _stat(Path(f"/proc/{pid}/stat"))
        pid = stat.parent_pid if stat else 0
    return pid == ancestor


class ProcessTree:
    """A process and its descendants."""

    def __init__(self, root_pid: int, proc: Path = Path("/proc"), most: int = MOST_PROCESSES) -> None:
        self._root_pid = root_pid
        self._proc = proc
        self._most = most
        self._known: dict[tuple[int, int], ProcessCounters] = {}
        self.left_out = 0
        """Sightings of processes beyond the bound."""

    @property
    def processes(self) -> list[ProcessCounters]:
        """All that were seen, in the order in which they started."""
        return sorted(self._known.values(), key=lambda process: (process.start_ticks, process.pid))

    def read(self) -> None:
        """Bring the counters up to date, and take in new descendants."""
        stats = dict(self._stats())
        for process in self._known.values():
            found = stats.get(process.pid)
            process.ended = found is None or found.start_ticks != process.start_ticks or found.is_zombie
        for pid in self._members(stats):
            self._update(stats[pid])

    def _members(self, stats: Mapping[int, _Stat]) -> Iterator[int]:
        children: dict[int, list[int]] = {}
        for stat in stats.values():
            children.setdefault(stat.parent_pid, []).append(stat.pid)
        known = [pid for pid, start in self._known if pid in stats and stats[pid].start_ticks == start]
        waiting = list(dict.fromkeys([*([self._root_pid] if self._root_is_there(stats) else []), *known]))
        reached = set(waiting)
        while waiting:
            pid = waiting.pop(0)
            yield pid
            below = [child for child in children.get(pid, ()) if child not in reached]
            reached.update(below)
            waiting += below

    def _root_is_there(self, stats: Mapping[int, _Stat]) -> bool:
        """Tell whether the root's pid still stands for the process that it stood for at first."""
        if self._root_pid not in stats:
            return False
        starts = {start for pid, start in self._known if pid == self._root_pid}
        return not starts or stats[self._root_pid].start_ticks in starts

    def _update(self, stat: _Stat) -> None:
        process = self._known.get((stat.pid, stat.start_ticks))
        if process is None:
            if len(self._known) >= self._most:
                self.left_out += 1
                return
            process = self._known[stat.pid, stat.start_ticks] = ProcessCounters(
                pid=stat.pid, start_ticks=stat.start_ticks, parent_pid=stat.parent_pid, name=stat.name
            )
        process.cpu_ns = max(process.cpu_ns, stat.cpu_ns)
        if stat.is_zombie:
            return  # its memory, files and counters are gone already
        process.name = stat.name
        self._update_details(process, stat)

    def _update_details(self, process: ProcessCounters, stat: _Stat) -> None:
        folder = self._proc / str(process.pid)
        process.executable = _link(folder / "exe") or process.executable
        peak = _fields(folder / "status").get("VmHWM", "").split()
        resident = int(peak[0]) * 1024 if peak else stat.rss_bytes
        process.max_rss_bytes = max(process.max_rss_bytes or 0, resident)
        io = _fields(folder / "io")
        if "read_bytes" in io and "write_bytes" in io:
            process.read_bytes = int(io["read_bytes"])
            process.write_bytes = int(io["write_bytes"])

    def _stats(self) -> Iterator[tuple[int, _Stat]]:
        try:
            names = os.listdir(self._proc)
        except OSError:
            return
        for name in names:
            if name.isdigit() and (stat := _stat(self._proc / name / "stat")) is not None:
                yield stat.pid, stat


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stat:
    pid: int
    parent_pid: int
    name: str
    is_zombie: bool
    start_ticks: int
    cpu_ns: int
    rss_bytes: int


def _stat(path: Path) -> _Stat | None:
    """Read ``/proc/<pid>/stat``; the name in it may hold spaces and brackets."""
    try:
        content = path.read_bytes()
    except OSError:
        return None  # it has ended meanwhile
    head, _, tail = content.rpartition(b")")
    pid, _, name = head.partition(b" (")
    fields = tail.split()
    if len(fields) < 22:
        return None
    return _Stat(
        pid=int(pid),
        parent_pid=int(fields[1]),
        name=name.decode("utf-8", "replace"),
        is_zombie=fields[0] in (b"Z", b"X"),
        start_ticks=int(fields[19]),
        cpu_ns=(int(fields[11]) + int(fields[12])) * 1_000_000_000 // _TICKS_PER_SECOND,
        rss_bytes=int(fields[21]) * _PAGE_BYTES,
    )


def _fields(path: Path) -> dict[str, str]:
    """Read a file of lines ``name: value``; empty where it may not be read."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def _link(path: Path) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def host_note(python: str | None = None, implementation: str | None = None) -> HostNote:
    """Return the machine's facts; without `python`, the interpreter is the one that we run on."""
    memory = _fields(Path("/proc/meminfo")).get("MemTotal", "").split()
    return HostNote(
        python=python or platform.python_version(),
        implementation=implementation or platform.python_implementation().lower(),
        kernel=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cpus=len(os.sched_getaffinity(0)),
        memory_bytes=int(memory[0]) * 1024 if memory else None,
    )
