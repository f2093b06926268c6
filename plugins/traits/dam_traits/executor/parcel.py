"""
What goes to another process and what comes back, as bytes.

Everything is pickled here, on both sides and once, so that something that cannot be is an
error that says so, and never one that breaks whatever carries the bytes. An error crosses
even where its class cannot be pickled the plain way, which is common: a class whose
``__init__`` takes other arguments than it hands on to its base.
"""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass, field
from typing import Any

from dam_traits.executor.errors import NotSendable, RemoteFailure, RemoteTraceback
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
        return pickle.dumps(parcel, _PROTOCOL)
    except Exception as error:  # pickling calls other people's code
        raise NotSendable(parcel.name, f"its {type(parcel.command).__name__}", str(error)) from error


def unpack_parcel(data: bytes) -> Parcel:
    """Make a parcel of bytes of ours."""
    parcel: Parcel = pickle.loads(data)  # noqa: S301 - from the process that started this one, or its cluster
    return parcel


def pack_reply(reply: Reply, name: str) -> bytes:
    """Make bytes of a reply; results that cannot be pickled become an error that says so."""
    results, error = _pack_results(reply.results, name)
    failure = reply.error or error
    packed = (results, None if failure is None else _pack_error(failure), reply.cpu_ns, reply.brought)
    return pickle.dumps(packed, _PROTOCOL)


def unpack_reply(data: bytes, name: str) -> Reply:
    """
    Make a reply of bytes.

    Raises:
        NotSendable: A result cannot be made here of what came.
    """
    results, error, cpu_ns, brought = pickle.loads(data)  # noqa: S301 - from a process that we started, or our cluster
    try:
        given = pickle.loads(results)  # noqa: S301 - the same
    except Exception as failure:
        raise NotSendable(name, "what it gave", str(failure)) from failure
    return Reply(results=given, error=None if error is None else _unpack_error(error), cpu_ns=cpu_ns, brought=brought)


@dataclass(frozen=True, slots=True)
class _PackedError:
    whole: bytes | None
    """The pickled error."""
    parts: bytes | None
    """Its class, its arguments and its attributes, where it cannot be pickled as a whole."""
    name: str
    message: str
    traceback: str


def _pack_results(results: list[Any], name: str) -> tuple[bytes, NotSendable | None]:
    try:
        return pickle.dumps(results, _PROTOCOL), None
    except Exception as problem:  # noqa: BLE001 - pickling calls other people's code; the reader is told
        return pickle.dumps([], _PROTOCOL), NotSendable(name, "what it gave", str(problem))


def _pack_error(error: BaseException) -> _PackedError:
    kind = type(error)
    whole = _tried(error, kind)
    parts = None if whole else _tried(_Parts(kind, error.args, error.__dict__), kind)
    return _PackedError(
        whole=whole,
        parts=parts,
        name=f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."),
        message=_text(error),
        traceback="".join(traceback.format_exception(error)),
    )


def _unpack_error(packed: _PackedError) -> BaseException:
    error = _unpacked(packed.whole) or _unpacked(packed.parts) or RemoteFailure(packed.name, packed.message)
    error.__cause__ = RemoteTraceback(packed.traceback)
    return error


class _Parts:
    """An error in parts, put together without its class's ``__init__``."""

    def __init__(self, kind: type[BaseException], arguments: tuple[Any, ...], attributes: dict[str, Any]) -> None:
        self.kind = kind
        self.arguments = arguments
        self.attributes = attributes

    def whole(self) -> BaseException:
        error = self.kind.__new__(self.kind, *self.arguments)
        error.__dict__.update(self.attributes)
        return error


def _tried(value: object, kind: type[BaseException]) -> bytes | None:
    """Pickle an error or its parts, if an error like it can be made of that again."""
    try:
        data = pickle.dumps(value, _PROTOCOL)
    except Exception:  # noqa: BLE001 - pickling calls other people's code; there is a next way to bring the error
        return None
    return data if type(_unpacked(data)) is kind else None


def _unpacked(data: bytes | None) -> BaseException | None:
    if data is None:
        return None
    try:
        value = pickle.loads(data)  # noqa: S301 - from a process that we started, or our cluster
        return value.whole() if isinstance(value, _Parts) else value
    except Exception:  # noqa: BLE001 - other people's classes; there is a next way to bring the error
        return None


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error's text is other people's code
        return "its text cannot be had"


_PROTOCOL = pickle.HIGHEST_PROTOCOL
