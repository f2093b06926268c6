"""
What the kernel counts for the current thread: I/O, run-queue delay, waits for disks, faults, switches.

One reading costs some eight microseconds, eleven with waits for disks, so `meter` decides for whom it is worth it.
Counters that this kernel does not offer are left out, never zero.

A reading never lets go of the interpreter's lock. `os.pread` would, and with other threads
at work getting it back takes up to a switch interval of five milliseconds, four times an
execution: the observed program would be slower, and what was measured would be that.
"""

from __future__ import annotations

import os
import resource
import threading
from array import array
from collections.abc import Callable
from functools import cache
from typing import Final

from dam_obs.trace import faults

BLOCK: Final = 512
"""`getrusage` counts block I/O in units of 512 bytes."""

MOST_FILES: Final = 128
"""Kernel files open at once, and never more than an eighth of what the program may open; further threads have none."""

_IO_NAMES: Final = [b"rchar:", b"wchar:", b"syscr:", b"syscw:", b"read_bytes:", b"write_bytes:"]
"""As the kernel has them, in its order; what comes after them is of no use here."""

_DELAYS: Final = "/proc/sys/kernel/task_delayacct"
"""Whether the kernel accounts how long threads wait for disks; it does not by itself since 5.14."""

_DELAY_FIELD: Final = 39
"""Of ``stat``, counted from behind the name: waits for disks, in ticks of mostly 10 ms."""

_TICK_NS: Final = 1_000_000_000 // os.sysconf("SC_CLK_TCK")

_GUARD = faults.guard("counters")

_BUFFER: Final = 512


@cache
def _pread_with_the_lock() -> Callable[[int, int, int, int], int]:
    import ctypes  # a measured run alone needs it

    pread = ctypes.PyDLL(None).pread  # `PyDLL`, unlike `CDLL`, keeps the interpreter's lock
    pread.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long)
    pread.restype = ctypes.c_ssize_t
    return pread


class _ThreadFile:
    """
    A kernel file of the thread, open; closed when the thread ends.

    A program that closes all descriptors closes this one, too, and may then have a file of its own under its number.
    """

    def __init__(self, path: str) -> None:
        with _opening:
            self._number = _open(path)
            if self._number is not None:
                _open_files.add(self._number)
        self._opened = os.fstat(self._number) if self._number is not None else None
        self._pread = _pread_with_the_lock()
        self._buffer = array("b", bytes(_BUFFER))
        self._address = self._buffer.buffer_info()[0]

    def read(self) -> bytes:
        """Return what it says; nothing where it is not open."""
        if self._number is None:
            return b""
        length = self._pread(self._number, self._address, _BUFFER, 0)
        if length < 0:
            self._forget()
            return b""
        return self._buffer[:length].tobytes()

    def __del__(self) -> None:
        # At the very end of the interpreter this module may be empty; the kernel closes the file then.
        if _open_files is None or os is None or self._number is None or self._opened is None:
            return
        number = self._forget()
        with _GUARD:
            if number is not None and os.path.samestat(self._opened, os.fstat(number)):
                os.close(number)

    def _forget(self) -> int | None:
        number, self._number = self._number, None
        if number is not None:
            _open_files.discard(number)
        return number


class _ThreadFiles:
    def __init__(self) -> None:
        self.io = _ThreadFile("/proc/thread-self/io")
        self.schedstat = _ThreadFile("/proc/thread-self/schedstat")
        self.stat = _ThreadFile("/proc/thread-self/stat") if _counts_delays() else None


_open_files: set[int] = set()
_opening = threading.Lock()


def _counts_delays() -> bool:
    try:
        with open(_DELAYS, "rb") as file:
            return file.read().strip() == b"1"
    except OSError:
        return False  # an older kernel, which may or may not: then nothing is said


def _open(path: str) -> int | None:
    if len(_open_files) >= _most_files():
        return None
    with _GUARD:
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None  # this kernel, or this container, does not offer it: the counter is absent
    return None


def _most_files() -> int:
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_FILES if allowed == resource.RLIM_INFINITY else min(MOST_FILES, allowed // 8)


class _Local(threading.local):
    files: _ThreadFiles | None = None


_local = _Local()


def forget_files() -> None:
    """Let go of the open files, in a forked child: they are its parent's threads'."""
    global _local, _opening
    _local = _Local()
    _opening = threading.Lock()


def read() -> dict[str, int]:
    """Return the counters of the current thread, by the names of `TraceEvent.io`."""
    files = _local.files
    if files is None:
        files = _local.files = _ThreadFiles()
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    now = {
        "minor_faults": usage.ru_minflt,
        "major_faults": usage.ru_majflt,
        "voluntary_switches": usage.ru_nvcsw,
        "involuntary_switches": usage.ru_nivcsw,
        "peak_growth_bytes": usage.ru_maxrss * 1024,  # the process's; its difference is the growth
    }
    with _GUARD:
        if schedstat := files.schedstat.read():
            now["run_queue_ns"] = int(schedstat.split(None, 2)[1])
        if files.stat is not None and (stat := files.stat.read()):
            now["block_io_ns"] = int(stat.rpartition(b")")[2].split(None, _DELAY_FIELD + 1)[_DELAY_FIELD]) * _TICK_NS
        words = files.io.read().split(None, 12)
        if words[0:12:2] == _IO_NAMES:
            now["rchar"] = int(words[1])
            now["wchar"] = int(words[3])
            now["syscr"] = int(words[5])
            now["syscw"] = int(words[7])
            now["read_bytes"] = int(words[9])
            now["write_bytes"] = int(words[11])
    if "read_bytes" not in now:
        now["read_bytes"] = usage.ru_inblock * BLOCK
        now["write_bytes"] = usage.ru_oublock * BLOCK
    return now
