"""The doctor says what is so here, and what to do about it."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dam_obs import plugins
from dam_obs.cli import _checks, main
from dam_obs.cli._checks import collector, kernel, ours, program, stacks
from dam_obs.cli._checks.check import Check, Place
from dam_obs.config import Settings, collect_settings
from dam_obs.hookspecs import hookimpl
from dam_obs.plugins import DamPluginManager, PluginState
from dam_obs.sample.offcpu.needs import TRACEPOINTS, failed
from dam_obs.sample.offcpu.session import BpfTrace
from dam_obs.trace import faults
from dam_obs.trace.process import ProcessNote


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start in an empty project, with an environment that sets nothing of ours."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith(("DAM_OBS_", "OTEL_"))]:
        monkeypatch.delenv(variable)
    plugins.forget()
    faults.reset()
    faults.let_through(False)
    yield
    plugins.forget()
    faults.reset()


def place(tmp_path: Path, environ: Mapping[str, str] | None = None, **changes: Any) -> Place:
    return replace(
        Place(python=Path(sys.executable), folder=tmp_path, environ=os.environ if environ is None else environ),
        **changes,
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def stand_in(tmp_path: Path, name: str, script: str) -> Path:
    """Make a program that stands in for one that is not, or not so, on this machine."""
    path = write(tmp_path / "bin" / name, f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


class TestProgram:
    """The interpreter and the dam-obs in it."""

    def test_own_interpreter_is_fine(self, tmp_path: Path) -> None:
        """The interpreter that these tests run on has dam-obs and is supported."""
        checks = list(program.check_interpreter(place(tmp_path)))

        assert [(check.name, check.state) for check in checks] == [("python", "ok"), ("dam-obs in it", "ok")]

    @pytest.mark.parametrize(
        ("answer", "states"),
        [
            ({"version": "3.9.1"}, ["broken", "ok"]),
            ({"version": "3.99.0"}, ["limited", "ok"]),
            ({"implementation": "PyPy"}, ["limited", "ok"]),
            ({"free_threaded": True}, ["limited", "ok"]),
            ({"installed": None}, ["ok", "missing"]),
            ({"installed": "0.0.1"}, ["ok", "limited"]),
        ],
    )
    def test_other_interpreters(self, tmp_path: Path, answer: dict[str, object], states: list[str]) -> None:
        """What another interpreter says of itself decides; each lesser state but a new version has a remedy."""
        facts = {"version": "3.12.1", "implementation": "CPython", "free_threaded": False, "installed": "0.1.0"}
        python = stand_in(tmp_path, "python", f"echo '{json.dumps(facts | answer)}'")

        checks = list(program.check_interpreter(place(tmp_path, python=python)))

        assert [check.state for check in checks] == states

    def test_not_installed_names_the_command(self, tmp_path: Path) -> None:
        """Where dam-obs is missing, the remedy is the very command that installs it there."""
        facts = {"version": "3.12.1", "implementation": "CPython", "free_threaded": False, "installed": None}
        python = stand_in(tmp_path, "python", f"echo '{json.dumps(facts)}'")

        check = list(program.check_interpreter(place(tmp_path, python=python)))[1]

        assert check.remedy.startswith(f"{python} -m pip install dam-obs==")

    @pytest.mark.parametrize("script", ["exit 3", "echo no json", "echo 5"])
    def test_no_python_at_all(self, tmp_path: Path, script: str) -> None:
        """What does not answer like a Python is broken, and nothing more is said of it."""
        checks = list(program.check_interpreter(place(tmp_path, python=stand_in(tmp_path, "python", script))))

        assert [(check.name, check.state) for check in checks] == [("python", "broken")]


class TestStacks:
    """py-spy is really tried."""

    def use(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dump: str) -> None:
        script = f'if [ "$1" = --version ]; then echo py-spy 9.9.9; else {dump}; fi'
        tool = stand_in(tmp_path, "py-spy", script)
        monkeypatch.setattr("dam_obs.sample.pyspy.SCRIPTS", tool.parent)

    def test_real_py_spy(self, tmp_path: Path) -> None:
        """The installed py-spy looks into a child, or the kernel's reason and a remedy are told."""
        check = stacks.check_stacks(place(tmp_path))

        assert check.name == "stacks (py-spy)"
        assert "py-spy" in check.says
        assert (check.state == "ok") is (check.remedy == "")

    def test_it_works(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A py-spy that shows a thread is fine."""
        self.use(monkeypatch, tmp_path, "echo 'Thread 1 (idle): MainThread'")

        check = stacks.check_stacks(place(tmp_path))

        assert (check.state, check.says.partition(" (")[0]) == ("ok", "py-spy 9.9.9 looked into a process")

    @pytest.mark.parametrize(
        ("dump", "words"),
        [
            ("echo 'Error: Permission Denied: Try running again' >&2; exit 1", "refused"),
            ("echo 'Error: Unsupported version of Python: 3.99' >&2; exit 1", "does not know Python 3.99"),
            ("echo 'Error: it fell over' >&2; exit 1", "failed: it fell over"),
            ("exit 0", "failed: it gave no reason"),
        ],
    )
    def test_it_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dump: str, words: str) -> None:
        """Why it failed is told, that reports do without stacks, and what to do."""
        self.use(monkeypatch, tmp_path, dump)

        check = stacks.check_stacks(place(tmp_path, proc=tmp_path))

        assert check.state == "missing"
        assert words in check.says
        assert "all else is measured" in check.says
        assert check.remedy

    @pytest.mark.parametrize(("scope", "state"), [("1", "limited"), ("2", "missing")])
    def test_parents_may_still_be_allowed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str, state: str
    ) -> None:
        """Where only ancestors may look, programs that dam-obs starts can be sampled: that is limited, not missing."""
        write(tmp_path / "sys" / "kernel" / "yama" / "ptrace_scope", f"{scope}\n")
        once = tmp_path / "once"
        refuse_once = f"if [ -e {once} ]; then echo Thread; else touch {once}; echo EPERM >&2; exit 1; fi"
        self.use(monkeypatch, tmp_path, refuse_once)

        check = stacks.check_stacks(place(tmp_path, proc=tmp_path))

        assert check.state == state
        assert ("programs that `dam-obs diagnose` starts" in check.says) is (state == "limited")

    def test_not_installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without py-spy the way to install it is told."""
        monkeypatch.setattr("dam_obs.sample.pyspy.SCRIPTS", tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))

        assert stacks.check_stacks(place(tmp_path)) == Check(
            "stacks (py-spy)",
            "missing",
            "py-spy is not installed. Reports come without stacks; all else is measured.",
            "pip install 'dam-obs[cli]', or py-spy by itself",
        )


