"""
What a pip-installed plugin can implement: the contract between dam-obs and everything around it.

A plugin is a distribution with an entry point in group ``dam_obs``. What dam-obs ships
comes through these same hooks. An implementation that raises is logged once, counted as
a fault, and the next one is asked; none ever reaches the observed program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import pluggy

if TYPE_CHECKING:
    import click

    from dam_obs.config import Settings
    from dam_obs.diagnose.report import InferredTrait, SystemDiagnosis
    from dam_obs.store.remote.query import Query
    from dam_obs.trace.events import FinishedSpan, Scalar, TraceEvent

hookspec = pluggy.HookspecMarker("dam_obs")
hookimpl = pluggy.HookimplMarker("dam_obs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something outside the process that an execution touched."""

    kind: Literal["file", "peer", "process"]

    name: str
    """A path, ``host:port``, or a program's name."""

    direction: Literal["read", "write"] | None
    """For files."""

    device: str | None = None
    """For files: the kernel's name of the block device, ``nvme0n1``; `None` where there is none or it is unknown."""

    bytes: int | None = None
    """What went to and from it; `None`: not measured."""


class Sink(Protocol):
    """
    Where finished, redacted spans go: called on the drain thread, never on the program's own.

    A sink may also have a method ``before_fork(timeout)``, for threads and connections that no fork survives. It is
    called on the thread that forks, while nothing else of the sink is; the forked process makes its own sinks.
    """

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Take a batch, in the order in which spans ended. `batch` must not be kept."""

    def flush(self, timeout: float) -> None:
        """Bring what is held back to its place, within `timeout` seconds."""

    def close(self, timeout: float) -> None:
        """Flush and let go of files and connections, within `timeout` seconds."""


SinkFactory = Callable[[], Sink]


@hookspec
def dam_obs_trace_points() -> Path | Iterable[Path] | None:
    """
    Bring trace-point files.

    Called once, when dam-obs is activated in a program or a command lists trace points.

    Returns:
        Paths of TOML files, usually package data; `None` for none. Files of all plugins count.

    A file that does not load is reported by `dam-obs points check` and skipped in a program.
    """


@hookspec
def dam_obs_event(event: TraceEvent) -> None:
    """
    Receive a finished, redacted event: a sink of one's own.

    Called on the drain thread of the observed program, once for each event, in the order
    in which spans ended; never on the program's own threads.

    An implementation that stalls delays the other sinks, not the program; when the queue
    is full meanwhile, spans are dropped and counted. One that raises is logged once and counted.
    """


@hookspec
def dam_obs_sinks(settings: Settings) -> Iterable[SinkFactory] | None:
    """
    Bring sinks that take events in batches.

    Called when recording starts. Each factory is called, without arguments, on the drain
    thread before its first batch, and again in a forked child, so that no file or
    connection is shared by accident.

    Returns:
        Factories of sinks (see `Sink`); `None` for none. JSONL, console and OTLP come this way.

    A factory or sink that raises is logged once and counted; the other sinks go on.
    """


@hookspec(firstresult=True)
def dam_obs_redact(key: str, value: str) -> str | None:
    """
    Hide a value before it leaves the process.

    Called on the drain thread for text that is about to leave, after the built-in rules.

    Args:
        key: The name the value stands under: ``input``, ``output``, a data name, a path of names joined by dots.
        value: The text.

    Returns:
        What to write instead; `None` for no opinion. The first answer wins.

    If one raises, the value is replaced whole, for it may be what was to be hidden.
    """


@hookspec(firstresult=True)
def dam_obs_features(command: object) -> Mapping[str, Scalar] | None:
    """
    Name the features of a command that may explain its cost.

    Called on the program's thread when an execution of a measured run starts; so it must be
    quick, must not do I/O and must not change the command.

    Returns:
        Feature name to number, short string or boolean; `None` for no opinion. The first answer
        wins; the built-in one reads the command's public fields.
    """


@hookspec(firstresult=True)
def dam_obs_pool_for(resource: Resource) -> str | None:
    """
    Say which pool a touched resource belongs to.

    Called while a run is diagnosed, never inside the observed program, once for each distinct resource.

    Args:
        resource: A file, peer or process; ``resource.bytes`` is what went to and from it.

    Returns:
        A pool path such as ``"disk/read/nvme0n1"``, or `None` for no opinion. The first answer wins;
        the built-in rules are asked last.
    """


@hookspec
def dam_obs_infer_traits(diagnosis: SystemDiagnosis) -> Sequence[InferredTrait] | None:
    """
    Infer traits of a system from what a run showed.

    Called while a run is diagnosed, once for each system.

    Returns:
        Traits to add; `None` for none. All answers count; of two that name the same trait and the
        same arguments the more confident one is kept.
    """


@hookspec
def dam_obs_draft_templates() -> Path | Iterable[Path] | None:
    """
    Bring folders of Jinja templates that override the built-in ones for drafts.

    Called when drafts are made. A folder of a later-registered plugin is searched first.
    What a template makes must still pass the check of what drafted code may contain.
    """


@hookspec(firstresult=True)
def dam_obs_trace_source(uri: str, query: Query) -> Iterable[TraceEvent] | None:
    """
    Read events from a backend.

    Called by commands that read, with what the user gave as source, or after ``--from``, where that is
    ``scheme://...``; called again where a command goes back to older events.

    Args:
        uri: As the user gave it.
        query: What the command can use at most: since when, of which services, how many of the newest, and so on. A
            backend that can look for it need not send the rest; giving more is no mistake, giving less is. An
            implementation may leave this argument out.

    Returns:
        An iterable of events, read lazily, and anew each time it is iterated; `None` if the URI is not this
        plugin's. The first answer wins. One that is a `dam_obs.store.remote.events.BackendEvents` also tells of
        processes and of what could not be read.
    """


@hookspec
def dam_obs_commands(cli: click.Group) -> None:
    """
    Add commands to `dam-obs`.

    Called when the command line starts, with the top group.
    """
