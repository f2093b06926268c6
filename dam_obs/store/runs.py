"""
The run folder: ``.dam-obs/runs/<run id>/`` and what is in it by which name.

Names only; what is in the files is their writers' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RUNS = Path(".dam-obs") / "runs"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder and the paths in it."""

    path: Path

    @property
    def manifest(self) -> Path:
        """Versions, host facts, privileges, settings; never argv or environment values."""
        return self.path / "manifest.json"

    @property
    def trace(self) -> Path:
        """The events, one line each; rotated ones beside it as ``trace.jsonl.1`` (the newest) and on."""
        return self.path / "trace.jsonl"

    @property
    def processes(self) -> Path:
        """Folder with one ``<pid>-<start>.json`` for each process: what it said of itself, or its counters."""
        return self.path / "processes"

    @property
    def mounts(self) -> Path:
        """The file systems and the disks below them, as the observed process saw them."""
        return self.path / "mounts.json"

    @property
    def raw_profile(self) -> Path:
        """What the sampler wrote, as it wrote it."""
        return self.path / "samples.speedscope.json"

    @property
    def sampler_log(self) -> Path:
        """What the sampler printed."""
        return self.path / "sampler.log"

    @property
    def offcpu(self) -> Path:
        """When each thread stood still, and what for; only where that was asked for."""
        return self.path / "offcpu.jsonl.gz"

    @property
    def offcpu_log(self) -> Path:
        """What bpftrace printed beside that."""
        return self.path / "bpftrace.log"

    @property
    def profile(self) -> Path:
        """Samples by system, redacted, for speedscope."""
        return self.path / "profile.speedscope.json"

    @property
    def report_json(self) -> Path:
        """The `DiagnosticReport`."""
        return self.path / "report.json"

    @property
    def report_html(self) -> Path:
        """The report as a page."""
        return self.path / "report.html"

    @property
    def drafts(self) -> Path:
        """Folder of drafted `calculate_traits` code and ``review.md``."""
        return self.path / "drafts"
