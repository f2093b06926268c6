"""What the runtime does by itself: a plugin that is asked last."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any

from dam_entities.hookspecs import hookimpl
from dam_entities.isolation import run
from dam_entities.references import Resolved, resolve
from dam_entities.runtime import Runtime
from dam_entities.touched import Known
from dam_entities.tracing import WRAP, Tracing
from dam_entities.values import (
    Call,
    ChildEnded,
    Executed,
    Forked,
    Forking,
    Isolated,
    Isolating,
    Merged,
    Merging,
    Registered,
    Registering,
    Resolving,
)

_log = logging.getLogger("dam_entities")


@hookimpl(trylast=True)
def dam_entities_register(runtime: Runtime, registering: Registering) -> Registered:
    """Keep them in the runtime's store."""
    looking = runtime.store.register_all(registering.entities)
    return Registered(
        created=tuple(Known(looked.version.ecs_id, looked.path) for looked in looking.created),
        forked=tuple(Known(looked.version.ecs_id, looked.path) for looked in looking.forked),
    )


@hookimpl(trylast=True)
def dam_entities_fork(runtime: Runtime, forking: Forking) -> Forked:
    """Set the values on the live entity, and keep it."""
    runtime.store.register(forking.entity)
    before = forking.entity.ecs_id
    runtime.store.fork(forking.entity, **forking.changes)
    return Forked(before, forking.entity.ecs_id)


@hookimpl(trylast=True)
def dam_entities_resolve(runtime: Runtime, resolving: Resolving) -> Resolved:
    """Look them up in the state that is given."""
    return resolve(resolving.data, resolving.state)


@hookimpl(trylast=True)
def dam_entities_execute(runtime: Runtime, call: Call) -> Executed | Awaitable[Executed] | Any:
    """Resolve, validate, run."""
    resolved = runtime.resolve(call.data)
    args, named = call.entry.signature.arguments(resolved)
    function = WRAP[call.entry.kind](call.entry.function, lambda: Tracing(runtime, call.touched))
    if call.entry.kind == "function":
        with runtime.active():
            return Executed(function(*args, **named), call.touched)
    if call.entry.kind == "coroutine function":
        return _awaited(runtime, call, function(*args, **named))
    return function(*args, **named)


async def _awaited(runtime: Runtime, call: Call, running: Awaitable[Any]) -> Executed:
    with runtime.active():
        return Executed(await running, call.touched)


@hookimpl(trylast=True)
def dam_entities_isolate(runtime: Runtime, isolating: Isolating) -> Isolated | Awaitable[Isolated]:
    """Fork where that is safe, else have a clean process fork."""
    return run.arun(runtime, isolating) if isolating.is_async else run.run(runtime, isolating)


@hookimpl(trylast=True)
def dam_entities_child_ended(runtime: Runtime, ended: ChildEnded) -> None:
    """Note it in the program's log, at level debug."""
    _log.debug("%s in process %s (%s): %s, used %s", ended.name, ended.pid, ended.isolation, ended.outcome, ended.used)


@hookimpl(trylast=True)
def dam_entities_merge(runtime: Runtime, merging: Merging) -> Merged:
    """Add those that the store does not have."""
    new = tuple(version.ecs_id for version in merging.versions if version.ecs_id not in runtime.store)
    runtime.store.add(merging.versions)
    return Merged(new)
