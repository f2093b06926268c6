"""
Let an assisted draft and the template's predict executions that neither has seen, and say which did better.

The assisted draft has to win clearly: its median error and its quantile loss have to be lower by
more than chance, which resampling the executions in pairs shows, and it must not take more
executions by surprise than it is meant to. The quantile loss is what keeps it honest: a time
below the stated quantile has a smaller median error and lets executions take too long. At
90 %, an execution that takes longer than was said costs nine times as much as one that takes as much less.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dam_obs.diagnose.report import Prediction as Figures
from dam_obs.draft import figures
from dam_obs.draft.assist.answer import Proposal, Refused, read_answer
from dam_obs.draft.assist.contest import Contest
from dam_obs.draft.assist.errors import NothingToBeat
from dam_obs.draft.backtest import Draft, Prediction, Predictions, predict
from dam_obs.draft.certainty import CONFIDENCE, Interval, share_interval
from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.literals import shown
from dam_obs.draft.names import feature_source
from dam_obs.draft.sandbox import Limits
from dam_obs.draft.telling import Tell, nobody, parts
from dam_obs.draft.write import draft_source
from dam_obs.draft.written import Written

MIN_GAIN: Final = 0.1
"""Share of the template's median error that has to be saved."""

RESAMPLES: Final = 2_000
_CHUNK: Final = 2_000_000
"""Numbers that are drawn at once."""

_SEED: Final = 20260113

Floats = NDArray[np.float64]
Middle = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one draft did on the executions that were held out."""

    mdape: float
    """Median absolute percentage error, as a fraction."""
    bias: float
    """Median signed relative error; positive: over-estimates."""
    under: Interval
    """Share of executions that took longer than it said."""
    loss: float
    """Mean quantile loss of the logarithm of the time."""

    def as_figures(self) -> Figures:
        """Return what a report would hold of it."""
        return Figures(mdape=self.mdape, bias=self.bias, under_rate=self.under.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of an answer."""

    system: str
    author: str
    quantile: float
    training: int
    held_out: int
    why_not: tuple[str, ...]
    """Why it was rejected, sentences; empty: it was accepted. May hold text of the answer."""
    template: Result | None = None
    """`None`: it did not come to a comparison."""
    assisted: Result | None = None
    gain: Interval | None = None
    """By how much the median error is lower, and what that may truly be."""
    source: str | None = None
    """The assisted draft; `None` where the answer is none."""
    written: Written | None = None
    """What goes into the draft; `None`: it was rejected."""

    @property
    def accepted(self) -> bool:
        """Whether it won."""
        return not self.why_not

    def in_draft(self) -> dict[str, Written]:
        """Return what `dam_obs.draft.write.make_drafts` takes."""
        return {self.system: self.written} if self.written is not None else {}


def judge(contest: Contest, answer: str, author: str, *, limits: Limits | None = None, tell: Tell = nobody) -> Verdict:
    """
    Judge an answer.

    Args:
        contest: What it was asked about.
        answer: Text, whatever it is.
        author: Who gave it, for people.
        limits: What the child processes may use.
        tell: Told how far it is.

    Raises:
        NothingToBeat: The template's draft predicts nothing.
    """
    opened = Verdict(
        system=contest.system.system,
        author=author,
        quantile=contest.system.cost.quantile,
        training=len(contest.training.executions),
        held_out=len(contest.held_out.executions),
        why_not=(),
    )
    try:
        proposal = read_answer(answer, contest.command, class_name=contest.class_name)
        source = _source(contest, proposal, author)
    except Refused as error:
        return replace(opened, why_not=(f"The answer {error}.",))
    theirs, ours = (
        predict(_draft(contest, text, name), contest.held_out, limits=limits, tell=telling)
        for (name, text), telling in parts((("the template's draft", contest.template), ("its draft", source)), tell)
    )
    if not theirs.made():
        raise NothingToBeat(contest.system.system, theirs.stopped or next(iter(theirs.problems), "it predicts nothing"))
    missing = _unanswered(ours, theirs)
    if missing:
        return replace(opened, why_not=(missing,), source=source)
    compared = _compared(opened, _pairs(ours, theirs))
    if compared.why_not:
        return replace(compared, source=source)
    return replace(compared, source=source, written=_written(contest, compared, proposal))


def _source(contest: Contest, proposal: Proposal, author: str) -> str:
    """Put a proposal into a draft as the template lays it out."""
    unjudged = Written(cost=proposal.cost, author=author, figures=Figures(mdape=0, bias=0, under_rate=0), remarks=())
    try:
        return draft_source(contest.system, contest.run_id, templates=contest.templates, written=unjudged)
    except DraftRefused as error:
        raise Refused(f"is not what a draft may contain: {error.why}") from error


def _draft(contest: Contest, source: str, name: str) -> Draft:
    return Draft(
        path=Path(name),
        text=source,
        class_name=contest.class_name,
        system=contest.system.system,
        quantile=contest.system.cost.quantile,
    )


def _unanswered(ours: Predictions, theirs: Predictions) -> str | None:
    """Say of how many executions there is no prediction, though the template's draft has one."""
    pairs = zip(ours.each, theirs.each, strict=True)
    missing = sum(mine is None and other is not None for mine, other in pairs)
    if not missing:
        return None
    why = f"it {ours.stopped}" if ours.stopped else next(iter(ours.problems))
    return f"It predicts nothing for {missing:,} of {len(ours.each):,} held-out executions: {shown(why)}."


def _pairs(ours: Predictions, theirs: Predictions) -> list[tuple[Prediction, Prediction]]:
    pairs = zip(ours.each, theirs.each, strict=True)
    return [(mine, other) for mine, other in pairs if mine is not None and other is not None]


