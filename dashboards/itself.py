"""dam-obs and what carries its data: faults in the programs, spans on their way, what is refused, queued or lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dashboards.model import Chart, Dashboard, Query, Row, Threshold
from dashboards.names import FAULTS, ITSELF, SERVICES
from dashboards.points import LayerOperations
from dashboards.promql import ALL, CALLS, CHOSEN, EACH, SERVICE, or_none, rate, ratio, selector

ACCEPTED: Final = "otelcol_receiver_accepted_spans_total"
REFUSED: Final = "otelcol_receiver_refused_spans_total"
SENT: Final = "otelcol_exporter_sent_spans_total"
GIVEN_UP: Final = "otelcol_exporter_send_failed_spans_total"
QUEUE_FULL: Final = "otelcol_exporter_enqueue_failed_spans_total"
QUEUED: Final = "otelcol_exporter_queue_size"
QUEUE: Final = "otelcol_exporter_queue_capacity"
DECIDED: Final = "otelcol_processor_tail_sampling_global_count_traces_sampled_total"
TOO_EARLY: Final = "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early_total"
UNDECIDED: Final = "otelcol_processor_tail_sampling_sampling_traces_on_memory"
MEMORY: Final = "otelcol_process_memory_rss_bytes"
CPU: Final = "otelcol_process_cpu_seconds_total"

COLLECTOR: Final = "{{job}}"
EXPORTER: Final = "{{job}} to {{exporter}}"
ANY: Final = (Threshold(value=1e-9, color="red"),)
FULL: Final = (Threshold(value=0.5, color="orange"), Threshold(value=0.9, color="red"))


def page(layers: Sequence[LayerOperations]) -> Dashboard:
    """Make the page."""
    return Dashboard(
        uid=ITSELF,
        title="dam-obs: itself",
        description="Faults of dam-obs in the programs that it observes, and the collectors behind them.",
        choices=(SERVICES,),
        rows=(
            Row(title="In the programs", panels=_programs()),
            Row(title="On the way", panels=_on_the_way()),
            Row(title="Traces kept", panels=_kept()),
            Row(title="The collectors themselves", panels=_collectors()),
        ),
    )


def _programs() -> tuple[Chart, ...]:
    return (
        Chart(
            title="Faults",
            meaning="How often dam-obs failed in a program, in the time shown. No program noticed.",
            queries=(Query(expr=_counted(selector(FAULTS, CHOSEN))),),
            unit="short",
            kind="stat",
            thresholds=ANY,
            width=4,
        ),
        Chart(
            title="Faults by place",
            meaning="Faults a second. The page on faults says what each place is; what ends in dropped counts spans.",
            queries=(Query(expr=rate(FAULTS, CHOSEN, SERVICE, "dam_obs_place"), legend="{{job}}: {{dam_obs_place}}"),),
            unit="none",
            width=12,
        ),
        Chart(
            title="Series of span figures",
            meaning="Sets of labels that spans are counted by. What is beyond the gateway's limit is counted as one.",
            queries=(Query(expr=f"count by ({SERVICE}) ({selector(CALLS, CHOSEN)})", legend="{{job}}"),),
            unit="short",
        ),
    )


def _counted(counter: str) -> str:
    """Return how often in the time shown: a counter that was born in it has not grown, but counts as it is."""
    return f"sum (({counter} unless {counter} offset {ALL}) or increase({counter}[{ALL}]))"


def _on_the_way() -> tuple[Chart, ...]:
    sent = rate(SENT, {}, "job", "exporter")
    given_up, turned_away = (or_none(rate(metric, {}, "job", "exporter"), sent) for metric in (GIVEN_UP, QUEUE_FULL))
    queued, queue = (f"max by (job, exporter) ({metric})" for metric in (QUEUED, QUEUE))
    return (
        Chart(
            title="Spans taken in",
            meaning="Spans that each collector has accepted, a second.",
            queries=(Query(expr=rate(ACCEPTED, {}, "job"), legend=COLLECTOR),),
            unit="ops",
            width=6,
        ),
        Chart(
            title="Spans sent on",
            meaning="Spans that the next one has taken, a second.",
            queries=(Query(expr=sent, legend=EXPORTER),),
            unit="ops",
            width=6,
        ),
        Chart(
            title="Spans refused",
            meaning="Not taken in, for want of memory or room; the sender was told, and comes back.",
            queries=(Query(expr=rate(REFUSED, {}, "job"), legend=COLLECTOR),),
            unit="ops",
            thresholds=ANY,
            width=6,
        ),
        Chart(
            title="Spans lost",
            meaning="Given up, or turned away by a full queue, a second.",
            queries=(
                Query(expr=given_up, legend=f"given up, {EXPORTER}"),
                Query(expr=turned_away, legend=f"queue full, {EXPORTER}"),
            ),
            unit="ops",
            thresholds=ANY,
            width=6,
        ),
        Chart(
            title="How full queues are",
            meaning="The agent's queue is on disk: what is in it when the agent ends is sent later.",
            queries=(Query(expr=ratio(queued, queue), legend=EXPORTER),),
            unit="percentunit",
            top=1,
            thresholds=FULL,
            width=12,
        ),
        Chart(
            title="In queues",
            meaning="Bytes that wait to be sent.",
            queries=(Query(expr=queued, legend=EXPORTER),),
            unit="bytes",
            width=12,
        ),
    )


def _kept() -> tuple[Chart, ...]:
    return (
        Chart(
            title="Traces decided on",
            meaning="Traces that the gateway keeps, or not, a second. Failed, refused and slow ones are all kept.",
            queries=(Query(expr=rate(DECIDED, {}, "sampled"), legend="kept: {{sampled}}"),),
            unit="ops",
            stacked=True,
        ),
        Chart(
            title="Traces not decided on yet",
            meaning="They wait for their last spans.",
            queries=(Query(expr=f"sum ({UNDECIDED})", legend="traces"),),
            unit="short",
        ),
        Chart(
            title="Traces gone too early",
            meaning="Too many at once: they had to go before they were decided on.",
            queries=(Query(expr=f"sum (rate({TOO_EARLY}[{EACH}]))", legend="traces"),),
            unit="ops",
            thresholds=ANY,
        ),
    )


def _collectors() -> tuple[Chart, ...]:
    return (
        Chart(
            title="Memory",
            meaning="Resident set of each collector.",
            queries=(Query(expr=f"sum by (job) ({MEMORY})", legend=COLLECTOR),),
            unit="bytes",
            width=12,
        ),
        Chart(
            title="CPU",
            meaning="Processors that each collector keeps busy.",
            queries=(Query(expr=rate(CPU, {}, "job"), legend=COLLECTOR),),
            unit="none",
            width=12,
        ),
    )
