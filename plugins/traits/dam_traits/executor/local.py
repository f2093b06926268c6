"""
`LocalExecutor`: systems on this machine, each in the place that it asks for.

Coroutines and async generators run on the event loop, in the task of whoever reads the
results. Other functions and generators run in threads, with the context variables of the
reader. What computes may ask for a process: those are `processes`' business.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dam_traits.errors import InvalidSystem
from dam_traits.executor.base import SystemExecutor
from dam_traits.executor.pulling import pull
from dam_traits.executor.threads import DEFAULT_LIMIT, Threads
from dam_traits.system import Kind, RunIn

if TYPE_CHECKING:
    from dam_traits.executor.processes import Processes
    from dam_traits.invocation import Invocation
    from dam_traits.system import System


class LocalExecutor(SystemExecutor):
    """Runs systems on this machine. Threads and processes are made when the first system needs one."""

    def __init__(
        self,
        *,
        threads: int = DEFAULT_LIMIT,
        processes: int | None = None,
        retries: int = 0,
        plugins: Sequence[str] = (),
    ) -> None:
        """
        Make an executor.

        Args:
            threads: How many threads may work at a time; one that waits for another system does not count.
            processes: How many processes may; `None`: one for each CPU that this process may use.
            retries: How often a system whose process was lost is run again. Only where that does no harm: it may have
                done a part of its work, or all of it.
            plugins: Plugins in the processes besides those of entry points, ``package.module`` or
                ``package.module:attribute``; those that were added to a world here are not there.
        """
        self._threads = Threads(threads)
        self._process_limit = processes
        self._retries = retries
        self._plugins = tuple(plugins)
        self._processes: Processes | None = None

    def check(self, system: System) -> None:
        """Refuse what is async and not for the loop, and what is for a process that could not import it."""
        if (system.kind, system.run_in) not in _WAYS:
            raise InvalidSystem(system.name, f"gives {system.kind.value}, which cannot run in a {system.run_in.value}")
        if system.run_in is RunIn.PROCESS:
            from dam_traits.executor.remote import check_importable

            check_importable(system)

    def run(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        """Run an invocation where its system says."""
        system = invocation.system
        return _WAYS[system.kind, system.run_in](self, invocation)

    async def aclose(self) -> None:
        """Wait for what runs in threads and processes, and end them."""
        processes, self._processes = self._processes, None
        try:
            await self._threads.aclose()
        finally:
            if processes is not None:
                await processes.aclose()

    async def _coroutine(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        yield await execute(invocation)

    async def _async_generator(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        source = execute(invocation)
        try:
            item = await anext(source)
            while True:
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as thrown:  # noqa: BLE001 - it is thrown on into the system
                    item = await source.athrow(thrown)
                else:
                    item = await source.asend(sent)
        except StopAsyncIteration:
            return
        finally:
            await source.aclose()

    async def _function_on_loop(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        yield execute(invocation)

    async def _generator_on_loop(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        source = execute(invocation)
        try:
            for item in source:
                yield item
        finally:
            source.close()

    async def _function_in_thread(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        context = contextvars.copy_context()
        yield await self._threads.run(partial(context.run, _measured, invocation, partial(execute, invocation)))

    def _generator_in_thread(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        return pull(self._threads, partial(execute, invocation), partial(_measured, invocation))

    def _in_process(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        from dam_traits.executor.remote import results_of

        return results_of(invocation, self._plugins, self._send_to_process)

    async def _send_to_process(self, name: str, parcel: bytes) -> bytes:
        if self._processes is None:
            from dam_traits.executor.processes import Processes

            self._processes = Processes(self._process_limit, retries=self._retries)
        return await self._processes.run(name, parcel)


def execute(invocation: Invocation) -> Any:
    """Have the system called, here and now."""
    return invocation.execute()


def _measured(invocation: Invocation, function: Callable[[], Any]) -> Any:
    """Call a function, and add its CPU time to the invocation's."""
    began_ns = time.thread_time_ns()
    try:
        return function()
    finally:
        invocation.cpu_ns = (invocation.cpu_ns or 0) + time.thread_time_ns() - began_ns


_WAYS: dict[tuple[Kind, RunIn], Callable[[LocalExecutor, Invocation], AsyncGenerator[Any, None]]] = {
    (Kind.COROUTINE, RunIn.LOOP): LocalExecutor._coroutine,
    (Kind.ASYNC_GENERATOR, RunIn.LOOP): LocalExecutor._async_generator,
    (Kind.FUNCTION, RunIn.LOOP): LocalExecutor._function_on_loop,
    (Kind.GENERATOR, RunIn.LOOP): LocalExecutor._generator_on_loop,
    (Kind.FUNCTION, RunIn.THREAD): LocalExecutor._function_in_thread,
    (Kind.GENERATOR, RunIn.THREAD): LocalExecutor._generator_in_thread,
    (Kind.FUNCTION, RunIn.PROCESS): LocalExecutor._in_process,
    (Kind.GENERATOR, RunIn.PROCESS): LocalExecutor._in_process,
}
"""Each pair of kind and place that can run here, and how."""
