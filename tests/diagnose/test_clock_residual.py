"""The residual that a report states is the one of the clock that exporters place samples by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.clock_residual import SampleClock
from dam_obs.diagnose.export.placing import Placing, timed_threads
from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.store.manifest import read_manifest
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run
from dam_obs.trace.events import TraceEvent


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return write_example_run(tmp_path_factory.mktemp("example") / "run")


def test_report_and_export_agree(example: RunFolder) -> None:
    """Both fit one clock to the same samples and segments."""
    placing = Placing()
    list(timed_threads(RunSamples(example), placing))

    assert placing.residual is not None
    assert build_report(example).quality.clock_residual_ns == placing.residual.p95_ns


def test_without_samples_there_is_none(run: Callable[..., RunFolder], event: Callable[..., TraceEvent]) -> None:
    """A run that was not sampled has no clock to speak of."""
    assert build_report(run(event())).quality.clock_residual_ns is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]"], ids=["empty", "torn", "foreign"])
def test_broken_profile_has_none(example: RunFolder, tmp_path: Path, content: bytes) -> None:
    """What is wrong with a profile is told elsewhere; here it says nothing."""
    broken = RunFolder(tmp_path / "run")
    broken.path.mkdir()
    broken.raw_profile.write_bytes(content)

    assert SampleClock(broken, read_manifest(example)).residual_ns() is None
