"""
The samples of a run as exporters want them: thread by thread, each with its system and with names that may be shown.

A profile is read twice: at first only to see which executions were sampled, so that of
all events only theirs are kept. What is in memory then grows with the executions that
were sampled and with distinct frames, not with samples.

Names come from the observed program. Here they lose secrets (once more: they did when the
profile was kept) and control characters; no format has to do it again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from statistics import median_low

from dam_obs.diagnose.evidence import SystemKey
from dam_obs.diagnose.export.errors import AmbiguousSystem, NoSamples, SystemNotSampled
from dam_obs.diagnose.quality import period_ns, refused
from dam_obs.errors import DamObsError
from dam_obs.sample.attribution import Owners, Stacks, span_id_of
from dam_obs.sample.profile import read_profile, sampled_pids
from dam_obs.sample.samples import Frame, StackSample
from dam_obs.sample.speedscope import OUTSIDE, UNKNOWN
from dam_obs.store.errors import NoTraceFound
from dam_obs.store.manifest import Manifest, read_manifest
from dam_obs.store.read import read_events, started
from dam_obs.store.runs import RunFolder
from dam_obs.text import printable
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.redact import Redactor

LARGEST_NUMBER = 2**31 - 1
"""Of a process, thread or line; larger ones are nonsense and left out."""

LATEST_NS = 2**62
"""Times beyond are nonsense, too."""

_MOST_KNOWN = 20_000
_EVENTS_FOR_OFFSET = 1_001
_THREAD = re.compile(r'Thread (?P<tid>\d{1,10})(?: "(?P<name>.*)")?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread of a sampled process."""

    pid: int
    """0 where the profile does not say."""
    tid: int
    """The native id; 0 where the profile does not say."""
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What an exporter needs to know of a sampled execution."""

    system: SystemKey
    trace_id: str | None
    """OTel's, 32 hex digits."""
    pid: int | None
    segments: tuple[tuple[int, int, int], ...]
    """``(start_ns, end_ns, native thread id)`` by the monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """Samples in a row with equal stacks."""

    span: str | None
    """OTel span id of the execution they were taken in; `None` outside any."""
    system: SystemKey | None
    """`None` outside executions, and where the event of the execution never came."""
    frames: tuple[Frame, ...]
    """Those inside the execution, outermost first, without ours; outside executions all but ours."""
    raw: tuple[Frame, ...]
    """As in the profile, where whole stacks were asked for; see `RunSamples.whole`."""
    weight: int
    """In looks at the rate asked for; see `dam_obs.sample.samples.StackSample`."""
    ordered: bool = True
    """Whether it stands among the others where it was taken."""

    @property
    def branch(self) -> str:
        """Name of the system, or of what stands for it."""
        if self.system is not None:
            return system_name(self.system)
        return UNKNOWN if self.span else OUTSIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many samples are exported, and of what."""

    claimed: int
    """In executions."""
    unclaimed: int
    """Outside any."""
    executions: int
    """Distinct ones that were sampled."""
    without_event: int
    """Of the claimed ones: in executions whose event never came, so that their system is not known."""

    @property
    def total(self) -> int:
        """All."""
        return self.claimed + self.unclaimed


