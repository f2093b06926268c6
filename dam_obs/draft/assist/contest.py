"""
Make a fair contest between the template's draft and another: what each is made of, and what they are judged by.

Executions are parted by a fixed seed. The template's draft is made of the training part, and the
training part is all that a model is told; the rest has been seen by neither. Their features go
through the rules of redaction once more before anything is made of them, since a trace may come
from elsewhere, and a model is somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from dam_obs.diagnose.costs import fit_cost
from dam_obs.diagnose.report import DiagnosticReport, Point, SystemDiagnosis
from dam_obs.diagnose.times import quantiles
from dam_obs.diagnose.traits import execution_cost
from dam_obs.draft.assist.errors import NothingToBeat, TooFewExecutions
from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.names import CommandType, class_name, command_type
from dam_obs.draft.recorded import Execution, RecordedSystem, evenly
from dam_obs.draft.templates import plugin_folders
from dam_obs.draft.write import draft_source
from dam_obs.draft.written import COST, with_cost_stated
from dam_obs.trace.redact import Redactor

HELD_OUT: Final = 1 / 3
"""Share of executions that are held out."""

MOST_HELD_OUT: Final = 5_000
LEAST: Final = 90
"""
Executions: 60 to learn from and 30 to be judged by.

Tried on made-up executions: of drafts that are no better than the template's three in a hundred win by
chance with 20 held out, fewer than one in a hundred with 30.
"""

MOST_POINTS: Final = 500

_SEED: Final = 20260113


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """One system, parted, and the draft that is to be beaten."""

    run_id: str
    system: SystemDiagnosis
    """As the training part alone shows it."""
    training: RecordedSystem
    held_out: RecordedSystem
    template: str
    """The template's draft, made of the training part."""
    templates: tuple[Path, ...]
    """Folders that its template was searched in."""

    @property
    def class_name(self) -> str:
        """Return the name of the class in each draft."""
        return class_name(self.system.system)

    @property
    def command(self) -> CommandType | None:
        """Return what drafts may import the command's class as."""
        if self.training.takes_dict:
            return None
        return command_type(self.system.command_type or "", taken=self.class_name)


def contest(
    report: DiagnosticReport,
    system: SystemDiagnosis,
    recorded: Mapping[str, RecordedSystem],
    *,
    templates: Sequence[Path] | None = None,
) -> Contest:
    """
    Part a system's executions, and draft by template what the training part shows.

    Args:
        report: What the run says.
        system: One of its systems.
        recorded: Those of the run, by name.
        templates: Folders that are searched before the built-in template; `None` for those of plugins.

    Raises:
        TooFewExecutions: There are too few of them to judge anything by.
        NothingToBeat: The template makes no draft.
    """
    found = recorded.get(system.system)
    executions = found.succeeded() if found is not None else ()
    if found is None or len(executions) < LEAST:
        raise TooFewExecutions(system.system, len(executions), LEAST)
    parts = parted(_without_secrets(executions))
    training, held_out = (replace(found, executions=part, seen=len(part)) for part in parts)
    seen = _as_seen(system, training)
    folders = tuple(plugin_folders() if templates is None else templates)
    try:
        template = draft_source(seen, report.run_id, templates=folders)
    except DraftRefused as error:
        raise NothingToBeat(system.system, error.why) from error
    return Contest(
        run_id=report.run_id,
        system=seen,
        training=training,
        held_out=held_out,
        template=template,
        templates=folders,
    )


def parted(executions: Sequence[Execution]) -> tuple[tuple[Execution, ...], tuple[Execution, ...]]:
    """Return a training part and one to be held out, each in the order of the run; the same each time."""
    order = np.random.default_rng(_SEED).permutation(len(executions)).tolist()
    held_out = set(order[: min(MOST_HELD_OUT, round(len(order) * HELD_OUT))])
    return (
        tuple(each for place, each in enumerate(executions) if place not in held_out),
        tuple(each for place, each in enumerate(executions) if place in held_out),
    )


def _without_secrets(executions: Sequence[Execution]) -> list[Execution]:
    redactor = Redactor()
    return [replace(each, features=redactor.mapping(each.features)) for each in executions]


def _as_seen(system: SystemDiagnosis, training: RecordedSystem) -> SystemDiagnosis:
    """Diagnose the training part; what does not speak of time stays as the report has it."""
    executions = training.executions
    durations = np.array([each.duration_ns for each in executions], dtype=np.int64)
    starts = [each.start_ns for each in executions if each.start_ns is not None]
    cost = fit_cost(
        durations,
        [each.features for each in executions],
        np.array(starts, dtype=np.int64) if len(starts) == len(executions) else None,
    )
    seen = system.model_copy(
        update={
            "executions": len(executions),
            "by_status": {"success": len(executions)},
            "latency": quantiles(durations),
            "cost": cost,
            "command_type": training.command_type,
            "points": [_point(each) for each in evenly(executions, MOST_POINTS)],
            "errors": {},
        }
    )
    traits = [each for each in system.traits if each.trait != COST]
    return with_cost_stated(seen.model_copy(update={"traits": [*traits, *execution_cost(seen)]}))


def _point(execution: Execution) -> Point:
    return Point(
        handle=execution.handle,
        duration_ns=execution.duration_ns,
        status=execution.status,
        features=dict(execution.features),
    )
