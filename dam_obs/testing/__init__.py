"""
For tests of programs and plugins: record into memory, compare whole events, hold the clock and the ids, inject faults.

See `dam_obs.testing.recording`, `dam_obs.testing.faults` and, for pytest, `dam_obs.testing.fixtures`.
"""

from __future__ import annotations

from dam_obs.testing import faults
from dam_obs.testing.expected import event
from dam_obs.testing.recording import Clock, Ids, Recording, recording

__all__ = ["Clock", "Ids", "Recording", "event", "faults", "recording"]