class RunSamples:
    """The samples of one run, or of one system in it."""

    def __init__(self, run: RunFolder, *, system: str | None = None, redactor: Redactor | None = None) -> None:
        """
        Look through the run's profile and find the executions in it.

        Args:
            run: The run's folder.
            system: Only samples in this system: its name, or the last part where only one has it.
            redactor: Hides secrets in names.

        Raises:
            NoSamples: there are none, or they are refused.
            BrokenProfile, BrokenManifest, NotATrace: a file is there and is not what its name says.
            SystemNotSampled, AmbiguousSystem: `system` is not the name of one that was sampled.
        """
        self.run = run
        self.manifest = read_manifest(run)
        self._clean = _Names(redactor or Redactor())
        self._stacks = Stacks()
        self._whole: dict[tuple[Frame, ...], tuple[Frame, ...]] = {}
        stacks = self._count()
        self.wall_offset_ns = 0
        """To be added to the monotonic clock for nanoseconds since the epoch."""
        known = self._find({span for _, spans in stacks for span in spans})
        pids = {span: one.pid for span, one in known.items()}
        self._owners = Owners(pids.get, sampled_pids(self.run.raw_profile))
        seen = self._seen(stacks)
        self.executions = {span: one for span, one in known.items() if span in seen}
        """Sampled ones by OTel span id, without those whose event never came."""
        self.wanted = None if system is None else _wanted(system, {one.system for one in self.executions.values()})
        """Systems that are exported; `None`: all, and what is outside them."""
        self.counts = self._counts(seen)
        self.remarks: list[str] = []
        """What a user should know of the export; exporters add to it."""

    @property
    def rate_hz(self) -> float | None:
        """Samples a second that were asked for."""
        sampler = self.manifest.sampler if self.manifest else None
        return sampler.rate_asked_hz if sampler and sampler.rate_asked_hz > 0 else None

    @property
    def period_ns(self) -> float:
        """Time from one look to the next, in looks as `Sampled.weight` counts them."""
        return period_ns(self.manifest.sampler if self.manifest else None)

    def threads(self, *, whole: bool = False, unwanted: bool = False) -> Iterator[tuple[Thread, Iterator[Sampled]]]:
        """
        Yield each thread with its samples, in the order in which they were taken; take these before the next thread.

        A thread comes again if the sampler was begun anew.

        Args:
            whole: Whether samples are to know their whole stacks, too; they take much room.
            unwanted: Whether to yield those of other systems than the wanted ones as well.
        """
        for (pid, name), samples in groupby(read_profile(self.run.raw_profile), key=lambda one: (one.pid, one.thread)):
            taken = self._sampled(samples, whole)
            yield self._thread(pid, name), taken if unwanted else filter(self.wants, taken)

    def wants(self, sampled: Sampled) -> bool:
        """Say whether samples are to be exported."""
        return self.wanted is None or sampled.system in self.wanted

    def whole(self, sampled: Sampled) -> tuple[Frame, ...]:
        """Return a stack from the thread's beginning on; a frame named after its system begins each execution."""
        known = self._whole.get(sampled.raw)
        if known is None:
            if len(self._whole) >= _MOST_KNOWN:
                self._whole.clear()
            frames = self._stacks.without_ours(sampled.raw)
            known = self._whole[sampled.raw] = tuple(map(self._frame_or_system, frames))
        return known

    def events(self) -> Iterator[TraceEvent]:
        """Yield the run's events, of the wanted systems only; none if there is no trace."""
        try:
            reader = read_events(self.run.trace)
        except NoTraceFound:
            return
        for event in reader:
            if self.wanted is None or self.system_of(event) in self.wanted:
                yield event

    def system_of(self, event: TraceEvent) -> SystemKey:
        """Return the system of an event, its names as they may be shown."""
        text = self._clean.text
        return SystemKey(
            text("layer", event.hrm_layer), text("operation", event.operation), text("component", event.component)
        )

    # -- how

    def _count(self) -> Counter[tuple[int | None, tuple[str, ...]]]:
        """Count samples by process and by the span ids on their stacks, outermost first."""
        if not self.run.raw_profile.is_file():
            raise _no_samples(self.run, self.manifest)
        refusal = refused(self.manifest)
        if refusal:
            raise NoSamples(self.run, refusal, "sample it again with a lower --rate")
        stacks: Counter[tuple[int | None, tuple[str, ...]]] = Counter()
        for sample in read_profile(self.run.raw_profile):
            spans, _ = self._stacks.own(sample.frames)
            stacks[sample.pid, spans] += sample.weight
        if not stacks:
            raise _no_samples(self.run, self.manifest)
        return stacks

    def _seen(self, stacks: Counter[tuple[int | None, tuple[str, ...]]]) -> Counter[str | None]:
        """Count samples by the execution that they were taken in; `None` for those outside executions."""
        seen: Counter[str | None] = Counter()
        for (pid, spans), count in stacks.items():
            own = self._owners.own(spans, pid)
            seen[own[-1] if own else None] += count
        return seen

    def _find(self, seen: Collection[str]) -> dict[str, Execution]:
        """Keep of the events what belongs to these executions, and see how the two clocks stand to each other."""
        found: dict[str, Execution] = {}
        offsets: list[int] = []
        try:
            for event in read_events(self.run.trace):
                if event.start_mono_ns is not None and len(offsets) < _EVENTS_FOR_OFFSET:
                    offsets.append(wall_ns(event) - event.start_mono_ns)
                if event.otel_span_id in seen and event.otel_span_id is not None:
                    found[event.otel_span_id] = Execution(
                        system=self.system_of(event),
                        trace_id=event.otel_trace_id,
                        pid=event.pid,
                        segments=sane_segments(event),
                    )
        except NoTraceFound:
            return {}
        self.wall_offset_ns = median_low(offsets) if offsets else 0
        return found

    def _counts(self, seen: Counter[str | None]) -> Counts:
        if self.wanted is None:
            claimed = seen.total() - seen[None]
            spans = [span for span in seen if span is not None]
            known = sum(seen[span] for span in self.executions)
            return Counts(claimed=claimed, unclaimed=seen[None], executions=len(spans), without_event=claimed - known)
        spans = [span for span, one in self.executions.items() if one.system in self.wanted]
        return Counts(claimed=sum(seen[span] for span in spans), unclaimed=0, executions=len(spans), without_event=0)

    def _thread(self, pid: int | None, name: str) -> Thread:
        found = _THREAD.fullmatch(name)
        tid = int(found["tid"]) if found else 0
        shown = (found["name"] if found else name) or ""
        return Thread(small(pid) or 0, small(tid) or 0, self._clean.text("thread", shown))

    def _sampled(self, samples: Iterable[StackSample], whole: bool) -> Iterator[Sampled]:
        for sample in samples:
            found, frames = self._stacks.own(sample.frames)
            spans = self._owners.own(found, sample.pid)
            if found and not spans:  # forked in the midst of another process's execution
                frames = tuple(frame for frame in self._stacks.without_ours(sample.frames) if span_id_of(frame) is None)
            span = spans[-1] if spans else None
            execution = self.executions.get(span) if span else None
            system = execution.system if execution else None
            yield Sampled(
                span=span,
                system=system,
                frames=self._clean.frames(frames),
                raw=sample.frames if whole else (),
                weight=sample.weight,
                ordered=sample.ordered,
            )

    def _frame_or_system(self, frame: Frame) -> Frame:
        span = span_id_of(frame)
        if span is None:
            return self._clean.frame(frame)
        execution = self.executions.get(span)
        return Frame(system_name(execution.system) if execution else UNKNOWN, "", None)


