"""
`DiagnosticReport`: what a run says about every system, as data.

Written as ``report.json``; its JSON Schema is generated into the docs. Times are
nanoseconds, sizes bytes. `None` means "not measured"; 0 means "measured, and there was none".
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from dam_obs.diagnose.report_base import Model
from dam_obs.diagnose.report_where import AwaitedPlace, CriticalPath, Gaps, InFlight, WaitKind
from dam_obs.sample.offcpu.causes import Cause

SCHEMA_VERSION: Literal[1] = 1

Verdict = Literal["usable", "weak", "refuse"]


class Absent(Model):
    """A kind of evidence that this run could not take."""

    evidence: str
    """What is missing: ``stacks``, ``block_io``, ``run_queue``, ..."""
    why: str
    remedy: str
    """What to do to have it next time."""


class SamplingRate(Model):
    """A time in which the sampler had one rate."""

    at_s: float
    """When it began, since sampling did."""
    rate_hz: float
    seconds: float
    """How long it sampled at that rate."""
    why: str
    """``start``, ``idle``, ``active again``, ``over the budget: 3.1% of a CPU``, ..."""


class ReadBack(Model):
    """Where the events of a run were read back from."""

    uri: str
    kind: str
    """``Jaeger``, ``ClickHouse``, ``files of OTLP``, or a plugin's scheme."""
    asked: dict[str, str]
    """What was asked for: ``since``, ``until``, ``service``, ``run`` and so on, as far as it was."""
    spans: int
    requests: int
    """Questions to the backend, or files."""
    skipped: int
    """Lines, rows and spans that could not be read; in `Quality.lines_skipped`, too."""
    first_skipped: str | None
    runs: list[str]
    """The measured runs that the spans are of."""
    loses: list[str]
    """What such a backend does not give back as it was."""
    notes: list[str]
    """What else is to be known of it, such as what was left out."""


class Quality(Model):
    """How far to trust the rest of the report."""

    verdict: Verdict
    """``refuse`` above 5 % sampler errors: stacks are left out then, counters stay."""
    reasons: list[str]
    """Why it is not ``usable``; empty when it is."""
    sampler: str | None
    """``py-spy 0.4.3``; `None` where nothing sampled."""
    rate_asked_hz: float | None
    rate_reached_hz: float | None
    samples: int | None
    """Stacks written down, of all threads."""
    samples_claimed: int | None
    """Of those, the ones inside an execution."""
    samples_unclaimed: int | None
    """The rest: never guessed at."""
    samples_failed: int | None
    samples_late: int | None
    """Times the sampler said that it had fallen behind."""
    held_share: float | None = None
    """
    The sampler's CPU time as a share of the time it sampled; `None`: not measured.

    A process stands still while the sampler reads it, so at most about this share of its wall time went
    to being sampled. In a system's time it is part of ``other``.
    """
    budget_share: float | None = None
    """Share of one CPU that the sampler might take; beyond it, it looked less often."""
    sampler_share: float | None = None
    """What it took, with its beginnings and ends; `None`: not measured."""
    rates: list[SamplingRate] = Field(default_factory=list)
    """
    The rates over time, the first ones of many.

    All counts of samples in systems, stacks and the flame graph are in looks at the rate asked for: one at a
    quarter of that rate counts four times. Those in this block are what was really seen.
    """
    sampler_restarts: int | None = None
    """Times that the sampler was begun anew while the program ran."""
    unsampled_s: float | None = None
    """Time that this cost."""
    samples_let_go: int | None = None
    """Samples that there was no room for; those that were kept stand for them."""
    native: bool = False
    """Whether stacks have frames of native code."""
    clock_residual_ns: int | None
    """
    How far samples, once placed in time, lie outside the segments of the execution they name: 95 % of them at most.

    Each that could be checked was placed by the others. Samples are given to executions by name and not by time,
    so this is about time lines alone. `None`: too few to tell.
    """
    privilege: str
    """How the sampler got to read the process: ``root``, ``same user``, ``ptrace refused``, ..."""
    executions: int
    executions_dropped: int
    """Spans lost because the queue was full."""
    events_lost: int = 0
    """The oldest ones, which had to go so that the run stayed within its bound on disk."""
    timelines_lost: int = 0
    """Executions, the oldest, of which is not known any more when they ran on which thread; all else is there."""
    events_unwritten: int = 0
    """Events that the program could not write down, or had to remove since nobody observed it any more."""
    lines_skipped: int
    """Torn or foreign lines in the event file."""
    absent: list[Absent]
    source: ReadBack | None = None
    """`None`: the run was measured where the report was made."""


