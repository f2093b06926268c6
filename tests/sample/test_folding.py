"""Profiles that are kept: joined, weighed by their rates, and held within a bound."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.sample.attribution import attribute
from dam_obs.sample.folding import EverySecond, Part, fold, join, shrink
from dam_obs.sample.parts import Kept, Parts
from dam_obs.sample.profile import BrokenProfile, ProfileSize, read_profile
from dam_obs.sample.samples import Frame, StackSample
from dam_obs.trace.redact import Redactor

FRAMES = [
    {"name": "main", "file": "/src/app.py", "line": 3},
    {"name": "work", "file": "/src/app.py", "line": 7},
    {"name": "rest", "file": "/src/app.py", "line": 9},
    {"name": "dam:00000000000000aa", "file": "/lib/dam_obs/trace/meter.py", "line": 1},
    {"name": "dam:00000000000000bb", "file": "/lib/dam_obs/trace/meter.py", "line": 1},
    {"name": "deflate", "file": "/usr/lib/libz.so.1", "line": 0},
    {"name": "0x7f33ab082ded", "file": "/usr/lib/libz.so.1", "line": 0},
]
AA_WORK, AA_REST, BB_WORK, OUTSIDE = [0, 3, 1], [0, 3, 2], [0, 4, 1], [0, 2]
THREAD = "Process 10 Thread 10"

Stacks = list[list[int]]


def raw(path: Path, *threads: Stacks, frames: int = len(FRAMES)) -> Path:
    """Write a profile as py-spy does, the first thread's number being 10."""
    profiles = [
        {"type": "sampled", "name": f"Process 10 Thread {10 + number}", "unit": "seconds", "samples": stacks}
        for number, stacks in enumerate(threads)
    ]
    path.write_text(json.dumps({"profiles": profiles, "shared": {"frames": FRAMES[:frames]}}))
    return path


def weights(path: Path) -> Counter[tuple[str, ...]]:
    """Return what each stack stands for, whichever thread it was on."""
    found: Counter[tuple[str, ...]] = Counter()
    for sample in read_profile(path):
        found[tuple(frame.function for frame in sample.frames)] += sample.weight
    return found


def folded(folder: Path, *threads: Stacks, each: int = 1, name: str = "part") -> Part:
    """Return a part of these stacks."""
    return fold(raw(folder / "raw", *threads), folder / name, Redactor(), each=each)


def test_a_look_at_a_quarter_of_the_rate_weighs_four(tmp_path: Path) -> None:
    """Its number of looks is still what it is."""
    part = folded(tmp_path, [AA_WORK, AA_WORK, OUTSIDE], each=4)

    assert [(sample.weight, sample.each, sample.seen) for sample in read_profile(part.path)] == [(8, 4, 2), (4, 4, 1)]
    assert (part.rows, part.seen) == (2, 3)


def test_parts_of_different_rates_add_up(tmp_path: Path) -> None:
    """Ten seconds at 100 Hz and as long at 10 Hz: what ran all the time has the same share of both."""
    quick = folded(tmp_path, [AA_WORK] * 500 + [AA_REST] * 500, name="quick")
    slow = folded(tmp_path, [AA_WORK] * 100, each=10, name="slow")
    join([quick.path, slow.path], tmp_path / "all")

    assert weights(tmp_path / "all") == {
        ("main", "dam:00000000000000aa", "work"): 500 + 1000,
        ("main", "dam:00000000000000aa", "rest"): 500,
    }
    assert attribute(read_profile(tmp_path / "all")).claimed_count == 1100


def test_a_joined_file_is_for_speedscope_too(tmp_path: Path) -> None:
    """Its weights are in the proportion of time."""
    join([folded(tmp_path, [AA_WORK, AA_WORK, OUTSIDE], each=4).path], tmp_path / "all")
    (thread,) = json.loads((tmp_path / "all").read_text())["profiles"]

    assert (thread["name"], thread["type"], thread["unit"]) == (THREAD, "sampled", "none")
    assert (thread["samples"], thread["weights"], thread["endValue"]) == ([AA_WORK, OUTSIDE], [8, 4], 12)


