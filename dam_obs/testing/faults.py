"""
Inject faults: what an observed program must never notice, to try on your own plugin or host.

    def test_my_sink_leaves_the_program_alone(tmp_path):
        with full_disk(tmp_path / "disk", free_bytes=4096) as disk:
            ...

Disks that are full, collectors that do not answer, plugins that raise or stall, objects
that should not be looked at. Nothing here belongs into a program that does real work.
"""

from __future__ import annotations

import inspect
import os
import resource
import socket
import subprocess
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from dam_obs import hookspecs
from dam_obs.errors import DamObsError
from dam_obs.trace.events import FinishedSpan

HOST_HOOKS: Final = (
    "dam_obs_trace_points",
    "dam_obs_sinks",
    "dam_obs_event",
    "dam_obs_redact",
    "dam_obs_features",
)
"""The hooks that are called inside an observed program."""

# -- disks


class CannotMount(DamObsError):
    """A small disk cannot be made here."""

    def __init__(self, path: Path, says: str) -> None:
        super().__init__(f"a small disk cannot be mounted on {path} ({says}): run as root, or use file_size_limit()")
        self.path = path


@contextmanager
def full_disk(path: Path, free_bytes: int = 0, size_bytes: int = 1024 * 1024) -> Iterator[Path]:
    """
    Mount a small disk on `path` and fill it.

    Args:
        path: A folder; it is made.
        free_bytes: How much still fits, in whole pages.
        size_bytes: How large the disk is.

    Yields:
        The folder. Its file ``ballast`` can be deleted to make room.

    Raises:
        CannotMount: this process may not mount.
    """
    with _mounted(path, f"size={size_bytes},mode=0777"):
        (path / "ballast").write_bytes(bytes(max(0, size_bytes - free_bytes)))
        yield path


@contextmanager
def read_only_folder(path: Path) -> Iterator[Path]:
    """
    Let nobody write into `path`, not even root.

    Raises:
        CannotMount: this process is root's, whom no mode stops, and may not mount.
    """
    if os.geteuid() == 0:
        with _mounted(path, "size=64k,ro"):
            yield path
        return
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o500)
    try:
        yield path
    finally:
        path.chmod(0o700)


@contextmanager
def _mounted(path: Path, options: str) -> Iterator[None]:
    path.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if mounted.returncode != 0:
        raise CannotMount(path, mounted.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)  # noqa: S603, S607


@contextmanager
def file_size_limit(most_bytes: int) -> Iterator[None]:
    """Let no file of this process, and of those it starts, become larger: a full disk that needs no rights."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


# -- plugins and sinks


def raising_plugin(*hooks: str, error: BaseException | None = None) -> object:
    """
    Make a plugin that raises in some hooks.

    Args:
        *hooks: Names of hooks; none: all of `HOST_HOOKS`.
        error: What it raises; default: `RuntimeError`.
    """

    def fail() -> None:
        # The same error raised again and again would gather a longer traceback each time.
        raise RuntimeError("a plugin that always fails") if error is None else error.with_traceback(None)

    return _plugin(hooks, fail)


def stalling_plugin(*hooks: str, until: threading.Event | None = None, seconds: float = 3600) -> object:
    """
    Make a plugin that does not come back from some hooks.

    Args:
        *hooks: Names of hooks; none: all of `HOST_HOOKS`.
        until: Set it, and the plugin comes back.
        seconds: How long it takes at most.
    """
    go = until or threading.Event()

    def stall() -> None:
        go.wait(seconds)

    return _plugin(hooks, stall)


def _plugin(hooks: Sequence[str], do: Callable[[], None]) -> object:
    members = {name: _implementation(name, do) for name in hooks or HOST_HOOKS}
    return type("MisbehavingPlugin", (), members)()


def _implementation(hook: str, do: Callable[[], None]) -> Any:
    def implementation(*_: object) -> None:
        do()

    implementation.__name__ = hook
    given: Any = implementation
    given.__signature__ = inspect.signature(getattr(hookspecs, hook))
    return staticmethod(hookspecs.hookimpl(given))


def install_plugin(folder: Path, name: str, source: str) -> Path:
    """
    Install a plugin as pip would, into a folder that is then put on ``PYTHONPATH``.

    Args:
        folder: The site folder; it is made.
        name: The plugin's name, and its distribution's.
        source: The module. Its ``plugin`` is the plugin, or the module itself if it has none.
    """
    module = f"{name}_module"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (about / "RECORD").write_text("", encoding="utf-8")
    target = f"{module}:plugin" if "plugin = " in source else module
    (about / "entry_points.txt").write_text(f"[dam_obs]\n{name} = {target}\n", encoding="utf-8")
    return folder


class StalledSink:
    """A sink that takes nothing until it is let go; what it was given then is in `taken`."""

    def __init__(self) -> None:
        self.go = threading.Event()
        """Set it to let the sink go on."""
        self.reached = threading.Event()
        """Set once the sink was called."""
        self.taken: list[FinishedSpan] = []

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Stall, then take."""
        self.reached.set()
        self.go.wait()
        self.taken.extend(batch)

    def flush(self, timeout: float) -> None:
        """Stall, whatever the time-out."""
        self.go.wait()

    def close(self, timeout: float) -> None:
        """Stall, whatever the time-out."""
        self.go.wait()


