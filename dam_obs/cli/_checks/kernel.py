"""What the kernel counts for us: by thread from /proc, and by eBPF."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from pathlib import Path

from dam_obs.cli._checks.check import Check, Place, text_of
from dam_obs.sample.offcpu.needs import needs
from dam_obs.sample.offcpu.trial import try_bpftrace
from dam_obs.store.manifest import AbsentEvidence


def check_counters(place: Place) -> Iterator[Check]:
    """Look at each counter that an execution's evidence is made of."""
    yield _check_io(place)
    yield _check_run_queue(place)
    yield _check_block_delay(place)
    yield _check_rusage()


def _thread_folder(place: Place) -> Path:
    return place.proc / "self" / "task" / str(threading.get_native_id())


def _check_io(place: Place) -> Check:
    name = "bytes per execution"
    text = text_of(_thread_folder(place) / "io")
    if text is None or "read_bytes:" not in text:
        says = "the kernel does not count bytes by thread here (/proc/self/task/*/io); reports come without them"
        return Check(name, "missing", says, "use a kernel with CONFIG_TASK_IO_ACCOUNTING, not a sandbox such as gVisor")
    return Check(name, "ok", "read and written, by thread, from /proc/self/task/*/io")


def _check_run_queue(place: Place) -> Check:
    name = "waiting for a CPU"
    numbers = (text_of(_thread_folder(place) / "schedstat") or "").split()
    if len(numbers) != 3 or numbers[0] == "0":
        says = "the kernel does not say how long a thread waited for a CPU (schedstat); it counts as other waiting"
        return Check(name, "missing", says, "use a kernel with CONFIG_SCHED_INFO, not a sandbox such as gVisor")
    return Check(name, "ok", "run-queue delay by thread, from schedstat")


def _check_block_delay(place: Place) -> Check:
    name = "waiting for disks"
    switch = text_of(place.proc / "sys" / "kernel" / "task_delayacct")
    if switch == "1":
        return Check(name, "ok", "block-I/O delay by thread (delay accounting is on)")
    if switch == "0":
        says = "delay accounting is off, so time spent waiting for a disk is not told from other waiting"
        return Check(name, "missing", says, "sudo sysctl kernel.task_delayacct=1 (before your program starts)")
    says = "this kernel has no switch for delay accounting; waiting for a disk counts as other waiting"
    return Check(name, "missing", says, "boot with `delayacct` on the kernel's command line")


def _check_rusage() -> Check:
    name = "faults and switches"
    try:
        resource.getrusage(resource.RUSAGE_THREAD)
    except (AttributeError, ValueError, OSError):
        says = "page faults and context switches are not counted by thread"
        return Check(name, "missing", says, "run on Linux")
    return Check(name, "ok", "page faults and context switches by thread, from getrusage")


def check_ebpf(place: Place) -> Check:
    """Try what off-CPU causes and disk latencies by device need."""
    name = "eBPF (optional)"
    wanted = needs(path=place.environ.get("PATH"), proc=place.proc, sys=place.sys)
    if wanted:
        return _no_ebpf(name, ", ".join(need.what for need in wanted), "; ".join(need.remedy for need in wanted))
    tried = try_bpftrace()
    if isinstance(tried, AbsentEvidence):
        return _no_ebpf(name, tried.why, tried.remedy)
    says = f"{tried.name} saw a process sleep: `dam-obs diagnose --offcpu` tells what threads wait for"
    return Check(name, "ok", says)


def _no_ebpf(name: str, why: str, remedy: str) -> Check:
    return Check(name, "missing", f"{why}; causes of waiting and latencies by device are not measured", remedy)
