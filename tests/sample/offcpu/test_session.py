"""bpftrace beside a program, whatever it does; programs in its place that misbehave."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.config import Settings
from dam_obs.sample.offcpu import needs, watch
from dam_obs.sample.offcpu.causes import Calls
from dam_obs.sample.offcpu.session import BpfTrace, OffCpuSession
from dam_obs.sample.offcpu.watch import OffCpuWatch
from dam_obs.sample.procfs import ProcessTree
from dam_obs.sample.tracer import SystemTracer, TracedRun
from dam_obs.store.manifest import AbsentEvidence

FakeBpfTrace = Callable[[str], BpfTrace]

NO_CALLS = Calls(kill=0, restart=0, waits={}, disk=frozenset())
ANSWERS = 'print("M 1\\nR", flush=True)'
WAITS = "time.sleep(60)"


def session(tool: BpfTrace, tmp_path: Path, most_lines: int = 100) -> OffCpuSession:
    return OffCpuSession(tool, NO_CALLS, raw=tmp_path / "raw", log=tmp_path / "log", most_lines=most_lines)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is bound to come."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestSession:
    """One bpftrace, from start to end."""

    def test_it_keeps_what_it_is_told(self, fake_bpftrace: FakeBpfTrace, tmp_path: Path) -> None:
        """Intervals, stacks and requests go to the file, all else does not; what was dropped or missed is added up."""
        says = "Attaching 9 probes...\\nS 1 2\\n\\n    f+1\\n\\nI 1 2 3 4 5 6\\nLost 3 events\\nB 1 R 2 3 4\\n"
        says += "Lost 4 events\\nL\\nR"
        one = session(fake_bpftrace(f'print("{says}")'), tmp_path)
        until(lambda: one.is_over)
        one.stop()

        assert (tmp_path / "raw").read_text() == "S 1 2\n    f+1\nI 1 2 3 4 5 6\nB 1 R 2 3 4\n"
        assert (tmp_path / "log").read_text() == "Attaching 9 probes...\n"
        assert (one.lost, one.cut, one.watches, one.error) == (8, 0, True, None)

    def test_more_than_is_kept_is_counted(self, fake_bpftrace: FakeBpfTrace, tmp_path: Path) -> None:
        """The file is bounded, and the rest is fetched and counted."""
        one = session(fake_bpftrace('print("I 1 2 3 4 5 6\\n" * 250)'), tmp_path, most_lines=100)
        until(lambda: one.is_over)
        one.stop()

        assert len((tmp_path / "raw").read_text().splitlines()) == 100
        assert one.cut == 150

    def test_more_stacks_than_are_kept_are_counted(
        self, fake_bpftrace: FakeBpfTrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Their intervals are kept all the same."""
        monkeypatch.setattr("dam_obs.sample.offcpu.session.MOST_STACKS", 2)
        one = session(fake_bpftrace('print("S 1 2\\n\\n    f+1\\n\\nI 1 2 3 4 5 6\\n" * 5)'), tmp_path)
        until(lambda: one.is_over)
        one.stop()

        assert (tmp_path / "raw").read_text().count("f+1") == 2
        assert (tmp_path / "raw").read_text().count("I 1") == 5
        assert one.stacks_cut == 3

    def test_what_it_calls_an_error(self, fake_bpftrace: FakeBpfTrace, tmp_path: Path) -> None:
        """Its last error is kept, the one about a limit that no kernel asks for is not."""
        script = 'print("ERROR: Unknown error -1: couldn\'t set RLIMIT_MEMLOCK\\nERROR: no such probe"); sys.exit(1)'
        one = session(fake_bpftrace(script), tmp_path)
        until(lambda: one.is_over)

        assert one.stop() is False
        assert one.error == "no such probe"

    def test_it_ends_when_asked_to(self, fake_bpftrace: FakeBpfTrace, tmp_path: Path) -> None:
        """By SIGINT, and what it says at its end is still fetched."""
        script = f"""
def end(*_):
    print("I 1 2 3 4 5 6", flush=True)
    os._exit(0)
signal.signal(signal.SIGINT, end)
print("hello", flush=True)
{WAITS}
"""
        one = session(fake_bpftrace(script), tmp_path)
        until(lambda: (tmp_path / "log").read_text() == "hello\n")
        one.stop()

        assert one.is_over
        assert (tmp_path / "raw").read_text() == "I 1 2 3 4 5 6\n"

    def test_it_is_killed_if_it_does_not_end(self, fake_bpftrace: FakeBpfTrace, tmp_path: Path) -> None:
        """One that is deaf to SIGINT is ended all the same."""
        script = f'signal.signal(signal.SIGINT, signal.SIG_IGN)\nprint("deaf", flush=True)\n{WAITS}'
        one = session(fake_bpftrace(script), tmp_path)
        until(lambda: (tmp_path / "log").read_text() == "deaf\n")

        assert one.stop(patience_s=0.1) is False
        assert one.is_over

    def test_a_file_that_cannot_be_opened(self, fake_bpftrace: FakeBpfTrace, tmp_path: Path) -> None:
        """Then nothing is started."""
        with pytest.raises(FileNotFoundError):
            OffCpuSession(fake_bpftrace(WAITS), NO_CALLS, raw=tmp_path / "no" / "raw", log=tmp_path / "log")


