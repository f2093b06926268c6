"""``dam-obs report`` makes a page of a run, and never replaces one unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dam_obs.cli import main
from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run

RUN_ID = "20260113-140000-example"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Stand in a folder with one run, which was not diagnosed yet."""
    monkeypatch.chdir(tmp_path)
    return write_example_run(tmp_path / ".dam-obs" / "runs" / RUN_ID, assets=12)


@pytest.fixture
def error(capsys: pytest.CaptureFixture[str]):
    """Run a command that fails, and return its status and what it printed."""

    def fail(*arguments: str) -> tuple[int, str]:
        status = main(["report", *arguments])
        return status, capsys.readouterr().err.strip()

    return fail


def test_writes_page_and_data_into_the_newest_run(run, capsys):
    """Without arguments the newest run below the folder is reported on."""
    assert main(["report"]) == 0
    assert capsys.readouterr().out == f"Wrote {run.report_html}\nWrote {run.report_json}\n"
    assert DiagnosticReport.model_validate_json(run.report_json.read_text()) == build_report(run)
    assert "<h1>pipeline.py</h1>" in run.report_html.read_text()


@pytest.mark.parametrize("argument", [RUN_ID, f".dam-obs/runs/{RUN_ID}", f".dam-obs/runs/{RUN_ID}/trace.jsonl"])
def test_takes_id_folder_or_file(run, argument):
    """A run can be named in each way that other commands take."""
    assert main(["report", argument]) == 0
    assert run.report_html.is_file()


@pytest.mark.parametrize("name", ["report.html", "report.json"])
def test_refuses_to_replace(run, error, name):
    """What is there stays, also the one of two that would be written second; the error says the way out."""
    (run.path / name).write_text("mine")
    status, message = error()
    assert status == 2
    assert message == (
        f"dam-obs: error: {run.path / name} exists: add --force to replace it, or --output to write elsewhere"
    )
    assert (run.path / name).read_text() == "mine"
    assert len([path for path in (run.report_html, run.report_json) if path.exists()]) == 1


def test_force_replaces(run):
    """With --force both are made anew."""
    run.report_html.write_text("mine")
    run.report_json.write_text("mine")
    assert main(["report", "--force"]) == 0
    assert "mine" not in (run.report_html.read_text()[:10], run.report_json.read_text())


def test_output_writes_the_page_alone(run, tmp_path):
    """With --output the run folder stays as it was."""
    before = sorted(run.path.iterdir())
    assert main(["report", "--output", "page.html"]) == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert sorted(run.path.iterdir()) == before


def test_json_prints_the_data_and_writes_nothing(run, capsys):
    """With --json other programs get the report itself."""
    before = sorted(run.path.iterdir())
    assert main(["report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == RUN_ID
    assert sorted(run.path.iterdir()) == before


def test_trace_without_a_run_folder(tmp_path, run, error):
    """A trace under a name of its own is in no run, and the error says what to do with it."""
    alone = tmp_path / "elsewhere.jsonl"
    alone.write_bytes(run.trace.read_bytes())
    status, message = error(str(alone))
    assert status == 2
    assert "is in no run folder" in message
    assert "dam-obs diagnose -- COMMAND" in message


def test_trace_by_itself_is_reported_on(tmp_path, run, capsys, monkeypatch):
    """A ``trace.jsonl`` that `dam-obs run` left has a report, too: without stacks."""
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "trace.jsonl").write_bytes(run.trace.read_bytes())
    monkeypatch.chdir(folder)
    assert main(["report", "--json"]) == 0
    report = DiagnosticReport.model_validate_json(capsys.readouterr().out)
    assert report.flame is None
    assert report.systems


def test_place_that_cannot_be_written(run, tmp_path, error):
    """A file where a folder should be is one line, not a traceback."""
    (tmp_path / "file").write_text("")
    status, message = error("--output", "file/page.html")
    assert status == 2
    assert message.startswith("dam-obs: error: file/page.html cannot be written")
    assert "\n" not in message


def test_nothing_to_report_on(tmp_path, monkeypatch, error):
    """Without any trace the error says how to get one."""
    monkeypatch.chdir(tmp_path)
    status, message = error()
    assert status == 2
    assert "dam-obs diagnose -- COMMAND" in message
