"""
Why there are no stacks, in plain words, and what to do to have them.

Each reason is one small function that makes an `AbsentEvidence`; what refuses a sampler
is looked up where the kernel says it.
"""

from __future__ import annotations

import os
from pathlib import Path

from dam_obs.store.manifest import AbsentEvidence
from dam_obs.trace.rendezvous import owner_of

STACKS = "stacks"
NATIVE_STACKS = "native_stacks"

_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
_CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
_CAP_SYS_PTRACE = 19


def not_asked_for() -> AbsentEvidence:
    """Say that stacks were switched off."""
    return AbsentEvidence(STACKS, "switched off by --no-stacks", "run `dam-obs diagnose` without --no-stacks")


def sampled_already() -> AbsentEvidence:
    """Say that we run under another dam-obs, which samples all below it: a process can be read by one at a time."""
    return AbsentEvidence(
        STACKS,
        "this command runs under another `dam-obs diagnose`, which samples it already",
        "run it by itself, or the other one with --no-stacks",
    )


def no_sampler(why: str) -> AbsentEvidence:
    """Say that there is no py-spy that runs."""
    return AbsentEvidence(STACKS, why, "pip install 'dam-obs[cli]', or py-spy by itself")


def refused(pid: int) -> AbsentEvidence:
    """Say that the kernel did not let the sampler read the process."""
    why, remedy = _refusal(pid)
    return AbsentEvidence(STACKS, f"the kernel refused to let py-spy read the process: {why}", remedy)


def no_python() -> AbsentEvidence:
    """Say that no process that was seen ran Python."""
    return AbsentEvidence(
        STACKS,
        "no Python with dam-obs in it was seen in the process or its children",
        "give a command that runs Python, with the Python that has dam-obs installed first on its PATH",
    )


def too_short() -> AbsentEvidence:
    """Say that the program was over before there was anything to sample."""
    return AbsentEvidence(
        STACKS,
        "the program ended before the sampler had seen a stack",
        "give the program more to do, or raise --rate",
    )


def unsupported(version: str, sampler: str) -> AbsentEvidence:
    """Say that the sampler is older than the Python."""
    return AbsentEvidence(STACKS, f"{sampler} does not know Python {version}", "upgrade py-spy, or run an older Python")


def hung(sampler: str, seconds: float) -> AbsentEvidence:
    """Say that the sampler was started and never sampled, or never ended."""
    return AbsentEvidence(
        STACKS,
        f"{sampler} did not respond within {seconds:.0f} s and was stopped",
        "see sampler.log in the run folder; try a lower --rate",
    )


def broke(sampler: str, error: str) -> AbsentEvidence:
    """Say that the sampler failed in some other way."""
    return AbsentEvidence(STACKS, f"{sampler} failed: {error}", "see sampler.log in the run folder")


def no_native(sampler: str, error: str) -> AbsentEvidence:
    """Say that stacks of native code could not be taken, and those of Python were."""
    return AbsentEvidence(
        NATIVE_STACKS,
        f"{sampler} takes no native stacks here: {error}",
        "install a py-spy that can: the one for Linux on x86-64",
    )


def privilege(pid: int, *, was_refused: bool) -> str:
    """Say how the sampler gets, or would get, to read process `pid`."""
    if was_refused:
        return "ptrace refused"
    if _has_ptrace_capability():
        return "root" if os.geteuid() == 0 else "CAP_SYS_PTRACE"
    return "same user" if owner_of(pid) == os.geteuid() else "another user"


def _refusal(pid: int) -> tuple[str, str]:
    owner = owner_of(pid)
    if owner >= 0 and owner != os.geteuid() and not _has_ptrace_capability():
        return "it belongs to another user", "run as that user, or with sudo"
    scope = _scope()
    if scope == 1:
        return "it may only be read by its own ancestors (kernel.yama.ptrace_scope is 1)", _SUDO_OR_SCOPE
    if scope == 2:
        return "only an administrator may read processes (kernel.yama.ptrace_scope is 2)", _SUDO_OR_SCOPE
    if scope == 3:
        return "reading processes is switched off until the next boot (kernel.yama.ptrace_scope is 3)", (
            "boot with kernel.yama.ptrace_scope below 3"
        )
    if any(mark.exists() for mark in _CONTAINER_MARKS):
        return "this container has no ptrace", (
            "start the container with --cap-add=SYS_PTRACE (Kubernetes: securityContext.capabilities.add: [SYS_PTRACE])"
        )
    return "it has privileges that the sampler lacks, or is protected", (
        "run with sudo, or in a container with the capability SYS_PTRACE"
    )


_SUDO_OR_SCOPE = "run with sudo, or set it to 0: sudo sysctl kernel.yama.ptrace_scope=0"


def _scope() -> int:
    try:
        return int(_YAMA.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0  # no Yama in this kernel


def _has_ptrace_capability() -> bool:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return False
    effective = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> _CAP_SYS_PTRACE & 1)
