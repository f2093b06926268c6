"""
Make the `DiagnosticReport` of a run: read what the run folder has, ask each part what it says.

A folder may lack anything but evidence: without a manifest the head is filled from the
events and says so, without a profile there are no stacks, without events there are no
systems. With neither events nor samples there is nothing to report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import pluggy

import dam_obs
from dam_obs.diagnose.capacity import note_capacities
from dam_obs.diagnose.clock_residual import SampleClock
from dam_obs.diagnose.concurrency import in_all
from dam_obs.diagnose.evidence import RunEvidence, SystemKey, gather
from dam_obs.diagnose.flame import WITHOUT_EVENT, flame_graph
from dam_obs.diagnose.missing import missing, no_offcpu, no_stacks
from dam_obs.diagnose.pools import Pools
from dam_obs.diagnose.processes import owners, summarise
from dam_obs.diagnose.quality import Facts, quality, refused
from dam_obs.diagnose.report import DiagnosticReport, FrameNode, HostFacts, SystemDiagnosis
from dam_obs.diagnose.system import diagnose_system
from dam_obs.diagnose.telling import HowFar, Tell
from dam_obs.diagnose.waits import OffCpuTimes, offcpu_evidence
from dam_obs.diagnose.where import Where
from dam_obs.errors import DamObsError
from dam_obs.plugins import plugin_manager
from dam_obs.sample.attribution import attribute
from dam_obs.sample.offcpu.read import BrokenIntervals, OffCpu, read_offcpu
from dam_obs.sample.profile import read_profile, sampled_pids
from dam_obs.sample.samples import Attribution, StackSample
from dam_obs.store.closed import closed_folder, read_lost
from dam_obs.store.errors import NoTraceFound
from dam_obs.store.manifest import Manifest, read_manifest
from dam_obs.store.mounts import load_mounts, read_mounts
from dam_obs.store.processes import Processes, read_processes
from dam_obs.store.read import EventReader, read_events
from dam_obs.store.runs import RunFolder
from dam_obs.trace.process import ProcessNote

UNKNOWN = "unknown"

UNWRITTEN = "sinks.jsonl.dropped"
"""What the program calls events that it could not write down."""


class NothingMeasured(DamObsError):
    """A run folder holds neither events nor samples."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__(
            f"{run.path} holds neither executions nor samples: see with `dam-obs points attach-report` "
            "whether a trace point was attached, and with `dam-obs doctor` what can be measured here"
        )
        self.run = run


def build_report(
    run: RunFolder, *, rules: pluggy.PluginManager | None = None, tell: Tell | None = None
) -> DiagnosticReport:
    """
    Diagnose `run`.

    The same folder gives the same report.

    Args:
        run: Its folder.
        rules: Whose hooks are asked for pools and traits; the built-in rules and installed plugins if `None`.
        tell: Told how far it is, from 0 to 1.

    Raises:
        NothingMeasured: there are neither executions nor samples.
        NotATrace, BrokenManifest: a file is there and is not what its name says.
    """
    rules = plugin_manager("analysis") if rules is None else rules
    manifest = read_manifest(run)
    notes = read_processes(run)
    events = _events(run)
    far = HowFar(tell, sum(note.executions for note in notes))
    offcpu = _offcpu(run)
    clock = SampleClock(run, manifest)
    where = Where(clock)
    evidence = gather(
        where.watching(far.reading(events or ())),
        load_mounts(run) or read_mounts(),
        segments=isinstance(offcpu, OffCpu),
        processes=Processes(notes),
    )
    stacks = _stacks(run, manifest, evidence)
    if evidence.executions == 0 and not stacks.claimed_count and not stacks.unclaimed_count:
        raise NothingMeasured(run)

    samples = stacks.by_system(evidence)
    facts = Facts(
        manifest=manifest,
        executions=evidence.executions,
        dropped=sum(note.dropped for note in notes),
        lost=read_lost(closed_folder(run.trace)),
        unwritten=sum(note.faults.get(UNWRITTEN, 0) for note in notes),
        lines_skipped=(events.skipped.total() if events else 0) + _skipped_before(manifest),
        samples_claimed=stacks.claimed_count,
        samples_unclaimed=stacks.unclaimed_count,
        clock_residual_ns=clock.residual_ns() if samples is not None else None,
        absent=(
            *([no_stacks(stacks.why_not)] if samples is None else []),
            *([no_offcpu(str(offcpu))] if isinstance(offcpu, BrokenIntervals) else []),
            *missing(evidence, causes_known=isinstance(offcpu, OffCpu), memory_known=where.memory.is_known),
        ),
        offcpu=offcpu_evidence(offcpu) if isinstance(offcpu, OffCpu) else None,
    )
    head = _head(run, manifest, evidence)
    return DiagnosticReport(
        run_id=head.run_id,
        dam_obs_version=head.dam_obs_version,
        started=head.started,
        duration_ns=head.duration_ns,
        command=head.command,
        exit_status=head.exit_status,
        quality=quality(facts),
        host=_host(manifest),
        processes=summarise(notes, evidence, stacks.attribution),
        systems=_systems(
            evidence, samples, rules, OffCpuTimes(offcpu) if isinstance(offcpu, OffCpu) else None, where, far
        ),
        faults=_faults(notes),
        flame=None if samples is None else _flame(samples),
        offcpu=facts.offcpu,
    )


