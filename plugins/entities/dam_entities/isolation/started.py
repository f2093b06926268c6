"""A child that was started, however: where its message comes from, how it is ended, how it did end."""

from __future__ import annotations

import os
import resource
from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended, and what it used."""

    exit_status: int | None
    """`None` where a signal ended it."""
    signal_number: int | None
    cpu_ns: int
    peak_memory_bytes: int
    blocks_read: int
    blocks_written: int


def ended(status: int, used: resource.struct_rusage) -> Ended:
    """Return what ``wait4`` told."""
    return Ended(
        exit_status=os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        signal_number=os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        cpu_ns=round((used.ru_utime + used.ru_stime) * 1e9),
        peak_memory_bytes=used.ru_maxrss * 1024,
        blocks_read=used.ru_inblock,
        blocks_written=used.ru_oublock,
    )


class Started(ABC):
    """A child that runs, or did."""

    exited: int
    """A descriptor that can be read when `reap` is worth a call."""

    def __init__(self, data: int) -> None:
        """Begin with the descriptor that its message comes from."""
        os.set_blocking(data, False)
        self.data = data

    @property
    @abstractmethod
    def child_pid(self) -> int | None:
        """Its process; `None` as long as that is not known."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once, and all that it started in its process group."""

    @abstractmethod
    def reap(self) -> Ended | None:
        """Return how it ended, or `None` if it has not; nothing of it is left then."""

    def close(self) -> None:
        """Give back what this process holds for it."""
        os.close(self.data)
