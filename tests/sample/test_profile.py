"""Reading and keeping what py-spy wrote."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.sample.folding import keep_profile
from dam_obs.sample.profile import BrokenProfile, ProfileSize, measure_profile, read_profile
from dam_obs.sample.samples import Frame, StackSample
from dam_obs.trace.redact import Redactor

FRAMES = [
    {"name": 'process 10:"python app.py --password hunter2-secret"', "file": "", "line": 0},
    {"name": 'process 11:"python child.py"', "file": "", "line": 0},
    {"name": 'thread (10): Main "x"', "file": "", "line": 0},
    {"name": "main", "file": "/src/app.py", "line": 3},
    {"name": "work", "file": "/src/app.py", "line": 7},
]


def profile(*threads: tuple[str, list[list[int]]]) -> dict[str, Any]:
    """Return a file as py-spy writes it."""
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "profiles": [
            {
                "type": "sampled",
                "name": name,
                "unit": "seconds",
                "startValue": 0.0,
                "endValue": 1.0,
                "samples": samples,
                "weights": [0.01] * len(samples),
            }
            for name, samples in threads
        ],
        "shared": {"frames": [dict(frame) for frame in FRAMES]},
        "activeProfileIndex": None,
        "exporter": "py-spy@0.4.3",
        "name": "py-spy profile",
    }


def write(path: Path, content: object) -> Path:
    """Write a profile as JSON."""
    path.write_text(json.dumps(content))
    return path


MAIN = 'Process 10 Thread 10 "Main "x""'


def test_process_and_thread_become_fields(tmp_path: Path) -> None:
    """What py-spy puts on the stack for them is taken off; the innermost process counts; line 0 is no line."""
    path = write(tmp_path / "p", profile((MAIN, [[0, 2, 3, 4]]), ('Thread 0x7F00 "t"', [[0, 1, 3]])))

    assert list(read_profile(path)) == [
        StackSample(
            pid=10,
            thread='Thread 10 "Main "x""',
            frames=(Frame("main", "/src/app.py", 3), Frame("work", "/src/app.py", 7)),
        ),
        StackSample(pid=11, thread='Thread 0x7F00 "t"', frames=(Frame("main", "/src/app.py", 3),)),
    ]


@given(st.lists(st.sampled_from([[0, 2, 3], [0, 2, 3, 4], [0, 2]]), max_size=30))
def test_equal_stacks_in_a_row_are_one(tmp_path_factory: pytest.TempPathFactory, samples: list[list[int]]) -> None:
    """Spread out again by their weights, the samples are those of the file, in its order."""
    path = write(tmp_path_factory.mktemp("p") / "p", profile((MAIN, samples)))
    read = list(read_profile(path))

    stacks = [tuple(FRAMES[number]["name"] for number in sample[2:]) for sample in samples]
    assert [tuple(frame.function for frame in one.frames) for one in read for _ in range(one.weight)] == stacks
    assert all(one.frames != following.frames for one, following in pairwise(read))


def test_size_counts_ticks_by_the_longest_thread_of_each_process(tmp_path: Path) -> None:
    """Ten threads are not ten ticks."""
    path = write(
        tmp_path / "p",
        profile(
            (MAIN, [[0, 2, 3]] * 5), ('Process 10 Thread 12 "w"', [[0, 3]] * 3), ('Process 11 Thread 11 "m"', [[1]] * 4)
        ),
    )

    assert measure_profile(path) == ProfileSize(stacks=12, ticks=5, process_ticks=9)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\1\2",
        b"[]",
        b"{}",
        b'{"profiles": [], "shared": {}}',
        json.dumps(profile((MAIN, [[0, 2, 3]])))[:-40].encode(),
        json.dumps(profile((MAIN, [[0, 2, 99]]))).encode(),
    ],
)
def test_broken_files_are_named(tmp_path: Path, content: bytes) -> None:
    """Empty, binary, foreign, torn or inconsistent: one error that names the file."""
    path = tmp_path / "samples.json"
    path.write_bytes(content)

    with pytest.raises(BrokenProfile, match=r"samples\.json is not a profile"):
        list(read_profile(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """So is one that is not there."""
    with pytest.raises(BrokenProfile, match="No such file"):
        list(read_profile(tmp_path / "none"))


def test_what_is_kept_has_no_command_line_and_no_secret(tmp_path: Path) -> None:
    """argv is not collected, and frames are redacted like everything else."""
    content = profile((MAIN, [[0, 2, 3, 4]]))
    content["shared"]["frames"][3]["name"] = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    keep_profile([write(tmp_path / "a", content)], tmp_path / "kept", Redactor())
    kept = (tmp_path / "kept").read_text()

    assert "hunter2" not in kept
    assert "app.py --" not in kept
    assert "ghp_" not in kept
    assert '"process 10"' in kept


def test_parts_are_joined_in_order(tmp_path: Path) -> None:
    """Several sessions make one profile, each stack with its own frames."""
    first = write(tmp_path / "a", profile((MAIN, [[0, 2, 3], [0, 2, 3, 4]])))
    second = write(tmp_path / "b", profile(('Process 11 Thread 11 "m"', [[1, 3]])))
    keep_profile([first, second], tmp_path / "kept", Redactor())

    assert list(read_profile(tmp_path / "kept")) == [*read_profile(first), *read_profile(second)]
