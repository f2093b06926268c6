"""
What each process of a run did: its executions, its samples, its counters.

A pid may be given out again while a run lasts, so a process is a pid and when it started.
Whose an execution is follows from when it began; a sample inside an execution is of that
one's process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dam_obs.diagnose.evidence import RunEvidence
from dam_obs.diagnose.report import ProcessSummary
from dam_obs.sample.attribution import Owners
from dam_obs.sample.samples import Attribution
from dam_obs.store.processes import Process, Processes
from dam_obs.text import printable
from dam_obs.trace.process import ProcessNote


def owners(evidence: RunEvidence, sampled: frozenset[int]) -> Owners:
    """Return which process each execution ran in; `sampled` are the pids that a profile has samples of."""
    process_of = evidence.process_of()

    def pid_of(span: str) -> int | None:
        process = process_of(span)
        return None if process is None else process.pid

    return Owners(pid_of, sampled)


def summarise(
    notes: Iterable[ProcessNote], evidence: RunEvidence, attribution: Attribution | None
) -> list[ProcessSummary]:
    """Summarise the processes that left a note, and after them those that only left executions."""
    notes = list(notes)
    known = {Process(note.pid, note.started_ns): note for note in notes}
    samples = None if attribution is None else _samples(attribution, evidence, Processes(notes))
    without_note = sorted(process for process in evidence.executions_by_process if process not in known)
    return [
        _summary(
            process,
            known.get(process),
            executions=evidence.executions_by_process[process],
            samples=None if samples is None else samples[process],
        )
        for process in [*known, *without_note]
    ]


def _samples(attribution: Attribution, evidence: RunEvidence, processes: Processes) -> Counter[Process]:
    """Count the samples of each process; where several had one pid, those outside executions are nobody's."""
    process_of = evidence.process_of()
    found: Counter[Process] = Counter()
    for span, samples in attribution.claimed.items():
        owner = process_of(span)
        for sample in samples:
            if sample.pid is not None and (process := owner or processes.only(sample.pid)):
                found[process] += sample.seen
    for sample in attribution.unclaimed:
        if sample.pid is not None and (process := processes.only(sample.pid)):
            found[process] += sample.seen
    return found


def _summary(process: Process, note: ProcessNote | None, *, executions: int, samples: int | None) -> ProcessSummary:
    return ProcessSummary(
        pid=process.pid,
        started_ns=process.started_ns,
        parent_pid=note.parent_pid if note else None,
        program=printable(note.program) if note else None,
        observed=note.observed if note else True,
        executions=executions,
        samples=samples,
        cpu_ns=note.cpu_ns if note else None,
        max_rss_bytes=note.max_rss_bytes if note else None,
        read_bytes=note.read_bytes if note else None,
        write_bytes=note.write_bytes if note else None,
    )
