"""
Files opened, peers connected to and processes started by an execution, from Python's audit events.

An audit hook cannot be taken back, so it is installed once, the first time that a process
is measured, and does nothing but one comparison while measuring is off. It never raises:
an exception out of an audit hook would stop the host's own call.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Final

from dam_obs.trace import faults, meter
from dam_obs.trace.span import current_span

_GUARD = faults.guard("audit")
_IGNORED_ENDINGS: Final = (".py", ".pyc", ".pyi", ".so", ".pyd")
_IGNORED_STARTS: Final = ("/proc/", "/sys/", "/dev/")
_installed = False


def install() -> None:
    """Begin to listen."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_hear)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    # At the very end of the interpreter, modules are emptied one after the other and events still come.
    if meter is None or not meter.measuring or _NOTES is None:
        return
    note = _NOTES.get(event)
    if note is None:
        return
    with _GUARD:
        span = current_span()
        if span is not None and span.meter is not None and not span.end_ns:
            note(span.meter, args)


def _opened(to: meter.Meter, args: tuple[Any, ...]) -> None:
    path, mode, flags = args
    if isinstance(path, int):
        return
    name = os.path.abspath(os.fsdecode(path))
    if name.endswith(_IGNORED_ENDINGS) or name.startswith(_IGNORED_STARTS):
        return
    access = (flags or 0) & os.O_ACCMODE
    writes = access in (os.O_WRONLY, os.O_RDWR) or (isinstance(mode, str) and any(sign in mode for sign in "wax+"))
    to.touch("files_written" if writes else "files_read", name)
    if access == os.O_RDWR or (isinstance(mode, str) and "+" in mode):
        to.touch("files_read", name)


def _connected(to: meter.Meter, args: tuple[Any, ...]) -> None:
    _, address = args
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[:2]
        to.touch("peers", f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}")
    elif isinstance(address, str | bytes) and address:
        to.touch("peers", f"unix:{os.fsdecode(address)}")


def _started(to: meter.Meter, args: tuple[Any, ...]) -> None:
    program = args[0]
    if program is None and len(args) > 1 and args[1]:
        program = args[1][0] if isinstance(args[1], list | tuple) else args[1]
    # The program's name alone: arguments are not collected.
    to.touch("processes", os.path.basename(os.fsdecode(program)))


def _shelled(to: meter.Meter, args: tuple[Any, ...]) -> None:
    to.touch("processes", "sh")


_NOTES: Final[dict[str, Callable[[meter.Meter, tuple[Any, ...]], None]]] = {
    "open": _opened,
    "socket.connect": _connected,
    "subprocess.Popen": _started,
    "os.posix_spawn": _started,
    "os.system": _shelled,
}