def _systems(
    evidence: RunEvidence,
    samples: _SamplesBySystem | None,
    rules: pluggy.PluginManager,
    offcpu: OffCpuTimes | None,
    where: Where,
    far: HowFar,
) -> list[SystemDiagnosis]:
    """Diagnose all systems, by total wall time."""
    children = evidence.children()
    pools = Pools(rules)
    note_capacities(evidence.systems.values(), pools)
    span_ns = in_all(evidence.systems.values())
    ordered = sorted(evidence.systems.items(), key=lambda item: (-sum(item[1].numbers["duration_ns"]), item[0]))
    diagnoses = [
        diagnose_system(
            system,
            None if samples is None else samples.get(key, []),
            children.get(key, {}),
            pools,
            rules,
            offcpu.of(system) if offcpu is not None else None,
            where.of(key),
            span_ns,
        )
        for key, system in far.judging(ordered)
    ]
    if offcpu is None:
        return diagnoses
    return [
        diagnosis.model_copy(update={"off_cpu_stacks": offcpu.stacks_of(system)})
        for diagnosis, (_, system) in zip(diagnoses, ordered, strict=True)
    ]


def _skipped_before(manifest: Manifest | None) -> int:
    """Return what could not be read where the events were read back from."""
    source = manifest.source if manifest else None
    return source.skipped if source else 0


def _events(run: RunFolder) -> EventReader | None:
    try:
        return read_events(run.trace)
    except NoTraceFound:
        return None


def _offcpu(run: RunFolder) -> OffCpu | BrokenIntervals | None:
    try:
        return read_offcpu(run.offcpu)
    except BrokenIntervals as error:
        return error


_SamplesBySystem = Mapping[SystemKey | None, list[StackSample]]
"""`None` stands for executions without an event."""


@dataclass(frozen=True, slots=True)
class _Stacks:
    """The samples of a run, or why there are none."""

    attribution: Attribution | None
    why_not: str = ""

    @property
    def claimed_count(self) -> int | None:
        return self.attribution.claimed_count if self.attribution else None

    @property
    def unclaimed_count(self) -> int | None:
        return self.attribution.unclaimed_count if self.attribution else None

    def by_system(self, evidence: RunEvidence) -> _SamplesBySystem | None:
        if self.attribution is None:
            return None
        found: dict[SystemKey | None, list[StackSample]] = {}
        for span, samples in self.attribution.claimed.items():
            place = evidence.find(span)
            found.setdefault(place[0].key if place else None, []).extend(samples)
        return found


def _stacks(run: RunFolder, manifest: Manifest | None, evidence: RunEvidence) -> _Stacks:
    refusal = refused(manifest)
    if refusal:
        return _Stacks(None, refusal)
    if not run.raw_profile.is_file():
        return _Stacks(None, "the run folder has no profile")
    try:
        attribution = attribute(read_profile(run.raw_profile), owners(evidence, sampled_pids(run.raw_profile)))
    except DamObsError as error:
        return _Stacks(None, str(error))
    if not attribution.claimed_count and not attribution.unclaimed_count:
        return _Stacks(None, "the sampler wrote down no stack")
    return _Stacks(attribution)


def _flame(samples: _SamplesBySystem) -> FrameNode:
    by_name: dict[str, list[StackSample]] = {}
    for key, stacks in samples.items():
        by_name.setdefault(key.component if key else WITHOUT_EVENT, []).extend(stacks)
    return flame_graph(by_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What a report opens with."""

    run_id: str
    dam_obs_version: str
    started: str
    duration_ns: int
    command: str
    exit_status: int | None


def _head(run: RunFolder, manifest: Manifest | None, evidence: RunEvidence) -> _Head:
    """Take the head from the manifest, or make one of what the events say."""
    if manifest is None:
        return _Head(
            run_id=run.path.resolve().name,
            dam_obs_version=dam_obs.__version__,
            started=evidence.first_started or datetime.fromtimestamp(run.path.stat().st_mtime, UTC).isoformat(),
            duration_ns=max(0, evidence.last_ns - evidence.first_ns),
            command=UNKNOWN,
            exit_status=None,
        )
    return _Head(
        run_id=manifest.run_id,
        dam_obs_version=manifest.dam_obs_version,
        started=manifest.started,
        duration_ns=manifest.duration_ns,
        command=manifest.command,
        exit_status=manifest.exit_status,
    )


def _host(manifest: Manifest | None) -> HostFacts:
    if manifest is None:
        return HostFacts(
            python=UNKNOWN, implementation=UNKNOWN, kernel=UNKNOWN, machine=UNKNOWN, cpus=None, memory_bytes=None
        )
    return HostFacts(**msgspec.structs.asdict(manifest.host))


def _faults(notes: Iterable[ProcessNote]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for note in notes:
        total.update(note.faults)
    return dict(sorted(total.items()))
