"""
Observe a process from outside: what `dam-obs run` switches on, and how it gets into the program.

`environment` makes the variables that bring ``autorun/sitecustomize.py`` into every Python
process of a command; that calls `activate`, which starts the recorder, attaches the trace
points and watches plugin managers, threads and subprocesses. All of it can be undone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from opentelemetry.instrumentation.threading import ThreadingInstrumentor

from dam_obs.config import Origin, Settings, settings_to_environ
from dam_obs.points.attach import Attachment, AttachReport, TargetState
from dam_obs.points.files import point_paths, usable_files
from dam_obs.points.hosts import ManagerWatch, hook_targets, is_observed
from dam_obs.points.model import HookName, TracePointFile
from dam_obs.points.subprocesses import ENABLED, Following, adopt_parent
from dam_obs.points.threads import ThreadWatch
from dam_obs.trace import faults, session
from dam_obs.trace.notes import NoteKeeper

AUTORUN: Final = Path(__file__).parent / "autorun"
"""The folder whose ``sitecustomize`` activates; it holds nothing else."""

_GUARD: Final = faults.guard("points.activate")
_active: Activation | None = None


def environment(
    settings: Settings, environ: Mapping[str, str], origins: Mapping[str, Origin] | None = None
) -> dict[str, str]:
    """
    Return the environment in which every Python process observes itself.

    Args:
        settings: What holds there; it is enabled whatever they say.
        environ: The environment to start from; its ``OTEL_*`` variables stay as they are.
        origins: See `settings_to_environ`.
    """
    kept = [part for part in environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != str(AUTORUN)]
    return {
        **environ,
        **settings_to_environ(settings, origins),
        ENABLED: "1",
        "PYTHONPATH": os.pathsep.join([str(AUTORUN), *kept]),
    }


class Activation:
    """What is switched on in this process, from `open` to `close`."""

    def __init__(self, settings: Settings, files: tuple[TracePointFile, ...], *, threads: bool) -> None:
        self.settings = settings
        self.files = files
        self._started_session = False
        self._threads = threads
        self._instruments_threads = False
        self._attachment = Attachment(files)
        self._managers = ManagerWatch(files) if settings.observe_pluggy else None
        owns_threads = any(point.own_threads for file in files for point in file.points)
        self._thread_watch = ThreadWatch() if owns_threads else None
        self._following = Following() if settings.follow_subprocesses else None
        self._noted: tuple[object, ...] = ()

    def open(self) -> Activation:
        """Switch on."""
        if session.current() is None:
            session.start(self.settings)
            self._started_session = True
        adopt_parent(os.environ)
        if self._threads and not ThreadingInstrumentor().is_instrumented_by_opentelemetry:
            ThreadingInstrumentor().instrument()
            self._instruments_threads = True
        if self._thread_watch is not None:
            self._thread_watch.open()
        if self._following is not None:
            self._following.open()
        if self._managers is not None:
            self._managers.open()
        self._attachment.open()
        running = session.current()
        if running is not None:
            running.fill_note = self._fill_in
        return self

    def close(self) -> None:
        """Switch off; the process is as it was."""
        self._attachment.close()
        if self._managers is not None:
            self._managers.close()
        if self._following is not None:
            self._following.close()
        if self._thread_watch is not None:
            self._thread_watch.close()
        if self._instruments_threads and ThreadingInstrumentor().is_instrumented_by_opentelemetry:
            ThreadingInstrumentor().uninstrument()
        running = session.current()
        if running is not None:
            running.fill_note = None
        if self._started_session:
            session.stop()

    def report(self, *, thorough: bool = False) -> AttachReport:
        """Tell what became of every target; `thorough` as in `Attachment.report`."""
        functions = self._attachment.report(thorough=thorough)
        hooks = [
            (is_observed(target.place), TargetState(point=point.name, target=str(target.place), state="attached"))
            for point, target in hook_targets(self.files)
            if isinstance(target.place, HookName)
        ]
        waiting = [
            TargetState(point=each.point, target=each.target, state="waiting") for seen, each in hooks if not seen
        ]
        return AttachReport(
            attached=(*functions.attached, *(each for seen, each in hooks if seen)),
            missing=functions.missing,
            waiting=(*functions.waiting, *waiting),
            unreadable=functions.unreadable,
            escaped=functions.escaped,
        )

    def _fill_in(self, note: NoteKeeper, ended: bool) -> None:
        """Put into the process's note what was attached, when that has changed and at the end."""
        progress = (note, *self._attachment.progress())
        if progress == self._noted and not ended:
            return
        self._noted = progress
        report = self.report()
        note.points_attached = [str(each) for each in report.attached]
        note.points_missing = [str(each) for each in report.missing]
        note.references_escaped = list(report.escaped)


def activate(settings: Settings, *, threads: bool = True) -> Activation:
    """
    Observe this process from now on; one that is observed already stays as it is.

    Args:
        settings: Which trace-point files count besides those of plugins, and what is watched.
        threads: Carry the current span into threads. Without it somebody else does.
    """
    global _active
    if _active is None:
        files = usable_files(point_paths(settings))
        _active = Activation(settings, files, threads=threads).open()
    return _active


def deactivate() -> None:
    """Undo `activate`."""
    global _active
    if _active is not None:
        ending, _active = _active, None
        ending.close()


def active() -> Activation | None:
    """Return what is switched on in this process, if anything is."""
    return _active