class Quantiles(Model):
    """Order statistics of a population of durations."""

    count: int
    mean_ns: float
    min_ns: int
    p50_ns: int
    p90_ns: int
    p95_ns: int
    p99_ns: int
    max_ns: int


class TimeSplit(Model):
    """
    Where wall time went, summed over executions; the parts add up to `wall_ns`.

    `None` parts were not measured and are inside `other_ns`.
    """

    wall_ns: int
    on_cpu_ns: int | None
    run_queue_ns: int | None
    block_io_ns: int | None
    awaiting_ns: int | None
    """Suspended at an ``await`` or ``yield``."""
    other_ns: int
    """The remainder: blocked on sockets, locks, pipes and sleep inside a step, and what was not measured."""
    measured: int
    """Executions that this split is summed over."""
    counted: int | None = None
    """
    Of those, the ones whose kernel counters were read, or that bpftrace watched.

    Run queue, block I/O and `causes` are projected from them to all.
    """
    awaiting: dict[WaitKind, int] | None = None
    """
    What `awaiting_ns` was spent on, the longest first; it adds up to that.

    Projected from the executions whose waits have names to all. `None`: no wait has a name.
    """
    causes: dict[Cause, int] | None = None
    """
    What of `other_ns` bpftrace saw the cause of; what is missing in the sum is not known.

    ``futex``, ``poll``, ``sleep``, ``pipe_socket``, ``child`` (waiting for a process), ``held`` (stopped, as by the
    sampler) and ``other`` (off the CPU for none of these). `None`: not measured.
    """


class DeviceBytes(Model):
    """Bytes between a system and one device."""

    device: str
    """``vda``, ``tmpfs`` and so on; the kernel's name."""
    direction: Literal["read", "write"]
    pool: str
    """``disk/read/vda``"""
    bytes: int | None
    """
    What the executions counted moved: block-layer bytes where the kernel says, else bytes through calls.

    Shared among devices by files touched.
    """
    layer: Literal["block", "calls"] | None
    """Which of the two `bytes` counts."""
    executions: int
    """Executions that touched it."""
    counted: int | None = None
    """Of those, the ones whose bytes were counted: reading counters costs, so short executions take turns."""
    at_once: int | None = None
    """Executions of all systems that use its pool, in flight at once, at most: the capacity seen. `None`: not known."""
    device_bytes: int | None = None
    """What the device itself moved for the executions counted; `None`: not counted, or no block device."""


class FileUse(Model):
    """A file, or a pattern of many files of one folder, that executions touched."""

    path: str
    direction: Literal["read", "write"]
    executions: int
    device: str | None
    mount: str | None


class Peer(Model):
    """A network peer."""

    address: str
    """``host:port``"""
    pool: str
    executions: int
    at_once: int | None = None
    """Executions of all systems that use its pool, in flight at once, at most: the capacity seen. `None`: not known."""


class Process(Model):
    """A program that executions started."""

    name: str
    pool: str
    executions: int
    at_once: int | None = None
    """Executions of all systems that use its pool, in flight at once, at most: the capacity seen. `None`: not known."""


class StackFrame(Model):
    """One frame of a stack."""

    function: str
    file: str
    line: int | None


class HotStack(Model):
    """A stack seen in samples of this system, outermost frame first; our own frames are left out."""

    frames: list[StackFrame]
    samples: int


class OffCpuStack(Model):
    """Where in the kernel threads of this system waited, nested executions included."""

    functions: list[str]
    """Of the kernel, outermost first."""
    cause: str
    """As in `TimeSplit.causes`; ``block_io`` and ``run_queue`` too."""
    ns: int
    """In all executions that were watched from their start to their end."""


class Prediction(Model):
    """How well a cost model did on executions it had not seen."""

    mdape: float
    """Median absolute percentage error, as a fraction: 0.12 is 12 %."""
    bias: float
    """Median signed relative error; positive: over-estimates."""
    under_rate: float
    """Share of executions that took longer than the stated quantile said."""


