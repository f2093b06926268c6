"""
The ends and forks of the process: nothing that has ended is lost where Python lets us see it.

At exit, before `os._exit` and before ``exec`` the recorder is flushed, each with a
time-out. A signal that kills the process is not seen; then at most one flush interval is lost.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
from collections.abc import Callable
from typing import NoReturn, Protocol

from dam_obs.trace import counters, faults, ids

LAST_WORDS = 2.0
"""Seconds that `os._exit` and ``exec`` wait for the sinks at most."""

_GUARD = faults.guard("lifecycle")


class Living(Protocol):
    """What is told of the process's ends and forks."""

    @property
    def patience(self) -> float:
        """Seconds that an end may take at most."""

    def flush(self, timeout: float) -> bool:
        """Bring everything to its place."""

    def shutdown(self) -> None:
        """End."""

    def before_fork(self) -> None:
        """Stand still."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Start afresh."""


_living: Living | None = None
_registered = False
_exit: Callable[[int], NoReturn] = os._exit
_fork: Callable[[], int] = os.fork
_exec: dict[str, Callable[..., NoReturn]] = {"execv": os.execv, "execve": os.execve}
"""What every other ``exec`` of `os` goes through."""
_flushing_exec: dict[str, Callable[..., NoReturn]] = {}
"""What stands in their place while somebody is told."""
_forking = threading.local()


def watch(living: Living) -> None:
    """Tell `living` of ends and forks from now on; there is one at a time."""
    global _living, _registered
    _living = living
    if not _registered:
        _registered = True
        atexit.register(_at_exit)
        os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
    os._exit = _flush_and_exit
    os.fork = _fork_and_go_on
    for name, original in _exec.items():
        _flushing_exec[name] = _flush_before(original)
        setattr(os, name, _flushing_exec[name])


def unwatch() -> None:
    """Stop telling; what was replaced in `os` is the very function that it was."""
    global _living
    _living = None
    if os._exit is _flush_and_exit:
        os._exit = _exit  # type: ignore[assignment]
    if os.fork is _fork_and_go_on:
        os.fork = _fork
    for name, original in _exec.items():
        if getattr(os, name) is _flushing_exec.get(name):
            setattr(os, name, original)


def _at_exit() -> None:
    if _living is not None:
        with _GUARD:
            _living.shutdown()


def _flush_and_exit(status: int) -> NoReturn:
    if _living is not None:
        with _GUARD:
            _living.flush(min(LAST_WORDS, _living.patience))
    _exit(status)


def _flush_before(original: Callable[..., NoReturn]) -> Callable[..., NoReturn]:
    @functools.wraps(original)
    def flushed(*args: object, **kwargs: object) -> NoReturn:
        if _living is not None:
            with _GUARD:
                _living.flush(min(LAST_WORDS, _living.patience))
        original(*args, **kwargs)

    return flushed


def _before_fork() -> None:
    if _living is not None:
        with _GUARD:
            _living.before_fork()


@functools.wraps(_fork)
def _fork_and_go_on() -> int:
    """
    Fork, and go on in the parent only when `fork` has returned.

    From 3.13 on CPython looks for threads to warn of after it has told who registered for `after_in_parent`.
    """
    _forking.now = True
    try:
        return _fork()
    finally:
        _forking.now = False
        _in_parent()


def _in_parent() -> None:
    if _living is not None and not getattr(_forking, "now", False):
        with _GUARD:
            _living.after_fork_in_parent()


def _in_child() -> None:
    ids.reseed()
    counters.forget_files()
    faults.reset()
    if _living is not None:
        with _GUARD:
            _living.after_fork_in_child()