def watched(tool: BpfTrace, tmp_path: Path) -> OffCpuWatch:
    """Watch this process with `tool` until it is known whether that works."""
    one = OffCpuWatch(tool, raw=tmp_path / "raw", log=tmp_path / "log")

    def has_begun() -> bool:
        one.tick(ProcessTree(os.getpid()))
        return not one.is_starting

    until(has_begun)
    return one


def why_not(tool: BpfTrace, tmp_path: Path) -> str:
    found = watched(tool, tmp_path).keep(tmp_path / "offcpu.jsonl.gz")
    assert found is not None
    assert (found.evidence, bool(found.remedy)) == ("off_cpu", True)
    assert not (tmp_path / "offcpu.jsonl.gz").exists()
    return found.why


class TestWatch:
    """What becomes of a run's off-CPU evidence."""

    def test_it_ends_at_once(self, fake_bpftrace: FakeBpfTrace, tmp_path: Path) -> None:
        """The reason is in its own words."""
        tool = fake_bpftrace('print("ERROR: no such probe"); sys.exit(1)')

        assert why_not(tool, tmp_path) == "bpftrace failed: no such probe"

    def test_it_never_sees_us(
        self, fake_bpftrace: FakeBpfTrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It runs, and answers no mark: process ids mean something else to it."""
        monkeypatch.setattr(watch, "START_PATIENCE_S", 0.3)

        assert "process ids are not the kernel's own" in why_not(fake_bpftrace(WAITS), tmp_path)

    def test_its_clock_is_neither(self, fake_bpftrace: FakeBpfTrace, tmp_path: Path) -> None:
        """Times that no clock of ours encloses cannot be placed, so none of them is kept."""
        tool = fake_bpftrace(f"{ANSWERS}\n{WAITS}")

        assert "clock is neither" in why_not(tool, tmp_path)


class TestTracer:
    """A run with a bpftrace that fails."""

    @pytest.fixture(autouse=True)
    def _here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "work").mkdir()
        monkeypatch.chdir(tmp_path / "work")

    def trace(self, command: list[str], **options: bool) -> TracedRun:
        return SystemTracer(Settings(), offcpu=True, **options).run(command)

    @pytest.mark.parametrize("script", ["sys.exit(1)", f"{ANSWERS}\ntime.sleep(0.1)\nos.kill(os.getpid(), 9)"])
    def test_the_program_does_not_care(
        self, program: list[str], fake_bpftrace: FakeBpfTrace, script: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It runs to its own end, is sampled, and the manifest says what is missing; nothing private is left behind."""
        tool = fake_bpftrace(script)
        monkeypatch.setattr(needs, "find_bpftrace", lambda: tool)

        run = self.trace([*program, "4", "3"])

        assert (run.manifest.exit_status, run.manifest.complete) == (3, True)
        assert [one.evidence for one in run.manifest.absent] == ["off_cpu"]
        assert run.manifest.versions["bpftrace"] == "0.0.1"
        assert run.manifest.sampler is not None
        assert not (run.folder.path / ".sampler").exists()

    def test_what_is_missing_is_in_the_manifest(self, program: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """The reason is the one that doctor gives."""
        missing = AbsentEvidence("off_cpu", "tracefs is not mounted", "sudo mount")
        monkeypatch.setattr(needs, "find_bpftrace", lambda: missing)

        run = self.trace([*program, "1"], stacks=False)

        assert missing in run.manifest.absent
        assert run.manifest.settings["offcpu"] == "on"

    def test_it_is_not_asked_for(self, program: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """By default nothing is started, and nothing said of it."""
        monkeypatch.setattr(needs, "find_bpftrace", lambda: pytest.fail("it was looked for"))

        run = SystemTracer(Settings(), stacks=False).run([*program, "1"])

        assert [one.evidence for one in run.manifest.absent] == ["stacks"]
        assert "offcpu" not in run.manifest.settings