class CostModel(Model):
    """
    A readable expression that predicts the cost of an execution from features of its command.

    With ``x`` and ``y`` for the values of the first and second of `features`, nanoseconds are, by family:

    ================= ==============================================================================
    constant          ``intercept``
    linear            ``intercept + slope * x``, with two features ``+ slope_2 * y``
    nlogn             ``intercept + slope * x * log2(1 + x)``
    quadratic         ``intercept + slope * x ** 2``
    power             ``scale * x ** exponent``, with two features ``* y ** exponent_2``
    category          ``categories[str(x)]``, and ``intercept`` for a value that is not there
    category_linear   ``categories[str(x)] + slope * y``, and ``intercept`` for a value that is not there
    category_slopes   ``categories[str(x)] + slopes[str(x)] * y``, and ``intercept + slope * y`` likewise
    ================= ==============================================================================

    A prediction below zero is taken for zero. `dam_obs.diagnose.costs.predict` computes it.
    """

    family: Literal[
        "constant", "linear", "power", "nlogn", "quadratic", "category", "category_linear", "category_slopes"
    ]
    features: list[str]
    """At most two."""
    coefficients: dict[str, float]
    """``intercept``, ``slope``, ``slope_2``, ``scale``, ``exponent``, ``exponent_2``: those of the family."""
    categories: dict[str, float] = Field(default_factory=dict)
    """Intercept in ns by ``str()`` of the category's value, for the category families."""
    slopes: dict[str, float] = Field(default_factory=dict)
    """Slope in ns by ``str()`` of the category's value, for ``category_slopes``."""
    expression: str
    """Milliseconds, in words a person reads: ``3.1 + 0.0021 * size``."""
    quantile: float
    """Which quantile `quantile_factor` lifts the median to: 0.9."""
    quantile_factor: float
    """Multiply the prediction of the median by this to get that quantile."""
    executions: int
    held_out: Prediction | None
    """`None` with too few executions to hold any out."""
    valid_range: dict[str, tuple[float, float]]
    """Feature to the range seen; beyond it the model says nothing."""
    warnings: list[str]
    """Why it stayed constant, or is not to be trusted."""
    rejected: list[str]
    """What else was tried, and why it was not taken."""


class InferredTrait(Model):
    """A trait that observation suggests."""

    trait: str
    """Class name: ``ResourceUsageTrait``, ``ExecutionCostTrait``, ``IOBoundTrait``."""
    arguments: dict[str, Any]
    """Keyword arguments; ``time_ms`` of ``ExecutionCostTrait`` is left out: `SystemDiagnosis.cost` at its quantile."""
    confidence: float
    """0 to 1."""
    evidence: list[str]
    """One sentence each, with figures."""
    rival: str | None
    """The best other reading, and why it is less likely."""


class Point(Model):
    """One execution, for plotting."""

    handle: str
    duration_ns: int
    status: str
    features: dict[str, Any]


class SystemDiagnosis(Model):
    """What the run says about one system."""

    system: str
    """The component: ``asset_pipeline.systems:ExtractMember``."""
    layer: str
    operation: str
    executions: int
    by_status: dict[str, int]
    """Counts for ``success``, ``error`` and ``blocked``."""
    latency: Quantiles
    time: TimeSplit
    on_cpu_share: float | None
    """on_cpu / wall."""
    waiting_on_children_ns: int | None = None
    """Of the time off the CPU, at least this much passed while an execution that it had started was in flight."""
    awaited: list[AwaitedPlace] = Field(default_factory=list)
    """Where it was suspended, the longest first; at most 20."""
    awaited_named: int = 0
    """Executions that `awaited` is summed over: naming costs, so where waits are many, executions take turns."""
    gaps: Gaps | None = None
    """`None`: none of its executions had others below it."""
    critical: CriticalPath | None = None
    """`None`: the run has no trace that could be looked at as a whole."""
    in_flight: InFlight | None = None
    devices: list[DeviceBytes]
    files: list[FileUse]
    """The most used first; at most 20."""
    peers: list[Peer]
    processes: list[Process]
    kept: int | None = None
    """
    Executions that `cost`, `points` and handles are from, drawn by chance from all; `None`: from all.

    Counts, sums, quantiles and the time split are always of all.
    """
    peak_memory_delta_bytes: int | None
    """
    By so much an execution raised the most memory that its process ever had, with no other observed thread at work.

    So it took at least that much at once. `None`: none is known to have done so.
    """
    concurrency_peak: int
    """Executions of this system in flight at once, at most."""
    concurrency_mean: float
    """Over the time in which at least one was."""
    features: list[str]
    samples: int | None
    hot_stacks: list[HotStack]
    """Most samples first; at most 20."""
    off_cpu_stacks: list[OffCpuStack] | None = None
    """The longest first; `None`: not asked for, see ``--offcpu-stacks``."""
    cost: CostModel
    traits: list[InferredTrait]
    points: list[Point]
    """At most 500, drawn evenly over the run."""
    errors: dict[str, int]
    """Failed executions by exception type."""
    source_file: str | None
    source_line: int | None
    source_function: str | None
    """``module:qualname`` where known."""
    command_type: str | None
    """``module:qualname`` of the command's class, where one was seen."""