def system_name(system: SystemKey) -> str:
    """Return what a system is called in every format."""
    return f"{system.component} ({system.layer}.{system.operation})"


def wall_ns(event: TraceEvent) -> int:
    """Return when `event` started, in nanoseconds since the epoch."""
    moment = started(event)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000


def sane_segments(event: TraceEvent) -> tuple[tuple[int, int, int], ...]:
    """Return the event's segments without those that no clock has made."""
    return tuple(
        (start, end, small(tid) or 0) for start, end, tid in event.segments or () if 0 <= start <= end < LATEST_NS
    )


class _Names:
    """Makes frames fit to be shown, each once."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._frames: dict[Frame, Frame] = {}
        self._stacks: dict[tuple[Frame, ...], tuple[Frame, ...]] = {}

    def text(self, key: str, text: str) -> str:
        return printable(self._redactor.text(key, text))

    def frame(self, frame: Frame) -> Frame:
        known = self._frames.get(frame)
        if known is None:
            if len(self._frames) >= _MOST_KNOWN:
                self._frames.clear()
            name = printable(self._redactor.frame(frame.function))
            known = Frame(name, printable(self._redactor.path(frame.file)), small(frame.line))
            self._frames[frame] = known
        return known

    def frames(self, frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
        known = self._stacks.get(frames)
        if known is None:
            if len(self._stacks) >= _MOST_KNOWN:
                self._stacks.clear()
            known = self._stacks[frames] = tuple(self.frame(frame) for frame in frames)
        return known


def small(number: int | None) -> int | None:
    """Return a number of a process, thread or line, if it can be one."""
    return number if number is not None and 0 < number <= LARGEST_NUMBER else None


def _wanted(name: str, known: Iterable[SystemKey]) -> set[SystemKey]:
    """Return the systems that `name` names: by the whole name as it is shown, the component, or its last part."""
    by_label = {system for system in known if name in (system.component, system_name(system))}
    if by_label:
        return by_label
    by_last = {system for system in known if re.split(r"[:.]", system.component)[-1] == name}
    components = sorted({system.component for system in by_last})
    if len(components) > 1:
        raise AmbiguousSystem(name, components)
    if not by_last:
        raise SystemNotSampled(name, sorted({system.component for system in known}))
    return by_last


def _no_samples(run: RunFolder, manifest: Manifest | None) -> DamObsError:
    """Say why there are none, in the manifest's words where it has some."""
    for absent in manifest.absent if manifest else ():
        if absent.evidence == "stacks":
            return NoSamples(run, absent.why, absent.remedy)
    return NoSamples(run, "the run folder has no profile", "measure the program with `dam-obs diagnose -- COMMAND`")