def test_nothing_joined_is_an_empty_profile(tmp_path: Path) -> None:
    """It can be read."""
    join([], tmp_path / "all")

    assert list(read_profile(tmp_path / "all")) == []


@pytest.mark.parametrize("halve", [False, True])
def test_what_is_shrunk_says_that_its_order_is_lost(tmp_path: Path, halve: bool) -> None:
    """Who wants to place samples in time has to know."""
    part = shrink(folded(tmp_path, [AA_WORK, BB_WORK] * 4), EverySecond() if halve else None)

    assert {sample.ordered for sample in read_profile(part.path)} == {False}


def test_equal_stacks_of_an_execution_are_put_together(tmp_path: Path) -> None:
    """Two executions stay two, though their code is the same, and so do two threads."""
    part = shrink(folded(tmp_path, [AA_WORK, BB_WORK] * 50, [AA_WORK]))

    assert [(sample.thread, sample.frames[1].function[-2:], sample.seen) for sample in read_profile(part.path)] == [
        ("Thread 10", "aa", 50),
        ("Thread 10", "bb", 50),
        ("Thread 11", "aa", 1),
    ]


def test_frames_that_nobody_needs_any_more_go_too(tmp_path: Path) -> None:
    """An execution whose looks were let go leaves no name behind."""
    part = shrink(folded(tmp_path, [AA_WORK, BB_WORK]), EverySecond())
    frames = json.loads(part.path.read_text())["shared"]["frames"]

    assert [frame["name"][-2:] for frame in frames] == ["in", "rk", "aa"]


STACKS = st.lists(st.sampled_from([AA_WORK, AA_REST, BB_WORK, OUTSIDE]), max_size=60)


@given(st.lists(STACKS, max_size=3), st.integers(1, 20))
def test_to_fold_and_to_put_together_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, threads: list[Stacks], each: int
) -> None:
    """Each stack weighs what it was seen times what a look stands for."""
    folder = tmp_path_factory.mktemp("p")
    part = folded(folder, *threads, each=each)
    expected = Counter(tuple(str(FRAMES[number]["name"]) for number in stack) for stacks in threads for stack in stacks)
    expected = Counter({stack: seen * each for stack, seen in expected.items()})

    assert weights(part.path) == expected
    assert weights(shrink(part).path) == expected


@given(STACKS, st.integers(1, 5))
def test_halved_the_whole_weighs_the_same(tmp_path_factory: pytest.TempPathFactory, stacks: Stacks, times: int) -> None:
    """But for the one look of an odd number; each stack is off by as much as one look stands for."""
    part = before = folded(tmp_path_factory.mktemp("p"), stacks)
    was = weights(part.path)
    for _ in range(times):
        part = shrink(part, EverySecond())
    now = weights(part.path)

    assert abs(sum(now.values()) - before.seen) < 2**times
    assert all(abs(now[stack] - was[stack]) < 2**times for stack in was)
    assert {sample.each for sample in read_profile(part.path)} <= {2**times}


def test_native_frames_are_named_as_such(tmp_path: Path) -> None:
    """A bare address, another one with each look, is known by its library alone."""
    path = raw(tmp_path / "raw", [[0, 1, 5, 6]])
    fold(path, tmp_path / "part", Redactor(), native=True)
    (sample,) = read_profile(tmp_path / "part")

    assert sample.frames == (
        Frame("main", "/src/app.py", 3),
        Frame("work", "/src/app.py", 7),
        Frame("deflate (native)", "/usr/lib/libz.so.1", None),
        Frame("(native code of libz.so.1)", "/usr/lib/libz.so.1", None),
    )


