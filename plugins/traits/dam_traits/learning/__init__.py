"""
What past executions teach: records, the profile of each system, and the file that keeps them.

A scheduler asks a `ProfileStore` what to expect of the next execution. Whether that or a
system's own prediction is believed is decided elsewhere, in `dam_traits.aggregate`.
"""

from dam_traits.learning.profile import SystemPerformanceProfile
from dam_traits.learning.record import ExecutionObserver, ExecutionRecord, Status
from dam_traits.learning.store import ProfileStore
from dam_traits.learning.totals import SystemTotals, Totals
from dam_traits.learning.version import version_of

__all__ = [
    "ExecutionObserver",
    "ExecutionRecord",
    "ProfileStore",
    "Status",
    "SystemPerformanceProfile",
    "SystemTotals",
    "Totals",
    "version_of",
]
