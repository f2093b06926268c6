"""
What goes to another process and what comes back, as bytes.

Everything is pickled here, on both sides and once, so that something that cannot be is an
error that says so, and never one that breaks whatever carries the bytes.
"""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dam_traits.executor.errors import NotSendable, RemoteFailure, RemoteTraceback
from dam_traits.executor.pickling import dumps, dumps_error, loads
from dam_traits.system import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A system to be run somewhere else, and all that it gets."""

    name: str
    """The system's, for errors."""

    module: str
    """Where its function or class is imported from."""

    qualname: str

    kind: Kind

    command: Any

    parameters: tuple[str, ...]
    """Those that take the command."""

    carried: dict[str, str]
    """What ``dam_traits_carry`` gave."""

    plugins: tuple[str, ...]
    """Plugins there, besides those of entry points: ``package.module`` or ``package.module:attribute``."""


@dataclass(slots=True, kw_only=True)
class Reply:
    """What became of it."""

    results: list[Any] = field(default_factory=list)
    """What it gave, up to an error."""

    error: BaseException | None = None

    cpu_ns: int = 0

    brought: list[bytes] = field(default_factory=list)
    """For ``dam_traits_bring``."""


def pack_parcel(parcel: Parcel) -> bytes:
    """
    Make bytes of a parcel.

    Raises:
        NotSendable: Its command cannot be pickled.
    """
    try:
        contents = dumps(parcel)
    except Exception as error:  # pickling calls others' code
        raise NotSendable(parcel.name, f"its {type(parcel.command).__name__}", str(error)) from error
    return dumps((parcel.name, contents))


def unpack_parcel(data: bytes) -> Parcel:
    """
    Make a parcel of bytes.

    Raises:
        NotSendable: What came cannot be made here.
    """
    name, contents = loads(data)
    try:
        parcel: Parcel = loads(contents)
    except Exception as error:  # the same
        raise NotSendable(name, "its command", str(error)) from error
    return parcel


def pack_reply(reply: Reply, name: str) -> bytes:
    """Make bytes of a reply; results that cannot be pickled become an error that says so."""
    try:
        results, error = dumps(reply.results), reply.error
    except Exception as problem:  # noqa: BLE001 - the same; the reader is told
        results, error = dumps([]), reply.error or NotSendable(name, "what it gave", str(problem))
    return dumps((results, None if error is None else _pack_error(error), reply.cpu_ns, reply.brought))


def unpack_reply(data: bytes, name: str) -> Reply:
    """
    Make a reply of bytes.

    Raises:
        NotSendable: What the system gave cannot be made here of what came.
    """
    packed, error, cpu_ns, brought = loads(data)
    try:
        results = loads(packed)
    except Exception as failure:  # the same
        raise NotSendable(name, "what it gave", str(failure)) from failure
    return Reply(results=results, error=None if error is None else _unpack_error(error), cpu_ns=cpu_ns, brought=brought)


@dataclass(frozen=True, slots=True)
class _PackedError:
    error: bytes | None
    name: str
    message: str
    traceback: str


def _pack_error(error: BaseException) -> _PackedError:
    kind = type(error)
    return _PackedError(
        error=dumps_error(error),
        name=f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."),
        message=_text(error),
        traceback="".join(traceback.format_exception(error)),
    )


def _unpack_error(packed: _PackedError) -> BaseException:
    error: BaseException = RemoteFailure(packed.name, packed.message)
    if packed.error is not None:
        with suppress(Exception):  # others' classes, which may be other ones here
            error = loads(packed.error)
    error.__cause__ = RemoteTraceback(packed.traceback)
    return error


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error's text is others' code
        return "its text cannot be had"
