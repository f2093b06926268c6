"""``dam-obs draft``."""

from __future__ import annotations

import json

import pytest

from dam_obs.cli import main
from dam_obs.store.runs import RUNS, RunFolder
from dam_obs.testing.runs import example_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report on a run of the example pipeline."""
    return example_report(tmp_path_factory.mktemp("example"))


@pytest.fixture
def run(tmp_path, monkeypatch, report):
    """A diagnosed run below the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(RUNS / "20260113-140000-4321")
    folder.path.mkdir(parents=True)
    folder.trace.touch()
    folder.manifest.touch()
    folder.report_json.write_text(report.model_dump_json())
    return folder


def drafts_of(folder):
    return sorted(path.name for path in folder.iterdir())


def test_without_arguments_the_newest_run_is_drafted_into_its_folder(run, report, capsys):
    """One file for each system that takes a command, pictures, and the review."""
    assert main(["draft"]) == 0

    expected = {system.system for system in report.systems if system.command_type}
    written = drafts_of(run.drafts)
    assert expected
    assert len([name for name in written if name.endswith(".py")]) == len(expected)
    assert "review.md" in written
    assert capsys.readouterr().out.splitlines()[-1] == f"Wrote {run.drafts.absolute() / 'review.md'}"


def test_a_system_and_a_folder_can_be_named(run, report, tmp_path, capsys):
    """The last part of a system's name is enough."""
    system = report.systems[0].system.split(":")[-1]

    assert main(["draft", run.path.name, "--system", system, "--output", "elsewhere"]) == 0
    assert [name for name in drafts_of(tmp_path / "elsewhere") if system in name and name.endswith(".py")]
    assert len(drafts_of(tmp_path / "elsewhere")) == 3
    assert not run.drafts.exists()


def test_code_can_be_printed_instead(run, report, capsys):
    """Nothing is written then."""
    assert main(["draft", "--stdout"]) == 0

    shown = capsys.readouterr().out
    assert shown.count("async def calculate_traits(") == sum(bool(s.command_type) for s in report.systems)
    assert not run.drafts.exists()


def test_an_edited_draft_is_kept_unless_forced(run, capsys):
    """Exit status 2, and the way out."""
    main(["draft"])
    edited = run.drafts / "review.md"
    edited.write_text("mine")
    capsys.readouterr()

    assert main(["draft"]) == 2
    assert "edited since it was drafted; add --force to replace" in capsys.readouterr().err
    assert edited.read_text() == "mine"
    assert main(["draft", "--force"]) == 0
    assert edited.read_text() != "mine"


def test_an_unknown_system_is_an_error_with_near_names(run, report, capsys):
    """One line."""
    name = report.systems[0].system

    assert main(["draft", "--system", name[:-1]]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"did you mean {name}" in line


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "report.json is not there: make it with `dam-obs report "),
        (b"", "is not a report of this version of dam-obs (Invalid JSON"),
        (b"\xff\x00", "is not a report of this version of dam-obs"),
        (b"[]", "is not a report of this version of dam-obs"),
        (b'{"schema_version": 99}', "is not a report of this version of dam-obs"),
    ],
)
def test_a_run_without_a_readable_report_is_an_error_that_says_what_to_do(run, capsys, content, why):
    """One line, exit status 2, nothing written."""
    run.report_json.unlink()
    if content is not None:
        run.report_json.write_bytes(content)

    assert main(["draft"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert why in line
    assert "dam-obs report" in line
    assert not run.drafts.exists()


def test_a_report_without_commands_gives_a_review_alone(run, capsys):
    """And says why."""
    content = json.loads(run.report_json.read_text())
    content["systems"] = [system | {"command_type": None} for system in content["systems"]]
    run.report_json.write_text(json.dumps(content))

    assert main(["draft"]) == 0
    assert drafts_of(run.drafts) == ["review.md"]
    assert "nothing to draft" in capsys.readouterr().err
