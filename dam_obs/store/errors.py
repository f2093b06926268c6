"""What can be wrong with a place that events are to be read from."""

from __future__ import annotations

from pathlib import Path

from dam_obs.errors import DamObsError


class NotATrace(DamObsError):
    """A file was given as a trace and holds no events."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not a trace: {why}; give a trace.jsonl or a run folder")
        self.path = path
        self.why = why


class NoTraceFound(DamObsError):
    """There is no trace where one was looked for."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"no trace {where}: make one with `dam-obs run -- COMMAND` or `dam-obs diagnose -- COMMAND`, "
            "or name a trace.jsonl or run folder"
        )
        self.where = where


class NoBackend(DamObsError):
    """A URI was given that no plugin reads."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"no plugin reads {uri}: install one that implements dam_obs_trace_source, or name a file")
        self.uri = uri


class BrokenManifest(DamObsError):
    """A run folder has a manifest that cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be read ({why}): remove it to go on with what the run folder has beside it")
        self.path = path


class TraceChanged(DamObsError):
    """A trace was replaced while it was read."""

    def __init__(self) -> None:
        super().__init__("the trace was replaced while it was read: try again")


class Unreadable(DamObsError):
    """The database cannot read a trace."""

    def __init__(self, name: str, why: str) -> None:
        reason = why.strip().partition("\n")[0]
        super().__init__(f"{name} cannot be read ({reason}): make room in the temporary folder, or name a smaller file")
        self.name = name
        self.why = why
