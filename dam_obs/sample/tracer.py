"""
`SystemTracer`: take the evidence of a run from outside the process.

It starts the user's command so that dam-obs is active in it, or attaches to a process that
runs already; keeps py-spy on it and reads its counters; and leaves a run folder with a
manifest that says what was had, what was not, and why.

What the evidence means is not its business: `dam_obs.diagnose` reads the run folder.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import metadata
from pathlib import Path

import msgspec

import dam_obs
from dam_obs.config import Settings
from dam_obs.errors import DamObsError
from dam_obs.plugins import call_first, plugin_manager
from dam_obs.points.activate import environment
from dam_obs.sample import absent
from dam_obs.sample.command import Command, NotExecutable
from dam_obs.sample.folder import NewRun, new_run
from dam_obs.sample.folding import keep_profile
from dam_obs.sample.gate import Gate
from dam_obs.sample.offcpu import needs
from dam_obs.sample.offcpu.session import BpfTrace
from dam_obs.sample.offcpu.watch import OffCpuWatch
from dam_obs.sample.procfs import ProcessCounters, ProcessTree, host_note
from dam_obs.sample.profile import BrokenProfile
from dam_obs.sample.pyspy import PySpy, find_pyspy
from dam_obs.sample.running import RunningProcess
from dam_obs.sample.sampling import SamplerResult, Sampling
from dam_obs.sample.spill import MAX_DISK_BYTES, Spill, rotation
from dam_obs.store.files import write_whole
from dam_obs.store.manifest import AbsentEvidence, Manifest, write_manifest
from dam_obs.store.mounts import read_mounts, save_mounts
from dam_obs.store.runs import RunFolder
from dam_obs.trace import handshake
from dam_obs.trace.identity import process_name
from dam_obs.trace.redact import Redactor, marker

COUNTERS_EVERY_S = 0.25

COUNTERS_SHARE = 0.02
"""Of our time at most goes into reading counters; on a machine with very many processes they are read less often."""

_QUICK_S = 0.005
_CALM_S = 0.05

_VERSIONS_OF = ("opentelemetry-sdk", "pluggy")


class RunNotKept(DamObsError):
    """Not all that was measured could be written down."""

    def __init__(self, folder: Path, error: OSError, exit_status: int | None) -> None:
        super().__init__(
            f"{folder} could not be written to its end ({error.strerror or error}): make room, then "
            f"`dam-obs report {folder}` reports on what is there; or measure again and name another folder with --out"
        )
        self.folder = folder
        self.exit_status = exit_status or DamObsError.exit_status


@dataclass(frozen=True, slots=True)
class TracedRun:
    """A run that has come to its end."""

    folder: RunFolder
    manifest: Manifest


class SystemTracer:
    """Takes the evidence of one run."""

    def __init__(
        self,
        settings: Settings,
        *,
        rate_hz: float = 100.0,
        stacks: bool = True,
        offcpu: bool = False,
        out: Path | None = None,
        start_timeout_s: float = handshake.DEFAULT_TIMEOUT_S,
        max_disk_bytes: int = MAX_DISK_BYTES,
    ) -> None:
        """
        Prepare a run.

        Args:
            settings: What the observed program is to have; what a measured run needs is set here.
            rate_hz: Looks at the stacks a second.
            stacks: Sample stacks at all.
            offcpu: Have bpftrace tell what threads wait for; it needs root.
            out: The run's folder; a new one below ``.dam-obs/runs`` if `None`.
            start_timeout_s: How long the program may be held at its start until it is sampled.
            max_disk_bytes: What the trace may take on the disk; beyond that the oldest goes, and is counted.
        """
        self._settings = settings
        self._rate_hz = rate_hz
        self._stacks = stacks
        self._offcpu = offcpu
        self._out = out
        self._start_timeout_s = start_timeout_s
        self._max_disk_bytes = max_disk_bytes

    def run(self, command: Sequence[str], environ: Mapping[str, str] | None = None) -> TracedRun:
        """
        Run `command` to its end, and measure it meanwhile.

        Its input, output and signals are its own; its exit status is in the manifest.

        Raises:
            CommandNotFound: there is no such program.
            NotExecutable: it cannot be run.
            FolderTaken, FolderRefused: the run's folder could not be made.
        """
        environ = dict(os.environ if environ is None else environ)
        child = Command(command, environ)
        run = new_run(self._out)
        evidence = self._evidence(run, child.name)
        try:
            with child.run(self._environment(run.folder, environ, evidence.will_sample)):
                evidence.watch(child.pid, blind_after_s=self._start_timeout_s)
                while child.exit_status is None:
                    child.wait(evidence.tick())
                manifest = evidence.end(exit_status=child.exit_status)
        except NotExecutable:
            run.discard()
            raise
        except OSError as error:
            raise RunNotKept(run.folder.path, error, child.exit_status) from error
        return TracedRun(run.folder, manifest)

    def attach(self, pid: int, duration_s: float) -> TracedRun:
        """
        Measure a process that runs already, for some time or to its end; Ctrl-C ends it early.

        One that runs under dam-obs is asked to measure its executions; of any other there are stacks and counters.

        Raises:
            NoSuchProcess: there is none with this pid.
            FolderTaken, FolderRefused: the run's folder could not be made.
        """
        process = RunningProcess(pid)
        run = new_run(self._out)
        evidence = self._evidence(run, process.name, duration_s=f"{duration_s:g}")
        deadline = time.monotonic() + duration_s
        with process.interruptible(), process.measured(run.folder) as no_executions:
            evidence.watch(pid, blind_after_s=0.0)
            while process.goes_on() and time.monotonic() < deadline:
                process.wait(min(evidence.tick(), max(0.0, deadline - time.monotonic())))
            evidence.stop_sampling()
        try:
            manifest = evidence.end(exit_status=None, absent_too=no_executions)
        except OSError as error:
            raise RunNotKept(run.folder.path, error, None) from error
        return TracedRun(run.folder, manifest)

    def _evidence(self, run: NewRun, command: str, **noted: str) -> _Evidence:
        points = ", ".join(str(path) for path in self._settings.points)
        noted = {"rate_hz": f"{self._rate_hz:g}", "stacks": "on" if self._stacks else "off", **noted}
        noted = {**noted, "offcpu": "on"} if self._offcpu else noted
        return _Evidence(
            run,
            self._find_sampler(),
            needs.find_bpftrace() if self._offcpu else None,
            rate_hz=self._rate_hz,
            command=command,
            noted={**noted, "points": points} if points else noted,
            redactor=_redactor(self._settings),
            spill=Spill(run.folder, self._max_disk_bytes),
        )

    def _find_sampler(self) -> PySpy | AbsentEvidence:
        if not self._stacks:
            return absent.not_asked_for()
        if handshake.is_sampled(os.environ):
            return absent.sampled_already()
        found = find_pyspy()
        return absent.no_sampler(found) if isinstance(found, str) else found

    def _environment(self, run: RunFolder, environ: Mapping[str, str], will_sample: bool) -> dict[str, str]:
        settings = replace(
            self._settings,
            enabled=True,
            measure=True,
            jsonl=True,
            level="info" if self._settings.level == "warn" else self._settings.level,  # what succeeds has a cost, too
            run_directory=run.path,
            output=run.trace,
            **rotation(self._settings, self._max_disk_bytes),
        )
        wait = handshake.variables(str(run.path), self._start_timeout_s, os.getpid()) if will_sample else {}
        inherited = {name: value for name, value in environ.items() if name not in handshake.VARIABLES}
        return {**environment(settings, inherited), **wait}


class _Evidence:
    """What is taken from outside during one run, and its manifest."""

    def __init__(
        self,
        run: NewRun,
        sampler: PySpy | AbsentEvidence,
        bpftrace: BpfTrace | AbsentEvidence | None,
        *,
        rate_hz: float,
        command: str,
        noted: dict[str, str],
        redactor: Redactor,
        spill: Spill,
    ) -> None:
        self._redactor = redactor
        self._spill = spill
        self._folder = run.folder
        self._gate = Gate(run.folder)
        self._rate_hz = rate_hz
        self._sampler = sampler
        self._bpftrace = bpftrace
        self._offcpu: OffCpuWatch | None = None
        self._private = run.folder.path / ".sampler"
        self._sampling: Sampling | None = None
        self._result: SamplerResult | None = None
        self._tree: ProcessTree | None = None
        self._pid = os.getpid()
        self._next_counters = 0.0
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
            self._sampling = Sampling(
                self._sampler,
                pid,
                self._gate,
                rate_hz=self._rate_hz,
                folder=self._private,
                log=self._folder.sampler_log,
                blind_after_s=blind_after_s,
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

    def _tick_sampling(self) -> None:
        """Look after the sampler; if we cannot, for a full disk for instance, the program goes on without."""
        if self._sampling is None or self._result is not None:
            return
        try:
            self._sampling.tick()
        except OSError as error:
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
        if result is None or result.absent is not None:
            return [result.absent] if result and result.absent else []
        try:
            keep_profile(result.parts, self._folder.raw_profile, self._redactor)
        except BrokenProfile as error:
            return [absent.broke(self._sampler.name, f"its file was unreadable ({error.why})")]
        return []

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


def _redactor(settings: Settings) -> Redactor:
    manager = plugin_manager("analysis", settings)

    def ask_plugins(key: str, value: str) -> str | None:
        answer = call_first(manager, "dam_obs_redact", marker("plugin_failed"), key=key, value=value)
        return answer if isinstance(answer, str) else None

    hook = ask_plugins if manager.hook.dam_obs_redact.get_hookimpls() else None
    return Redactor(settings.redact_off, settings.redact_safe_keys, hook)


def _may_be_python(process: ProcessCounters, pythons: set[str | None]) -> bool:
    executable = process.executable
    return executable is None or executable in pythons or "python" in os.path.basename(executable)


def _versions(*tools: PySpy | BpfTrace | AbsentEvidence | None) -> dict[str, str]:
    """Return the versions of what evidence depends on."""
    found = {}
    for name in _VERSIONS_OF:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {**found, **{tool.name.split()[0]: tool.version for tool in tools if isinstance(tool, PySpy | BpfTrace)}}
