"""A sampler whose rate changes and that is replaced, with real py-spy on real programs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from dam_obs.config import Settings
from dam_obs.sample import rate, sampling
from dam_obs.sample.activity import Activity
from dam_obs.sample.attribution import attribute
from dam_obs.sample.profile import read_profile
from dam_obs.sample.rate import Look, Pace
from dam_obs.sample.samples import StackSample
from dam_obs.sample.tracer import SystemTracer, TracedRun
from dam_obs.store.manifest import SamplerStats
from dam_obs.store.read import read_events

pytestmark = pytest.mark.slow

LOOK = Pace.look

PROGRAM = """
import os, subprocess, sys, threading, time
from dam_obs import traced

def exists(name):
    return any(one.startswith(name) for one in os.listdir("."))

def wait_for(name):
    deadline = time.monotonic() + 60
    while not exists(name) and time.monotonic() < deadline:
        time.sleep(0.05)

def spin(name, seconds=0.0):
    deadline, end = time.monotonic() + 60, time.thread_time() + seconds
    while (time.thread_time() < end or not exists(name)) and time.monotonic() < deadline:
        for _ in range(50):
            sum(range(500))

@traced("system.work")
def work(name):
    spin(name, 0.3)

@traced("system.nap")
def nap():
    time.sleep(4)  # some forty looks

@traced("system.rest")
def rest(name):
    wait_for(name)
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture(autouse=True)
def _said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a program know how sampling goes: a file for each rate a sampler has, and for each sampler."""
    begun = Counter[str]()
    watch = sampling.Sampling._watch

    def say(self: sampling.Sampling, session: sampling.PySpySession) -> None:
        name = session.output.stem
        if not begun[name]:
            begun[name] += 1
            Path(f"sampler-{len(begun)}").touch()
            Path(f"rate-{session.rate_hz:g}-{len(begun)}").touch()
        watch(self, session)

    monkeypatch.setattr(sampling.Sampling, "_watch", say)


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test say what goes on, whatever else the machine does: idle while there is a file ``idle``; never late."""

    def plain(self: Pace, seen: Look) -> float:
        return LOOK(self, replace(seen, late=0))

    monkeypatch.setattr(Pace, "look", plain)
    monkeypatch.setattr(Activity, "seen", lambda *_: not Path("idle").exists())
    monkeypatch.setattr(rate, "SAVED_S", 1e6)


def trace(code: str, **settings: float) -> TracedRun:
    """Trace a program that is `PROGRAM` and this."""
    path = Path("program.py")
    path.write_text(PROGRAM + code)
    return SystemTracer(Settings(), **settings).run([sys.executable, str(path)])  # type: ignore[arg-type]


def stats(run: TracedRun) -> SamplerStats:
    """Return what the sampler did."""
    assert run.manifest.absent == []
    assert run.manifest.sampler is not None
    return run.manifest.sampler


def by_operation(run: TracedRun) -> dict[str, list[StackSample]]:
    """Return the samples of executions, by operation; each must belong to an execution of the run."""
    systems = {event.otel_span_id: event.operation for event in read_events(run.folder.trace)}
    found: dict[str, list[StackSample]] = {}
    for span, samples in attribute(read_profile(run.folder.raw_profile)).claimed.items():
        found.setdefault(systems[span], []).extend(samples)
    return found


