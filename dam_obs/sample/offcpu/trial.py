"""Try bpftrace for real: a child sleeps for a moment, and bpftrace has to see that and call it sleep."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from dam_obs.sample.offcpu.needs import failed, find_bpftrace, not_kept
from dam_obs.sample.offcpu.read import BrokenIntervals, read_offcpu
from dam_obs.sample.offcpu.session import BpfTrace
from dam_obs.sample.offcpu.watch import OffCpuWatch
from dam_obs.sample.procfs import ProcessTree
from dam_obs.store.manifest import AbsentEvidence

_SLEEP_S = 0.2
_EVERY_S = 0.02

_SLEEPER = ("sh", "-c", f"read go; exec sleep {_SLEEP_S}")


def try_bpftrace() -> BpfTrace | AbsentEvidence:
    """Return the bpftrace that works here, or why off-CPU evidence cannot be taken; it takes some two seconds."""
    tool = find_bpftrace()
    if isinstance(tool, AbsentEvidence):
        return tool
    try:
        with tempfile.TemporaryDirectory(prefix="dam-obs-") as folder:
            return _try(tool, Path(folder)) or tool
    except OSError as error:
        return not_kept(error.strerror or type(error).__name__)


def _try(tool: BpfTrace, folder: Path) -> AbsentEvidence | None:
    watch = OffCpuWatch(tool, raw=folder / "raw", log=folder / "log")
    try:
        _let_sleep(watch)
    finally:
        watch.stop()
    kept = folder / "offcpu.jsonl.gz"
    why_not = watch.keep(kept)
    if why_not is not None:
        return why_not
    try:
        seen = read_offcpu(kept)
    except BrokenIntervals as error:
        return failed(str(error))
    slept_ns = seen.total_ns("sleep") if seen else 0
    if slept_ns < _SLEEP_S * 1e9 / 2:
        return failed(f"a process that slept {_SLEEP_S:g} s was seen to sleep {slept_ns / 1e9:.3f} s")
    return None


def _let_sleep(watch: OffCpuWatch) -> None:
    with subprocess.Popen(_SLEEPER, stdin=subprocess.PIPE) as sleeper:  # noqa: S603 - nothing in it is from outside
        try:
            tree = ProcessTree(sleeper.pid)
            while watch.is_starting:
                watch.tick(tree)
                time.sleep(_EVERY_S)
            sleeper.communicate(b"go\n")
        finally:
            sleeper.kill()
