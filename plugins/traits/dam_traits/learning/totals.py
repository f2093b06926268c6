"""
`Totals`: for each system how often it ran, and what its time came to beside what was reckoned with.

For metrics, which want sums that only grow. Nothing is decided by them; what past executions teach
is a profile's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dam_traits.learning.record import ExecutionRecord, Status

MOST_SYSTEMS: Final = 1000
OTHERS: Final = "(others)"
"""All systems beyond the first `MOST_SYSTEMS`, as one."""


@dataclass(slots=True)
class SystemTotals:
    """Of one system, since its world was made."""

    executions: dict[Status, int] = field(default_factory=dict)
    """By how they ended; what did not occur is absent."""

    waited_ns: int = 0
    """For pools, however they ended."""

    reckoned: int = 0
    """Executions that succeeded and whose time had been reckoned with: those that the next three are about."""

    predicted_ms: int = 0

    observed_ns: int = 0

    underestimated: int = 0
    """How many of them took longer than was reckoned with."""


class Totals:
    """Adds records up; one of a world's observers."""

    def __init__(self) -> None:
        self._by_system: dict[str, SystemTotals] = {}

    def observe(self, record: ExecutionRecord) -> None:
        """Add one execution."""
        totals = self._of(record.system)
        totals.executions[record.status] = totals.executions.get(record.status, 0) + 1
        totals.waited_ns += record.wait_ns
        if record.status != "success" or record.predicted_ms is None:
            return
        totals.reckoned += 1
        totals.predicted_ms += record.predicted_ms
        totals.observed_ns += record.duration_ns
        totals.underestimated += record.duration_ns > record.predicted_ms * 1_000_000

    def by_system(self) -> Mapping[str, SystemTotals]:
        """Return what there is now, by the systems' names; any thread may ask."""
        return dict(self._by_system)

    def _of(self, system: str) -> SystemTotals:
        found = self._by_system.get(system)
        if found is None:
            name = system if len(self._by_system) < MOST_SYSTEMS else OTHERS
            found = self._by_system.setdefault(name, SystemTotals())
        return found
