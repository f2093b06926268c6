"""`SystemTracer` on real programs, with real py-spy where it works and with all that can be wrong with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.config import Settings
from dam_obs.sample import sampling
from dam_obs.sample.attribution import attribute
from dam_obs.sample.profile import read_profile
from dam_obs.sample.tracer import SystemTracer, TracedRun
from dam_obs.store.manifest import AbsentEvidence, read_manifest
from dam_obs.store.mounts import load_mounts
from dam_obs.store.processes import read_processes
from dam_obs.store.read import read_events


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def trace(*command: str, rate_hz: float = 100, stacks: bool = True) -> TracedRun:
    """Trace a command to its end."""
    return SystemTracer(Settings(), rate_hz=rate_hz, stacks=stacks).run(command)


def why_no_stacks(run: TracedRun) -> AbsentEvidence:
    """Return the one entry for stacks."""
    (entry,) = [one for one in run.manifest.absent if one.evidence == "stacks"]
    return entry


def executions(run: TracedRun) -> int:
    """Return how many executions the run has, all of them measured."""
    events = list(read_events(run.folder.trace))
    assert all(event.start_mono_ns is not None for event in events)
    return len(events)


class TestAProgram:
    """A Python program under the tracer."""

    def test_its_executions_own_its_samples(self, program: list[str]) -> None:
        """Executions of 50 ms are sampled, the first one too, and by the id in their events."""
        run = trace(*program, "10", rate_hz=200)
        spans = [event.otel_span_id for event in read_events(run.folder.trace)]
        found = attribute(read_profile(run.folder.raw_profile))

        assert len(spans) == 10
        assert spans[0] in found.claimed
        assert set(found.claimed) <= set(spans)
        assert len(found.claimed) >= 8  # on a machine that is busy with other things
        assert {sample.frames[0].function for samples in found.claimed.values() for sample in samples} == {"busy"}

    def test_the_manifest_says_how_it_went(self, program: list[str]) -> None:
        """The one in the folder is the one returned; the sampler's figures fit the profile."""
        run = trace(*program, "6", "3")
        manifest = run.manifest

        assert read_manifest(run.folder) == manifest
        assert (manifest.exit_status, manifest.complete, manifest.absent) == (3, True, [])
        assert manifest.command == Path(sys.executable).name
        assert manifest.sampler is not None
        assert manifest.sampler.stacks == sum(sample.weight for sample in read_profile(run.folder.raw_profile))
        assert 0 < manifest.sampler.samples <= manifest.sampler.stacks
        assert manifest.sampler.busy_s is not None
        assert 0 <= manifest.sampler.busy_s <= manifest.sampler.seconds

    def test_no_argument_and_no_environment_value_is_kept(
        self, program: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """argv may hold a password; so may the environment."""
        monkeypatch.setenv("SOME_VALUE", "sesame-in-environment")
        run = trace(*program, "3", "0", "sesame-in-argv")
        content = b"".join(path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file())

        assert content
        assert b"sesame" not in content

    def test_the_run_folder_has_no_leftovers(self, program: list[str]) -> None:
        """The handshake's and the sampler's own files are gone."""
        run = trace(*program, "3")

        # On a busy machine the program may be over before the sampler begins.
        assert {path.name for path in run.folder.path.iterdir()} - {"samples.speedscope.json"} == {
            "manifest.json",
            "mounts.json",
            "processes",
            "sampler.log",
            "trace.jsonl",
        }
        assert [path.suffix for path in run.folder.processes.iterdir()] == [".json"]

    def test_mounts_and_processes_are_noted(self, program: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Also a process that is no Python and says nothing of itself."""
        monkeypatch.setattr("dam_obs.sample.evidence.COUNTERS_SHARE", 1.0)  # or a busy machine is looked at too seldom
        run = trace("sh", "-c", f"{' '.join(program)} 2; sleep 3")
        mounts = load_mounts(run.folder)

        assert mounts is not None
        assert mounts.of("/") is not None
        assert {"sh", "sleep", "program.py"} <= {note.program for note in read_processes(run.folder)}

    def test_without_stacks_there_is_all_else(self, program: list[str]) -> None:
        """Switched off is a reason, too."""
        run = trace(*program, "3", stacks=False)

        assert why_no_stacks(run).why == "switched off by --no-stacks"
        assert (executions(run), run.manifest.sampler, run.manifest.privilege) == (3, None, "not used")


class TestManyProcesses:
    """A command that is not simply one Python."""

    def test_pythons_one_after_the_other_are_all_sampled(self, program: list[str]) -> None:
        """py-spy ends with the last Python that it knows; another takes over."""
        one = " ".join(program)
        run = trace("sh", "-c", f"{one} 20; sleep 0.3; {one} 20; exit 5")
        pids = {event.pid for event in read_events(run.folder.trace)}

        assert len(pids) == 2
        assert {sample.pid for sample in read_profile(run.folder.raw_profile)} == pids
        assert run.manifest.exit_status == 5

    def test_a_program_that_replaces_itself_is_sampled_on(self, program: list[str]) -> None:
        """py-spy loses what is replaced by ``exec``; its failed looks until we notice do not count."""
        code = f"import os, sys; os.execv({sys.executable!r}, {[*program, '40']!r})"
        run = trace(sys.executable, "-c", code)
        spans = [event.otel_span_id for event in read_events(run.folder.trace)]
        found = attribute(read_profile(run.folder.raw_profile))

        assert len(spans) == 40
        assert set(spans[-10:]) & set(found.claimed)  # it takes a moment until somebody looks again
        assert run.manifest.sampler is not None
        assert run.manifest.sampler.failed <= 2

    def test_children_are_sampled(self, program: list[str]) -> None:
        """A Python that a Python starts."""
        code = f"import subprocess; subprocess.run({[*program, '20']!r})"
        run = trace(sys.executable, "-c", code)
        spans = {event.otel_span_id for event in read_events(run.folder.trace)}
        found = attribute(read_profile(run.folder.raw_profile))

        assert len(spans) == 20
        assert len(spans - set(found.claimed)) <= 8  # py-spy looks for children ten times a second

    def test_no_python_at_all(self) -> None:
        """The command runs as ever, and the reason is said."""
        run = trace("sh", "-c", "exit 4")

        assert (run.manifest.exit_status, why_no_stacks(run).why) == (
            4,
            "no Python with dam-obs in it was seen in the process or its children",
        )

    def test_a_program_that_is_over_at_once(self) -> None:
        """There is no profile, and that is no failure of the sampler."""
        run = trace(sys.executable, "-c", "pass")

        assert run.manifest.exit_status == 0
        assert run.manifest.complete


class TestASamplerThatFails:
    """Whatever is wrong with py-spy, the run ends well and says it."""

    def test_it_is_missing(self, program: list[str], no_pyspy: None) -> None:
        """Not installed."""
        run = trace(*program, "3")

        assert why_no_stacks(run) == AbsentEvidence(
            "stacks", "py-spy is not installed", "pip install 'dam-obs[cli]', or py-spy by itself"
        )
        assert executions(run) == 3

    def test_it_is_refused(self, program: list[str], fake_pyspy: Callable[[str], None]) -> None:
        """It prints what py-spy prints where the kernel refuses, and exits."""
        fake_pyspy(
            "echo \"Permission Denied: Try running again with elevated permissions by going 'sudo env'\" >&2\n"
            'echo "Error: No python processes found in process 1 or any of its subprocesses" >&2\nexit 1'
        )
        run = trace(*program, "3")

        assert "refused" in why_no_stacks(run).why
        assert (executions(run), run.manifest.privilege, run.manifest.exit_status) == (3, "ptrace refused", 0)

    def test_the_kernel_really_refuses(self, program: list[str], fake_pyspy: Callable[[str], None]) -> None:
        """The real py-spy without the capability to read a process that has it."""
        real, setpriv = shutil.which("py-spy", path=str(Path(sys.executable).parent)), shutil.which("setpriv")
        if os.geteuid() != 0 or setpriv is None or real is None:
            pytest.skip("needs root, setpriv and py-spy, to take a capability away")
        fake_pyspy(f'exec {setpriv} --bounding-set=-sys_ptrace {real} "$@"')
        run = trace(*program, "3")

        assert "refused" in why_no_stacks(run).why
        assert (executions(run), run.manifest.privilege) == (3, "ptrace refused")

    def test_it_hangs_before_it_samples(
        self, program: list[str], fake_pyspy: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The program does not wait for it, and it is stopped."""
        monkeypatch.setattr(sampling, "START_PATIENCE_S", 0.3)
        fake_pyspy("trap '' INT\nexec sleep 60")
        run = trace(*program, "3")

        assert "did not respond" in why_no_stacks(run).why
        assert executions(run) == 3

    @pytest.mark.parametrize(
        ("script", "why"),
        [
            ("exit 1", "it ended without a word"),
            ('echo "Error: the sky fell"; exit 1', "the sky fell"),
            ('echo "Error: Unsupported version of Python: 3.99"; exit 1', "does not know Python 3.99"),
            ("exec 2>&-; exit 0", "it ended without a word"),
        ],
    )
    def test_it_fails(self, program: list[str], fake_pyspy: Callable[[str], None], script: str, why: str) -> None:
        """Its own last words are passed on."""
        fake_pyspy(script)
        run = trace(*program, "3")

        assert why in why_no_stacks(run).why
        assert executions(run) == 3

    def test_it_takes_no_native_stacks(self, program: list[str], fake_pyspy: Callable[[str], None]) -> None:
        """Those of Python are sampled all the same, and the reason is said."""
        real = shutil.which("py-spy", path=str(Path(sys.executable).parent))
        if real is None:
            pytest.skip("needs py-spy")
        fake_pyspy(
            'case "$*" in *--native*) echo "Error: native stacks are not supported here" >&2; exit 1;; esac\n'
            f'exec {real} "$@"'
        )
        run = SystemTracer(Settings(), native=True).run([*program, "20"])
        (entry,) = run.manifest.absent

        assert (entry.evidence, entry.why) == (
            "native_stacks",
            "py-spy 0.0.1 takes no native stacks here: native stacks are not supported here",
        )
        assert run.manifest.sampler is not None
        assert not run.manifest.sampler.native
        assert attribute(read_profile(run.folder.raw_profile)).claimed

    def test_it_writes_nonsense(self, program: list[str], fake_pyspy: Callable[[str], None]) -> None:
        """A file that is no profile is not kept."""
        fake_pyspy(
            'for word; do case "$word" in --output=*) out="${word#--output=}";; esac; done\n'
            'echo "py-spy> Sampling process 100 times a second. Press Control-C to exit."\n'
            "trap 'echo nonsense > \"$out\"; exit 0' INT\nwhile :; do sleep 0.05; done"
        )
        run = trace(*program, "3")

        assert "its file was unreadable" in why_no_stacks(run).why
        assert not run.folder.raw_profile.exists()

    def test_something_else_has_its_name(self, program: list[str], tmp_path: Path, fake_pyspy: object) -> None:
        """A program that does not answer as py-spy does is not used."""
        path = tmp_path / "fake-bin" / "py-spy"
        path.write_text("#!/bin/sh\necho hello\n")
        path.chmod(0o755)

        assert "is not py-spy" in why_no_stacks(trace(*program, "2")).why


class TestARunningProcess:
    """`diagnose --pid`."""

    def test_a_process_that_knows_nothing_of_us(self) -> None:
        """Stacks and counters, no executions, and why."""
        process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(1000))"])
        try:
            run = SystemTracer(Settings()).attach(process.pid, 1.0)
        finally:
            process.kill()
            process.wait()

        assert {sample.pid for sample in read_profile(run.folder.raw_profile)} == {process.pid}
        assert [note.pid for note in read_processes(run.folder)] == [process.pid]
        assert [one.evidence for one in run.manifest.absent] == ["executions"]
        assert (run.manifest.exit_status, run.manifest.complete) == (None, True)

    def test_it_ends_with_the_process(self) -> None:
        """Nobody waits for a process that is gone."""
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3)"])
        run = SystemTracer(Settings()).attach(process.pid, 3600)
        process.wait()

        assert run.manifest.complete
        assert run.manifest.duration_ns < 3600 * 10**9

    def test_an_observed_process_is_asked_to_measure(
        self, program: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its executions of that time are in the run, with their stacks; its own trace goes on as it was."""
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        own = tmp_path / "own.jsonl"
        environ = {**os.environ, "DAM_OBS_ENABLED": "1", "DAM_OBS_OUTPUT": str(own)}
        process = subprocess.Popen([*program, "50"], env=environ, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while not own.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            run = SystemTracer(Settings()).attach(
                process.pid, 110
            )  # to its end: how fast it is, is the machine's affair
        finally:
            process.kill()
            process.wait()
        spans = {event.otel_span_id for event in read_events(run.folder.trace)}
        found = attribute(read_profile(run.folder.raw_profile))

        assert run.manifest.absent == []
        assert executions(run) > 3
        assert set(found.claimed) & spans
        assert spans < {event.otel_span_id for event in read_events(own)}
