"""Whether py-spy is there and really able to look into a process: it is tried, on a child of ours."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from dam_obs.cli._checks.check import Check, Place, text_of
from dam_obs.sample import absent
from dam_obs.sample.pyspy import PySpy, find_pyspy
from dam_obs.sample.pyspy_words import Words
from dam_obs.store.manifest import AbsentEvidence

NAME = "stacks (py-spy)"
NATIVE = "native stacks (py-spy --native)"
TIMEOUT_SECONDS = 15
_WITHOUT = "Reports come without stacks; all else is measured."
_SLEEP = "import time; print('up', flush=True); time.sleep(60)"
_ALLOW_PARENT = "import ctypes, os; ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(os.getppid()), 0, 0, 0)"
"""What a program that `dam-obs diagnose` starts does where the kernel lets only ancestors look (Yama)."""


def check_stacks(place: Place) -> Check:
    """Try py-spy on a process as it is, and, if that is refused, on one that allows it."""
    tool = find_pyspy()
    if isinstance(tool, str):
        return _missing(absent.no_sampler(tool))
    refusal = _try(place, tool, _SLEEP)
    if refusal is None:
        privilege = absent.privilege(os.getpid(), was_refused=False)
        return Check(NAME, "ok", f"{tool.name} looked into a process (privilege: {privilege})")
    if _ancestors_only(place) and _try(place, tool, f"{_ALLOW_PARENT}; {_SLEEP}") is None:
        says = f"{tool.name} can look into programs that `dam-obs diagnose` starts, not into others: {refusal.why}"
        return Check(NAME, "limited", says, f"for --pid: {refusal.remedy}")
    return _missing(refusal)


def check_native(place: Place) -> list[Check]:
    """Try whether py-spy takes stacks of native code, too; say nothing where it takes none at all."""
    tool = find_pyspy()
    if isinstance(tool, str):
        return []
    program = f"{_ALLOW_PARENT}; {_SLEEP}" if _ancestors_only(place) else _SLEEP
    refusal = _try(place, tool, program, "--native")
    if refusal is None:
        return [Check(NATIVE, "ok", f"{tool.name} takes them where `dam-obs diagnose --native` asks for them")]
    if _try(place, tool, program) is not None:
        return []
    says = f"{tool.name} takes none here ({refusal.why}). With --native, stacks are those of Python alone."
    return [Check(NATIVE, "limited", says, absent.no_native(tool.name, "").remedy)]


def _ancestors_only(place: Place) -> bool:
    return text_of(place.proc / "sys" / "kernel" / "yama" / "ptrace_scope") == "1"


def _missing(evidence: AbsentEvidence) -> Check:
    return Check(NAME, "missing", f"{evidence.why}. {_WITHOUT}", evidence.remedy)


def _try(place: Place, tool: PySpy, program: str, *options: str) -> AbsentEvidence | None:
    """Let py-spy look once into a child that runs `program`; return why it could not."""
    with _child(place, program) as pid:
        if pid is None:
            return AbsentEvidence(absent.STACKS, f"{place.python} could not be started to try", "see the line python")
        try:
            dump = subprocess.run(  # noqa: S603 - a program that the user has installed
                [str(tool.path), "dump", *options, "--pid", str(pid)],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return absent.hung(tool.name, TIMEOUT_SECONDS)
        if dump.returncode == 0 and "Thread" in dump.stdout:
            return None
        return _reason(tool, pid, dump.stderr)


def _reason(tool: PySpy, pid: int, stderr: str) -> AbsentEvidence:
    words = Words()
    for line in stderr.splitlines():
        words.hear(line)
    if words.refused:
        return absent.refused(pid)
    if words.unsupported is not None:
        return absent.unsupported(words.unsupported, tool.name)
    says = f"{tool.name} failed: {words.error or 'it gave no reason'}"
    return AbsentEvidence(absent.STACKS, says, "pip install --upgrade py-spy")


@contextmanager
def _child(place: Place, program: str) -> Iterator[int | None]:
    """Keep a child interpreter alive; yield its process id, or `None` if it does not start."""
    # What switches recording on must not reach it: it is looked at, not observed.
    environ = {key: value for key, value in place.environ.items() if "DAM_OBS_" not in key and key != "PYTHONPATH"}
    try:
        child = subprocess.Popen(  # noqa: S603 - the user's own interpreter
            [str(place.python), "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
        )
    except OSError:
        yield None
        return
    with child:
        try:
            yield child.pid if _has_said_something(child) else None
        finally:
            child.kill()


def _has_said_something(child: subprocess.Popen[bytes]) -> bool:
    if child.stdout is None:
        return False
    readable, _, _ = select.select([child.stdout], [], [], TIMEOUT_SECONDS)
    return bool(readable and os.read(child.stdout.fileno(), 16))
