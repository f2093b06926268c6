"""
`SystemTracer`: take the evidence of a run from outside the process.

It starts the user's command so that dam-obs is active in it, or attaches to a process that
runs already; has its evidence taken meanwhile; and leaves a run folder with a
manifest that says what was had, what was not, and why.

What the evidence means is not its business: `dam_obs.diagnose` reads the run folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dam_obs.config import Settings
from dam_obs.errors import DamObsError
from dam_obs.plugins import call_first, plugin_manager
from dam_obs.points.activate import environment
from dam_obs.sample import absent
from dam_obs.sample.command import Command, NotExecutable
from dam_obs.sample.evidence import Evidence
from dam_obs.sample.folder import NewRun, new_run
from dam_obs.sample.offcpu import needs
from dam_obs.sample.offcpu.session import STACKS_FROM_NS, BpfTrace
from dam_obs.sample.pyspy import PySpy, find_pyspy
from dam_obs.sample.rate import BUDGET
from dam_obs.sample.running import RunningProcess
from dam_obs.sample.spill import MAX_DISK_BYTES, Spill, rotation
from dam_obs.store.manifest import AbsentEvidence, Manifest
from dam_obs.store.runs import RunFolder
from dam_obs.trace import handshake
from dam_obs.trace.redact import Redactor, marker


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
        budget: float = BUDGET,
        native: bool = False,
        stacks: bool = True,
        offcpu: bool = False,
        offcpu_stacks: bool = False,
        out: Path | None = None,
        start_timeout_s: float = handshake.DEFAULT_TIMEOUT_S,
        max_disk_bytes: int = MAX_DISK_BYTES,
    ) -> None:
        """
        Prepare a run.

        Args:
            settings: What the observed program is to have; what a measured run needs is set here.
            rate_hz: Looks at the stacks a second, at the most.
            budget: Share of one CPU that the sampler may take; beyond it looks are fewer.
            native: Sample stacks of native code too, where the sampler can.
            stacks: Sample stacks at all.
            offcpu: Have bpftrace tell what threads wait for; it needs root.
            offcpu_stacks: Have it tell where in the kernel, too, for what lasts a millisecond or more.
            out: The run's folder; a new one below ``.dam-obs/runs`` if `None`.
            start_timeout_s: How long the program may be held at its start until it is sampled.
            max_disk_bytes: What the trace may take on the disk; beyond that the oldest goes, and is counted.
        """
        self._settings = settings
        self._rate_hz = rate_hz
        self._budget = budget
        self._native = native
        self._stacks = stacks
        self._offcpu = offcpu or offcpu_stacks
        self._offcpu_stacks = offcpu_stacks
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

    def _evidence(self, run: NewRun, command: str, **noted: str) -> Evidence:
        points = ", ".join(str(path) for path in self._settings.points)
        noted = {
            "rate_hz": f"{self._rate_hz:g}",
            "budget": f"{self._budget:g}",
            "stacks": "on" if self._stacks else "off",
            **noted,
            **({"native": "on"} if self._native else {}),
            **({"offcpu": "with stacks" if self._offcpu_stacks else "on"} if self._offcpu else {}),
        }
        return Evidence(
            run,
            self._find_sampler(),
            self._find_bpftrace() if self._offcpu else None,
            rate_hz=self._rate_hz,
            budget=self._budget,
            native=self._native,
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

    def _find_bpftrace(self) -> BpfTrace | AbsentEvidence:
        found = needs.find_bpftrace()
        if isinstance(found, AbsentEvidence) or not self._offcpu_stacks:
            return found
        return replace(found, stacks_from_ns=STACKS_FROM_NS)

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


def _redactor(settings: Settings) -> Redactor:
    manager = plugin_manager("analysis", settings)

    def ask_plugins(key: str, value: str) -> str | None:
        answer = call_first(manager, "dam_obs_redact", marker("plugin_failed"), key=key, value=value)
        return answer if isinstance(answer, str) else None

    hook = ask_plugins if manager.hook.dam_obs_redact.get_hookimpls() else None
    return Redactor(settings.redact_off, settings.redact_safe_keys, hook)
