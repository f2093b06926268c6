"""The table that `dam-obs diagnose` prints: each line tells which system it is of."""

import pytest

from dam_obs.cli._summary import _names, _waits
from dam_obs.diagnose.report import TimeSplit


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


def split(**changes):
    plain = {"wall_ns": 100, "on_cpu_ns": 10, "run_queue_ns": None, "block_io_ns": None, "awaiting_ns": 80}
    return TimeSplit(**plain | {"other_ns": 10, "measured": 1} | changes)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (split(), "awaiting 80%"),
        (split(awaiting={"lock": 50, "sleep": 20, "short": 10}), "awaiting lock and sleep 80%"),
        (split(awaiting={"short": 70, "queue": 10}), "awaiting 80%"),
        (split(awaiting_ns=0, other_ns=90, awaiting={}), ""),
    ],
    ids=["without names", "by what most was for", "nothing long", "never"],
)
def test_what_was_awaited_is_said_in_a_word_or_two(time, said):
    """The kinds that a fifth of the awaiting or more was for."""
    assert _waits(time) == said
