"""Folded stacks, as flame graph tools read them."""

from __future__ import annotations

import re

import pytest

from dam_obs.diagnose.export.folded import folded
from dam_obs.diagnose.export.samples import RunSamples

LINE = re.compile(r"(?P<stack>.*)\s+(?P<count>\d+(?:\.\d*)?)")
"""How flamegraph.pl takes a line apart; it does so twice, and takes a second number for another profile."""


def test_lines_by_system_and_stack(small_run):
    """Outermost frame first, the count behind a space."""
    assert b"".join(folded(RunSamples(small_run))).decode().splitlines() == [
        "(outside executions);<module> (/app/main.py:1) 2",
        "(outside executions);wait (/lib/threading.py:3) 5",
        "app:Inner (system.load);helper (/app/work.py:9) 1",
        "app:Outer (system.execute);work (/app/work.py:5) 2",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a;b", "a:b"),
        ("count 12", "count_12"),
        ("count 1.5", "count_1.5"),
        ("a\nb 3", "a\\nb_3"),
        ("", "(unnamed)"),
        ("  ", "(unnamed)"),
        ("operator new(unsigned long)", "operator new(unsigned long)"),
    ],
)
def test_a_name_stays_one_frame(kit, name, shown):
    """It can be neither two frames nor a count, nor be lost."""
    run = kit.run({"Thread 1": [[(name, "", None)]] * 3})
    (line,) = b"".join(folded(RunSamples(run))).decode().splitlines()

    assert line == f"(outside executions);{shown} 3"
    taken = LINE.fullmatch(line)
    assert LINE.fullmatch(taken["stack"]) is None


def test_a_frame_without_a_line_has_one_all_the_same(kit):
    """So that the form of a frame with a file is always one."""
    run = kit.run({"Thread 1": [[("f", "/a.py", None)]]})

    assert b"".join(folded(RunSamples(run))) == b"(outside executions);f (/a.py:0) 1\n"
