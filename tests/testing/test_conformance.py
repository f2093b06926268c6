"""The conformance kit passes for functions traced by hand, in plain and in measured runs."""

import pytest

from dam_obs import traced
from dam_obs.testing import conformance


@pytest.mark.parametrize("measure", [False, True], ids=["plain", "measured"])
@pytest.mark.parametrize("case", conformance.CASES, ids=str)
def test_functions_traced_by_hand_conform(case, measure):
    """`@traced` does everything right that the kit asks for."""
    case.run(lambda function, name: traced("system.execute", component=name)(function), measure=measure)
