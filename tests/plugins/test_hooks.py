"""
Every hook of the contract, implemented by an installed plugin, in a process of its own.

The other hooks are tested where they are called; the last test here says that none is left out.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dam_obs import hookspecs
from dam_obs.testing import faults

Run = Callable[..., subprocess.CompletedProcess[str]]

PROGRAM = """
import work
work.step("a secret of acme")
"""

WORK = """
def step(value):
    return value
"""

POINTS = """
[host]
name = "acme"

[[points]]
layer = "system"
operation = "step"
meaning = "A step"
input = "args.value"
command = "args.value"

[[points.targets]]
function = "work:step"
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what installs a plugin and runs a dam-obs command beside a small program."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "points.toml").write_text(POINTS)
    (tmp_path / ".git").mkdir()

    def run(source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        site = faults.install_plugin(tmp_path / "site", "acme", f"from dam_obs.hookspecs import hookimpl\n{source}")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "OTEL"))}
        return subprocess.run(
            [sys.executable, "-m", "dam_obs.cli", *arguments],
            cwd=tmp_path, env={**kept, "PYTHONPATH": str(site)}, capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    return run


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_dam_obs_trace_points(run: Run, tmp_path: Path) -> None:
    """A function is traced that a plugin's file names."""
    source = f"@hookimpl\ndef dam_obs_trace_points():\n    return {str(tmp_path / 'points.toml')!r}\n"
    done = run(source, "run", "--", sys.executable, "program.py")

    assert (done.returncode, done.stderr) == (0, "")
    assert [event["operation"] for event in events(tmp_path / "trace.jsonl")] == ["step"]


def test_dam_obs_redact(run: Run, tmp_path: Path) -> None:
    """What a plugin hides is written nowhere."""
    source = """
@hookimpl
def dam_obs_redact(key, value):
    return f"[hidden: {key}]" if "acme" in value else None
"""
    run(source, "run", "--points", "points.toml", "--", sys.executable, "program.py")

    assert [event["input_summary"] for event in events(tmp_path / "trace.jsonl")] == ["[hidden: input]"]
    assert "secret" not in (tmp_path / "trace.jsonl").read_text()


def test_dam_obs_features(run: Run, tmp_path: Path) -> None:
    """In a measured run, a command has the features that a plugin names."""
    source = '@hookimpl\ndef dam_obs_features(command):\n    return {"letters": len(command)}\n'
    command = ["diagnose", "--no-stacks", "--no-draft", "--points", "points.toml", "--out", "out"]
    done = run(source, *command, "--", sys.executable, "program.py")

    assert done.returncode == 0
    assert [event["features"] for event in events(tmp_path / "out" / "trace.jsonl")] == [{"letters": 16}]


def test_dam_obs_commands(run: Run) -> None:
    """A plugin's command is one of dam-obs's."""
    source = """
import click

@click.command("greet")
def greet():
    click.echo("hello")

@hookimpl
def dam_obs_commands(cli):
    cli.add_command(greet)
"""
    done = run(source, "greet")

    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


BACKEND = """
from dam_obs.trace.events import TraceEvent

@hookimpl
def dam_obs_trace_source(uri):
    if not uri.startswith("acme://"):
        return None
    return iter([TraceEvent(trace_id="alt_1705180800_a3f2", parent_id=None, timestamp="2024-01-13T21:20:00+00:00",
                            hrm_layer="altitude", operation="transition", component="altitude.py", input_summary="L3",
                            output_summary="success", duration_ms=5, status="success", metadata={"from": uri})])
"""


def test_dam_obs_trace_source(run: Run) -> None:
    """Commands that read take a URI that a plugin knows."""
    viewed = run(BACKEND, "view", "acme://host/service", "--jsonl")
    summed = run(BACKEND, "stats", "acme://host/service", "--json")

    assert [json.loads(line)["metadata"] for line in viewed.stdout.splitlines()] == [{"from": "acme://host/service"}]
    assert (json.loads(summed.stdout)["trace"], json.loads(summed.stdout)["events"]) == ("acme://host/service", 1)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("view", "tempo://x"), "no plugin reads tempo://x: install one that implements dam_obs_trace_source"),
        (("report", "acme://x"), "acme://x is in no run folder"),
        (("report", "otlp-file:x"), "otlp-file:x is in no run folder"),
    ],
)
def test_a_uri_that_is_of_no_use_here(run: Run, typed: tuple[str, str], says: str) -> None:
    """One line that says why, and status 2."""
    done = run(BACKEND, *typed)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"dam-obs: error: {says}")


def test_every_hook_has_a_test_of_its_name() -> None:
    """So that none is promised that nobody calls."""
    hooks = {name for name in vars(hookspecs) if name.startswith("dam_obs_")}
    tests = {
        node.name.removeprefix("test_")
        for path in Path(__file__).parent.parent.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }

    assert hooks
    assert hooks - tests == set()
