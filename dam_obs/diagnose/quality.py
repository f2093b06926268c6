"""
How far a report can be trusted: what was sampled, what was lost, what is missing and why.

Each reason for doubt is a small function; a new one is added to `DOUBTS`. `refuse` is
about stacks alone: counters come from the kernel and the program's own clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from dam_obs.diagnose.report import Absent, OffCpuEvidence, Quality, ReadBack, SamplingRate, Verdict
from dam_obs.store.closed import NOTHING_LOST, Lost
from dam_obs.store.manifest import Manifest, SamplerStats

MAX_FAILED_SHARE: Final = 0.05
"""Above this share of failed samples, stacks are refused: those that came through are a biased choice."""

MAX_LATE_SHARE: Final = 0.10
"""Of sampling ticks: a sampler that falls behind sees busy moments less often than quiet ones."""

MIN_RATE_SHARE: Final = 0.50
"""Of the rate asked for."""

MAX_UNSAMPLED_SHARE: Final = 0.05
"""Of the time: a sampler that is begun anew again and again misses what happens meanwhile."""

GUESSED_HZ: Final = 100.0

MIN_SAMPLES: Final = 100
"""In executions: with fewer, a share of 10 % may as well be 4 or 18."""

MIN_CLAIMED_SHARE: Final = 0.05
"""Idle threads are sampled too, so most samples may well be outside executions; but not nearly all."""

MIN_EXECUTIONS: Final = 20

MAX_DROPPED_SHARE: Final = 0.01
MAX_SKIPPED_SHARE: Final = 0.01
MAX_LOST_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the verdict is made from."""

    manifest: Manifest | None
    executions: int
    dropped: int
    lines_skipped: int
    samples_claimed: int | None
    """`None`: there are no stacks."""
    samples_unclaimed: int | None
    absent: tuple[Absent, ...]
    """What the evidence itself was found to lack."""
    lost: Lost = NOTHING_LOST
    """What had to go for the bound on disk."""
    unwritten: int = 0
    """Events that never came into the trace."""
    offcpu: OffCpuEvidence | None = None
    """How off-CPU times were taken; `None`: not at all."""
    clock_residual_ns: int | None = None
    """How well samples fit into the executions that they name."""

    @property
    def sampler(self) -> SamplerStats | None:
        """What the sampler said of itself."""
        return self.manifest.sampler if self.manifest else None

    @property
    def samples(self) -> int | None:
        """All stacks written down."""
        if self.samples_claimed is None:
            return None
        return self.samples_claimed + (self.samples_unclaimed or 0)


def refused(manifest: Manifest | None) -> str | None:
    """Say why the stacks of a run must not be used; `None` if they may."""
    sampler = manifest.sampler if manifest else None
    if sampler is None or not sampler.failed:
        return None
    share = sampler.failed / (sampler.failed + (sampler.process_ticks or sampler.samples))
    if share <= MAX_FAILED_SHARE:
        return None
    return f"{share:.0%} of the sampler's attempts failed, more than {MAX_FAILED_SHARE:.0%}: stacks are left out"


def quality(facts: Facts) -> Quality:
    """Judge `facts`."""
    sampler = facts.sampler
    refusal = refused(facts.manifest)
    reasons = [reason for reason in (doubt(facts) for doubt in DOUBTS) if reason]
    verdict: Verdict = "refuse" if refusal else "weak" if reasons else "usable"
    return Quality(
        verdict=verdict,
        reasons=[refusal, *reasons] if refusal else reasons,
        sampler=sampler.sampler if sampler else None,
        rate_asked_hz=sampler.rate_asked_hz if sampler else None,
        rate_reached_hz=_rate(sampler),
        samples=facts.samples,
        samples_claimed=facts.samples_claimed,
        samples_unclaimed=facts.samples_unclaimed,
        samples_failed=sampler.failed if sampler else None,
        samples_late=sampler.late if sampler else None,
        held_share=_held_share(sampler),
        budget_share=sampler.budget_share if sampler else None,
        sampler_share=_sampler_share(sampler),
        rates=_rates(sampler),
        sampler_restarts=sampler.restarts if sampler else None,
        unsampled_s=sampler.unsampled_s if sampler else None,
        samples_let_go=sampler.let_go if sampler else None,
        native=sampler is not None and sampler.native,
        clock_residual_ns=facts.clock_residual_ns,
        privilege=facts.manifest.privilege if facts.manifest else "unknown",
        executions=facts.executions,
        executions_dropped=facts.dropped,
        events_lost=facts.lost.events,
        timelines_lost=facts.lost.timelines,
        events_unwritten=facts.unwritten,
        lines_skipped=facts.lines_skipped,
        absent=_absent(facts),
        source=_read_back(facts),
    )


def period_ns(sampler: SamplerStats | None) -> float:
    """
    Return the time from one look to the next, as the sampler reached it; a guess where nothing is known.

    Looks are those at the rate asked for: what the weight of a sample counts.
    """
    if sampler is None or sampler.rate_asked_hz <= 0:
        return 1e9 / GUESSED_HZ
    if sampler.samples > 0 and sampler.looks_due:
        return sampler.looks_due / sampler.samples / sampler.rate_asked_hz * 1e9
    if sampler.samples > 0 and sampler.seconds > 0:
        return sampler.seconds / sampler.samples * 1e9
    return 1e9 / sampler.rate_asked_hz


def _rate(sampler: SamplerStats | None) -> float | None:
    return sampler.samples / sampler.seconds if sampler and sampler.seconds > 0 else None


def _due(sampler: SamplerStats) -> float:
    """Return the rate that there should have been, on average."""
    if sampler.looks_due is None or sampler.seconds <= 0:
        return sampler.rate_asked_hz
    return sampler.looks_due / sampler.seconds


