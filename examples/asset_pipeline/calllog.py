"""
The pipeline's own log of who called whom: one JSON line for each run of a system.

Callers are handed from command to command, in the open, so the log is right whatever
thread or task a system ran in. It says what an observer from outside should find.

`Logged` is what keeps it: a plugin of the world, around each call of a system.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Generator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from dam_traits import hookimpl
from dam_traits.invocation import Invocation
from dam_traits.system import Kind

from asset_pipeline.commands import Command
from asset_pipeline.results import Verdict

OK, RAISED, REFUSED = "ok", "raised", "refused"


@dataclasses.dataclass
class Call:
    """One run of a system, while it lasts."""

    call_id: str
    caller: str | None
    """The call that dispatched it; `None` if no system did."""
    system: str
    """Its class, as ``module:qualname``."""
    command: str
    fields: dict[str, Any]
    status: str = OK
    error: str | None = None
    """The class of what it raised."""
    items: int | None = None
    """How many items a stream gave."""
    exhausted: bool | None = None
    """Whether a stream was read to its end."""
    pid: int = dataclasses.field(default_factory=os.getpid)
    thread_id: int = dataclasses.field(default_factory=threading.get_native_id)
    start_ns: int = dataclasses.field(default_factory=time.monotonic_ns)
    end_ns: int = 0

    def returned(self, result: object) -> None:
        """Take the status from what the system returned."""
        if isinstance(result, Verdict) and not result.allowed:
            self.status = REFUSED


class CallLog:
    """Writes calls to a file as they end, and counts them. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[tuple[str, str]] = Counter()
        """How often each system (the name of its class) ended with each status."""
        self.seconds: Counter[str] = Counter()
        """How long each system ran in all."""
        self.most_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._file: TextIO = path.open("w", encoding="utf-8")

    def __enter__(self) -> CallLog:
        """Return the log."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._file.close()

    @contextmanager
    def call(self, system: str, command: Command[Any]) -> Iterator[Call]:
        """Log what happens inside as one run of `system`, in the thread it happens in."""
        call = Call(
            call_id=command.call_id,
            caller=command.caller,
            system=system,
            command=type(command).__name__,
            fields=dataclasses.asdict(command),
        )
        self._begin()
        try:
            yield call
        except GeneratorExit:
            raise  # a consumer has stopped early, which is no failure
        except BaseException as error:
            call.status, call.error = RAISED, type(error).__name__
            raise
        finally:
            call.end_ns = time.monotonic_ns()
            self._end(system.rpartition(":")[2], call)

    def _begin(self) -> None:
        with self._lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)

    def _end(self, name: str, call: Call) -> None:
        line = json.dumps(dataclasses.asdict(call), default=str)
        with self._lock:
            self._in_flight -= 1
            self.counts[name, call.status] += 1
            self.seconds[name] += (call.end_ns - call.start_ns) / 1e9  # type: ignore[assignment]
            self._file.write(line + "\n")


class Logged:
    """A plugin that puts each run of a system into a log."""

    def __init__(self, log: CallLog) -> None:
        self._log = log

    @hookimpl(wrapper=True)
    def dam_traits_execute(self, invocation: Invocation) -> Generator[None, Any, Any]:
        """Log a function while it is called, and anything else while it runs."""
        system, command = invocation.system, invocation.command
        if system.kind is Kind.FUNCTION:
            with self._log.call(system.name, command) as call:
                result = yield
                call.returned(result)
                return result
        given = yield
        log_run = self._coroutine if system.kind is Kind.COROUTINE else self._stream
        return log_run(given, system.name, command)

    async def _coroutine(self, given: Coroutine[Any, Any, Any], system: str, command: Command[Any]) -> Any:
        with self._log.call(system, command) as call:
            result = await given
            call.returned(result)
            return result

    async def _stream(
        self, given: AsyncGenerator[Any, None], system: str, command: Command[Any]
    ) -> AsyncGenerator[Any, None]:
        with self._log.call(system, command) as call:
            call.items, call.exhausted = 0, False
            async with aclosing(given):
                async for item in given:
                    call.items += 1
                    yield item
            call.exhausted = True
