from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dam_obs.diagnose.quality import Facts, quality
from dam_obs.diagnose.report import Absent, OffCpuEvidence
from dam_obs.store.manifest import AbsentEvidence, HostNote, Manifest, RateSpan, SamplerStats

SAMPLER = SamplerStats(sampler="py-spy 0.4.3", rate_asked_hz=100, samples=1_000, failed=0, late=0, seconds=10.0)
MANIFEST = Manifest(
    run_id="r1", dam_obs_version="0.1.0", versions={}, started="2026-01-13T14:00:00+00:00", duration_ns=1,
    command="demo", exit_status=0, settings={}, privilege="same user", sampler=SAMPLER, absent=[], complete=True,
    host=HostNote(python="3.12.1", implementation="CPython", kernel="Linux", machine="x86_64", cpus=2),
)  # fmt: skip


def facts(**other: Any) -> Facts:
    plain: dict[str, Any] = {
        "manifest": MANIFEST, "executions": 500, "dropped": 0, "lines_skipped": 0, "samples_claimed": 400,
        "samples_unclaimed": 600, "absent": (),
    }  # fmt: skip
    return Facts(**(plain | other))


def offcpu(**other: Any) -> OffCpuEvidence:
    plain: dict[str, Any] = {
        "tool": "bpftrace 0.17.0", "clock": "monotonic", "clock_residual_ns": 1, "watched_ns": 3 * 10**9,
        "intervals": 1_000, "lost": 10, "cut": 0, "ended_early": False, "disks": [],
    }  # fmt: skip
    return OffCpuEvidence(**(plain | other))


def manifest(sampler: dict[str, Any] | None = None, **other: Any) -> Manifest:
    return msgspec.structs.replace(MANIFEST, sampler=msgspec.structs.replace(SAMPLER, **(sampler or {})), **other)


def test_a_good_run_is_usable() -> None:
    """Figures are passed on, nothing is held against it."""
    judged = quality(facts())

    assert (judged.verdict, judged.reasons) == ("usable", [])
    assert judged.held_share is None
    assert (judged.rate_reached_hz, judged.samples, judged.samples_claimed, judged.samples_unclaimed) == (
        100.0, 1_000, 400, 600,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"manifest": None}, "the run folder has no manifest: what made it is unknown"),
        ({"manifest": manifest(complete=False)}, "the run was cut short: what was open then is missing"),
        ({"executions": 19}, "19 executions are few: let it run longer, at least 20"),
        ({"samples_claimed": None}, "there are no stacks: where the time went in code is not known"),
        ({"samples_claimed": 99}, "99 samples in executions are few, less than 100: shares by stack are rough"),
        (
            {"samples_claimed": 400, "samples_unclaimed": 19_600},
            "only 2.0% of the samples are inside executions: most of the program is not traced",
        ),
        ({"manifest": manifest({"seconds": 25.0})}, "the sampler reached 40 Hz of the 100 Hz asked for"),
        ({"manifest": manifest({"late": 101})}, "the sampler fell behind 101 times in 1000 samples"),
        ({"dropped": 6}, "6 executions were dropped because the queue was full: raise queue_size"),
        ({"lines_skipped": 6}, "6 lines of the trace are torn or foreign"),
        ({"offcpu": offcpu(lost=11)}, "11 off-CPU intervals were lost beside 1000: their time is in other"),
        (
            {"offcpu": offcpu(ended_early=True)},
            "bpftrace 0.17.0 broke down after 3 s: what waited later has no cause",
        ),
    ],
)
def test_each_doubt_makes_it_weak(other: dict[str, Any], reason: str) -> None:
    """One reason each, in words with figures."""
    judged = quality(facts(**other))

    assert (judged.verdict, judged.reasons) == ("weak", [reason])


@pytest.mark.parametrize(
    "other",
    [
        {"manifest": manifest({"failed": 52})},  # 4.9 %
        {"manifest": manifest({"late": 100})},
        {"manifest": manifest({"seconds": 20.0})},
        {"executions": 20},
        {"samples_claimed": 100, "samples_unclaimed": 1_900},
        {"dropped": 5},
        {"lines_skipped": 5},
        {"executions": 20, "lines_skipped": 1},
    ],
)
def test_at_the_bound_it_is_usable(other: dict[str, Any]) -> None:
    """A bound is the last good value."""
    assert quality(facts(**other)).verdict == "usable"


