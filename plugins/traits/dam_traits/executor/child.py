"""
Run a system in a process that is not its world's.

There is no world here: the function or class is imported by its name and called through
plugins of this process's own, those of entry points and those that the parcel names.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import pluggy

from dam_traits import hookspecs
from dam_traits.executor.parcel import Parcel, Reply, pack_reply, unpack_parcel
from dam_traits.invocation import Invocation
from dam_traits.system import Kind, RunIn, System

if TYPE_CHECKING:
    from dam_traits.world import World


def run_parcel(data: bytes) -> bytes:
    """Run what came in bytes, and give what became of it in bytes; whatever the system raises is in there too."""
    reply = Reply()
    name = "a system"
    began_ns = time.thread_time_ns()
    try:
        parcel = unpack_parcel(data)
        name = parcel.name
        _run(parcel, reply)
    except BaseException as error:  # noqa: BLE001 - it is raised where the results are read
        reply.error = error
    reply.cpu_ns = time.thread_time_ns() - began_ns
    return pack_reply(reply, name)


class ChildWorld:
    """What stands for the world where there is none: hooks, and nothing else."""

    def __init__(self, plugins: tuple[str, ...]) -> None:
        self.name = "child"
        self.plugin_manager = pluggy.PluginManager(hookspecs.PROJECT)
        self.plugin_manager.add_hookspecs(hookspecs)
        self.plugin_manager.register(_Call())
        self.plugin_manager.load_setuptools_entrypoints(hookspecs.PROJECT)
        for name in plugins:
            plugin = find(*name.split(":", 1))
            self.plugin_manager.register(plugin() if isinstance(plugin, type) else plugin)


class _Call:
    @hookspecs.hookimpl(trylast=True)
    def dam_traits_execute(self, invocation: Invocation) -> Any:
        return invocation.system.call(**invocation.arguments)


def find(module: str, qualname: str = "") -> Any:
    """Import something by its name."""
    found: Any = importlib.import_module(module)
    for part in filter(None, qualname.split(".")):
        found = getattr(found, part)
    return found


def _run(parcel: Parcel, reply: Reply) -> None:
    invocation = _make_invocation(parcel)
    hook = invocation.world.plugin_manager.hook
    managers = [each for each in hook.dam_traits_resume(carried=parcel.carried) if each is not None]
    try:
        with ExitStack() as stack:
            for manager in managers:
                stack.enter_context(manager)
            try:
                _collect(invocation.execute(), parcel.kind, reply.results)
            except BaseException as error:
                reply.error = error  # also if a manager keeps it to itself
                raise
    finally:
        reply.brought = [brought for each in managers if isinstance(brought := getattr(each, "brought", None), bytes)]


def _collect(given: Any, kind: Kind, results: list[Any]) -> None:
    if kind is Kind.GENERATOR:
        for item in given:
            results.append(item)  # noqa: PERF402 - those before an error are kept
    elif kind is Kind.ASYNC_GENERATOR:
        asyncio.run(_collect_async(given, results))
    elif kind is Kind.COROUTINE:
        results.append(asyncio.run(given))
    else:
        results.append(given)


async def _collect_async(given: Any, results: list[Any]) -> None:
    async for item in given:
        results.append(item)  # noqa: PERF401 - those before an error are kept


def _make_invocation(parcel: Parcel) -> Invocation:
    target = find(parcel.module, parcel.qualname)
    system = System(
        name=parcel.name,
        target=target,
        call=_instance(target) if isinstance(target, type) else target,
        kind=parcel.kind,
        run_in=RunIn.PROCESS,
        command=type(parcel.command),
        bind=lambda invocation: invocation.arguments,
    )
    return Invocation(
        world=cast("World", _world(parcel.plugins)),
        system=system,
        command=parcel.command,
        arguments=dict.fromkeys(parcel.parameters, parcel.command),
    )


@functools.cache
def _world(plugins: tuple[str, ...]) -> ChildWorld:
    return ChildWorld(plugins)


@functools.cache
def _instance(target: type) -> Any:
    return target()
