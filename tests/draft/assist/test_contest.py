"""Two drafts are judged by what neither has seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.draft.assist.contest import LEAST, contest, parted
from dam_obs.draft.assist.errors import NothingToBeat, TooFewExecutions
from dam_obs.draft.assist.prompt import prompt
from dam_obs.draft.recorded import recorded_systems

SYSTEM = "shop.work:Pack"


@pytest.fixture(scope="module")
def parts(planted_run):
    """The report on a run, its one system, and what was recorded of it."""
    report = build_report(planted_run)
    return report, report.systems[0], recorded_systems(planted_run)


def test_executions_are_parted_once_and_for_all(planted):
    """A third is held out, no execution is in both parts, and none is lost."""
    training = {each.handle for each in planted.training.executions}
    held_out = {each.handle for each in planted.held_out.executions}

    assert (len(training), len(held_out), len(training | held_out)) == (160, 80, 240)


def test_the_same_executions_are_parted_the_same(planted):
    """In the order of the run."""
    every = sorted((*planted.training.executions, *planted.held_out.executions), key=lambda each: each.handle)

    assert parted(every) == (planted.training.executions, planted.held_out.executions)


def test_nothing_of_what_is_held_out_is_in_the_templates_draft_or_in_the_prompt(parts, planted):
    """Were it all a thousand times as slow, both would be the same to the letter."""
    report, system, recorded = parts
    held_out = {each.handle for each in planted.held_out.executions}
    slower = tuple(
        replace(each, duration_ns=each.duration_ns * 1000) if each.handle in held_out else each
        for each in recorded[SYSTEM].executions
    )

    other = contest(report, system, {SYSTEM: replace(recorded[SYSTEM], executions=slower)}, templates=())

    assert other.held_out != planted.held_out
    assert (other.template, prompt(other)) == (planted.template, prompt(planted))


def test_the_cost_is_stated_however_unsure_the_report_is_of_it(planted):
    """There would be nothing to compare with otherwise."""
    assert [each.confidence for each in planted.system.traits if each.trait == "ExecutionCostTrait"] == [1.0]
    assert "\n            ExecutionCostTrait(" in planted.template


@pytest.mark.parametrize("executions", [0, 1, LEAST - 1])
def test_too_few_executions_are_an_error(parts, executions):
    """It says how many it takes."""
    report, system, recorded = parts
    few = replace(recorded[SYSTEM], executions=recorded[SYSTEM].executions[:executions])

    with pytest.raises(TooFewExecutions, match=f"{executions} executions .* it takes {LEAST} to judge"):
        contest(report, system, {SYSTEM: few}, templates=())


def test_what_failed_does_not_count(parts):
    """Its time says nothing of the work."""
    report, system, recorded = parts
    failed = tuple(replace(each, status="error") for each in recorded[SYSTEM].executions)

    with pytest.raises(TooFewExecutions):
        contest(report, system, {SYSTEM: replace(recorded[SYSTEM], executions=failed)}, templates=())


def test_a_system_whose_commands_were_not_recorded_is_an_error(parts):
    """As if it had no executions."""
    report, system, _ = parts

    with pytest.raises(TooFewExecutions, match="0 executions"):
        contest(report, system, {}, templates=())


def test_without_a_templates_draft_there_is_nothing_to_beat(parts, tmp_path):
    """A plugin's template may be broken."""
    report, system, recorded = parts
    (tmp_path / "draft.py.jinja").write_text("{{ nothing }}")

    with pytest.raises(NothingToBeat, match=r"template draft\.py\.jinja is broken"):
        contest(report, system, recorded, templates=[tmp_path])
