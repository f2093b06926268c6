"""Samples for speedscope, by system and by thread."""

from __future__ import annotations

import json

from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.diagnose.export.speedscope import speedscope


def test_a_file_is_what_the_format_says(small_run):
    """Systems first, the one with the most first; then threads with whole stacks in order."""
    file = json.loads(b"".join(speedscope(RunSamples(small_run))))
    names = [frame["name"] for frame in file["shared"]["frames"]]

    assert [
        (profile["name"], [[names[number] for number in stack] for stack in profile["samples"]], profile["weights"])
        for profile in file["profiles"]
    ] == [
        ("system app:Outer (system.execute)", [["work"]], [20]),
        ("system app:Inner (system.load)", [["helper"]], [10]),
        ("system (outside executions)", [["<module>"], ["wait"]], [20, 50]),
        (
            "process 10 thread 10 MainThread",
            [
                ["<module>"],
                ["<module>", "app:Outer (system.execute)", "work"],
                ["<module>", "app:Outer (system.execute)", "work", "app:Inner (system.load)", "helper"],
                ["<module>"],
            ],
            [10, 20, 10, 10],
        ),
        ("process 10 thread 11 pool_0", [["wait"]], [50]),
    ]
    for profile in file["profiles"]:
        assert (profile["type"], profile["unit"], profile["startValue"]) == ("sampled", "milliseconds", 0)
        assert profile["endValue"] == sum(profile["weights"])
    assert file["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert file["shared"]["frames"][0] == {"name": "work", "file": "/app/work.py", "line": 5}
    assert {"name": "app:Outer (system.execute)"} in file["shared"]["frames"]


def test_without_a_rate_weights_are_counts(kit):
    """A time that is not known is not made up."""
    run = kit.run({"Thread 1": [[("f", "", None)]] * 4}, manifest=None)
    by_system, by_thread = json.loads(b"".join(speedscope(RunSamples(run))))["profiles"]

    assert (by_system["unit"], by_system["weights"]) == ("none", [4])
    assert (by_thread["name"], by_thread["endValue"]) == ("process ? thread 1", 4)