class TestNativeStacks:
    """py-spy is really tried, and only spoken of where stacks are had at all."""

    def use(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dump: str) -> list[Check]:
        script = f'if [ "$1" = --version ]; then echo py-spy 9.9.9; else {dump}; fi'
        monkeypatch.setattr("dam_obs.sample.pyspy.SCRIPTS", stand_in(tmp_path, "py-spy", script).parent)
        return stacks.check_native(place(tmp_path, proc=tmp_path))

    def test_it_takes_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Asked to, it shows a thread."""
        (check,) = self.use(monkeypatch, tmp_path, 'case "$*" in *--native*) echo Thread;; esac')

        assert (check.name, check.state) == ("native stacks (py-spy --native)", "ok")

    def test_it_takes_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Why, what reports do then, and what to do."""
        refuse = 'case "$*" in *--native*) echo "Error: not on this platform" >&2; exit 1;; *) echo Thread;; esac'
        (check,) = self.use(monkeypatch, tmp_path, refuse)

        assert check.state == "limited"
        assert "not on this platform" in check.says
        assert "those of Python alone" in check.says
        assert "Linux on x86-64" in check.remedy

    @pytest.mark.parametrize("dump", ["exit 1", "echo EPERM >&2; exit 1"])
    def test_where_there_are_no_stacks_nothing_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dump: str
    ) -> None:
        """That is another line's business."""
        assert self.use(monkeypatch, tmp_path, dump) == []

    def test_without_py_spy_nothing_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nor here."""
        monkeypatch.setattr("dam_obs.sample.pyspy.SCRIPTS", tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))

        assert stacks.check_native(place(tmp_path)) == []


class TestKernel:
    """Counters and eBPF, on a made-up /proc and /sys."""

    def thread(self, tmp_path: Path) -> Path:
        import threading

        return tmp_path / "self" / "task" / str(threading.get_native_id())

    def states(self, tmp_path: Path) -> dict[str, str]:
        return {check.name: check.state for check in kernel.check_counters(place(tmp_path, proc=tmp_path))}

    def test_all_there(self, tmp_path: Path) -> None:
        """With all files in place every counter works."""
        write(self.thread(tmp_path) / "io", "rchar: 1\nread_bytes: 0\n")
        write(self.thread(tmp_path) / "schedstat", "123 4 5\n")
        write(tmp_path / "sys" / "kernel" / "task_delayacct", "1\n")

        assert self.states(tmp_path) == dict.fromkeys(
            ["bytes per execution", "waiting for a CPU", "waiting for disks", "faults and switches"], "ok"
        )

    def test_none_there(self, tmp_path: Path) -> None:
        """Without the files each is missing, with a remedy; what needs no file works."""
        checks = list(kernel.check_counters(place(tmp_path, proc=tmp_path)))

        assert [check.state for check in checks] == ["missing", "missing", "missing", "ok"]
        assert all(check.remedy for check in checks[:3])

    def test_delay_accounting_off(self, tmp_path: Path) -> None:
        """Where delay accounting is switched off, the switch is named."""
        write(tmp_path / "sys" / "kernel" / "task_delayacct", "0\n")

        check = list(kernel.check_counters(place(tmp_path, proc=tmp_path)))[2]

        assert check.remedy.startswith("sudo sysctl kernel.task_delayacct=1")

    def test_ebpf_names_all_that_is_wanted(self, tmp_path: Path) -> None:
        """Tool, privilege and mount are each named with their remedy."""
        write(tmp_path / "self" / "status", "CapEff:\t0000000000000000\n")

        check = kernel.check_ebpf(place(tmp_path, {"PATH": ""}, proc=tmp_path, sys=tmp_path))

        assert check == Check(
            "eBPF (optional)",
            "missing",
            "bpftrace is not installed, this user may not load programs into the kernel, tracefs is not mounted; "
            "causes of waiting and latencies by device are not measured",
            "sudo apt install bpftrace (dnf, apk: the same name); run dam-obs as root, or grant CAP_BPF and "
            "CAP_PERFMON; sudo mount -t tracefs nodev /sys/kernel/tracing",
        )

    @pytest.mark.parametrize(
        ("effective", "state"),
        [(1 << 21, "ok"), (1 << 38 | 1 << 39, "ok"), (1 << 39, "missing"), (1 << 38, "missing")],
    )
    def test_ebpf_privilege(self, tmp_path: Path, effective: int, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """CAP_SYS_ADMIN is enough for a trial, and CAP_BPF together with CAP_PERFMON."""
        tool = stand_in(tmp_path, "bpftrace", "exit 0")
        monkeypatch.setattr(kernel, "try_bpftrace", lambda: BpfTrace(tool, "0.17.0"))
        write(tmp_path / "self" / "status", f"CapEff:\t{effective:016x}\n")
        for tracepoint in TRACEPOINTS:
            (tmp_path / "kernel" / "tracing" / "events" / tracepoint).mkdir(parents=True)

        check = kernel.check_ebpf(place(tmp_path, {"PATH": str(tool.parent)}, proc=tmp_path, sys=tmp_path))

        assert check.state == state

    def test_ebpf_that_fails_when_tried(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """All is there, and bpftrace does not work: what it said is told, and the way out."""
        monkeypatch.setattr(kernel, "needs", lambda **_: [])
        monkeypatch.setattr(kernel, "try_bpftrace", lambda: failed("Invalid probe type"))

        check = kernel.check_ebpf(place(tmp_path))

        assert (check.state, check.says.partition(";")[0]) == ("missing", "bpftrace failed: Invalid probe type")
        assert check.remedy

    def test_ebpf_without_a_tracepoint(self, tmp_path: Path) -> None:
        """A kernel that lacks one of the tracepoints is told by the tracepoint's name."""
        tool = stand_in(tmp_path, "bpftrace", "exit 0")
        write(tmp_path / "self" / "status", f"CapEff:\t{1 << 21:016x}\n")
        for tracepoint in TRACEPOINTS[1:]:
            (tmp_path / "kernel" / "tracing" / "events" / tracepoint).mkdir(parents=True)

        check = kernel.check_ebpf(place(tmp_path, {"PATH": str(tool.parent)}, proc=tmp_path, sys=tmp_path))

        assert check.says.startswith(f"the kernel has no tracepoint {TRACEPOINTS[0]}; ")


