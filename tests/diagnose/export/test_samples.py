"""What of a run is exported, under which names."""

from __future__ import annotations

import pytest

from dam_obs.diagnose.evidence import SystemKey
from dam_obs.diagnose.export.errors import AmbiguousSystem, NoSamples, SystemNotSampled
from dam_obs.diagnose.export.samples import Counts, RunSamples, Thread
from dam_obs.sample.profile import BrokenProfile
from dam_obs.sample.samples import Frame
from dam_obs.store.manifest import AbsentEvidence, SamplerStats

SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
WORK = Frame("work", "/app/work.py", 5)


def taken(samples):
    """Return all that is exported: thread, system, frames, number."""
    return [
        (thread.name, sampled.branch, sampled.frames, sampled.weight)
        for thread, in_row in samples.threads()
        for sampled in in_row
    ]


def test_each_sample_comes_with_its_system_and_its_own_frames(small_run):
    """The innermost execution owns it; what lies outside that one, and tags, are cut off."""
    main, helper, wait = (
        Frame("<module>", "/app/main.py", 1),
        Frame("helper", "/app/work.py", 9),
        "(outside executions)",
    )
    samples = RunSamples(small_run)

    assert taken(samples) == [
        ("MainThread", wait, (main,), 1),
        ("MainThread", "app:Outer (system.execute)", (WORK,), 2),
        ("MainThread", "app:Inner (system.load)", (helper,), 1),
        ("MainThread", wait, (main,), 1),
        ("pool_0", wait, (Frame("wait", "/lib/threading.py", 3),), 5),
    ]
    assert samples.counts == Counts(claimed=3, unclaimed=7, executions=2, without_event=0)
    assert [thread for thread, _ in samples.threads()] == [Thread(10, 10, "MainThread"), Thread(10, 11, "pool_0")]


def test_a_whole_stack_names_its_executions(small_run):
    """Where a tag stood, the system's name stands."""
    samples = RunSamples(small_run)
    whole = [samples.whole(sampled) for _, in_row in samples.threads(whole=True) for sampled in in_row]

    assert [frame.function for frame in whole[2]] == [
        "<module>", "app:Outer (system.execute)", "work", "app:Inner (system.load)", "helper",
    ]  # fmt: skip


def test_our_own_frames_are_nobodys_business(kit):
    """Inside executions and outside; a stack of nothing else is still counted."""
    ours, drain = ("Meter.step", "/app/dam_obs/trace/meter.py", 9), ("drain", "/app/dam_obs/trace/queue.py", 3)
    run = kit.run({"Thread 10": [[ours, kit.tag(0), ours, WORK_TUPLE]], "Thread 11": [[drain]]}, kit.execution(0))
    samples = RunSamples(run)

    assert [(frames, weight) for _, _, frames, weight in taken(samples)] == [((WORK,), 1), ((), 1)]
    assert [
        frame.function for _, rows in samples.threads(whole=True) for one in rows for frame in samples.whole(one)
    ] == [
        "app:System (system.execute)",
        "work",
    ]


WORK_TUPLE = ("work", "/app/work.py", 5)


def test_executions_without_an_event_are_shown_as_such(kit):
    """They were open at the end, or lost; their samples are claimed all the same."""
    samples = RunSamples(kit.run({"Thread 10": [[kit.tag(0), WORK_TUPLE], [WORK_TUPLE]]}))

    assert [branch for _, branch, _, _ in taken(samples)] == ["(executions without an event)", "(outside executions)"]
    assert samples.counts == Counts(claimed=1, unclaimed=1, executions=1, without_event=1)


@pytest.mark.parametrize("name", ["app:Inner", "Inner", "app:Inner (system.load)"])
def test_one_system_can_be_asked_for(small_run, name):
    """By its component, the last part of that, or as it is shown; what is outside it is left out."""
    samples = RunSamples(small_run, system=name)

    assert [(branch, weight) for _, branch, _, weight in taken(samples)] == [("app:Inner (system.load)", 1)]
    assert samples.counts == Counts(claimed=1, unclaimed=0, executions=1, without_event=0)
    assert [samples.system_of(event) for event in samples.events()] == [SystemKey("system", "load", "app:Inner")]


