"""What the evidence of a run was found to lack, so that nobody takes "not measured" for zero."""

from __future__ import annotations

from collections.abc import Iterable

from dam_obs.diagnose.evidence import NOT_MEASURED, RunEvidence, SystemEvidence
from dam_obs.diagnose.report import Absent

_MEASURE = "observe the program with `dam-obs diagnose`, on Linux"

MEMORY = Absent(
    evidence="memory",
    why="no execution is known to have raised the peak of its process: what it takes below that is not told apart",
    remedy="see max_rss_bytes of the processes, or run the system alone under memray",
)


NO_EXECUTIONS = Absent(
    evidence="executions",
    why="no system was seen to run",
    remedy="name the program's systems in a trace-point file, and see what `dam-obs points attach-report` says of it",
)


def missing(run: RunEvidence, *, causes_known: bool = False, memory_known: bool = False) -> list[Absent]:
    """
    Return what no execution of `run` has been measured for.

    Args:
        run: What the events say.
        causes_known: Off-CPU times were measured by eBPF.
        memory_known: Some execution is known to have raised the peak of its process.
    """
    systems = list(run.systems.values())
    if not systems:
        return [NO_EXECUTIONS]
    found = []
    if not _any_column(systems, "cpu_ns"):
        found.append(Absent(evidence="cpu_time", why="no execution carries its CPU time", remedy=_MEASURE))
    if not causes_known and not _any_column(systems, "run_queue_ns"):
        why = "the kernel gave no schedstat for threads"
        found.append(Absent(evidence="run_queue", why=why, remedy="boot a kernel with CONFIG_SCHED_INFO"))
    if not causes_known and not _any_column(systems, "block_io_ns"):
        why = "the kernel gave no block-I/O delays for threads"
        found.append(Absent(evidence="block_io", why=why, remedy="run `sysctl kernel.task_delayacct=1` as root"))
    if not any({"read_bytes", "rchar"} & system.touched.counted for system in systems):
        why = "the kernel gave no I/O counters for threads"
        found.append(Absent(evidence="bytes", why=why, remedy="boot a kernel with CONFIG_TASK_IO_ACCOUNTING"))
    # Where CPU time was measured, files, peers and programs were watched for, too: then there were none.
    if not _any_column(systems, "cpu_ns") and not any(
        system.touched.files or system.touched.peers or system.touched.processes for system in systems
    ):
        why = "no execution is known to have touched a file, peer or program"
        found.append(Absent(evidence="touched", why=why, remedy=_MEASURE))
    return found if memory_known else [*found, MEMORY]


def no_stacks(why: str) -> Absent:
    """Return the entry for a report without stacks."""
    return Absent(evidence="stacks", why=why, remedy="run `dam-obs doctor`: it says what the sampler needs here")


def no_offcpu(why: str) -> Absent:
    """Return the entry for a report whose off-CPU intervals cannot be used."""
    return Absent(evidence="off_cpu", why=why, remedy="measure again with --offcpu")


def _any_column(systems: Iterable[SystemEvidence], name: str) -> bool:
    return any(value != NOT_MEASURED for system in systems for value in system.numbers[name])
