"""
The manifest of a run: what made it, on which machine, with which privileges.

Never argv or environment values. `SystemTracer` writes it; the report reads it.
"""

from __future__ import annotations

import msgspec

from dam_obs.store.errors import BrokenManifest
from dam_obs.store.files import write_whole
from dam_obs.store.runs import RunFolder


class AbsentEvidence(msgspec.Struct, frozen=True):
    """A kind of evidence that could not be taken, why, and what to do to have it."""

    evidence: str
    why: str
    remedy: str


class RateSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which the sampler had one rate."""

    at_s: float
    """When it began, since the sampler first did."""
    rate_hz: float
    seconds: float
    """How long it sampled at that rate."""
    why: str
    """``start``, ``idle``, ``active again``, ``over the budget: ...``, and so on."""


class SamplerStats(msgspec.Struct, frozen=True, kw_only=True):
    """How the sampler did."""

    sampler: str
    """Name and version: ``py-spy 0.4.3``."""
    rate_asked_hz: float
    samples: int
    """Sampling ticks that gave a stack of the process that was sampled longest: `seconds` times the rate reached."""
    failed: int
    """Times that a process could not be read at a tick."""
    late: int
    """Times it said that it had fallen behind."""
    seconds: float
    """How long it sampled."""
    stacks: int = 0
    """Stacks written down, of all threads and processes."""
    process_ticks: int = 0
    """Ticks summed over processes: what `failed` is to be compared with."""
    busy_s: float | None = None
    """CPU time that it took in `seconds`. While it reads a process, that process stands still."""
    budget_share: float | None = None
    """Share of one CPU that it might take; `None`: none was declared, and the rate was always the one asked for."""
    cpu_s: float | None = None
    """CPU time that it took in all, with what it takes to begin and to end."""
    rates: list[RateSpan] = []
    """The rates that it had, the first ones of many."""
    looks_due: float | None = None
    """Looks that these rates should have given; `None`: those of the rate asked for."""
    restarts: int = 0
    """Times that it was begun anew while the program ran."""
    unsampled_s: float = 0.0
    """Time that was lost by that."""
    let_go: int = 0
    """Looks that were taken and let go, since there was no room for them; the others stand for them."""
    native: bool = False
    """Whether native stacks were sampled."""


class TraceOnDisk(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace that had to be packed takes, and what had to go for its bound."""

    bytes: int
    max_bytes: int
    packed_files: int
    events_lost: int = 0
    """The oldest ones."""
    timelines_lost: int = 0
    """Of the oldest executions that are left: when they ran on which thread."""


class HostNote(msgspec.Struct, frozen=True, kw_only=True):
    """The machine and the interpreter."""

    python: str
    implementation: str
    kernel: str
    machine: str
    cpus: int | None
    memory_bytes: int | None = None


class SourceNote(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run's events were read back from, and how that went."""

    uri: str
    """As it was given; it has no secrets."""
    kind: str
    """``Jaeger``, ``ClickHouse``, ``files of OTLP``, or the plugin's scheme."""
    asked: dict[str, str]
    """What was asked for: ``since``, ``until``, ``service``, ``run`` and so on, as far as it was."""
    spans: int
    requests: int
    """Questions to the backend, or files."""
    skipped: int = 0
    """Lines, rows and spans that could not be read."""
    first_skipped: str | None = None
    runs: list[str] = []
    """The measured runs that spans are of."""
    loses: list[str] = []
    """What such a backend does not give back as it was."""
    notes: list[str] = []
    """What else is to be known, such as what was left out."""


class Manifest(msgspec.Struct, kw_only=True):
    """What stands in ``manifest.json``."""

    run_id: str
    dam_obs_version: str
    versions: dict[str, str]
    """Of the libraries that evidence depends on: py-spy, opentelemetry-sdk, pluggy."""
    started: str
    """ISO 8601 with offset."""
    duration_ns: int
    command: str
    """The program's name alone."""
    exit_status: int | None
    """`None` while it runs and when attached to a process that was not ours."""
    host: HostNote
    settings: dict[str, str]
    """What was set: rate, duration, trace-point files."""
    privilege: str
    sampler: SamplerStats | None
    absent: list[AbsentEvidence]
    complete: bool
    """The run came to its end; `False` in a manifest that a kill left behind."""
    trace: TraceOnDisk | None = None
    """`None`: the trace stayed so small that it was left as it is."""
    source: SourceNote | None = None
    """`None`: the run was measured here."""


def read_manifest(run: RunFolder) -> Manifest | None:
    """
    Return the manifest of `run`; `None` where it has none, or an empty one that a crash left.

    Raises:
        BrokenManifest: it is there and is not a manifest.
    """
    try:
        content = run.manifest.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenManifest(run.manifest, error.strerror or type(error).__name__) from error
    if not content.strip(b"\0 \r\n\t"):
        return None
    try:
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenManifest(run.manifest, str(error)) from error


def write_manifest(run: RunFolder, manifest: Manifest) -> None:
    """Put `manifest` into the folder of `run`, whole or not at all."""
    write_whole(run.manifest, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