def _compared(opened: Verdict, pairs: Sequence[tuple[Prediction, Prediction]]) -> Verdict:
    """Hold the two against each other, execution by execution."""
    quantile = opened.quantile
    mine, other = [each for each, _ in pairs], [each for _, each in pairs]
    my_loss, other_loss = _losses(mine, quantile), _losses(other, quantile)
    assisted, template = _result(mine, my_loss), _result(other, other_loss)
    chosen = np.random.default_rng(_SEED)
    of_error = _gain(_errors(other), _errors(mine), _medians, chosen)
    of_loss = _gain(other_loss, my_loss, _means, chosen)
    why_not = [
        *_not_nearer(assisted, template, of_error),
        *_no_less_loss(of_loss, quantile),
        *_surprises(assisted, template, quantile),
    ]
    return replace(opened, why_not=tuple(why_not), template=template, assisted=assisted, gain=of_error)


def _result(predictions: Sequence[Prediction], losses: Floats) -> Result:
    signed = [each.error for each in predictions]
    return Result(
        mdape=statistics.median(map(abs, signed)),
        bias=statistics.median(signed),
        under=share_interval(sum(error < 0 for error in signed), len(signed)),
        loss=float(losses.mean()),
    )


def _errors(predictions: Sequence[Prediction]) -> Floats:
    return np.array([abs(each.error) for each in predictions])


def _losses(predictions: Sequence[Prediction], quantile: float) -> Floats:
    longer: Floats = np.log([each.took_ms for each in predictions]) - np.log([each.said_ms for each in predictions])
    losses: Floats = np.maximum(quantile * longer, (quantile - 1) * longer)
    return losses


def _gain(other: Floats, mine: Floats, middle: Middle, chance: np.random.Generator) -> Interval:
    """Return by how much the middle of `mine` is lower, and between what that lies when executions are drawn anew."""
    size = len(mine)
    rounds = max(1, _CHUNK // size)
    found: list[Floats] = []
    for start in range(0, RESAMPLES, rounds):
        rows = chance.integers(0, size, (min(rounds, RESAMPLES - start), size))
        gained: Floats = middle(other[rows]) - middle(mine[rows])
        found.append(gained)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(found), [tail, 1 - tail])
    return Interval(value=float(middle(other) - middle(mine)), low=float(low), high=float(high))


def _medians(rows: Floats) -> Floats:
    return np.asarray(np.median(rows, axis=-1), dtype=np.float64)


def _means(rows: Floats) -> Floats:
    return np.asarray(np.mean(rows, axis=-1), dtype=np.float64)


def _not_nearer(assisted: Result, template: Result, gain: Interval) -> list[str]:
    if gain.low > 0 and gain.value >= MIN_GAIN * template.mdape:
        return []
    told = f"Its median error is {_share(assisted.mdape)}, that of the template's draft {_share(template.mdape)}"
    if gain.value <= 0:
        return [f"{told}: it is no nearer."]
    if gain.low > 0:
        return [f"{told}: it saves less than {figures.percent(MIN_GAIN)} of it."]
    return [f"{told}: by chance alone the difference lies between {_points(gain.low)} and {_points(gain.high)}."]


def _no_less_loss(gain: Interval, quantile: float) -> list[str]:
    if gain.low > 0:
        return []
    return [f"As a time that is to hold for {figures.percent(quantile)} of executions it is not clearly better."]


def _surprises(assisted: Result, template: Result, quantile: float) -> list[str]:
    meant = 1 - quantile
    if assisted.under.low <= meant or assisted.under.value <= template.under.value:
        return []
    return [
        f"It says too little: {_share(assisted.under.value)} of executions took longer, {_share(meant)} were meant."
    ]


def _ranges(contest: Contest, proposal: Proposal) -> Iterator[str]:
    """Say of each number that the cost reads in which range it was seen."""
    told = "; ".join([*proposal.cost.setup, proposal.cost.expression])
    for name in sorted({name for each in contest.training.executions for name in each.features}):
        source = feature_source(name, command_is_dict=contest.training.takes_dict)
        if source is None or not re.search(
            rf"(?<![\w.]){re.escape(source.replace(chr(34), chr(39)))}(?![\w.\[])", told
        ):
            continue
        values = [each.features.get(name) for each in contest.training.executions]
        numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        if numbers:
            seen = f"{figures.number(min(numbers))} to {figures.number(max(numbers))}"
            yield f"{name} was {seen}; beyond that nothing is known."


def _written(contest: Contest, verdict: Verdict, proposal: Proposal) -> Written:
    assert verdict.assisted is not None and verdict.template is not None  # noqa: S101, PT018 - they were compared
    assisted, template = verdict.assisted, verdict.template
    return Written(
        cost=proposal.cost,
        author=verdict.author,
        figures=assisted.as_figures(),
        remarks=(
            f"time_ms was written by {verdict.author} and not by a rule: a person must read it before it is used.",
            f"{verdict.held_out:,} executions were held out. Its median error on them is {_told(assisted)}.",
            f"That of the template's draft is {_told(template)}.",
            *_ranges(contest, proposal),
            *proposal.remarks,
        ),
    )


def _told(result: Result) -> str:
    bias = figures.percent(result.bias, signed=True)
    return f"{_share(result.mdape)}, with a bias of {bias}, and {_share(result.under.value)} took longer than it says"


def _share(value: float) -> str:
    return f"{value:.1%}" if value < 0.1 else figures.percent(value)


def _points(value: float) -> str:
    return f"{value * 100:+.1f} points"
