"""
The sampler's half of the handshake at a program's start: who is ready, and when they may go.

The program's half is `dam_obs.trace.handshake`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dam_obs.sample.procfs import is_running
from dam_obs.store.runs import RunFolder
from dam_obs.trace.identity import parse_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A Python process of the run that has said that it is there."""

    pid: int
    start_ticks: int | None
    """When it started, since boot; another value for the same pid is another process."""
    said_ns: int
    """Wall clock, when it said so; another value for the same pid is another program, after ``exec``."""
    implementation: str
    python: str


class Gate:
    """Holds programs at their start until it is opened."""

    def __init__(self, run: RunFolder) -> None:
        self._go = run.path / "go"
        self._folder = run.processes
        self._seen: dict[Path, tuple[int, Ready]] = {}
        self._held = False
        self._wanted = False
        self.first: Ready | None = None
        """The first process that said so."""
        self.pids: set[int] = set()
        """All that ever said so."""

    def ready(self) -> list[Ready]:
        """Return who has said that it is there and lives, in the order in which they did."""
        for path in self._folder.glob("*.ready"):
            self._look(path)
        for path, (_, ready) in list(self._seen.items()):
            if not is_running(ready.pid, ready.start_ticks):
                path.unlink(missing_ok=True)
                del self._seen[path]
        return sorted((ready for _, ready in self._seen.values()), key=lambda ready: ready.said_ns)

    def _look(self, path: Path) -> None:
        try:
            changed_ns = path.stat().st_mtime_ns
            if path in self._seen and self._seen[path][0] == changed_ns:
                return
            pid, ticks = parse_name(path.stem)
            said, implementation, python = path.read_text(encoding="utf-8").split()
            ready = Ready(pid=pid, start_ticks=ticks, said_ns=int(said), implementation=implementation, python=python)
        except (OSError, ValueError):
            return  # gone, or nothing that we wrote
        self._seen[path] = changed_ns, ready
        self.first = self.first or ready
        self.pids.add(ready.pid)

    @property
    def is_open(self) -> bool:
        """Whether programs may go."""
        return self._go.exists()

    def hold(self) -> None:
        """Stay closed until `release`, though it be opened meanwhile."""
        self._held = True

    def release(self) -> None:
        """Be as open as it was asked to be since `hold`."""
        self._held = False
        if self._wanted:
            self.open()

    def open(self) -> None:
        """Let go who waits, and whoever starts from now on."""
        self._wanted = self._held
        if self._held:
            return
        self._go.unlink(missing_ok=True)
        self._go.touch()

    def close(self) -> None:
        """Hold whoever starts from now on."""
        self._wanted = False
        self._go.unlink(missing_ok=True)

    def remove(self) -> None:
        """Clear the handshake's files away, at the end."""
        self.close()
        for path in self._leftovers():
            path.unlink(missing_ok=True)

    def _leftovers(self) -> Iterator[Path]:
        yield from self._folder.glob("*.ready")
        yield from self._folder.glob("*.ready.part")
