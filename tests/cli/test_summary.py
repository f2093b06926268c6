"""The table that `dam-obs diagnose` prints: each line tells which system it is of."""

import pytest

from dam_obs.cli._summary import _names


class System:
    def __init__(self, system, operation):
        self.system, self.operation = system, operation


@pytest.mark.parametrize(
    ("systems", "names"),
    [
        ([("m:A", "execute"), ("m:B", "execute")], ["A", "B"]),
        ([("m:A", "execute"), ("n:A", "execute")], ["m:A", "n:A"]),
        ([("m:A", "plan"), ("m:A", "evaluate"), ("m:B", "plan")], ["A plan", "A evaluate", "B"]),
    ],
    ids=["by class", "by module where classes are called alike", "by operation where a class has several"],
)
def test_a_system_is_named_as_shortly_as_tells_it_from_others(systems, names):
    """One class may do several operations, as a layer does."""
    assert _names([System(*each) for each in systems]) == names
