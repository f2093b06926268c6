"""What off-CPU evidence needs here: each thing that is missing, in plain words, and how to have it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dam_obs.sample.offcpu.causes import calls_of
from dam_obs.sample.offcpu.session import BpfTrace
from dam_obs.store.manifest import AbsentEvidence

OFF_CPU = "off_cpu"

TRACEPOINTS = (
    "raw_syscalls/sys_enter",
    "raw_syscalls/sys_exit",
    "sched/sched_switch",
    "sched/sched_wakeup",
    "sched/sched_process_fork",
    "sched/sched_process_exit",
    "block/block_rq_issue",
    "block/block_rq_complete",
)

VERSION_PATIENCE_S = 5.0

_CAP_SYS_ADMIN, _CAP_PERFMON, _CAP_BPF = 21, 38, 39


@dataclass(frozen=True, slots=True)
class Need:
    """Something that is not there."""

    what: str
    remedy: str


def needs(*, path: str | None = None, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> list[Need]:
    """Return all that is missing, as far as it can be seen without trying; `path` is where programs are looked for."""
    return list(_needs(path, proc, sys))


def _needs(path: str | None, proc: Path, sys: Path) -> Iterator[Need]:
    if shutil.which("bpftrace", path=path) is None:
        yield Need("bpftrace is not installed", "sudo apt install bpftrace (dnf, apk: the same name)")
    if not _may_load_programs(proc):
        remedy = "run dam-obs as root, or grant CAP_BPF and CAP_PERFMON"
        yield Need("this user may not load programs into the kernel", remedy)
    if calls_of(platform.machine()) is None:
        yield Need(f"system calls of {platform.machine()} are not known to dam-obs", "use x86_64 or aarch64")
    folders = (sys / "kernel" / "tracing", sys / "kernel" / "debug" / "tracing")
    events = next((folder / "events" for folder in folders if os.path.isdir(folder / "events")), None)
    if events is not None:
        yield from _missing_tracepoints(events)
    elif " tracefs " not in _text(proc / "self" / "mounts"):  # to others than root it does not show itself
        yield Need("tracefs is not mounted", "sudo mount -t tracefs nodev /sys/kernel/tracing")


def _missing_tracepoints(events: Path) -> Iterator[Need]:
    missing = [name for name in TRACEPOINTS if not os.path.isdir(events / name)]
    if missing and os.access(events, os.R_OK | os.X_OK):
        remedy = "use a kernel with CONFIG_FTRACE_SYSCALLS, CONFIG_BLK_DEV_IO_TRACE and CONFIG_BPF_EVENTS"
        yield Need(f"the kernel has no tracepoint {', '.join(missing)}", remedy)


def _may_load_programs(proc: Path) -> bool:
    lines = _text(proc / "self" / "status").splitlines()
    effective = next((line.split()[1] for line in lines if line.startswith("CapEff:")), "0")
    granted = {bit for bit in (_CAP_SYS_ADMIN, _CAP_PERFMON, _CAP_BPF) if int(effective, 16) >> bit & 1}
    return _CAP_SYS_ADMIN in granted or {_CAP_PERFMON, _CAP_BPF} <= granted


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def find_bpftrace() -> BpfTrace | AbsentEvidence:
    """Return the bpftrace to use, or why off-CPU evidence cannot be taken here."""
    missing = needs()
    if missing:
        return AbsentEvidence(OFF_CPU, ", ".join(n.what for n in missing), "; ".join(n.remedy for n in missing))
    found = shutil.which("bpftrace") or "bpftrace"
    version = _version(found)
    if version is None:
        return AbsentEvidence(OFF_CPU, f"{found} does not answer as bpftrace does", "install bpftrace anew")
    return BpfTrace(Path(found), version)


def _version(program: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - a program that the user has installed
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=VERSION_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    name, _, version = answer.stdout.decode("utf-8", "replace").strip().partition(" ")
    return version.removeprefix("v") if name == "bpftrace" and version else None


def failed(error: str | None) -> AbsentEvidence:
    """Say that bpftrace was started and did not come to watch."""
    remedy = "run as root, with all its rights, or try a newer bpftrace; bpftrace.log in a run's folder has its words"
    return AbsentEvidence(OFF_CPU, f"bpftrace failed: {error or 'it ended without a word'}", remedy)


def blind(seconds: float) -> AbsentEvidence:
    """Say that bpftrace runs and does not see us."""
    return AbsentEvidence(
        OFF_CPU,
        f"bpftrace saw nothing of this process within {seconds:.0f} s: process ids are not the kernel's own here, "
        "as in most containers, or the machine is very busy",
        "run dam-obs outside of the container, or in one that is started with --pid=host",
    )


def no_clock() -> AbsentEvidence:
    """Say that bpftrace's times cannot be compared with ours."""
    return AbsentEvidence(
        OFF_CPU,
        "bpftrace's clock is neither the monotonic one nor the one since boot, or the machine slept meanwhile",
        "measure again while the machine stays awake; else please tell the makers of dam-obs your bpftrace's version",
    )


def not_kept(why: str) -> AbsentEvidence:
    """Say that what was seen could not be written down."""
    return AbsentEvidence(OFF_CPU, f"off-CPU intervals could not be written ({why})", "make room and measure again")
