"""Exports of runs whose samples were taken at several rates, or whose order was lost."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from dam_obs.diagnose.export.chrome import chrome
from dam_obs.diagnose.export.folded import folded
from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.diagnose.export.speedscope import speedscope
from dam_obs.sample.folding import EverySecond, Part, fold, join, shrink
from dam_obs.store.runs import RunFolder
from dam_obs.trace.redact import Redactor


def kept(run: RunFolder, folder: Path) -> Part:
    """Return the profile of `run` as a part, taken at a tenth of the rate asked for."""
    return fold(run.raw_profile, folder / "slow", Redactor(), each=10)


@pytest.fixture
def two_rates(small_run: RunFolder, tmp_path: Path) -> RunFolder:
    """The small run, seen once at the rate asked for and once at a tenth of it."""
    parts = [fold(small_run.raw_profile, tmp_path / "quick", Redactor()).path, kept(small_run, tmp_path).path]
    join(parts, small_run.raw_profile)
    return small_run


def test_folded_stacks_weigh_the_rates(two_rates: RunFolder) -> None:
    """Eleven times what was seen at the rate asked for alone."""
    lines = b"".join(folded(RunSamples(two_rates))).decode().splitlines()

    assert [int(line.rpartition(" ")[2]) for line in lines] == [22, 55, 11, 22]


def test_speedscope_has_the_time_of_both(two_rates: RunFolder) -> None:
    """A look at 100 Hz is 10 ms, one at 10 Hz is 100 ms."""
    shown = json.loads(b"".join(speedscope(RunSamples(two_rates))))
    (outer,) = [one for one in shown["profiles"] if "Outer" in one["name"]]

    assert (outer["unit"], outer["weights"]) == ("milliseconds", [2 * 10 + 2 * 100])


def test_the_period_is_that_of_the_rate_asked_for(small_run: RunFolder) -> None:
    """However long the rate was lower: weights are in looks at the one asked for."""
    manifest = json.loads(small_run.manifest.read_text())
    manifest["sampler"] |= {"rate_asked_hz": 100.0, "seconds": 10.0, "samples": 190, "looks_due": 190.0}
    small_run.manifest.write_text(json.dumps(manifest))

    assert RunSamples(small_run).period_ns == pytest.approx(10e6)


@pytest.mark.parametrize("halve", [False, True])
def test_what_has_lost_its_order_is_not_placed_in_time(small_run: RunFolder, tmp_path: Path, halve: bool) -> None:
    """Nobody is shown a time line that never was; the executions are still on it."""
    join([shrink(kept(small_run, tmp_path), EverySecond() if halve else None).path], small_run.raw_profile)
    samples = RunSamples(small_run)
    shown = json.loads(b"".join(chrome(samples)))

    assert shown["otherData"]["samples_placed_in_time"] == 0
    assert shown["otherData"]["samples_not_placed_in_time"] == 100
    assert {event["ph"] for event in shown["traceEvents"]} == {"X", "M"}
    assert "their order was not kept" in samples.remarks[0]


def test_a_kept_profile_is_the_same_in_both_readers(small_run: RunFolder, tmp_path: Path) -> None:
    """What py-spy wrote and what is kept of it give the same export."""
    before = b"".join(folded(RunSamples(small_run)))
    join([fold(small_run.raw_profile, tmp_path / "part", Redactor()).path], small_run.raw_profile)

    assert b"".join(folded(RunSamples(small_run))) == before
    assert msgspec.json.decode(small_run.raw_profile.read_bytes())["profiles"][0]["each"] == 1