def test_the_rate_follows_what_the_program_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Down in steps while it is idle and up at once; each sample weighs what its rate makes it.

    Its phases end when the rate is what it should be; being idle takes a second, not ten.
    """
    monkeypatch.setattr(rate, "IDLE_AFTER_S", 1.0)
    monkeypatch.setattr(sampling, "SHORTEST_S", 0.2)
    run = trace(
        'work("rate-100-")\nopen("idle", "w").close()\nrest("rate-10-")\nnap()\n'
        'os.unlink("idle")\nwork("rate-100-5")\nwork("rate-100-5")\n'
    )
    told, systems = stats(run), by_operation(run)

    assert [(one.rate_hz, one.why) for one in told.rates[:5]] == [
        (100, "start"), (50, "idle"), (25, "idle"), (10, "idle"), (100, "active again"),
    ]  # fmt: skip
    assert all(one.at_s <= later.at_s for one, later in pairwise(told.rates))
    assert told.looks_due == pytest.approx(sum(one.rate_hz * one.seconds for one in told.rates))
    assert (told.restarts >= 4, told.unsampled_s > 0, told.budget_share) == (True, True, 0.02)
    assert {one.each for one in read_profile(run.folder.raw_profile)} == {1, 2, 4, 10}
    assert {one.each for one in systems["nap"]} == {10}
    assert 1 in {one.each for one in systems["work"]}
    assert told.stacks == sum(one.seen for one in read_profile(run.folder.raw_profile))


class TestASamplerThatIsReplaced:
    """After so many seconds, however the rate is."""

    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sampling, "ROTATE_EVERY_S", 0.5)

    def test_one_execution_goes_on_through_all_of_them(self) -> None:
        """Its samples stay its own; nothing else is claimed."""
        run = trace('work("sampler-4")\n')
        (event,) = read_events(run.folder.trace)
        found = attribute(read_profile(run.folder.raw_profile))

        assert set(found.claimed) == {event.otel_span_id}
        assert stats(run).restarts >= 3
        assert [one.rate_hz for one in stats(run).rates] == [100]
        assert stats(run).failed == 0

    def test_a_process_that_was_forked_before_is_found_by_the_next_one(self) -> None:
        """And one that is forked between two of them; each has its own executions."""
        code = (
            'work("sampler-2")\npid = os.fork()\n'
            'work("sampler-4" if pid else "sampler-5")\nwork("sampler-6")\n'
            "if pid:\n    os.waitpid(pid, 0)\n"
        )
        run = trace(code)
        pids = {event.otel_span_id: event.pid for event in read_events(run.folder.trace)}
        found = attribute(read_profile(run.folder.raw_profile))
        of = {(pids[span], sample.pid) for span, samples in found.claimed.items() for sample in samples}

        assert len(set(pids.values())) == 2
        assert {sample.pid for sample in read_profile(run.folder.raw_profile)} == set(pids.values())
        assert all(own == sampled for own, sampled in of)

    def test_a_program_that_is_replaced_by_exec_is_sampled_on(self) -> None:
        """Before and after."""
        Path("then.py").write_text(PROGRAM + 'rest("sampler-1")\nwork("sampler-5")\nwork("sampler-6")\n')
        run = trace('work("sampler-2")\nsys.stdout.flush()\nos.execv(sys.executable, [sys.executable, "then.py"])\n')
        events = list(read_events(run.folder.trace))
        found = attribute(read_profile(run.folder.raw_profile))

        assert len(events) == 4
        assert events[-1].otel_span_id in found.claimed
        assert set(found.claimed) <= {event.otel_span_id for event in events}

    def test_one_that_no_other_would_find_keeps_its_sampler(self) -> None:
        """A process whose parent has ended hangs below the tree no longer."""
        Path("orphan.py").write_text(PROGRAM + 'work("sampler-1")\nPath = open("orphan-works", "w")\nspin("done")\n')
        code = (
            "import signal\n"
            "middle = \"import subprocess, sys; subprocess.Popen([sys.executable, 'orphan.py'])\"\n"
            'work("sampler-1")\nsubprocess.run([sys.executable, "-c", middle])\nwork("orphan-works")\n'
            'time.sleep(2)\nopen("done", "w").close()\ntime.sleep(1)\n'
        )
        run = trace(code)
        events = list(read_events(run.folder.trace))
        pids = {sample.pid for sample in read_profile(run.folder.raw_profile)}

        assert {event.pid for event in events if event.operation == "work"} <= pids

    def test_nobody_is_held_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A Python that starts while there is no sampler does not wait for one; `go` is there all the time."""
        closed: list[str] = []
        begin_again = sampling.Sampling._begin_again

        def look(self: sampling.Sampling) -> None:
            closed.extend([] if self._gate.is_open else ["closed"])
            begin_again(self)

        monkeypatch.setattr(sampling.Sampling, "_begin_again", look)
        run = trace('work("sampler-3")\n')

        assert stats(run).restarts >= 2
        assert closed == []


def test_a_budget_that_is_small_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rate falls from the one asked for, and the manifest says why."""
    monkeypatch.setattr(rate, "SAVED_S", 1.0)
    monkeypatch.setattr(rate, "STAY_S", 1.0)
    run = trace('work("sampler-2")\nwork("sampler-2")\n', rate_hz=500, budget=0.001)
    told = stats(run)

    assert told.rates[0].rate_hz == 500
    assert told.rates[1].rate_hz < 500
    assert told.rates[1].why.startswith("over the budget: ")


def test_a_sampler_that_is_behind_is_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as it says so."""
    times = Counter[str]()

    def behind(self: Pace, seen: Look) -> float:
        times["looks"] += 1
        late = int(times["looks"] == 12)
        return LOOK(self, Look(wall_s=seen.wall_s, sampler_cpu_s=0.0, late=late, active=True))

    monkeypatch.setattr(Pace, "look", behind)
    run = trace('work("rate-50-")\nwork("rate-50-")\n')

    assert [(one.rate_hz, one.why) for one in stats(run).rates] == [(100, "start"), (50, "the sampler was behind")]


def test_native_stacks_are_taken_and_named() -> None:
    """Beside those of Python, which stay what they are."""
    run = trace(
        '@traced("system.hash")\ndef digest():\n    import hashlib\n    end = time.thread_time() + 1\n'
        '    while time.thread_time() < end:\n        hashlib.sha256(b"x" * 1_000_000).digest()\n'
        'rest("sampler-1")\ndigest()\n',
        native=True,
    )
    functions = {frame.function for one in by_operation(run)["hash"] for frame in one.frames}

    assert "digest" in functions
    assert any(name.endswith("(native)") or name.startswith("(native code of ") for name in functions)
    assert stats(run).native


def test_the_manifest_is_the_same_in_json(tmp_path: Path) -> None:
    """Also where the rate changed."""
    run = trace('work("sampler-1")\n')
    sampler = json.loads(run.folder.manifest.read_text())["sampler"]

    assert sampler["rates"][0]["rate_hz"] == 100
    assert (sampler["restarts"], sampler["let_go"], sampler["native"]) == (0, 0, False)


def test_a_process_that_comes_late_is_sampled_though_nobody_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search was dropped for one process that is alone; the next one brings it back."""
    monkeypatch.setattr(rate, "ALONE_AFTER_S", 0.5)
    monkeypatch.setattr(rate, "STAY_S", 0.5)
    monkeypatch.setattr(rate, "SAVED_S", 0.01)
    Path("child.py").write_text(PROGRAM + 'work("sampler-3")\nwork("sampler-3")\n')
    run = trace(
        'work("sampler-2")\nsubprocess.run([sys.executable, "child.py"])\n'
        'pid = os.fork()\nwork("sampler-3")\nif pid:\n    os.waitpid(pid, 0)\n',
        budget=0.001,
    )
    pids = {event.otel_span_id: event.pid for event in read_events(run.folder.trace)}
    found = attribute(read_profile(run.folder.raw_profile))
    sampled = {(pids[span], sample.pid) for span, samples in found.claimed.items() for sample in samples}

    assert len(set(pids.values())) == 3
    assert all(own == seen for own, seen in sampled)
    assert len({own for own, _ in sampled}) >= 2
