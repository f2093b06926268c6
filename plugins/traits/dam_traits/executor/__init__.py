"""Where systems run: on this machine, or on others."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from dam_traits.errors import shown
from dam_traits.executor.base import SystemExecutor
from dam_traits.executor.errors import (
    MissingExtra,
    NotSendable,
    RemoteFailure,
    RemoteTraceback,
    UnknownExecutor,
    WorkerLost,
)
from dam_traits.executor.local import LocalExecutor
from dam_traits.executor.threads import thread_waits

if TYPE_CHECKING:
    from dam_traits.world import World

__all__ = [
    "LocalExecutor",
    "MissingExtra",
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
    Make the executor that a world was asked for by name: ``"local"`` or ``"dask"``.

    Raises:
        UnknownExecutor: There is none of that name.
        MissingExtra: There is, but not what it needs.
    """
    if name == "local":
        return LocalExecutor()
    if name == "dask":
        if find_spec("distributed") is None:
            raise MissingExtra(name, "distributed", "dask")
        from dam_traits.executor.dask import DaskExecutor

        return DaskExecutor()
    raise UnknownExecutor(shown(name))
