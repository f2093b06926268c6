"""Long works say how far they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.draft.backtest import backtest, read_drafts, system_of
from dam_obs.draft.checking import check_run
from dam_obs.draft.recorded import recorded_systems
from dam_obs.draft.rewrite import plan
from dam_obs.draft.telling import nobody, parts
from dam_obs.draft.write import make_drafts, write_drafts
from dam_obs.testing.runs import write_example_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run, and its drafts."""
    made = write_example_run(tmp_path_factory.mktemp("telling") / "run", assets=60)
    write_drafts(build_report(made), made.drafts, templates=())
    return made


def test_parts_share_the_whole():
    """As if all took equally long; what each tells is put in its place."""
    told: list[float] = []

    for item, tell in parts("abcd", told.append):
        tell(0.5)
        assert item in "abcd"

    assert told == [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0]


def test_no_parts_are_no_trouble():
    """Nor is it that nobody listens."""
    assert list(parts([], nobody)) == []


def back_test(run, tell):
    (draft,) = read_drafts(run.drafts / "asset_pipeline_systems_HashAsset.py")
    backtest(draft, system_of(draft, recorded_systems(run)), tell=tell)


def write_into(run, tell):
    report = build_report(run)
    plan(report, make_drafts(report, templates=()), Path(__file__).parent, tell=tell)


WORKS = {
    "a back-test": back_test,
    "a check": lambda run, tell: check_run(run, Path(__file__), tell=tell),
    "drafts": lambda run, tell: make_drafts(build_report(run), templates=(), tell=tell),
    "a plan": write_into,
}


@pytest.mark.parametrize("work", WORKS)
def test_a_work_says_how_far_it_is(run, work):
    """Ever further, and to its end."""
    told: list[float] = []

    WORKS[work](run, told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