def _sampler_share(sampler: SamplerStats | None) -> float | None:
    if sampler is None or sampler.cpu_s is None or sampler.seconds <= 0:
        return None
    return sampler.cpu_s / (sampler.seconds + sampler.unsampled_s)


def _rates(sampler: SamplerStats | None) -> list[SamplingRate]:
    spans = sampler.rates if sampler else []
    return [SamplingRate(at_s=one.at_s, rate_hz=one.rate_hz, seconds=one.seconds, why=one.why) for one in spans]


def _held_share(sampler: SamplerStats | None) -> float | None:
    if sampler is None or sampler.busy_s is None or sampler.seconds <= 0:
        return None
    return min(sampler.busy_s / sampler.seconds, 1.0)


def _read_back(facts: Facts) -> ReadBack | None:
    source = facts.manifest.source if facts.manifest else None
    return None if source is None else ReadBack(**msgspec.structs.asdict(source))


def _absent(facts: Facts) -> list[Absent]:
    """Join what the run declared with what was found missing; what it declared knows more of the why."""
    declared = facts.manifest.absent if facts.manifest else []
    entries = [Absent(evidence=one.evidence, why=one.why, remedy=one.remedy) for one in declared]
    known = {one.evidence for one in entries}
    return entries + [one for one in facts.absent if one.evidence not in known]


def _doubt_unfinished(facts: Facts) -> str | None:
    if facts.manifest is None:
        return "the run folder has no manifest: what made it is unknown"
    return None if facts.manifest.complete else "the run was cut short: what was open then is missing"


def _doubt_few_executions(facts: Facts) -> str | None:
    if facts.executions >= MIN_EXECUTIONS:
        return None
    return f"{facts.executions} executions are few: let it run longer, at least {MIN_EXECUTIONS}"


def _doubt_no_stacks(facts: Facts) -> str | None:
    return "there are no stacks: where the time went in code is not known" if facts.samples_claimed is None else None


def _doubt_few_samples(facts: Facts) -> str | None:
    claimed = facts.samples_claimed
    if claimed is None or claimed >= MIN_SAMPLES:
        return None
    return f"{claimed} samples in executions are few, less than {MIN_SAMPLES}: shares by stack are rough"


def _doubt_unclaimed(facts: Facts) -> str | None:
    if not facts.samples or facts.samples_claimed is None:
        return None
    share = facts.samples_claimed / facts.samples
    if share >= MIN_CLAIMED_SHARE:
        return None
    return f"only {share:.1%} of the samples are inside executions: most of the program is not traced"


def _doubt_slow(facts: Facts) -> str | None:
    rate = _rate(facts.sampler)
    if rate is None or facts.sampler is None or rate >= MIN_RATE_SHARE * _due(facts.sampler):
        return None
    return f"the sampler reached {rate:.0f} Hz of the {_due(facts.sampler):.0f} Hz asked for"


def _doubt_unsampled(facts: Facts) -> str | None:
    sampler = facts.sampler
    if sampler is None or sampler.unsampled_s <= MAX_UNSAMPLED_SHARE * (sampler.seconds + sampler.unsampled_s):
        return None
    return f"for {sampler.unsampled_s:.1f} s nothing was sampled, beside {sampler.seconds:.1f} s in which it was"


def _doubt_late(facts: Facts) -> str | None:
    sampler = facts.sampler
    if sampler is None or sampler.late <= MAX_LATE_SHARE * max(sampler.samples, 1):
        return None
    return f"the sampler fell behind {sampler.late} times in {sampler.samples} samples"


def _doubt_dropped(facts: Facts) -> str | None:
    if facts.dropped <= MAX_DROPPED_SHARE * max(facts.executions, 1):
        return None
    return f"{facts.dropped} executions were dropped because the queue was full: raise queue_size"


def _doubt_lost(facts: Facts) -> str | None:
    if not facts.lost.events:
        return None
    went = f"{facts.lost.events:,} events, the oldest, had to go for the bound on disk"
    return f"{went}: allow more with --max-disk, or measure for a shorter time"


def _doubt_unwritten(facts: Facts) -> str | None:
    if not facts.unwritten:
        return None
    return f"{facts.unwritten:,} events could not be written down, or were removed while nobody observed the program"


def _doubt_skipped(facts: Facts) -> str | None:
    if facts.lines_skipped <= max(1, MAX_SKIPPED_SHARE * facts.executions):
        return None
    return f"{facts.lines_skipped} lines of the trace are torn or foreign"


def _doubt_read_back(facts: Facts) -> str | None:
    source = facts.manifest.source if facts.manifest else None
    if source is None:
        return None
    return f"it was read back from {source.kind}: what was sampled away or lost on the way there is not in it"


def _doubt_offcpu(facts: Facts) -> str | None:
    offcpu = facts.offcpu
    if offcpu is None:
        return None
    if offcpu.ended_early:
        return f"{offcpu.tool} broke down after {offcpu.watched_ns / 1e9:.0f} s: what waited later has no cause"
    if offcpu.lost > MAX_LOST_SHARE * max(offcpu.intervals, 1):
        return f"{offcpu.lost} off-CPU intervals were lost beside {offcpu.intervals}: their time is in other"
    return None


DOUBTS: Final[Iterable[Callable[[Facts], str | None]]] = (
    _doubt_unfinished,
    _doubt_few_executions,
    _doubt_no_stacks,
    _doubt_few_samples,
    _doubt_unclaimed,
    _doubt_slow,
    _doubt_unsampled,
    _doubt_late,
    _doubt_dropped,
    _doubt_lost,
    _doubt_unwritten,
    _doubt_skipped,
    _doubt_read_back,
    _doubt_offcpu,
)
