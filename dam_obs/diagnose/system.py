"""Diagnose one system: what its columns, its stacks and the rules say of it, put into one `SystemDiagnosis`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import pluggy

from dam_obs.diagnose import times, touched
from dam_obs.diagnose.concurrency import in_flight
from dam_obs.diagnose.costs import fit_cost
from dam_obs.diagnose.evidence import STATUSES, SystemEvidence
from dam_obs.diagnose.flame import hot_stacks
from dam_obs.diagnose.pools import Pools
from dam_obs.diagnose.report import CostModel, InferredTrait, Point, SystemDiagnosis
from dam_obs.diagnose.waits import Waits
from dam_obs.diagnose.where import SystemWhere
from dam_obs.plugins import call_each
from dam_obs.sample.samples import StackSample

POINTS = 500
"""Executions of a system that are kept for plotting."""

T = TypeVar("T")


def diagnose_system(
    system: SystemEvidence,
    samples: Sequence[StackSample] | None,
    children: Mapping[int, times.Intervals],
    pools: Pools,
    rules: pluggy.PluginManager,
    waits: Waits | None = None,
    where: SystemWhere | None = None,
    span_ns: tuple[int, int] | None = None,
) -> SystemDiagnosis:
    """
    Say what a run showed about one system.

    Args:
        system: Its columns.
        samples: Stacks of its executions; `None` if the run has no stacks.
        children: By row, when the executions that it started were in flight.
        pools: Names the pools of what it touched.
        rules: The plugins that are asked for traits.
        waits: Off-CPU time by cause; `None` if that was not measured.
        where: What it awaited, its gaps, its part of critical paths.
        span_ns: From the first start to the last end of all executions of the run; its own if `None`.
    """
    where = where or SystemWhere()
    split = times.split(system, waits)
    split = split.model_copy(update={"awaiting": where.awaited.by_kind(split.awaiting_ns)})
    starts, durations = system.column("start_ns"), system.column("duration_ns")
    first_ns, last_ns = span_ns or (int(starts.min()), int((starts + durations).max()))
    peak, mean = times.concurrency(starts, durations)
    function, file, line = _most_seen(system.code) or (None, None, None)
    diagnosis = SystemDiagnosis(
        system=system.key.component,
        layer=system.key.layer,
        operation=system.key.operation,
        executions=len(system),
        by_status={status: system.count(status) for status in STATUSES},
        latency=times.quantiles(durations),
        time=split,
        on_cpu_share=split.on_cpu_ns / split.wall_ns if split.on_cpu_ns is not None and split.wall_ns else None,
        waiting_on_children_ns=times.waiting_on_children(system, children),
        awaited=where.awaited.shown(),
        awaited_named=where.awaited.executions,
        gaps=where.gaps,
        critical=where.critical,
        in_flight=in_flight(starts, durations, first_ns, last_ns),
        devices=touched.devices(system.touched, pools),
        files=touched.files(system.touched),
        peers=touched.peers(system.touched, pools),
        processes=touched.processes(system.touched, pools),
        kept=_kept(system),
        peak_memory_delta_bytes=where.peak_growth_bytes,
        concurrency_peak=peak,
        concurrency_mean=mean,
        features=sorted(system.features),
        samples=None if samples is None else sum(sample.weight for sample in samples),
        hot_stacks=hot_stacks(samples or ()),
        cost=_cost(system),
        traits=[],
        points=_points(system),
        errors=dict(sorted(system.errors.items())),
        source_file=file,
        source_line=line,
        source_function=function,
        command_type=_most_seen(system.commands),
    )
    return diagnosis.model_copy(update={"traits": _traits(diagnosis, rules)})


def _kept(system: SystemEvidence) -> int | None:
    kept = len(system.kept.executions())
    return kept if kept < len(system) else None


def _cost(system: SystemEvidence) -> CostModel:
    """Fit the cost of what succeeded: the time of a failure says nothing of the work."""
    kept = [one for one in system.kept.executions() if system.succeeded(one.row)]
    rows = [one.row for one in kept]
    durations, starts = system.column("duration_ns")[rows], system.column("start_ns")[rows]
    return fit_cost(durations, [one.features for one in kept], starts)


def _traits(diagnosis: SystemDiagnosis, rules: pluggy.PluginManager) -> list[InferredTrait]:
    """Ask all rules; of two traits that say the same, keep the more confident one."""
    best: dict[str, InferredTrait] = {}
    for answer in call_each(rules, "dam_obs_infer_traits", diagnosis=diagnosis):
        for trait in answer or ():
            same = f"{trait.trait} {sorted(trait.arguments.items())!r}"
            if same not in best or trait.confidence > best[same].confidence:
                best[same] = trait
    return [best[same] for same in sorted(best, key=lambda same: (-best[same].confidence, same))]


def _points(system: SystemEvidence) -> list[Point]:
    kept = system.kept.executions()
    order = np.argsort(system.column("start_ns")[[one.row for one in kept]], kind="stable")
    chosen = np.unique(np.linspace(0, len(order) - 1, min(POINTS, len(order))).round().astype(np.int64))
    return [
        Point(
            handle=one.handle,
            duration_ns=system.numbers["duration_ns"][one.row],
            status=STATUSES[system.statuses[one.row]],
            features=dict(one.features),
        )
        for one in (kept[place] for place in order[chosen].tolist())
    ]


def _most_seen(counts: Counter[T]) -> T | None:
    return max(counts, key=counts.__getitem__) if counts else None
