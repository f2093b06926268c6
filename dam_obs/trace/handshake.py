"""
The start of a measured program waits until its sampler watches.

The program's half of it: `sitecustomize` calls `wait_for_sampler` before the program's own
code runs. The process says that it is there, ``processes/<pid>-<start>.ready`` in the run folder,
and goes on when the file ``go`` appears there, or after a time-out. So the first
executions are sampled too, and no program ever waits for a sampler that does not come.

A process that starts while ``go`` is there does not wait: its parent is watched, and it
with it. One that has been replaced by ``exec`` does, or that has the pid of one that ended,
for the sampler has lost it.

The sampler's half is `dam_obs.sample.gate`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from dam_obs.trace import identity

FOLDER = "_DAM_OBS_WAIT_FOR_SAMPLER"
"""Variable: the run folder. Without it nothing is waited for."""

TIMEOUT = "_DAM_OBS_START_TIMEOUT"
"""Variable: seconds to wait at most."""

SAMPLER = "_DAM_OBS_SAMPLER"
"""Variable: pid of the process that starts the sampler."""

VARIABLES = (FOLDER, TIMEOUT, SAMPLER)

DEFAULT_TIMEOUT_S = 3.0

LONGEST_TIMEOUT_S = 60.0

_POLL_S = 0.005
_YAMA = "/proc/sys/kernel/yama/ptrace_scope"
_DESCENDANTS_ONLY = "1"
_PR_SET_PTRACER = 0x59616D61


def variables(folder: str, timeout_s: float, sampler_pid: int) -> dict[str, str]:
    """Return the environment that makes a program wait."""
    return {FOLDER: folder, TIMEOUT: repr(timeout_s), SAMPLER: str(sampler_pid)}


def is_sampled(environ: Mapping[str, str]) -> bool:
    """Tell whether a sampler that lives watches all that is started with `environ`."""
    sampler = environ.get(SAMPLER, "")
    return FOLDER in environ and sampler.isdigit() and os.path.exists(f"/proc/{sampler}")


def wait_for_sampler(environ: Mapping[str, str]) -> None:
    """Wait until the sampler watches this process, if `environ` asks for that; a fault ends the wait."""
    folder = environ.get(FOLDER)
    if not folder:
        return
    try:
        _let_be_read(environ)
        ready = _say_ready(os.path.join(folder, "processes"))
        _wait(os.path.join(folder, "go"), ready, _timeout(environ), f"/proc/{environ.get(SAMPLER, 'self')}")
    except OSError:
        return  # the folder is gone or not ours: nobody samples into it


def _say_ready(folder: str) -> int | None:
    """
    Write this process's file.

    Returns:
        When, in the file system's time, if somebody had this pid before: the program that this one replaced, or a
        process that has ended. The sampler looks for that one still.
    """
    path = os.path.join(folder, f"{identity.own_name()}.ready")
    replaces = any(_is_of(os.getpid(), name) for name in os.listdir(folder))
    beside = f"{path}.part"
    version = ".".join(map(str, sys.version_info[:3]))
    with open(beside, "w", encoding="utf-8") as file:
        file.write(f"{time.time_ns()} {sys.implementation.name} {version}\n")
    os.replace(beside, path)
    return os.stat(path).st_mtime_ns if replaces else None


def _is_of(pid: int, name: str) -> bool:
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix == ".ready" and stem.partition("-")[0] == str(pid)


def _wait(go: str, since_ns: int | None, timeout_s: float, sampler: str) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and os.path.exists(sampler):
        try:
            opened_ns = os.stat(go).st_mtime_ns
        except FileNotFoundError:
            pass
        else:
            if since_ns is None or opened_ns > since_ns:
                return
        time.sleep(_POLL_S)


def _timeout(environ: Mapping[str, str]) -> float:
    try:
        seconds = float(environ.get(TIMEOUT, ""))
    except ValueError:
        return DEFAULT_TIMEOUT_S
    return min(max(0.0, seconds), LONGEST_TIMEOUT_S)


def _let_be_read(environ: Mapping[str, str]) -> None:
    """
    Where the kernel lets a process be read by its ancestors alone, allow our sampler, and nobody else.

    That is the usual state of desktop distributions (Yama, ``ptrace_scope`` 1), and the
    sampler is a sister of this process. The permission ends with this program.
    """
    sampler = environ.get(SAMPLER, "")
    if not sampler.isdigit() or not _descendants_only():
        return
    _allow(int(sampler))
    os.register_at_fork(after_in_child=lambda: _allow(int(sampler)))  # a fork does not inherit it


def _descendants_only() -> bool:
    try:
        with open(_YAMA, encoding="ascii") as file:
            return file.read().strip() == _DESCENDANTS_ONLY
    except OSError:
        return False  # no Yama in this kernel


def _allow(pid: int) -> None:
    import ctypes  # only here: costly, and seldom needed

    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(pid), 0, 0, 0)