def test_a_system_that_is_not_there(small_run):
    """The error names those that are."""
    with pytest.raises(SystemNotSampled, match="no sample was taken in the system Iner: name one of app:Inner"):
        RunSamples(small_run, system="Iner")


def test_a_last_part_that_several_systems_have(kit):
    """Which one is meant is for the user to say."""
    stacks = [[kit.tag(0), WORK_TUPLE], [kit.tag(1), WORK_TUPLE]]
    run = kit.run({"Thread 1": stacks}, kit.execution(0, component="a:Zip"), kit.execution(1, component="b:Zip"))

    with pytest.raises(AmbiguousSystem, match="Zip is the name of several systems: say which, a:Zip, b:Zip"):
        RunSamples(run, system="Zip")


@pytest.mark.parametrize("place", ["function", "file", "thread", "component"])
def test_secrets_in_names_are_hidden(kit, place):
    """Also where a profile was not redacted when it was kept."""
    frame = (SECRET if place == "function" else "f", f"/app/{SECRET}.py" if place == "file" else "/app/x.py", 1)
    thread = f'Thread 10 "{SECRET if place == "thread" else "t"}"'
    component = SECRET if place == "component" else "c"
    samples = RunSamples(kit.run({thread: [[kit.tag(0), frame]]}, kit.execution(0, component=component)))

    assert SECRET not in repr(taken(samples))
    assert "[redacted:" in repr(taken(samples))


def test_names_cannot_move_a_cursor(kit):
    """Control characters are written as escapes."""
    samples = RunSamples(
        kit.run(
            {'Thread 10 "a\x1b[2J"': [[kit.tag(0), ("f\n\u202e", "/x\r.py", 1)]]},
            kit.execution(0, component="c\x07"),
        )
    )

    assert taken(samples) == [
        ("a\\x1b[2J", "c\\x07 (system.execute)", (Frame("f\\n\\u202e", "/x\\r.py", 1),), 1),
    ]


@pytest.mark.parametrize("name", ["", "Thread", "Thread 99999999999999999999", "Process 99999999999999999999 Thread 1"])
def test_numbers_that_no_thread_has_are_left_out(kit, name):
    """A profile may be broken or foreign."""
    thread, _ = next(RunSamples(kit.run({name: [[WORK_TUPLE]]})).threads())

    assert (thread.pid, thread.tid) in {(0, 0), (0, 1)}


class TestWithoutSamples:
    """A run that cannot be exported says why."""

    def test_the_manifest_knows_why(self, kit):
        """Its own words, and what to do."""
        why = AbsentEvidence("stacks", "the kernel refused to let py-spy read the process", "run with sudo")
        run = kit.run({}, manifest=kit.manifest(sampler=None, absent=[why]))
        run.raw_profile.unlink()

        with pytest.raises(NoSamples) as raised:
            RunSamples(run)
        assert str(raised.value) == (
            f"{run.path} has no samples (the kernel refused to let py-spy read the process): run with sudo"
        )

    @pytest.mark.parametrize("what", ["no profile", "an empty one"])
    def test_without_a_manifest(self, kit, what):
        """What can be seen is said."""
        run = kit.run({"Thread 1": []}, manifest=None)
        if what == "no profile":
            run.raw_profile.unlink()

        with pytest.raises(NoSamples, match="the run folder has no profile"):
            RunSamples(run)

    def test_refused_ones_stay_where_they_are(self, kit):
        """More than 5 % failed: those that came through are a biased choice."""
        stats = SamplerStats(sampler="py-spy", rate_asked_hz=100, samples=80, failed=20, late=0, seconds=1)
        run = kit.run({"Thread 1": [[WORK_TUPLE]]}, manifest=kit.manifest(sampler=stats))

        with pytest.raises(NoSamples, match="20% of the sampler's attempts failed"):
            RunSamples(run)

    def test_a_broken_profile(self, kit):
        """A file that is something else is named."""
        run = kit.run({})
        run.raw_profile.write_text("{")

        with pytest.raises(BrokenProfile, match="is not a profile"):
            RunSamples(run)
