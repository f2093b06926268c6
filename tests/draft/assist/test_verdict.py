"""Which answers win, and why the others do not."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.draft.assist.contest import contest
from dam_obs.draft.assist.errors import NothingToBeat
from dam_obs.draft.assist.verdict import judge
from dam_obs.draft.builtin import TEMPLATES
from dam_obs.draft.recorded import recorded_systems
from dam_obs.draft.sandbox import Limits

LAW = "max(0.02 * cmd.size, 3 * cmd.count)"
LIFTED = f"{LAW} * 1.08"
ROOMY = Limits(seconds=120, cpu_seconds=60)


def test_a_law_that_no_template_can_write_wins(planted, saying):
    """The longer of two ways: half the error, and as few surprises as are meant."""
    verdict = judge(planted, saying(LIFTED), "the model m", limits=ROOMY)

    assert (verdict.accepted, verdict.why_not) == (True, ())
    assert (verdict.training, verdict.held_out, verdict.quantile) == (160, 80, 0.9)
    assert verdict.assisted.mdape < 0.12 < 0.2 < verdict.template.mdape
    assert verdict.assisted.under.value < 0.2
    assert verdict.assisted.loss < verdict.template.loss
    assert 0 < verdict.gain.low < verdict.gain.value < verdict.gain.high


def test_a_law_by_cases_wins_too(planted, saying):
    """As a conditional expression."""
    piecewise = "0.02 * cmd.size if 0.02 * cmd.size > 3 * cmd.count else 3 * cmd.count"

    assert judge(planted, saying("round(middle * 1.08)", f"middle = {piecewise}"), "m", limits=ROOMY).accepted


def test_what_won_says_who_wrote_it_and_how_it_did(planted, saying):
    """In sentences that stand in the draft and in the review."""
    verdict = judge(planted, saying(LIFTED), "the model m", limits=ROOMY)
    written = verdict.in_draft()["shop.work:Pack"]

    assert written.cost.expression == f"max(1, round({LIFTED}))"
    assert written.remarks[0] == (
        "time_ms was written by the model m and not by a rule: a person must read it before it is used."
    )
    assert "80 executions were held out" in written.remarks[1]
    assert written.figures.mdape == verdict.assisted.mdape
    assert f"time_ms={written.cost.expression}" in verdict.source


def test_what_won_says_in_which_range_it_was_judged(planted, saying):
    """Of the fields that it reads, and of no others."""
    by_both = judge(planted, saying(LIFTED), "m", limits=ROOMY).written.remarks
    sizes = [each.features["size"] for each in planted.training.executions]

    assert f"size was {min(sizes):,} to {max(sizes):,}; beyond that nothing is known." in by_both
    assert len([each for each in by_both if "beyond that nothing is known" in each]) == 2


def test_a_command_that_is_a_dictionary_is_read_by_its_keys(plant, tmp_path, head):
    """As its templates do."""
    items = plant(tmp_path / "run", command="builtins:dict")
    code = (
        head.replace("TYPE_CHECKING", "Any", 1).partition("if TYPE")[0]
        + "class Pack:"
        + head.partition("class Pack:")[2]
    )
    body = "return [ExecutionCostTrait(time_ms=max(0.02 * cmd['size'], 3 * cmd['count']) * 1.08)]"

    verdict = judge(
        items, f"```python\n{code.replace('PackCommand', 'dict[str, Any]')}        {body}\n```", "m", limits=ROOMY
    )

    assert verdict.why_not == ()
    assert 'cmd["size"]' in verdict.source
    assert any(each.startswith("size was ") for each in verdict.written.remarks)


REJECTED = {
    "as good as the template's": ("184", "by chance alone|no nearer"),
    "worse": (f"{LAW} * 3", "it is no nearer"),
    "nearer to the middle, and too short for the rest": (LAW, "It says too little: [34]\\d% of executions took longer"),
    "a little better": ("0.012 * cmd.size + 1.4 * cmd.count", "not clearly better|by chance alone"),
    "no number where it counts": ("cmd.size / 0", "nothing for 80 of 80 held-out executions: ZeroDivisionError"),
    "a field that was never seen": ("cmd.owner", "needs cmd.owner, which was not recorded"),
    "a number beyond all bounds": ("10 ** 10 * 10 ** 10", "no plain, finite, short value"),
}


@pytest.mark.parametrize("what", REJECTED)
def test_what_is_not_clearly_better_is_rejected(planted, saying, what):
    """With the figures, where it came to any, and the reason."""
    time_ms, why = REJECTED[what]

    verdict = judge(planted, saying(time_ms), "m", limits=ROOMY)

    assert not verdict.accepted
    assert verdict.in_draft() == {}
    assert any(re.search(why, each) for each in verdict.why_not), verdict.why_not
    assert verdict.source is not None


def test_the_templates_own_draft_does_not_beat_itself(planted):
    """No gain is no gain."""
    verdict = judge(planted, f"```python\n{planted.template}```", "m", limits=ROOMY)

    assert verdict.template == verdict.assisted
    assert verdict.gain.value == verdict.gain.low == verdict.gain.high == 0
    assert not verdict.accepted


def test_a_refused_answer_has_no_figures(planted):
    """It was not run."""
    verdict = judge(planted, "no", "m")

    assert verdict.why_not == ("The answer has no code with calculate_traits in it.",)
    assert (verdict.template, verdict.assisted, verdict.source, verdict.written) == (None, None, None, None)


def test_arithmetic_without_end_is_ended(planted, saying):
    """The allow-list lets powers through; the child's limits do not."""
    power = "cmd.size"
    for _ in range(12):
        power = f"({power}) ** 10"

    verdict = judge(planted, saying(power), "m", limits=Limits(seconds=120, cpu_seconds=1))

    assert verdict.why_not == ("It predicts nothing for 80 of 80 held-out executions: it used up its 1 s of CPU time.",)


def test_a_text_larger_than_memory_is_no_prediction(planted, saying):
    """Nor is it the parent's trouble."""
    verdict = judge(planted, saying("len('a' * cmd.size * 10 ** 9)"), "m", limits=ROOMY)

    assert "MemoryError" in verdict.why_not[0]


def test_laws_of_pure_chance_do_not_win(plant, tmp_path, saying):
    """Where noise hides the law, none that was made up is drafted."""
    noisy = plant(tmp_path / "run", noise=1.5, executions=150)
    middle, chance = noisy.system.latency.p50_ns / 1e6, np.random.default_rng(3)
    laws = [
        f"{middle * chance.uniform(0.5, 4):.4g} * (1 + {abs(chance.normal(0, 1e-4)):.4g} * cmd.{field})"
        for field in ("size", "count") * 5
    ]

    assert [law for law in laws if judge(noisy, saying(law), "m", limits=ROOMY).accepted] == []


def test_a_templates_draft_that_predicts_nothing_is_an_error(planted_run, tmp_path, saying):
    """A plugin's template may leave the cost to the reviewer."""
    report = build_report(planted_run)
    text = (TEMPLATES / "draft.py.jinja").read_text().replace("{{ trait.source }},", "", 1)
    (tmp_path / "draft.py.jinja").write_text(text)
    nothing = contest(report, report.systems[0], recorded_systems(planted_run), templates=[tmp_path])

    with pytest.raises(NothingToBeat, match="it predicts no time"):
        judge(nothing, saying(LIFTED), "m", limits=ROOMY)
