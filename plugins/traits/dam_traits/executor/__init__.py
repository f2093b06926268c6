"""Where systems run: on this machine, or on others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam_traits.errors import shown
from dam_traits.executor.base import SystemExecutor
from dam_traits.executor.errors import NotSendable, RemoteFailure, RemoteTraceback, UnknownExecutor, WorkerLost
from dam_traits.executor.local import LocalExecutor
from dam_traits.executor.threads import thread_waits

if TYPE_CHECKING:
    from dam_traits.world import World

__all__ = [
    "LocalExecutor",
    "NotSendable",
    "RemoteFailure",
    "RemoteTraceback",
    "SystemExecutor",
    "UnknownExecutor",
    "WorkerLost",
    "make_executor",
    "thread_waits",
]


def make_executor(world: World, name: str) -> SystemExecutor:
    """
    Make the executor that a world was asked for by name: ``"local"``.

    Raises:
        UnknownExecutor: There is none of that name.
    """
    if name == "local":
        return LocalExecutor()
    raise UnknownExecutor(shown(name))
