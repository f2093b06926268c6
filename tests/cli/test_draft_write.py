"""``dam-obs draft --write`` and ``--patch``."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from dam_obs.cli import main
from dam_obs.store.runs import RUNS, RunFolder
from dam_obs.testing.runs import example_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report on a run of the example pipeline."""
    return example_report(tmp_path_factory.mktemp("example"))


@pytest.fixture
def project(tmp_path, monkeypatch, report):
    """A repository with a diagnosed run and a file that has its systems and commands, the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(RUNS / "20260113-140000-4321")
    folder.path.mkdir(parents=True)
    folder.trace.touch()
    folder.manifest.touch()
    folder.report_json.write_text(report.model_dump_json())
    names = [name.partition(":")[2] for name in drafted(report)]
    commands = "".join(f"class {name}Command: ...\n" for name in names)
    systems = "".join(f"\n\nclass {name}:\n    def __call__(self):\n        return 1\n" for name in names)
    (tmp_path / "src" / "asset_pipeline").mkdir(parents=True)
    source = tmp_path / "src" / "asset_pipeline" / "systems.py"
    source.write_text(commands + systems)
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    content = json.loads(folder.report_json.read_text())
    for system in content["systems"]:
        system["source_file"] = "/build/src/asset_pipeline/systems.py"
    folder.report_json.write_text(json.dumps(content))
    return source


def drafted(report):
    """Name the systems that a draft is made of."""
    return [system.system for system in report.systems if system.command_type]


def test_every_method_is_written_and_told_in_a_line(project, report, capsys):
    """Which file, which system, what was done."""
    assert main(["draft", "--write"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"src/asset_pipeline/systems.py: {name}: calculate_traits inserted" for name in drafted(report)]
    assert project.read_text().count("async def calculate_traits(") == len(drafted(report))
    assert not RunFolder(RUNS / "20260113-140000-4321").drafts.exists()


def test_a_patch_is_what_would_be_written_and_git_applies_it(project, capfdbinary):
    """From the top of the repository, and nothing is left to patch afterwards."""
    before = project.read_bytes()
    assert main(["draft", "--patch"]) == 0
    patch = capfdbinary.readouterr().out
    assert project.read_bytes() == before

    subprocess.run(["git", "apply", "-"], input=patch, check=True)
    applied = project.read_bytes()
    assert applied != before
    assert main(["draft", "--write"]) == 0
    assert project.read_bytes() == applied
    capfdbinary.readouterr()
    assert main(["draft", "--patch"]) == 0
    assert capfdbinary.readouterr().out == b""


def test_json_says_what_was_done_to_which_file(project, report, capsys):
    """Also where nothing was done, and why."""
    project.write_text(project.read_text() + "    def calculate_traits(self): return []\n")
    last = drafted(report)[-1]
    assert main(["draft", "--write", "--json"]) == 1
    refused = json.loads(capsys.readouterr().out)
    assert refused["written"] is False
    by_name = {system["system"]: system for system in refused["systems"]}
    assert (by_name[last]["action"], by_name[last]["method_was"]) == ("kept", "person")

    assert main(["draft", "--write", "--json", "--force", "--system", last]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["written"] is True
    assert done["files"] == ["src/asset_pipeline/systems.py"]
    (only,) = done["systems"]
    assert (only["system"], only["action"], only["file"]) == (last, "replaced", "src/asset_pipeline/systems.py")


def test_a_method_of_a_persons_is_named_and_its_diff_is_shown(project, report, capsys):
    """Exit status 1, and the file is as it was."""
    project.write_text(project.read_text() + "    def calculate_traits(self): return ['\x1b[2J']\n")
    before = project.read_bytes()

    for option in ("--write", "--patch"):
        assert main(["draft", option]) == 1
        shown = capsys.readouterr().err
        assert f"{drafted(report)[-1]}: calculate_traits was written by a person (src/asset_pipeline/sys" in shown
        assert "  -    def calculate_traits(self): return ['\\x1b[2J']" in shown
        assert "\x1b" not in shown
    assert project.read_bytes() == before


def test_a_system_that_is_elsewhere_is_left_out_and_an_error_when_asked_for(project, report, tmp_path, capsys):
    """Its file is not below the folder."""
    name = drafted(report)[0]
    (tmp_path / "other").mkdir()

    assert main(["draft", "--write", "--source", "other"]) == 0
    assert f"{name}: left out: its file /build/src/asset_pipeline/systems.py is not below" in capsys.readouterr().err
    assert main(["draft", "--write", "--source", "other", "--system", name]) == 1
    assert "is not below" in capsys.readouterr().err
    assert main(["draft", "--write", "--source", "src/asset_pipeline/systems.py", "--system", name]) == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--write", "--patch"], "--write and --patch do not go together"),
        (["--stdout", "--review"], "--stdout and --review do not go together"),
        (["--write", "--output", "x"], "--output does not go with --write"),
        (["--source", "x"], "--source goes with --write and --patch"),
        (["--review", "--json"], "--json does not go with --review"),
        (["--plots", "https://x"], "--plots goes with --review"),
        (["--review", "--plots", "https://x) [a](b"], "an address without blanks and brackets"),
    ],
)
def test_options_that_contradict_each_other_are_refused(project, capsys, options, why):
    """Before anything is done."""
    assert main(["draft", *options]) == 2
    assert why in capsys.readouterr().err


def test_the_review_can_be_printed_alone(project, capsys):
    """For the text of a pull request; nothing is written, and pictures that nobody could see are left out."""
    assert main(["draft", "--review"]) == 0

    page = capsys.readouterr().out
    assert page.startswith("# Drafted traits: run ")
    assert "| executions | median seen | model | took longer |" in page
    assert "![" not in page
    assert not RunFolder(RUNS / "20260113-140000-4321").drafts.exists()


def test_the_review_shows_pictures_from_where_they_are_published(project, capsys):
    """Each is one of the files that a draft into a folder leaves."""
    assert main(["draft", "--output", "drafts"]) == 0
    capsys.readouterr()
    assert main(["draft", "--review", "--plots", "https://host/raw/drafts/"]) == 0

    shown = set(re.findall(r"^!\[.*\]\(https://host/raw/drafts/(.*)\)$", capsys.readouterr().out, re.M))
    assert shown
    assert shown == {path.name for path in Path("drafts").glob("*.svg")}
