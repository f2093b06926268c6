"""Say in words what a report says about one system: its row in the overview and its section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from dam_obs.diagnose.page import units
from dam_obs.diagnose.page.charts import draw_cost, draw_histogram
from dam_obs.diagnose.page.describe_tables import tables
from dam_obs.diagnose.page.describe_where import where_view
from dam_obs.diagnose.page.figures import CostPlot, cost_plot, histogram
from dam_obs.diagnose.page.text import shown
from dam_obs.diagnose.page.units import NOT_MEASURED
from dam_obs.diagnose.page.view import (
    Chart,
    Chip,
    CostView,
    Fact,
    Figure,
    Part,
    PartKind,
    Stack,
    StackLine,
    StatusCount,
    SystemView,
    TimeView,
    TraitView,
)
from dam_obs.diagnose.report import (
    CostModel,
    DiagnosticReport,
    HotStack,
    InferredTrait,
    Prediction,
    SystemDiagnosis,
    TimeSplit,
)
from dam_obs.diagnose.traits import DRAFT_CONFIDENCE
from dam_obs.sample.offcpu.causes import CAUSE_WORDS, Cause

LONGEST_NAME: Final = 120

_PARTS: Final[tuple[tuple[PartKind, str, str, str], ...]] = (
    ("on-cpu", "on_cpu_ns", "on CPU", "the thread's own clock ran"),
    ("run-queue", "run_queue_ns", "run queue", "ready, and waiting for a CPU"),
    ("block-io", "block_io_ns", "block I/O", "waiting for a disk"),
    ("awaiting", "awaiting_ns", "awaiting", "suspended at an await or yield"),
    ("other", "other_ns", "other", "sockets, locks, pipes, sleep, and what was not measured"),
)


def system_view(system: SystemDiagnosis, place: int, report: DiagnosticReport) -> SystemView:
    """
    Put all that the page says about `system` into words.

    Args:
        system: What the run says about it.
        place: Its number on the page, from 1.
        report: What it is part of.
    """
    module, name = _name(system)
    return SystemView(
        anchor=f"system-{place}",
        name=shown(name, LONGEST_NAME),
        module=shown(module, LONGEST_NAME),
        layer=system.layer,
        operation=system.operation,
        executions=Figure(units.count(system.executions), system.executions),
        statuses=_statuses(system),
        p50=Figure(units.duration(system.latency.p50_ns), system.latency.p50_ns),
        p95=Figure(units.duration(system.latency.p95_ns), system.latency.p95_ns),
        total=Figure(units.duration(_total_ns(system)), _total_ns(system)),
        on_cpu=_measured(system.on_cpu_share, units.percent),
        samples=_measured(system.samples, units.count),
        time=_time(system.time, system.executions),
        where=where_view(system),
        critical=_measured(system.critical.share if system.critical else None, units.percent),
        pools=_pools(system),
        chips=_chips(system.traits),
        facts=list(_facts(system)),
        latency=_latency_chart(system, name),
        cost_chart=_cost_chart(system, name),
        cost=_cost(system.cost, of_all=system.kept is None),
        traits=[_trait(trait, system.cost) for trait in system.traits],
        tables=[table for table in tables(system) if table.rows],
        stacks=[_stack(stack, system.samples) for stack in system.hot_stacks],
        no_stacks=_no_stacks(system, report),
    )


def _name(system: SystemDiagnosis) -> tuple[str, str]:
    module, colon, name = system.system.rpartition(":")
    if colon and module and name:
        return module, name
    return "", system.system or "(no name)"


def _measured(number: float | None, say: Any) -> Figure:
    return Figure(NOT_MEASURED, None) if number is None else Figure(say(number), number)


def _total_ns(system: SystemDiagnosis) -> float:
    """Return the wall time of all executions, also of those whose parts were not measured."""
    return system.latency.mean_ns * system.latency.count


def _statuses(system: SystemDiagnosis) -> list[StatusCount]:
    """Return the statuses that occurred, the usual ones first."""
    order = {status: place for place, status in enumerate(("success", "error", "blocked"))}
    seen = sorted((order.get(status, 3), status, number) for status, number in system.by_status.items() if number)
    total = max(system.executions, 1)
    return [StatusCount(status, units.count(number), units.percent(number / total)) for _, status, number in seen]


def _time(time: TimeSplit, executions: int) -> TimeView:
    parts, left = [], 0.0
    for kind, field, label, meaning in _PARTS:
        nanoseconds: int | None = getattr(time, field)
        share = (nanoseconds or 0) / time.wall_ns if time.wall_ns else 0.0
        width = max(0.0, min(share * 100, 100 - left))
        parts.append(
            Part(
                kind=kind,
                label=label,
                meaning=meaning,
                left=round(left, 3),
                width=round(width, 3),
                time=NOT_MEASURED if nanoseconds is None else units.duration(nanoseconds),
                share="" if nanoseconds is None else units.percent(share),
                measured=nanoseconds is not None,
            )
        )
        left += width
    return TimeView(
        wall=units.duration(time.wall_ns),
        parts=parts,
        summary="; ".join(f"{part.label} {part.share or part.time}" for part in parts),
        note=_time_note(time, executions),
    )


def _time_note(time: TimeSplit, executions: int) -> str:
    missing = [label for _, field, label, _ in _PARTS if getattr(time, field) is None]
    said = []
    if time.measured < executions:
        said.append(f"Summed over {units.count(time.measured)} of {units.count(executions)} executions.")
    if time.counted is not None and time.counted < time.measured:
        counted = f"{units.count(time.counted)} of {units.count(time.measured)}"
        how = "whose counters were read" if time.causes is None else "which bpftrace watched"
        said.append(f"Run queue and block I/O are projected from {counted} executions, {how}.")
    counters = [] if time.causes is not None else [label for label, part in _counters(time) if part is not None]
    if counters:
        said.append(f"From counters in /proc, the coarser source, and not from bpftrace: {', '.join(counters)}.")
    if missing:
        said.append(f"Not measured, and so inside other: {', '.join(missing)}.")
    if time.causes is not None:
        said.append(_what_other_is(time.causes, time.wall_ns))
    return " ".join(said)


def _counters(time: TimeSplit) -> tuple[tuple[str, int | None], ...]:
    return ("run queue", time.run_queue_ns), ("block I/O", time.block_io_ns)


def _what_other_is(causes: Mapping[Cause, int], wall_ns: int) -> str:
    """Name the causes of other waiting, the longest first, by their share of the wall time."""
    seen = sorted(((nanoseconds, cause) for cause, nanoseconds in causes.items() if nanoseconds), reverse=True)
    if not seen:
        return "In other no cause of waiting was seen."
    shares = (f"{CAUSE_WORDS[cause]} {units.percent(nanoseconds / max(wall_ns, 1))}" for nanoseconds, cause in seen)
    return f"Of the wall time, seen in other: {', '.join(shares)}."


def _pools(system: SystemDiagnosis) -> list[str]:
    """Return the pools of what was touched and of traits, each once, those touched most first."""
    uses = [(use.executions, use.pool) for use in system.devices]
    uses += [(use.executions, use.pool) for use in system.peers]
    uses += [(use.executions, use.pool) for use in system.processes]
    traits = [trait.arguments.get("pool_path") for trait in system.traits if trait.confidence >= DRAFT_CONFIDENCE]
    return list(
        dict.fromkeys([*(str(pool) for pool in traits if pool), *(pool for _, pool in sorted(uses, reverse=True))])
    )


def _chips(traits: Sequence[InferredTrait]) -> list[Chip]:
    """Name each class of traits once, the doubtful ones apart; resources stand in the pools beside them."""
    groups: dict[tuple[bool, str], list[InferredTrait]] = {}
    for trait in traits:
        groups.setdefault((_doubtful(trait), trait.trait.removesuffix("Trait")), []).append(trait)
    return [
        Chip(
            name if len(group) == 1 else f"{name} × {len(group)}",
            doubtful,
            "; ".join(f"{_of_pool(trait)}confidence {units.percent(trait.confidence)}" for trait in group),
        )
        for (doubtful, name), group in sorted(groups.items(), key=lambda item: item[0])
    ]


def _of_pool(trait: InferredTrait) -> str:
    pool = trait.arguments.get("pool_path")
    return f"{pool}: " if pool else ""


def _doubtful(trait: InferredTrait) -> bool:
    return not trait.confidence >= DRAFT_CONFIDENCE  # so that no number at all is doubtful, too


def _facts(system: SystemDiagnosis) -> Iterator[Fact]:
    latency = system.latency
    yield Fact("Layer", f"{system.layer}.{system.operation}")
    yield Fact("Executions", units.count(system.executions))
    yield Fact("Median", units.duration(latency.p50_ns))
    yield Fact("p95", units.duration(latency.p95_ns))
    yield Fact("Longest", units.duration(latency.max_ns))
    yield Fact("Total", units.duration(_total_ns(system)))
    yield Fact("On CPU", _measured(system.on_cpu_share, units.percent).text)
    yield Fact(
        "At once", f"{units.digits(system.concurrency_mean)} on average, {units.count(system.concurrency_peak)} at most"
    )
    if system.critical is not None:
        traces = f"of {units.count(system.critical.traces)} traces"
        yield Fact("Of critical paths", units.percent(system.critical.share), traces)
    if system.waiting_on_children_ns:
        yield Fact("Waited for systems it started", units.duration(system.waiting_on_children_ns))
    if system.peak_memory_delta_bytes is not None:
        yield Fact("Memory at its peak", f"at least +{units.size(system.peak_memory_delta_bytes)}")
    if system.command_type:
        yield Fact("Command", system.command_type.rpartition(":")[2] or system.command_type, system.command_type)
    if system.source_file:
        line = f":{system.source_line}" if system.source_line is not None else ""
        yield Fact("Source", f"{PurePath(system.source_file).name}{line}", f"{system.source_file}{line}")


def _latency_chart(system: SystemDiagnosis, name: str) -> Chart | None:
    rows = histogram(system.points, system.latency)
    if rows is None:
        return None
    latency = system.latency
    title = (
        f"How long executions of {shown(name, 80)} took: median {units.duration(latency.p50_ns)}, "
        f"95 % at most {units.duration(latency.p95_ns)}, longest {units.duration(latency.max_ns)}."
    )
    return Chart(draw_histogram(rows, title), "wall time, logarithmic", _drawn(system), "")


def _cost_chart(system: SystemDiagnosis, name: str) -> Chart | None:
    rows = cost_plot(system)
    if rows is None:
        return None
    against = shown(rows.x_name, 80) if rows.x_name else "their order in the run"
    title = f"Wall time of executions of {shown(name, 80)} against {against}, with the cost model's prediction."
    x_name = rows.x_name or "executions, in the order in which they started"
    quantile = "" if rows.has_many_lines else f"{units.percent(system.cost.quantile)} quantile"
    x_name += ", logarithmic" if rows.x.log else ""
    return Chart(draw_cost(rows, title), x_name, _cost_caption(rows, system), quantile)


def _cost_caption(rows: CostPlot, system: SystemDiagnosis) -> str:
    said = []
    if system.cost.family == "constant":
        said.append(_why_constant(system))
    if rows.held:
        said.append(f"The line is drawn for {' and '.join(f'{name} = {value}' for name, value in rows.held.items())}.")
    if rows.left_out:
        said.append(f"{units.count(rows.left_out)} executions without {rows.x_name}, or of rarer kinds, are not drawn.")
    return " ".join(said)


def _why_constant(system: SystemDiagnosis) -> str:
    cost = system.cost
    if cost.warnings:
        return f"The cost stayed constant: {cost.warnings[0].removesuffix(': the cost stays constant')}."
    if cost.rejected:
        return "The cost stayed constant: no feature predicts it clearly better."
    return "The cost stayed constant: its commands carried no feature that varies."


def _drawn(system: SystemDiagnosis) -> str:
    if len(system.points) >= system.executions:
        return ""
    number = units.count(len(system.points))
    return (
        f"{number} of {units.count(system.executions)} executions are drawn, evenly over the run; quantiles are of all."
    )


def _cost(cost: CostModel, *, of_all: bool) -> CostView:
    whose = "those that succeeded" if of_all else "drawn by chance from all that succeeded"
    return CostView(
        expression=cost.expression,
        family=_family(cost),
        facts=[
            Fact(
                f"For the {units.percent(cost.quantile)} quantile",
                f"× {units.digits(cost.quantile_factor)}",
                "so many executions take at most this much",
            ),
            *_held_out(cost.held_out),
            Fact("Fitted to", f"{units.count(cost.executions)} executions", whose),
            *(
                Fact(f"Seen for {name}", _range(seen), "beyond it the model says nothing")
                for name, seen in cost.valid_range.items()
            ),
        ],
        warnings=cost.warnings,
        rejected=cost.rejected,
    )


def _family(cost: CostModel) -> str:
    names = " and ".join(cost.features)
    match cost.family:
        case "constant":
            return "constant"
        case "category":
            return f"by {names}"
        case "category_linear":
            return f"by {cost.features[0]}, and linear in {cost.features[-1]}"
        case "category_slopes":
            return f"linear in {cost.features[-1]}, with other numbers for each {cost.features[0]}"
        case "power":
            return f"power law in {names}"
        case "nlogn":
            return f"n log n in {names}"
        case "quadratic":
            return f"quadratic in {names}"
        case "linear":
            return f"linear in {names}"


def _held_out(held_out: Prediction | None) -> Iterator[Fact]:
    if held_out is None:
        yield Fact("Error on unseen executions", NOT_MEASURED, "too few executions to hold any out")
        return
    yield Fact(
        "Error on unseen executions",
        units.percent(held_out.mdape),
        "the median one is off by so much",
        doubtful=held_out.mdape > 0.5,
    )
    bias = units.signed_percent(held_out.bias)
    side = {"+": "it over-estimates", "-": "it under-estimates"}.get(bias[0], "to neither side")
    yield Fact("Bias", bias, side)
    yield Fact("Under-estimated", units.percent(held_out.under_rate), "took longer than the quantile said")


def _range(seen: tuple[float, float]) -> str:
    return f"{units.short(seen[0])} to {units.short(seen[1])}"


def _trait(trait: InferredTrait, cost: CostModel) -> TraitView:
    arguments = dict(trait.arguments)
    words = [f"{name}={value!r}" for name, value in arguments.items()]
    if trait.trait == "ExecutionCostTrait":
        words.insert(0, f"time_ms={units.digits(cost.quantile_factor)} × ({cost.expression})")
    known = 0.0 <= trait.confidence <= 1.0
    return TraitView(
        name=trait.trait,
        arguments=", ".join(words),
        confidence=units.percent(trait.confidence),
        width=round(trait.confidence * 100, 1) if known else 0.0,
        doubtful=_doubtful(trait),
        evidence=trait.evidence,
        rival=trait.rival,
    )


def _stack(stack: HotStack, samples: int | None) -> Stack:
    share = stack.samples / samples if samples else 0.0
    return Stack(
        samples=units.count(stack.samples),
        share=units.percent(share),
        width=round(min(share, 1.0) * 100, 1),
        frames=[
            StackLine(frame.function, f"{frame.file}:{frame.line}" if frame.line is not None else frame.file)
            for frame in reversed(stack.frames)
        ],
    )


def _no_stacks(system: SystemDiagnosis, report: DiagnosticReport) -> str:
    if system.hot_stacks:
        return ""
    if system.samples is None:
        absent = next((one for one in report.quality.absent if one.evidence == "stacks"), None)
        return f"No stacks: {absent.why}." if absent else "This run has no stacks."
    if system.samples == 0:
        return "No sample fell into its executions: they are short, or wait without a thread."
    return f"{units.count(system.samples)} samples, none with a frame of the program."