class TestCollector:
    """The collector is asked, if one is configured; tests/e2e/test_collector_trouble.py has all that may come of it."""

    def test_not_configured(self, tmp_path: Path) -> None:
        """Without an endpoint nothing is wrong."""
        check = collector.check_collector(place(tmp_path, {}))

        assert (check.state, check.says) == ("ok", "not configured: events go to trace.jsonl only")

    def test_nobody_listens(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A collector that was asked for and is not there is broken, and the variable is named."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"http://user:secret@127.0.0.1:{port}/v1/traces")

        check = collector.check_collector(place(tmp_path))

        assert check == Check(
            "collector (OTLP)",
            "broken",
            f"127.0.0.1:{port}: nobody answers (connection refused); "
            "events are dropped there and counted, trace.jsonl is written",
            "start the collector, or correct or unset OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        )

    @pytest.mark.parametrize("endpoint", ["http://", "http://host:port", "http://[::1"])
    def test_no_address(self, tmp_path: Path, endpoint: str) -> None:
        """What is no address is told as such."""
        check = collector.check_collector(place(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}))

        assert (check.state, check.says) == ("broken", "OTEL_EXPORTER_OTLP_ENDPOINT is not an address")

    @pytest.mark.parametrize(
        ("environ", "says", "remedy"),
        [
            (
                {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
                "no events are sent: OTEL_EXPORTER_OTLP_PROTOCOL=http/json is not spoken here",
                "set it to grpc or http/protobuf",
            ),
            (
                {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere/ca.pem"},
                "no events are sent: the file that OTEL_EXPORTER_OTLP_CERTIFICATE names cannot be read",
                "correct or unset it",
            ),
        ],
    )
    def test_variables_that_cannot_be_followed(
        self, tmp_path: Path, environ: dict[str, str], says: str, remedy: str
    ) -> None:
        """They are told as the program's log tells them, and nobody is asked."""
        check = collector.check_collector(place(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", **environ}))

        assert check == Check("collector (OTLP)", "broken", says, remedy)

    @pytest.mark.parametrize("exporters", ["none", "console"])
    def test_left_out(self, tmp_path: Path, exporters: str) -> None:
        """An endpoint is there, and another variable says that nothing goes to it."""
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": exporters}

        assert collector.check_collector(place(tmp_path, environ)) == Check(
            "collector (OTLP)",
            "limited",
            "OTEL_TRACES_EXPORTER leaves it out, so nothing goes to what OTEL_EXPORTER_OTLP_ENDPOINT names",
            "unset OTEL_TRACES_EXPORTER, or name otlp in it",
        )

    def test_switched_off(self, tmp_path: Path) -> None:
        """An SDK that is switched off is told."""
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}

        assert collector.check_collector(place(tmp_path, environ)).state == "limited"


class TestOurs:
    """Settings, plugins, trace points, the newest run."""

    def test_settings(self, tmp_path: Path) -> None:
        """What was set is named."""
        loaded = collect_settings(environ={"DAM_OBS_LEVEL": "warn"}, folder=tmp_path)

        assert list(ours.check_settings(loaded)) == [Check("settings", "ok", "level set, all else is default")]

    def test_wrong_settings(self, tmp_path: Path) -> None:
        """Every problem is told, as broken: commands stop at it."""
        loaded = collect_settings(environ={"DAM_OBS_LEVEL": "x", "DAM_OBS_LEVLE": "y"}, folder=tmp_path)

        assert [(check.state, check.says) for check in ours.check_settings(loaded)] == [
            ("broken", "DAM_OBS_LEVEL: must be one of debug, info, warn, not 'x'"),
            ("broken", "DAM_OBS_LEVLE: unknown setting; did you mean DAM_OBS_LEVEL?"),
        ]

    def test_plugins(self) -> None:
        """Each installed plugin is told with what became of it; what dam-obs ships is not listed."""
        manager = DamPluginManager()
        manager.states = [
            PluginState("dam_obs.sinks.builtin", "loaded", "", "", ("dam_obs_sinks",)),
            PluginState("good", "loaded", "", "dist-good 1", ("dam_obs_redact", "dam_obs_event")),
            PluginState("odd", "loaded", "dam-obs has no hook dam_obs_x", "dist-odd 1"),
            PluginState("bad", "failed", "ImportError: no", "dist-bad 1"),
            PluginState("out", "off", "named in plugins_off", "dist-out 1"),
        ]

        assert [(check.state, check.says) for check in ours.check_plugins(manager)] == [
            ("ok", "good (dist-good 1) brings redact, event"),
            ("limited", "odd (dist-odd 1): dam-obs has no hook dam_obs_x"),
            ("broken", "bad (dist-bad 1) is not loaded: ImportError: no"),
            ("ok", "out (dist-out 1) is off: named in plugins_off"),
        ]

    @pytest.mark.parametrize(
        ("packages", "says"),
        [
            ({"llm": "0.36"}, "llm 0.36, for `dam-obs draft --llm`; `llm models` lists what it knows"),
            ({}, "llm is not installed, so no model can be asked for a draft; nothing else needs it"),
        ],
    )
    def test_models(self, monkeypatch: pytest.MonkeyPatch, packages: dict[str, str], says: str) -> None:
        """Without the extra nothing is wrong; it is named."""

        def version(name: str) -> str:
            if name not in packages:
                raise PackageNotFoundError(name)
            return packages[name]

        monkeypatch.setattr(ours.metadata, "version", version)

        check = ours.check_models()

        assert (check.state, check.says) == ("ok", says)
        assert ("pip install 'dam-obs[cli,llm]'" in check.remedy) == (not packages)

    def test_trace_points(self, tmp_path: Path) -> None:
        """Files of plugins and of the user are read, and what is wrong in them is told."""
        good = write(tmp_path / "good.toml", "")
        bad = write(tmp_path / "bad.toml", "x = [")
        absent = tmp_path / "absent.toml"

        class Brings:
            @hookimpl
            def dam_obs_trace_points(self) -> list[Path]:
                return [bad]

        manager = DamPluginManager()
        plugins.register(manager, Brings(), "brings")
        checks = list(ours.check_points(manager, [absent, good]))

        assert checks[0].says == f"0 points in 3 files: {bad}, {absent}, {good}"
        assert {check.state for check in checks[1:]} == {"broken"}
        assert any(str(bad) in check.says for check in checks[1:])
        assert any(str(absent) in check.says for check in checks[1:])

    def test_newest_run(self, tmp_path: Path) -> None:
        """Faults, losses, missing targets and escaped references of all its processes are told."""
        run = tmp_path / ".dam-obs" / "runs" / "r1"
        notes = [
            ProcessNote(
                pid=1,
                parent_pid=0,
                program="a",
                started_ns=1,
                executions=1_000,
                dropped=3,
                faults={"sinks.jsonl": 2},
                points_attached=["m:f"],
                points_missing=["m:g"],
                ended=True,
            ),
            ProcessNote(
                pid=2,
                parent_pid=1,
                program="b",
                started_ns=2,
                executions=1,
                faults={"sinks.jsonl": 1, "config": 9},
                points_missing=["m:f"],
                references_escaped=["n.f"],
            ),
        ]
        for note in notes:
            write(run / "processes" / f"{note.pid}.json", msgspec.json.encode(note).decode())
        write(run / "trace.jsonl", "")
        write(run / "processes" / "3.json", "{torn")

        checks = list(ours.check_newest_run(place(tmp_path)))

        assert [(check.name, check.state, check.says) for check in checks] == [
            ("run r1", "ok", "1,001 executions in 2 processes"),
            ("run r1", "limited", "3 spans dropped, the queue was full"),
            ("run r1", "limited", "faults of dam-obs: config (9), sinks.jsonl (3)"),
            ("run r1", "limited", "did not come to its end, or still runs: process 2"),
            ("run r1", "limited", "trace points without a target: m:g"),
            ("run r1", "limited", "references that go round their trace point: n.f"),
        ]

    def test_no_run_yet(self, tmp_path: Path) -> None:
        """Without a run the command that makes one is told."""
        (check,) = ours.check_newest_run(place(tmp_path))

        assert (check.state, check.remedy) == ("ok", "make one: dam-obs diagnose -- python your_program.py")


class TestCommand:
    """`dam-obs doctor` as it is typed."""

    def test_json(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """`--json` has every check and every setting with its origin."""
        monkeypatch.setenv("DAM_OBS_CONSOLE", "1")

        status = main(["doctor", "--json", "--python", sys.executable])

        answer = json.loads(capsys.readouterr().out)
        assert status == (1 if any(check["state"] == "broken" for check in answer["checks"]) else 0)
        assert {"python", "stacks (py-spy)", "collector (OTLP)", "settings"} <= {c["name"] for c in answer["checks"]}
        assert [setting["name"] for setting in answer["settings"]] == list(Settings.__slots__)
        assert {"name": "console", "value": True, "source": "environment", "origin": "DAM_OBS_CONSOLE"} in answer[
            "settings"
        ]

    def test_broken_is_status_1(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Something broken is told in words on standard output alone, and gives status 1."""
        write(tmp_path / "dam-obs.toml", "outptu = 1\n")

        assert main(["doctor", "--python", sys.executable]) == 1

        out, err = capsys.readouterr()
        assert "did you mean output?" in " ".join(out.split())
        assert err == ""

    def test_no_colour_and_no_control_characters_in_a_pipe(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Not on a terminal, nothing but text is printed, whatever a file holds."""
        write(tmp_path / "dam-obs.toml", 'level = "\\u001b[31mred"\n')

        main(["doctor", "--python", sys.executable])

        assert "\x1b" not in capsys.readouterr().out

    def test_check_that_fails_keeps_no_other_from_its_turn(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A mistake in one check is told as broken, and all others are made."""

        def mistaken(_: Place) -> Check:
            raise ZeroDivisionError

        monkeypatch.setattr(kernel, "check_ebpf", mistaken)
        loaded = collect_settings(environ={}, folder=tmp_path)

        checks = {each.name: each.state for each in _checks.run_checks(place(tmp_path), loaded, DamPluginManager())}

        assert checks["ebpf"] == "broken"
        assert checks["newest run"] == "ok"
