"""Giving samples to executions."""

from __future__ import annotations

from dataclasses import replace

import pytest

import dam_obs
from dam_obs.sample.attribution import Owners, attribute
from dam_obs.sample.samples import Frame, StackSample

OURS = f"{dam_obs.__path__[0]}/trace/wrap.py"
METER = f"{dam_obs.__path__[0]}/trace/meter.py"
A, B, C = "00000000000000aa", "00000000000000bb", "00000000000000cc"


def stack(*names: str, weight: int = 1, pid: int = 1) -> StackSample:
    """Return a sample; a name in capitals is an execution's tag, one with an underscore a frame of ours."""
    frames = []
    for name in names:
        if name in "ABC":
            frames.append(Frame(f"dam:{globals()[name]}", METER, 1))
        else:
            frames.append(Frame(name, OURS if name.startswith("_") else "/app/x.py", 1))
    return StackSample(pid=pid, thread="t", frames=tuple(frames), weight=weight)


@pytest.mark.parametrize(
    ("names", "owner", "own", "ancestors"),
    [
        (("main", "A", "work"), A, ("work",), ()),
        (("main", "A", "work", "_wrapper", "B", "inner"), B, ("inner",), (A,)),
        (("A", "B", "C", "x"), C, ("x",), (A, B)),
        (("A", "x", "B", "y", "A", "z"), A, ("z",), (B,)),
        (("main", "A"), A, (), ()),
        (("A", "work", "_wrapper", "deeper"), A, ("work", "deeper"), ()),
    ],
)
def test_the_innermost_execution_owns_a_sample(
    names: tuple[str, ...], owner: str, own: tuple[str, ...], ancestors: tuple[str, ...]
) -> None:
    """What is outside it is cut off, what is ours is taken out, the outer ones are its ancestors."""
    found = attribute([stack(*names, weight=3)])

    assert {
        span: [tuple(f.function for f in s.frames) for s in samples] for span, samples in found.claimed.items()
    } == {owner: [own]}
    assert (found.ancestors, found.unclaimed, found.claimed_count) == ({owner: ancestors}, [], 3)


@pytest.mark.parametrize(
    "name", ["work", "dam:", "dam:xyz", "dam:00000000000000aa0", "xdam:00000000000000aa", "dam:00000000000000AA"]
)
def test_without_a_tag_nobody_owns_it(name: str) -> None:
    """Nothing that only looks like a tag claims a sample; it stays as it was, and is counted."""
    sample = StackSample(pid=1, thread="t", frames=(Frame(name, "/app/x.py", 1),), weight=7)
    found = attribute([sample])

    assert (found.claimed, found.unclaimed, found.unclaimed_count) == ({}, [sample], 7)


def test_another_installation_of_ours_is_known_by_its_meter() -> None:
    """The observed program's own dam-obs is left out, a folder of the user's of that name is not."""
    frames = (
        Frame(f"dam:{A}", "/venv/lib/dam_obs/trace/meter.py", 9),
        Frame("wrapper", "/venv/lib/dam_obs/trace/wrap.py", 9),
        Frame("mine", "/home/me/dam_obs/app.py", 9),
    )
    found = attribute([StackSample(pid=1, thread="t", frames=frames)])

    assert [sample.frames for sample in found.claimed[A]] == [frames[2:]]


def test_the_fullest_account_of_ancestors_is_kept() -> None:
    """A generator may be consumed from elsewhere at its next step."""
    found = attribute([stack("A", "B", "C"), stack("C")])

    assert found.ancestors == {C: (A, B)}


class TestForkedChildren:
    """A process that was forked within an execution keeps that one's id at the bottom of its stack."""

    OWNERS = Owners({A: 1, B: 2}.get, {1, 2, 3})

    @pytest.mark.parametrize(
        ("pid", "names", "owner", "ancestors"),
        [
            (1, ("A", "work"), A, ()),
            (2, ("A", "work", "B", "inner"), B, ()),
            (1, ("A", "work", "C", "inner"), C, (A,)),
            (2, ("A", "work", "C", "inner"), C, ()),
        ],
    )
    def test_only_the_processs_own_executions_claim(
        self, pid: int, names: tuple[str, ...], owner: str, ancestors: tuple[str, ...]
    ) -> None:
        """Its own ones do, the parent's is not even an ancestor; one whose event never came counts where it stands."""
        found = attribute([stack(*names, pid=pid)], self.OWNERS)

        assert (list(found.claimed), found.ancestors) == ([owner], {owner: ancestors})

    def test_what_it_does_beside_is_unclaimed(self) -> None:
        """Its sample stays as it was, and is counted as inherited."""
        sample = stack("A", "work", pid=3, weight=5)
        found = attribute([sample, stack("work", pid=3)], self.OWNERS)

        assert (found.claimed, found.unclaimed[0], found.unclaimed_count) == ({}, sample, 6)
        assert found.inherited_count == 5

    @pytest.mark.parametrize(("sampled", "pid"), [({7}, 7), ({1, 7}, None)])
    def test_pids_that_cannot_be_compared_are_not(self, sampled: set[int], pid: int | None) -> None:
        """In a container a process knows itself by another pid than the sampler does; and some samples have none."""
        sample = stack("A", "work")
        found = attribute([replace(sample, pid=pid)], Owners({A: 1}.get, sampled))

        assert list(found.claimed) == [A]
