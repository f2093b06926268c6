"""Numbers of a report that no run has."""

from __future__ import annotations

import pytest

from dam_obs.diagnose.plausible import Implausible, check_plausible
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.diagnose.write import report_json


def test_what_dam_obs_writes_is_plausible(report: DiagnosticReport) -> None:
    """A bias or a slope may be negative."""
    check_plausible(report_json(report).encode())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": [1e999]}', "1e999 is more than any run counts"),
        (f'{{"a": {10**30 + 1}}}', "10000000000000000000... is more than any run counts"),
        (f'{{"a": {"9" * 5_000}}}', "99999999999999999999... is more than any run counts"),
        ('{"systems": [{"latency": {"p50_ns": -1}}]}', "systems.0.latency.p50_ns is negative"),
        ('{"systems": [{"executions": 0, "by_status": {}}]}', "systems.0.by_status counts more than its executions"),
        ('{"systems": [{"executions": 2, "by_status": {"error": 3}}]}', "systems.0.by_status counts more than"),
    ],
)
def test_what_is_not(content: str, says: str) -> None:
    """It is said where it stands."""
    with pytest.raises(Implausible, match="^" + says.replace(".", "[.]")):
        check_plausible(content.encode())
