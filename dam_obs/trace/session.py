"""
Switch recording on and off in this process.

A session is the recorder with its sinks, the note of a measured run, and the watch over
the process's end and forks. There is one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from dam_obs import plugins
from dam_obs.config import ConfigError, Settings, collect_settings, load_settings
from dam_obs.hookspecs import SinkFactory
from dam_obs.trace import _collection, audit, faults, features, lifecycle, meter
from dam_obs.trace.attached import WishListener
from dam_obs.trace.notes import NoteKeeper
from dam_obs.trace.recorder import Recorder
from dam_obs.trace.redact import Redactor
from dam_obs.trace.tracer import tracer

_current: Session | None = None
_PERIODIC = faults.guard("session.periodic")


class Session:
    """Recording in this process, from `start` to `stop`."""

    def __init__(self, settings: Settings) -> None:
        settings = _from_here(settings)
        manager = plugins.plugin_manager("host", settings)
        self.settings = settings
        self.redactor = Redactor(settings.redact_off, settings.redact_safe_keys, _redact_hook(manager))
        self._note: NoteKeeper | None = None
        self.fill_note: Callable[[NoteKeeper, bool], None] | None = None
        """Fills in what others know, before a note is written; told whether it is the last time."""
        # A run that is measured from its start has its sampler; any other may be asked later.
        self._listener = None if settings.measure else WishListener(settings.output, self._measure_for)
        self.recorder = Recorder(settings, _sinks(manager, settings), self.redactor, periodic=(self._periodic,))
        if manager.hook.dam_obs_features.get_hookimpls():
            features.ask(lambda command: plugins.call_first(manager, "dam_obs_features", command=command))
        features.look_at_files(settings.feature_file_sizes)
        if settings.run_directory is not None:
            self.measure_into(settings.run_directory)

    @property
    def note(self) -> NoteKeeper | None:
        """The note of a measured run."""
        return self._note

    def start(self) -> None:
        """Begin to record."""
        _collection.protect()
        self.recorder.start()
        lifecycle.watch(self)
        if self.settings.measure:
            self.measure(True)
        tracer.with_debug = self.settings.level == "debug"
        tracer.enabled = True

    def stop(self) -> None:
        """End: what has ended is brought to its place, and the process is as it was."""
        tracer.enabled = False
        self.measure(False)
        self.shutdown()
        lifecycle.unwatch()
        _collection.leave()
        features.ask(None)
        features.look_at_files(False)

    def measure(self, on: bool) -> None:
        """Take evidence for every execution that starts from now on, or no more."""
        meter.switch(on)
        if on:
            audit.install()

    def measure_into(self, run_directory: Path) -> None:
        """Keep this process's note in a run folder."""
        self._note = NoteKeeper(run_directory / "processes", lambda: self.recorder.recorded)
        self._note.before_write = self._before_note

    def _measure_for(self, run_directory: Path | None) -> None:
        """Measure for a tracer that has attached itself, or no more."""
        if run_directory is not None:
            self.measure_into(run_directory)
        else:
            self._write_note(ended=False)
            self._note = None
        self.measure(run_directory is not None)

    def _periodic(self) -> None:
        if self._listener is not None:
            self._listener()
        if self._note is not None:
            self._note()

    # -- what `lifecycle` tells

    @property
    def patience(self) -> float:
        """Seconds that an end may take at most."""
        return self.settings.shutdown_timeout

    def flush(self, timeout: float) -> bool:
        """Bring everything that has ended so far to its place."""
        done = self.recorder.flush(timeout)
        self._write_note(ended=False)
        return done

    def shutdown(self) -> None:
        """Flush and close the sinks."""
        self.recorder.shutdown()
        self._write_note(ended=True)
        if self._listener is not None:
            self._listener.end()

    def before_fork(self) -> None:
        """Stand still."""
        self.recorder.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self.recorder.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Start afresh, with a note of the child's own."""
        if self._note is not None:
            self._note.start_afresh()
        if self._listener is not None:
            self._listener.start_afresh()
        self.recorder.after_fork_in_child()

    def _before_note(self, note: NoteKeeper, ended: bool) -> None:
        if self.fill_note is not None:
            self.fill_note(note, ended)

    def _write_note(self, *, ended: bool) -> None:
        if self._note is not None:
            with _PERIODIC:
                self._note.write(ended=ended)


def _from_here(settings: Settings) -> Settings:
    """Return settings whose paths mean the same wherever the program goes."""
    return replace(
        settings,
        output=_absolute(settings.output),
        run_directory=_absolute(settings.run_directory) if settings.run_directory is not None else None,
    )


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError:
        return path  # the current folder is gone


def _sinks(manager: Any, settings: Settings) -> list[SinkFactory]:
    answers: Iterable[Iterable[SinkFactory] | None] = plugins.call_each(manager, "dam_obs_sinks", settings=settings)
    return [factory for answer in answers for factory in answer or ()]


def _redact_hook(manager: Any) -> Any:
    if not manager.hook.dam_obs_redact.get_hookimpls():
        return None
    return lambda key, value: plugins.call_first(
        manager, "dam_obs_redact", "[redacted:plugin_failed]", key=key, value=value
    )


def current() -> Session | None:
    """Return the session, if recording is on."""
    return _current


def start(settings: Settings) -> Session:
    """Start a session with these settings; one that runs is stopped first."""
    global _current
    stop()
    _current = Session(settings)
    _current.start()
    return _current


def stop() -> None:
    """Stop the session, if there is one."""
    global _current
    if _current is not None:
        ending, _current = _current, None
        ending.stop()


def configure(**arguments: Any) -> None:
    """
    Switch recording on, with settings from files and the environment overridden by `arguments`.

        dam_obs.configure(output="trace.jsonl", console=True)

    Args:
        **arguments: Any field of `dam_obs.config.Settings`. ``enabled=False`` switches recording off.

    Raises:
        ConfigError: an argument is wrong. What is wrong in a file or in the environment is left out and logged: a
            program must not fail because of it.
    """
    loaded = load_settings({"enabled": True, **arguments}, lenient=True)
    wrong = [problem for problem in loaded.problems if problem.origin.source == "argument"]
    if wrong:
        raise ConfigError(wrong)
    if loaded.settings.enabled:
        start(loaded.settings)
    else:
        stop()


def start_if_set() -> None:
    """Start a session if the environment or a settings file switches recording on; never raises."""
    with faults.guard("session.start"):
        # What is wrong is said where it matters: not to our own commands, which say it themselves.
        if _current is None and collect_settings().settings.enabled:
            start(load_settings(lenient=True).settings)
