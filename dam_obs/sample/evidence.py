"""
What is taken from outside during one run, and how it gets into the run folder.

It keeps py-spy and bpftrace on the process tree and reads its counters, for as long as `tick` is
called, and at the end writes the manifest that says what was had, what was not, and why.

Whose processes these are, and when that is over, is not its business: `tracer` knows.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from importlib import metadata
from pathlib import Path

import msgspec

import dam_obs
from dam_obs.sample import absent
from dam_obs.sample.activity import Activity
from dam_obs.sample.folder import NewRun
from dam_obs.sample.gate import Gate
from dam_obs.sample.offcpu import needs
from dam_obs.sample.offcpu.session import BpfTrace
from dam_obs.sample.offcpu.watch import OffCpuWatch
from dam_obs.sample.parts import Parts
from dam_obs.sample.procfs import ProcessCounters, ProcessTree, host_note
from dam_obs.sample.profile import BrokenProfile
from dam_obs.sample.pyspy import PySpy
from dam_obs.sample.rate import Pace
from dam_obs.sample.sampling import SamplerResult, Sampling
from dam_obs.sample.spill import Spill
from dam_obs.store.files import write_whole
from dam_obs.store.manifest import AbsentEvidence, Manifest, write_manifest
from dam_obs.store.mounts import read_mounts, save_mounts
from dam_obs.trace.identity import process_name
from dam_obs.trace.redact import Redactor

COUNTERS_EVERY_S = 0.25

COUNTERS_SHARE = 0.02
"""Of our time at most goes into reading counters; on a machine with very many processes they are read less often."""

_QUICK_S = 0.005
_CALM_S = 0.05

_VERSIONS_OF = ("opentelemetry-sdk", "pluggy")


class Evidence:
    """What is taken from outside during one run, and its manifest."""

    def __init__(
        self,
        run: NewRun,
        sampler: PySpy | AbsentEvidence,
        bpftrace: BpfTrace | AbsentEvidence | None,
        *,
        rate_hz: float,
        budget: float,
        native: bool,
        command: str,
        noted: dict[str, str],
        redactor: Redactor,
        spill: Spill,
    ) -> None:
        self._redactor = redactor
        self._spill = spill
        self._folder = run.folder
        self._gate = Gate(run.folder)
        self._pace = Pace(rate_hz, budget)
        self._native = native
        self._sampler = sampler
        self._bpftrace = bpftrace
        self._offcpu: OffCpuWatch | None = None
        self._private = run.folder.path / ".sampler"
        self._parts: Parts | None = None
        self._sampling: Sampling | None = None
        self._result: SamplerResult | None = None
        self._tree: ProcessTree | None = None
        self._pid = os.getpid()
        self._next_counters = 0.0
        self._activity = Activity()
        self._begun_ns = time.monotonic_ns()
        self._manifest = Manifest(
            run_id=run.run_id,
            dam_obs_version=dam_obs.__version__,
            versions=_versions(sampler, bpftrace),
            started=datetime.now().astimezone().isoformat(timespec="milliseconds"),
            duration_ns=0,
            command=command,
            exit_status=None,
            host=host_note(),
            settings=noted,
            privilege="not used",
            sampler=None,
            absent=[],
            complete=False,
        )
        write_manifest(self._folder, self._manifest)

    @property
    def will_sample(self) -> bool:
        """Whether a sampler is going to be tried."""
        return isinstance(self._sampler, PySpy)

    def watch(self, pid: int, *, blind_after_s: float) -> None:
        """Begin to watch process `pid` and its descendants."""
        self._pid = pid
        self._tree = ProcessTree(pid)
        try:
            save_mounts(self._folder, read_mounts(pid))
            self._private.mkdir(mode=0o700)
        except OSError as error:  # a full disk, for instance: the program goes on without
            self._sampler = absent.no_sampler(f"the run folder cannot be written ({error.strerror})")
        self._watch_offcpu()
        if isinstance(self._sampler, PySpy):
            self._parts = Parts(self._private, self._redactor)
            self._sampling = Sampling(
                self._sampler,
                pid,
                self._gate,
                pace=self._pace,
                parts=self._parts,
                folder=self._private,
                log=self._folder.sampler_log,
                blind_after_s=blind_after_s,
                native=self._native,
            )

    def _watch_offcpu(self) -> None:
        """Start bpftrace, if it is asked for and can run; who waits at the gate waits for it, too."""
        if not isinstance(self._bpftrace, BpfTrace):
            return
        try:
            self._offcpu = OffCpuWatch(self._bpftrace, raw=self._private / "offcpu.txt", log=self._folder.offcpu_log)
        except OSError as error:
            self._bpftrace = needs.failed(error.strerror)
            return
        self._gate.hold()

    def tick(self) -> float:
        """Do what is due, and return how many seconds there is time until more is."""
        self._tick_offcpu()
        self._tick_sampling()
        self._spill.tick()
        now = time.monotonic()
        if self._tree is not None and now >= self._next_counters:
            self._tree.read()
            self._have_rate(self._tree)
            ended = time.monotonic()
            self._next_counters = ended + max(COUNTERS_EVERY_S, (ended - now) / COUNTERS_SHARE)
        return _QUICK_S if self._is_starting else _CALM_S

    @property
    def _is_starting(self) -> bool:
        return any(part is not None and part.is_starting for part in (self._sampling, self._offcpu))

    def stop_sampling(self) -> None:
        """End the sampler, if it still runs."""
        if self._tree is not None:
            self._tree.read()
        if self._offcpu is not None:
            self._offcpu.stop()
        if self._sampling is not None and self._result is None:
            self._result = self._sampling.stop(self._not_python())

    def _tick_offcpu(self) -> None:
        if self._offcpu is None or self._tree is None:
            return
        was_starting = self._offcpu.is_starting
        self._offcpu.tick(self._tree)
        if was_starting and not self._offcpu.is_starting:
            self._gate.release()

    def _have_rate(self, tree: ProcessTree) -> None:
        """Let the sampler be as quick as what the program does asks for."""
        cpu_s = sum(process.cpu_ns for process in tree.processes) / 1e9
        active = self._activity.seen(time.monotonic(), cpu_s, _bytes_of(self._folder.trace))
        if self._sampling is not None and self._result is None:
            self._guarded(partial(self._sampling.look, active=active, alone=self._is_alone(tree)))

    def _is_alone(self, tree: ProcessTree) -> bool:
        """Tell whether the process at the top is Python, and no other that lives can be."""
        if self._pid not in self._gate.pids:
            return False
        living = [process for process in tree.processes if not process.ended]
        pythons = {process.executable for process in living if process.pid == self._pid}
        return not any(_may_be_python(process, pythons) for process in living if process.pid != self._pid)

    def _tick_sampling(self) -> None:
        """Look after the sampler."""
        if self._sampling is not None and self._result is None:
            self._guarded(self._sampling.tick)

    def _guarded(self, step: Callable[[], None]) -> None:
        """Take a step of sampling; if we cannot, for a full disk for instance, the program goes on without."""
        try:
            step()
        except OSError as error:
            if self._sampling is None:
                return
            name = self._sampler.name if isinstance(self._sampler, PySpy) else "the sampler"
            result = self._sampling.stop(self._not_python())
            why = absent.broke(name, error.strerror or type(error).__name__)
            self._result = replace(result, absent=result.absent and why)

    def end(self, *, exit_status: int | None, absent_too: Sequence[AbsentEvidence] = ()) -> Manifest:
        """Put everything into the run folder, and close the manifest."""
        duration_ns = time.monotonic_ns() - self._begun_ns
        self.stop_sampling()
        missing = [*self._keep_profile(), *self._keep_offcpu()]
        self._keep_notes()
        result, first = self._result, self._gate.first
        was_refused = result is not None and result.was_refused
        self._gate.remove()
        shutil.rmtree(self._private, ignore_errors=True)
        self._manifest = msgspec.structs.replace(
            self._manifest,
            duration_ns=duration_ns,
            exit_status=exit_status,
            host=host_note(first.python, first.implementation) if first else self._manifest.host,
            privilege=absent.privilege(self._pid, was_refused=was_refused) if self.will_sample else "not used",
            sampler=result.stats if result else None,
            absent=[*missing, *absent_too],
            complete=True,
            trace=self._spill.end(),
        )
        write_manifest(self._folder, self._manifest)
        return self._manifest

    def _keep_profile(self) -> list[AbsentEvidence]:
        if isinstance(self._sampler, AbsentEvidence):
            return [self._sampler]
        result = self._result
        if result is None or self._parts is None:
            return []
        missing = [one for one in (result.absent, result.native_absent) if one is not None]
        if result.absent is not None:
            return missing
        try:
            self._parts.write(self._folder.raw_profile)
        except BrokenProfile as error:
            return [absent.broke(self._sampler.name, f"its file was unreadable ({error.why})")]
        return missing

    def _keep_offcpu(self) -> list[AbsentEvidence]:
        if isinstance(self._bpftrace, AbsentEvidence):
            return [self._bpftrace]
        why_not = self._offcpu.keep(self._folder.offcpu) if self._offcpu is not None else None
        return [why_not] if why_not is not None else []

    def _keep_notes(self) -> None:
        """Write down the counters of processes that said nothing of themselves."""
        for process in self._tree.processes if self._tree else ():
            path = self._folder.processes / f"{process_name(process.pid, process.start_ticks)}.json"
            if not path.exists():
                write_whole(path, msgspec.json.encode(process.note()))

    def _not_python(self) -> set[int]:
        """Return the processes that are another program than Python now."""
        if self._tree is None:
            return set()
        processes = self._tree.processes
        pythons = {process.executable for process in processes if process.pid in self._gate.pids | {self._pid}}
        return {process.pid for process in processes if not _may_be_python(process, pythons)}


def _may_be_python(process: ProcessCounters, pythons: set[str | None]) -> bool:
    executable = process.executable
    return executable is None or executable in pythons or "python" in os.path.basename(executable)


def _bytes_of(path: Path) -> int:
    """Return the size of a file; 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _versions(*tools: PySpy | BpfTrace | AbsentEvidence | None) -> dict[str, str]:
    """Return the versions of what evidence depends on."""
    found = {}
    for name in _VERSIONS_OF:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {**found, **{tool.name.split()[0]: tool.version for tool in tools if isinstance(tool, PySpy | BpfTrace)}}
