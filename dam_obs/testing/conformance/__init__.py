"""
What any traced host must do right, as cases that run anywhere.

A plugin's author says how a function of the host becomes traced, and gets a test for each
thing that real hosts do to an observer::

    from dam_obs.testing import conformance

    @pytest.mark.parametrize("case", conformance.CASES, ids=str)
    def test_conformance(case):
        case.run(lambda function, name: traced("system.execute", component=name)(function))

Each case records into memory with a clock of its own and raises `AssertionError` with
what it saw instead. Parents, durations and statuses are compared whole.
"""

from __future__ import annotations

from dam_obs.testing.conformance import _concurrency, _failures, _generators, _invisible  # noqa: F401 - each adds its cases
from dam_obs.testing.conformance._case import ALL, Case, Trace, World

CASES: tuple[Case, ...] = tuple(ALL)

__all__ = ["CASES", "Case", "Trace", "World"]