def stalled_sink() -> StalledSink:
    """Make a sink that takes nothing until its `go` is set."""
    return StalledSink()


# -- collectors

Trouble = Literal["refuses", "silent", "unavailable", "slow", "hangs up"]
_UNAVAILABLE: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_FINE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Collector:
    """A collector that is of no use."""

    endpoint: str
    """For ``OTEL_EXPORTER_OTLP_ENDPOINT``."""

    connections: list[float]
    """One entry for each connection that was made."""


@contextmanager
def dead_collector(trouble: Trouble = "silent", delay_seconds: float = 0.5) -> Iterator[Collector]:
    """
    Listen on a loopback port as a collector in trouble would.

    Args:
        trouble: ``refuses`` connections, is ``silent`` for ever, is ``unavailable`` (503), is ``slow`` but well, or
            ``hangs up``.
        delay_seconds: How slow.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        connections: list[float] = []
        collector = Collector(f"http://127.0.0.1:{server.getsockname()[1]}", connections)
        if trouble == "refuses":
            server.close()
            yield collector
            return
        over = threading.Event()
        arguments = (server, connections, over, trouble, delay_seconds)
        threading.Thread(target=_listen, args=arguments, daemon=True).start()
        try:
            yield collector
        finally:
            over.set()
            _wake(server)


def _listen(
    server: socket.socket, connections: list[float], over: threading.Event, trouble: Trouble, delay: float
) -> None:
    kept: list[socket.socket] = []  # or the garbage collector would hang up
    while not over.is_set():
        try:
            connection, _ = server.accept()
        except OSError:
            break
        connections.append(delay)
        kept.append(connection)
        if trouble != "silent":
            threading.Thread(target=_answer, args=(connection, over, trouble, delay), daemon=True).start()
    for connection in kept:
        connection.close()


def _answer(connection: socket.socket, over: threading.Event, trouble: Trouble, delay: float) -> None:
    with connection:
        try:
            connection.recv(1 << 20)
            if trouble == "slow":
                over.wait(delay)
            if trouble != "hangs up":
                connection.sendall(_UNAVAILABLE if trouble == "unavailable" else _FINE)
        except OSError:
            return  # who asked has gone


def _wake(server: socket.socket) -> None:
    """Let a thread that waits in ``accept`` see that it is over."""
    try:
        socket.create_connection(server.getsockname(), timeout=1).close()
    except OSError:
        return


# -- objects

ran: list[str] = []
"""Methods of `hostile_objects` that somebody has run; a good observer leaves it empty."""


def _refuse(name: str) -> Callable[..., Any]:
    def method(*_: object, **__: object) -> Any:
        ran.append(name)
        raise RuntimeError(f"{name} of a hostile object was run; the password is hunter2")

    return method


_METHODS: Final = (
    "__repr__", "__str__", "__format__", "__len__", "__iter__", "__next__", "__bool__", "__eq__", "__getitem__",
    "__contains__", "__int__", "__index__", "__float__", "__add__", "__fspath__", "__bytes__", "__dir__",
    "__reduce_ex__", "keys", "items", "values",
)  # fmt: skip


class Hostile:
    """Refuses everything that one may do to look at it."""

    def __getattribute__(self, name: str) -> Any:
        ran.append(f"__getattribute__({name})")
        raise RuntimeError(f"{name} of a hostile object was asked for")


for _name in _METHODS:
    setattr(Hostile, _name, _refuse(_name))


class HostileMeta(type):
    """A metaclass whose classes refuse to be looked at."""

    def __getattribute__(cls, name: str) -> Any:
        ran.append(f"class {name}")
        raise RuntimeError(f"{name} of a hostile class was asked for")

    __repr__ = _refuse("class __repr__")
    __instancecheck__ = _refuse("class __instancecheck__")
    __subclasscheck__ = _refuse("class __subclasscheck__")


class HostileClass(metaclass=HostileMeta):
    """Its class refuses, too."""


class HostileText(str):
    """A text with methods of its own."""

    __slots__ = ()
    __repr__ = __str__ = __len__ = __format__ = __iter__ = __getitem__ = _refuse("text")


class HostileNumber(int):
    """A number with methods of its own."""

    __repr__ = __str__ = __int__ = __index__ = __add__ = __format__ = _refuse("number")


class HostileList(list[Any]):
    """A list with methods of its own."""

    __repr__ = __str__ = __len__ = __iter__ = __getitem__ = _refuse("list")


class HostileDict(dict[Any, Any]):
    """A dictionary with methods of its own."""

    __repr__ = __str__ = __len__ = __iter__ = __getitem__ = _refuse("dict")
    items = keys = values = get = _refuse("dict.items")


class HostileError(Exception):
    """An error that cannot be told."""

    __repr__ = __str__ = _refuse("error")


def _nested(levels: int) -> list[Any]:
    innermost: list[Any] = []
    for _ in range(levels):
        innermost = [innermost]
    return innermost


def _endless() -> Iterator[int]:
    ran.append("endless generator")
    number = 0
    while True:
        yield number
        number += 1


class _Gone:
    """What a weak reference leads to that leads nowhere."""


def hostile_objects() -> dict[str, Any]:
    """
    Return objects, by name, that an observer should take down without running any of their code.

    They refuse every method, consist of a million parts, contain themselves or never end. What was run
    all the same is in `ran`, which is empty when this returns.
    """
    itself: list[Any] = [1]
    itself.append(itself)
    objects = {
        "refuses everything": Hostile(),
        "its class refuses": HostileClass(),
        "text": HostileText("a text"),
        "number": HostileNumber(3),
        "list": HostileList([1, 2]),
        "dict": HostileDict({"key": 1}),
        "error": HostileError("an error"),
        "in a list": [Hostile()],
        "in a dict": {"key": Hostile()},
        "in a tuple": (HostileText("x"), HostileClass()),
        "contains itself": itself,
        "deep": _nested(50_000),
        "long": [0] * 1_000_000,
        "long text": "x" * 5_000_000,
        "long bytes": b"x" * 5_000_000,
        "long number": 10**5_000,
        "no unicode": "\udcff",
        "no number": float("nan"),
        "endless": _endless(),
        "gone": weakref.proxy(_Gone()),
        "the environment": os.environ,
    }
    ran.clear()
    return objects
