"""The distribution's README: what it shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parents[2] / "plugins" / "hrm" / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def run(*arguments, lines="", path=""):
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(path)},
    )


def test_the_example_prints_what_is_shown(tmp_path):
    """Line by line."""
    script = tmp_path / "example.py"
    script.write_text(blocks("python")[0], encoding="utf-8")
    done = run(script)
    assert (done.returncode, done.stdout, done.stderr) == (0, blocks("text")[0], "")


@pytest.fixture
def installed(tmp_path):
    """The plugin, as a distribution of the README's words."""
    project, code = blocks("toml")[0], blocks("python")[1]
    (tmp_path / "dam_hrm_my_model.py").write_text(code, encoding="utf-8")
    metadata = tmp_path / "dam_hrm_my_model-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: dam-hrm-my-model\nVersion: 1.0\n")
    group, line = re.search(r"\[project\.entry-points\.(\w+)\]\n(.+)\n", project).groups()
    name, module = re.fullmatch(r'(\w+) = "(\w+)"', line).groups()
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}\n")
    return tmp_path


def test_the_model_answers(installed):
    """Once it is installed, and nothing but what it is asked to."""
    done = run("-m", "dam_hrm", lines="I value calm\nWhat is the time?\n", path=installed)
    assert done.stdout.splitlines()[:2] == [
        "L4 (identity) is established.",
        "(what the model says to 'What is the time?')",
    ]


def test_it_can_be_left_out(installed):
    """By its entry point's name."""
    done = run("-m", "dam_hrm", "--without", "my_model", lines="What is the time?\n", path=installed)
    assert done.stdout.startswith("Nothing is noted about that.")


def test_the_console_shows_what_is_printed():
    """For the lines that it feeds in."""
    shown = blocks("console")[0].split("| python -m dam_hrm\n", 1)[1]
    lines = re.search(r"printf '(.*)' \|", README)[1].replace("\\n", "\n")
    assert run("-m", "dam_hrm", lines=lines).stdout == shown


def test_every_word_in_code_is_real():
    """Files, actions and commands that are named exist."""
    from dam_hrm.agent.commands import COMMANDS
    from dam_hrm.execution.abilities import ABILITIES

    package = Path(__file__).resolve().parents[2] / "plugins" / "hrm" / "dam_hrm"
    for path in re.findall(r"`(?:dam_hrm/)?([\w/]+\.py)`", README):
        assert (package / path).exists() or path in ("my_program.py",), path
    for command in re.findall(r"`/(\w+)", README):
        assert command in COMMANDS
    listed = (
        re.search(r"does what was asked for: (.*?);", README)[1]
        .replace("settle a level", "settle")
        .replace("commit to a goal", "commit")
    )
    assert set(listed.split(", ")) == set(ABILITIES)