class HostFacts(Model):
    """The machine and the interpreter."""

    python: str
    implementation: str
    kernel: str
    machine: str
    cpus: int | None
    memory_bytes: int | None


class ProcessSummary(Model):
    """One process of the run; its pid may have been another's before, so `started_ns` belongs to it."""

    pid: int
    started_ns: int | None = None
    """Nanoseconds since the epoch; `None`: it left only executions."""
    parent_pid: int | None = None
    program: str | None = None
    """The program's name alone."""
    observed: bool = True
    """Python with dam-obs in it. Of other processes there are counters alone."""
    executions: int
    samples: int | None = None
    """Stacks of its threads; `None` without stacks."""
    cpu_ns: int | None
    max_rss_bytes: int | None
    read_bytes: int | None
    write_bytes: int | None


class BlockRequests(Model):
    """What a disk was asked for during the run, by any program of the machine, and how long it took."""

    device: str
    """The kernel's name."""
    direction: str
    """``read``, ``write``, ``discard`` or ``flush``."""
    requests: int
    bytes: int
    p50_ns: int
    """From handing a request to the disk to its completion."""
    p99_ns: int
    max_ns: int


class OffCpuEvidence(Model):
    """How off-CPU times were taken (`TimeSplit.causes`), and how disks answered meanwhile."""

    tool: str
    """``bpftrace 0.17.0``"""
    clock: str
    """The tool's own clock, ``monotonic`` or ``boottime``, as a comparison at start and end showed."""
    clock_residual_ns: int
    """How well the two clocks were compared."""
    watched_ns: int
    """For so long all threads of the run were watched; executions beyond it have no causes."""
    intervals: int
    lost: int
    """Intervals or requests that the kernel dropped; their time is in ``other``."""
    cut: int
    """Those beyond what is kept of one run."""
    ended_early: bool
    """The tool broke down before the run's end."""
    stacks_from_ns: int = 0
    """Waits of so long or longer have a stack of the kernel (`SystemDiagnosis.off_cpu_stacks`); 0: not asked for."""
    stacks_left_out: int = 0
    """Waits of that length without one, because there were too many or too different ones."""
    disks: list[BlockRequests]


class FrameNode(Model):
    """A node of the flame graph: samples in it and its callees."""

    name: str
    file: str
    line: int | None
    samples: int
    children: list[FrameNode]


class DiagnosticReport(Model):
    """What one run says about every system."""

    schema_version: Literal[1] = SCHEMA_VERSION
    run_id: str
    dam_obs_version: str
    started: str
    """ISO 8601 with offset."""
    duration_ns: int
    command: str
    """The program's name alone: argv is not collected."""
    exit_status: int | None
    quality: Quality
    host: HostFacts
    processes: list[ProcessSummary]
    systems: list[SystemDiagnosis]
    """By total wall time, the most first."""
    faults: dict[str, int]
    """dam-obs's own faults in the observed processes, by place."""
    flame: FrameNode | None
    """All samples of executions, by system; `None` without stacks."""
    offcpu: OffCpuEvidence | None = None
    """`None`: not measured."""
