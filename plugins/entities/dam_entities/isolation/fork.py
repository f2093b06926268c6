"""Make a child by a plain fork, and know when that is safe."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import warnings
from collections.abc import Callable
from typing import Final

from dam_entities.isolation.child import end
from dam_entities.isolation.started import Ended, Started, ended

FORK_AWARE: Final = {"dam-obs-drain"}
"""Names of threads that stop before a fork and start afresh after it; a plugin may add to them."""


def is_safe() -> bool:
    """Say whether a fork leaves no other thread of Python's behind in the child with its locks held."""
    here = threading.current_thread()
    return here is threading.main_thread() and all(
        thread is here or thread.name in FORK_AWARE for thread in threading.enumerate()
    )


class Forked(Started):
    """A child of this very process."""

    def __init__(self, pid: int, data: int) -> None:
        super().__init__(data)
        self.pid = pid
        try:
            self.exited = os.pidfd_open(pid)
        except OSError:
            self.kill()
            os.waitpid(pid, 0)
            raise
        self._ended: Ended | None = None

    @property
    def child_pid(self) -> int:
        """Its process."""
        return self.pid

    def kill(self) -> None:
        """End it, and all in its process group."""
        if self._ended is not None:
            return  # its number may be another process's by now
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        # It may not have made its group yet.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> Ended | None:
        """Return how it ended, if it has."""
        if self._ended is None and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
            # As long as it is not waited for, its number is its own: only what it left behind is killed.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            _, status, used = os.wait4(self.pid, 0)
            self._ended = ended(status, used)
        return self._ended

    def close(self) -> None:
        """Give the descriptors back; a child that still runs is killed and waited for."""
        if self._ended is None:
            self.kill()
            _, status, used = os.wait4(self.pid, 0)
            self._ended = ended(status, used)
        os.close(self.exited)
        super().close()


def fork(work: Callable[[], tuple[bytes, bytes]]) -> Forked:
    """
    Fork; in the child do `work`.

    Raises:
        OSError: There is no room for another process.
    """
    parent = os.getpid() if threading.current_thread() is threading.main_thread() else None
    read, write = os.pipe()
    try:
        with warnings.catch_warnings():
            # Of threads: the caller has looked, or has asked for a fork all the same.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
    except BaseException:
        os.close(read)
        os.close(write)
        raise
    if pid == 0:
        os.close(read)
        end(write, work, parent=parent)
    os.close(write)
    with contextlib.suppress(OSError):  # the child does the same, whoever is first
        os.setpgid(pid, pid)
    try:
        return Forked(pid, read)
    except OSError:
        os.close(read)
        raise
