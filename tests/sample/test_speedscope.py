"""Writing samples for speedscope."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from dam_obs.sample.samples import Attribution, Frame, StackSample
from dam_obs.sample.speedscope import OUTSIDE, UNKNOWN, samples_by_system, write_profile, write_speedscope
from dam_obs.store.runs import RunFolder
from dam_obs.trace.redact import Redactor

WORK = Frame("work", "/app/x.py", 3)
TOKEN = Frame("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "/app/x.py", None)


def sample(*frames: Frame, weight: int = 1) -> StackSample:
    """Return a sample of one thread."""
    return StackSample(pid=1, thread="t", frames=frames, weight=weight)


def test_a_file_is_what_the_format_says(tmp_path: Path) -> None:
    """Frames once, numbers into them, weights in milliseconds by the rate; secrets and tags are out."""
    tag = Frame("dam:00000000000000aa", "meter.py", 1)
    profiles = {"Hash": [sample(WORK, weight=2), sample(WORK, TOKEN)], "Wait": [sample(tag, WORK), sample()]}
    write_speedscope(tmp_path / "run" / "p.json", profiles, rate_hz=100, redactor=Redactor())

    assert json.loads((tmp_path / "run" / "p.json").read_text()) == {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": "dam-obs",
        "name": "run",
        "activeProfileIndex": 0,
        "profiles": [
            {
                "type": "sampled",
                "name": "Hash",
                "unit": "milliseconds",
                "startValue": 0,
                "endValue": 30,
                "samples": [[0], [0, 1]],
                "weights": [20, 10],
            },
            {
                "type": "sampled",
                "name": "Wait",
                "unit": "milliseconds",
                "startValue": 0,
                "endValue": 20,
                "samples": [[0], []],
                "weights": [10, 10],
            },
        ],
        "shared": {
            "frames": [
                {"name": "work", "file": "/app/x.py", "line": 3},
                {"name": Redactor().frame(TOKEN.function), "file": "/app/x.py"},
            ]
        },
    }


def test_without_a_rate_weights_are_counts(tmp_path: Path) -> None:
    """A time that is not known is not made up."""
    write_speedscope(tmp_path / "p.json", {"Hash": [sample(WORK, weight=4)]}, rate_hz=None, redactor=Redactor())
    profile = json.loads((tmp_path / "p.json").read_text())["profiles"][0]

    assert (profile["unit"], profile["weights"], profile["endValue"]) == ("none", [4], 4)


def test_systems_come_by_weight_and_the_rest_last() -> None:
    """Samples of executions without an event, and outside any, are shown for what they are."""
    attribution = Attribution(
        claimed={"a": [sample(weight=2)], "b": [sample(weight=5)], "c": [sample(weight=1)]},
        unclaimed=[sample(weight=100)],
    )
    found = samples_by_system(attribution, {"a": "Hash", "b": "Wait"})

    assert {name: sum(one.weight for one in samples) for name, samples in found.items()} == {
        "Wait": 5,
        "Hash": 2,
        UNKNOWN: 1,
        OUTSIDE: 100,
    }
    assert list(found) == ["Wait", "Hash", UNKNOWN, OUTSIDE]


def test_a_run_without_samples_has_no_profile(tmp_path: Path) -> None:
    """Then there is no file, rather than an empty one."""
    run = RunFolder(tmp_path)
    assert not write_profile(run, rate_hz=100)

    run.raw_profile.write_bytes(msgspec.json.encode({"profiles": [], "shared": {"frames": []}}))
    assert not write_profile(run, rate_hz=100)
    assert not run.profile.exists()
