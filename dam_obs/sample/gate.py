"""
The sampler's half of the handshake at a program's start: who is ready, and when they may go.

The program's half is `dam_obs.trace.handshake`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dam_obs.store.runs import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A Python process of the run that has said that it is there."""

    pid: int
    said_ns: int
    """Wall clock, when it said so; another value for the same pid is another program, after ``exec``."""
    implementation: str
    python: str


class Gate:
    """Holds programs at their start until it is opened."""

    def __init__(self, run: RunFolder) -> None:
        self._go = run.path / "go"
        self._folder = run.processes
        self._seen: dict[str, tuple[int, Ready]] = {}

    def ready(self) -> list[Ready]:
        """Return who has said so far that it is there, in the order in which they did."""
        for path in self._folder.glob("*.ready"):
            self._look(path)
        return sorted((ready for _, ready in self._seen.values()), key=lambda ready: ready.said_ns)

    def _look(self, path: Path) -> None:
        try:
            changed_ns = path.stat().st_mtime_ns
            if self._seen.get(path.name, (None,))[0] == changed_ns:
                return
            said, implementation, python = path.read_text(encoding="utf-8").split()
            self._seen[path.name] = changed_ns, Ready(
                pid=int(path.stem), said_ns=int(said), implementation=implementation, python=python
            )
        except (OSError, ValueError):
            return  # gone, or nothing that we wrote

    def open(self) -> None:
        """Let go who waits, and whoever starts from now on."""
        self._go.unlink(missing_ok=True)
        self._go.touch()

    def close(self) -> None:
        """Hold whoever starts from now on."""
        self._go.unlink(missing_ok=True)

    def remove(self) -> None:
        """Clear the handshake's files away, at the end."""
        self.close()
        for path in self._leftovers():
            path.unlink(missing_ok=True)

    def _leftovers(self) -> Iterator[Path]:
        yield from self._folder.glob("*.ready")
        yield from self._folder.glob("*.ready.part")