def test_above_five_per_cent_failures_stacks_are_refused() -> None:
    """The reason comes first, with the figure."""
    judged = quality(facts(manifest=manifest({"failed": 111, "late": 500}), samples_claimed=None))

    assert judged.verdict == "refuse"
    assert judged.reasons == [
        "10% of the sampler's attempts failed, more than 5%: stacks are left out",
        "there are no stacks: where the time went in code is not known",
        "the sampler fell behind 500 times in 1000 samples",
    ]


def test_what_the_run_says_is_absent_wins() -> None:
    """Of two entries for the same evidence the run's own knows more of the why; others are added."""
    declared = AbsentEvidence(evidence="stacks", why="ptrace is refused", remedy="run as root")
    found = (Absent(evidence="stacks", why="no profile", remedy="-"), Absent(evidence="memory", why="-", remedy="-"))

    judged = quality(facts(manifest=manifest(absent=[declared]), absent=found))

    assert judged.absent == [
        Absent(evidence="stacks", why="ptrace is refused", remedy="run as root"),
        Absent(evidence="memory", why="-", remedy="-"),
    ]


def test_without_a_manifest_nothing_is_claimed_of_the_sampler() -> None:
    """Unknown is not zero."""
    judged = quality(facts(manifest=None))

    assert (judged.sampler, judged.samples_failed, judged.samples_late, judged.rate_reached_hz) == (None,) * 4
    assert judged.privilege == "unknown"


@pytest.mark.parametrize(("busy_s", "share"), [(1.5, 0.15), (0.0, 0.0), (12.0, 1.0)])
def test_what_the_sampler_held_is_said(busy_s: float, share: float) -> None:
    """Its CPU time by the time that it sampled, all of it at the most."""
    assert quality(facts(manifest=manifest({"busy_s": busy_s}))).held_share == share


SPANS = [
    RateSpan(at_s=0.0, rate_hz=100.0, seconds=4.0, why="start"),
    RateSpan(at_s=4.2, rate_hz=10.0, seconds=6.0, why="idle"),
]


def test_a_rate_that_was_lowered_on_purpose_is_no_reason_for_doubt() -> None:
    """What was reached is held against what these rates should have given."""
    sampler = {"rates": SPANS, "looks_due": 460.0, "samples": 450, "restarts": 1, "unsampled_s": 0.2}
    judged = quality(facts(manifest=manifest(sampler)))

    assert (judged.verdict, judged.rate_asked_hz, judged.rate_reached_hz) == ("usable", 100.0, 45.0)
    assert [(one.rate_hz, one.why) for one in judged.rates] == [(100.0, "start"), (10.0, "idle")]
    assert (judged.sampler_restarts, judged.unsampled_s) == (1, 0.2)


def test_a_lowered_rate_that_was_not_reached_is_a_reason() -> None:
    """Told with the rate that there should have been."""
    judged = quality(facts(manifest=manifest({"rates": SPANS, "looks_due": 460.0, "samples": 200})))

    assert judged.reasons == ["the sampler reached 20 Hz of the 46 Hz asked for"]


def test_a_sampler_that_is_begun_anew_again_and_again_misses_much() -> None:
    """More than a twentieth of the time."""
    judged = quality(facts(manifest=manifest({"restarts": 9, "unsampled_s": 1.5})))

    assert judged.reasons == ["for 1.5 s nothing was sampled, beside 10.0 s in which it was"]


def test_what_the_sampler_took_is_held_against_its_budget() -> None:
    """With its beginnings, and over the time in which it was not there, too."""
    judged = quality(facts(manifest=manifest({"cpu_s": 0.21, "unsampled_s": 0.5, "budget_share": 0.02})))

    assert (judged.budget_share, judged.sampler_share) == (0.02, 0.02)
