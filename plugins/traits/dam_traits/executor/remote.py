"""
Send an invocation to another process and take in what became of it: what processes and Dask share.

Which bytes these are is `parcel`'s business, and what happens to them there `child`'s.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from dam_traits.errors import InvalidSystem
from dam_traits.executor.child import find
from dam_traits.executor.parcel import Parcel, pack_parcel, unpack_reply

if TYPE_CHECKING:
    from dam_traits.invocation import Invocation
    from dam_traits.system import System


def check_importable(system: System) -> None:
    """
    Refuse a system that another process could not import.

    Raises:
        InvalidSystem: It says why not, and what to do.
    """
    problem = why_not_importable(system)
    if problem is not None:
        raise InvalidSystem(system.name, f"cannot run in another process: {problem}")


def why_not_importable(system: System) -> str | None:
    """Say why another process could not import a system's function or class by its name; `None`: it could."""
    module, qualname = _address(system)
    if module == "__main__":
        return "it is defined in __main__, which no other process imports by that name; move it to a module"
    if "<" in qualname:
        return f"{qualname} is no name that can be imported; define it at the top of its module"
    try:
        found = find(module, qualname)
    except (ImportError, AttributeError) as error:
        return f"{module}:{qualname} cannot be imported ({error}); define it at the top of its module"
    if found is not system.target:
        return f"{module}:{qualname} is something else by now; register what is there, or give this a name of its own"
    return None


def needs_only_its_command(system: System, arguments: Mapping[str, Any], command: Any) -> bool:
    """Say whether a system takes nothing else, nor its class's ``__init__`` anything: it can do without its world."""
    if any(each is not command for each in arguments.values()):
        return False
    if not isinstance(system.target, type):
        return True
    init = system.target.__init__  # type: ignore[misc] # of this very class, read only
    return not inspect.isfunction(init) or len(inspect.signature(init).parameters) == 1


def pack(invocation: Invocation, plugins: tuple[str, ...]) -> bytes:
    """
    Make bytes of an invocation, with what its trace needs to go on.

    Raises:
        NotSendable: Its command cannot be pickled.
    """
    system = invocation.system
    module, qualname = _address(system)
    carried: dict[str, str] = {}
    for answer in invocation.world.plugin_manager.hook.dam_traits_carry():
        carried.update(answer or {})
    return pack_parcel(
        Parcel(
            name=system.name,
            module=module,
            qualname=qualname,
            kind=system.kind,
            command=invocation.command,
            parameters=tuple(invocation.arguments),
            carried=carried,
            plugins=plugins,
        )
    )


async def results_of(
    invocation: Invocation, plugins: tuple[str, ...], send: Callable[[str, bytes], Awaitable[bytes]]
) -> AsyncGenerator[Any, None]:
    """
    Have a system run elsewhere; give what it gave there, and raise what it raised.

    Args:
        invocation: What is run.
        plugins: Those that are to be there, by name.
        send: Takes the system's name and the parcel, and gives the reply.
    """
    name = invocation.system.name
    reply = unpack_reply(await send(name, pack(invocation, plugins)), name)
    invocation.cpu_ns = reply.cpu_ns
    for brought in reply.brought:
        invocation.world.plugin_manager.hook.dam_traits_bring(brought=brought)
    for result in reply.results:
        yield result
    if reply.error is not None:
        raise reply.error


def _address(system: System) -> tuple[str, str]:
    return system.target.__module__, system.target.__qualname__
