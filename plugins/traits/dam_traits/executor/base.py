"""
`SystemExecutor`: where and how a selected system runs. The promise that each executor keeps.

Which system runs, and when, was decided before; pools are held already. An executor only
brings the invocation to its place (the event loop, a thread, a process, another machine),
calls the hook ``dam_traits_execute`` there, and brings back what comes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dam_traits.invocation import Invocation
    from dam_traits.system import System


class SystemExecutor(ABC):
    """Runs systems. Made for one world, used on its event loop, closed with it."""

    def check(self, system: System) -> None:  # noqa: B027 - most executors take every system
        """
        Say at registration whether this executor can run `system`.

        Raises:
            InvalidSystem: It never could: what it must be given cannot leave the process, for one.
        """

    @abstractmethod
    def run(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        """
        Run an invocation and yield each of its results, as they come.

        A system that returns has one result, what it returned; a generator or an async
        generator has one for each item. What the system raises comes out as it is, the
        same object. Nothing runs before the first result is asked for. Closing the
        generator ends the system's run where that is possible (a coroutine is cancelled,
        a generator closed, a process's work dropped; a function that runs in a thread
        cannot be stopped and is left to end, and `aclose` waits for it, since it still
        uses what its pools stand for).
        """

    async def aclose(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of threads, processes and connections; what still runs is waited for."""