def test_a_stack_of_frames_that_are_not_there_is_found_at_once(tmp_path: Path) -> None:
    """Not only when the run is over."""
    with pytest.raises(BrokenProfile, match="a frame that is not there"):
        fold(raw(tmp_path / "raw", [[0, 99]]), tmp_path / "part", Redactor())


@pytest.mark.parametrize("weights", ["[1]", "[1,2,3]", "[]", '"none"'])
def test_a_kept_file_with_other_weights_than_stacks_is_broken(tmp_path: Path, weights: str) -> None:
    """It was tampered with."""
    text = f'{{"profiles":[{{"name":"t","each":1,"samples":[[0],[0]],"weights":{weights}}}],'
    (tmp_path / "p").write_text(text + '"shared":{"frames":[{"name":"main"}]}}')

    with pytest.raises(BrokenProfile):
        list(read_profile(tmp_path / "p"))


class TestParts:
    """The parts of a run."""

    @staticmethod
    def kept(folder: Path, *parts: Stacks, most_rows: int = 1000, each: int = 1) -> tuple[Kept, list[StackSample]]:
        """Keep such parts, one sampler's after the other's; return what is said and what is there."""
        (folder / "private").mkdir()
        keeper = Parts(folder / "private", Redactor(), most_rows)
        for number, stacks in enumerate(parts):
            keeper.add(raw(folder / f"{number}", stacks), each=each, seconds=1.0)
        said = keeper.close()
        keeper.write(folder / "all")
        return said, list(read_profile(folder / "all"))

    def test_what_fits_is_kept_as_it_was(self, tmp_path: Path) -> None:
        """In order; what py-spy wrote is gone."""
        said, samples = self.kept(tmp_path, [AA_WORK, BB_WORK], [BB_WORK, AA_WORK, AA_WORK])

        assert said == Kept(
            size=ProfileSize(stacks=5, ticks=5, process_ticks=5), rows=4, let_go=0, broken=None, broken_s=0.0
        )
        assert [(sample.frames[1].function[-2:], sample.seen) for sample in samples] == [
            ("aa", 1), ("bb", 1), ("bb", 1), ("aa", 2),
        ]  # fmt: skip
        assert not (tmp_path / "0").exists()

    def test_too_many_are_first_put_together(self, tmp_path: Path) -> None:
        """Which loses only their order."""
        said, samples = self.kept(tmp_path, [AA_WORK, BB_WORK] * 50, [AA_WORK, OUTSIDE] * 50, most_rows=90)

        assert (said.rows, said.let_go) == (4, 0)
        assert sum(sample.seen for sample in samples) == 200

    def test_too_many_still_are_thinned_in_all_parts_alike(self, tmp_path: Path) -> None:
        """What is left stands for what went; what went is counted."""
        several = [[AA_WORK], [AA_REST], [BB_WORK], [OUTSIDE]] * 16
        said, samples = self.kept(tmp_path, *several, most_rows=20)

        assert said.rows <= 20
        assert said.let_go == 64 - sum(sample.seen for sample in samples)
        assert len({sample.each for sample in samples}) == 1
        assert said.size.stacks == 64

    def test_a_long_run_stays_within_the_bound(self, tmp_path: Path) -> None:
        """However many samplers there were; the weight of all is that of all looks, to one look of each part."""
        several = [[AA_WORK, BB_WORK, AA_REST, OUTSIDE] * 5] * 100
        said, samples = self.kept(tmp_path, *several, most_rows=150)
        each = samples[0].each

        assert said.rows <= 150
        assert abs(sum(sample.weight for sample in samples) - 2000) <= 100 * each

    def test_a_broken_one_is_told_and_left_out(self, tmp_path: Path) -> None:
        """With the time that it was for."""
        said, samples = self.kept(tmp_path, [AA_WORK], [[0, 99]], [BB_WORK])

        assert (said.broken, said.broken_s) == ("a sample names a frame that is not there", 1.0)
        assert said.size.stacks == len(samples) == 2
