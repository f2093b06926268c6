"""
Watch one child: take its message in, know when time is over, and say what became of it.

Nothing waits in here: whoever drives a watch (`drive`, `adrive`) calls it when a descriptor can be read or time
has passed.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import Any, Final

from dam_entities.isolation import child, errors, wire
from dam_entities.isolation.errors import IsolationError
from dam_entities.isolation.memory import out_of_memory_kills
from dam_entities.isolation.started import Ended, Started
from dam_entities.values import ResourceUse

EXIT_PATIENCE_S: Final = 2.0
"""How long a child may take to end after its message."""

_ONE_READ: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Message:
    """A result that came whole, still to be understood."""

    text: bytes
    used: ResourceUse
    pid: int


class Watch:
    """One child."""

    def __init__(self, started: Started, name: str, *, timeout_s: float, most_bytes: int) -> None:
        """
        Watch a child from its start on.

        Args:
            started: The child.
            name: Of the function, for messages.
            timeout_s: How long it may run.
            most_bytes: How long its message may be.
        """
        self.started = started
        self._name = name
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._begun = time.monotonic()
        self._deadline = self._begun + timeout_s
        self._received = bytearray()
        self._is_open = True
        self._ended: Ended | None = None
        self._failure: IsolationError | None = None
        self._kills = out_of_memory_kills()

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Those that are worth waiting for."""
        if self.is_over:
            return ()
        return (self.started.data, self.started.exited) if self._is_open else (self.started.exited,)

    @property
    def is_over(self) -> bool:
        """Whether the child has ended, and all it wrote is here."""
        return self._ended is not None

    @property
    def seconds_left(self) -> float:
        """Until `look` has to be called at the latest."""
        return max(0.0, self._deadline - time.monotonic())

    def look(self) -> None:
        """Take in what has come, and do what is due."""
        if self.is_over:
            return
        ended = self.started.reap()
        self._receive()
        self._ended = ended
        if ended is None and time.monotonic() >= self._deadline and self._failure is None:
            self._give_up(
                errors.HungAtExit(self._name, EXIT_PATIENCE_S)
                if self._is_complete
                else errors.TimedOut(self._name, self._timeout_s)
            )

    def cancel(self) -> None:
        """Nobody wants its result any more."""
        if not self.is_over and self._failure is None:
            self._give_up(errors.Cancelled(self._name))

    def close(self) -> None:
        """Give back what is held for the child; one that still runs is killed."""
        self.started.close()

    def message(self) -> Message:
        """
        Return the result, once it is over.

        Raises:
            IsolationError: There is none; which one says why.
        """
        ended = self._ended
        if ended is None:
            raise RuntimeError(f"{self._name} still runs")
        used = ResourceUse(
            cpu_ns=ended.cpu_ns,
            peak_memory_bytes=ended.peak_memory_bytes,
            blocks_read=ended.blocks_read,
            blocks_written=ended.blocks_written,
            wall_ns=round((time.monotonic() - self._begun) * 1e9),
        )
        failure = self._failure or self._told(ended)
        if failure is not None:
            failure.used, failure.pid = used, self.started.child_pid
            raise failure
        return Message(bytes(self._received[child.LENGTH_BYTES + 1 :]), used, self.started.child_pid or 0)

    # -- how

    @property
    def _length(self) -> int | None:
        if len(self._received) < child.LENGTH_BYTES:
            return None
        return int.from_bytes(self._received[: child.LENGTH_BYTES])

    @property
    def _is_complete(self) -> bool:
        return self._length is not None and len(self._received) - child.LENGTH_BYTES >= self._length

    def _receive(self) -> None:
        most = self._most_bytes + child.LENGTH_BYTES + 1 + _ONE_READ
        while self._is_open:
            try:
                part = os.read(self.started.data, _ONE_READ)
            except BlockingIOError:
                return
            if not part:
                self._is_open = False
                return
            was_complete = self._is_complete
            self._received += part
            if len(self._received) > most or (self._length or 0) > most:
                self._is_open = False
                self._give_up(errors.TooLarge(self._name, self._most_bytes))
            elif self._is_complete and not was_complete:
                self._deadline = time.monotonic() + EXIT_PATIENCE_S

    def _give_up(self, failure: IsolationError) -> None:
        self._failure = failure
        self._deadline = time.monotonic() + EXIT_PATIENCE_S
        self.started.kill()

    def _told(self, ended: Ended) -> IsolationError | None:
        """Say what went wrong, by the child's own words, else by how it ended."""
        if not self._is_complete:
            return self._without_a_word(ended)
        kind, text = bytes(self._received[child.LENGTH_BYTES :][:1]), self._received[child.LENGTH_BYTES + 1 :]
        if self._length != len(self._received) - child.LENGTH_BYTES:
            return errors.Garbled(self._name, "more than one message")
        said = bytes(text).decode("utf-8", "replace") if kind not in (child.RETURNED, child.RAISED) else ""
        told: dict[bytes, Any] = {
            child.RETURNED: lambda: None,
            child.RAISED: lambda: _raised(self._name, bytes(text)),
            child.WRONG: lambda: errors.WrongResult(self._name, said),
            child.UNWRITABLE: lambda: errors.NotTransferable(self._name, said),
            child.LARGE: lambda: errors.TooLarge(self._name, self._most_bytes),
            child.LOST: lambda: errors.CannotStart(self._name, said),
        }
        failure: IsolationError | None = told.get(kind, lambda: errors.Garbled(self._name, f"kind {kind!r}"))()
        return failure

    def _without_a_word(self, ended: Ended) -> IsolationError:
        if ended.signal_number is None:
            return errors.Exited(self._name, ended.exit_status or 0)
        if ended.signal_number == signal.SIGKILL and out_of_memory_kills(anew=True) > self._kills:
            return errors.OutOfMemory(self._name)
        return errors.Killed(self._name, ended.signal_number)


def _raised(name: str, text: bytes) -> IsolationError:
    try:
        kind, message, traceback = wire.read(text)
        return errors.CallRaised(name, str(kind), str(message), str(traceback))
    except (wire.Unreadable, TypeError, ValueError) as error:
        return errors.Garbled(name, str(error))
