"""What may become of a call in a process of its own, but for a result: each its own error, with what it used."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from dam_entities.errors import EntityError

if TYPE_CHECKING:
    from dam_entities.values import ResourceUse


class IsolationError(EntityError):
    """Base: a call gave no result, and nothing was changed."""

    used: ResourceUse | None = None
    """What the child used, as the kernel counted it; `None` where there was none, or nobody could tell."""
    pid: int | None = None

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} {why}")
        self.name = name


class TimedOut(IsolationError, TimeoutError):
    """It did not end in time; it was killed, with all that it had started in its process group."""

    def __init__(self, name: str, timeout_s: float) -> None:
        super().__init__(name, f"did not end within {timeout_s:g} s and was killed: give it more time with timeout=")
        self.timeout_s = timeout_s


class Cancelled(IsolationError):
    """Nobody waits for it any more; it was killed."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "was cancelled and killed")


class Killed(IsolationError):
    """A signal ended it."""

    def __init__(self, name: str, signal_number: int) -> None:
        try:
            said = signal.Signals(signal_number).name
        except ValueError:
            said = f"signal {signal_number}"
        super().__init__(name, f"was ended by {said} before it returned")
        self.signal_number = signal_number


class OutOfMemory(Killed):
    """The kernel ended it for want of memory."""

    def __init__(self, name: str) -> None:
        super().__init__(name, signal.SIGKILL)
        self.args = (f"{name} was ended by the kernel for want of memory: run fewer at a time, or on less data",)


class Exited(IsolationError):
    """It left the process without returning."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(name, f"left its process with status {status} before it returned")
        self.status = status


class HungAtExit(IsolationError):
    """It returned, and its process did not end; it was killed."""

    def __init__(self, name: str, patience_s: float) -> None:
        super().__init__(name, f"returned, but its process did not end within {patience_s:g} s and was killed")


class CallRaised(IsolationError):
    """It raised. The exception itself stays in the child: its type, message and traceback are text."""

    def __init__(self, name: str, kind: str, message: str, traceback: str) -> None:
        super().__init__(name, f"raised {kind}: {message}")
        self.kind = kind
        """``module.qualname``"""
        self.message = message
        self.traceback = traceback


class WrongResult(IsolationError, TypeError):
    """What it returned does not fit its return annotation, deep inside included."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, f"returned something else than its annotation says: {why}")


class NotTransferable(IsolationError, TypeError):
    """What it returned, or what it is given, is nothing that can cross between processes as data."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(name, f"cannot hand over {what}: use plain values, entities, dataclasses or pydantic models")


class TooLarge(IsolationError):
    """What it returned is larger than allowed."""

    def __init__(self, name: str, limit_bytes: int) -> None:
        super().__init__(
            name, f"returned more than {limit_bytes:,} bytes: return less, or allow more with max_result_bytes="
        )
        self.limit_bytes = limit_bytes


class NotIsolable(IsolationError, TypeError):
    """A callable that cannot run in a process of its own."""


class CannotStart(IsolationError):
    """No process could be made, or the function was not found in it."""


class Garbled(IsolationError):
    """What came over the pipe is nothing that a child of ours writes."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, f"sent something that cannot be read ({why}): did it write to a descriptor not its own?")
