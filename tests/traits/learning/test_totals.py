"""What is added up of executions."""

from dam_traits.learning import ExecutionRecord, SystemTotals, Totals
from dam_traits.learning.totals import MOST_SYSTEMS, OTHERS


def test_systems_without_end_become_one():
    """A program that makes systems for ever does not make memory, or series of a metric, for ever."""
    totals = Totals()
    for number in range(MOST_SYSTEMS + 5):
        totals.observe(
            ExecutionRecord(
                system=f"m:f{number}", version="1", command="m:C", status="success", duration_ns=1, started_unix_s=0.0
            )
        )

    found = totals.by_system()
    assert len(found) == MOST_SYSTEMS + 1
    assert found[OTHERS] == SystemTotals(executions={"success": 5})
