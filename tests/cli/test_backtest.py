"""``dam-obs backtest``."""

from __future__ import annotations

import json
import shutil

import pytest

from dam_obs.cli import main
from dam_obs.diagnose.build import build_report
from dam_obs.draft.write import write_drafts
from dam_obs.store.runs import RUNS, RunFolder
from dam_obs.testing.runs import write_example_run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run with its drafts."""
    run = write_example_run(tmp_path_factory.mktemp("example") / "run", assets=60)
    write_drafts(build_report(run), run.drafts)
    return run


@pytest.fixture
def run(tmp_path, monkeypatch, made):
    """The run below the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(RUNS / "20260113-140000-4321")
    shutil.copytree(made.path, folder.path)
    return folder


def draft(run, system):
    return str(run.drafts / f"asset_pipeline_systems_{system}.py")


@pytest.mark.parametrize("width", [60, 80, 160])
def test_the_table_fits_the_terminal(run, monkeypatch, capsys, width):
    """A line for each draft of a folder, the newest run if none is named."""
    monkeypatch.setenv("COLUMNS", str(width))

    assert main(["backtest", str(run.drafts)]) == 0

    table, _, below = capsys.readouterr().out.partition("Error: median")
    lines = table.splitlines()
    assert lines[0].split() == ["System", "Runs", "Error", "Bias", "Too", "long", "Meant"]
    assert [line.split()[0] for line in lines[1:]] == [
        "CompressAsset", "ExtractMember", "FetchMetadata", "HashAsset", "IngestAsset", "SniffMime", "WriteJournal",
    ]  # fmt: skip
    assert max(map(len, lines)) <= width
    assert "ms said" in below


def test_json_is_one_versioned_document(run, capsys):
    """With the worst executions and their handles."""
    assert main(["backtest", draft(run, "HashAsset"), run.path.name, "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    (one,) = told["drafts"]
    handles = {json.loads(line)["trace_id"] for line in run.trace.read_text().splitlines()}
    assert (told["schema_version"], one["system"]) == (1, "asset_pipeline.systems:HashAsset")
    assert one["executions"] == one["predicted"] > 50
    assert 0 <= one["under_rate_low"] <= one["under_rate"] <= one["under_rate_high"] <= 1
    assert {each["handle"] for each in one["worst"]} <= handles


LIMITS = [
    (["--fail-on", "mdape:500%"], 0, ""),
    (["--fail-on", "under"], 0, ""),
    (["--fail-on", "bias:0%", "--fail-on", "mdape:1%"], 1, "FetchMetadata has mdape"),
    (["--fail-on", "mdape"], 2, "is no limit: write mdape:25%"),
    (["--fail-on", "under:x%"], 2, "is no limit: write mdape:25%"),
]


@pytest.mark.parametrize(("options", "status", "told"), LIMITS)
def test_limits_decide_the_exit_status(run, capsys, options, status, told):
    """For pipelines."""
    assert main(["backtest", draft(run, "FetchMetadata"), *options]) == status
    assert told in capsys.readouterr().err


BAD = [
    (["backtest", "gone.py"], "does not exist"),
    (["backtest", "notes.py"], "notes.py is no draft"),
    (["backtest", "evil.py", "--system", "HashAsset"], "evil.py is no draft"),
    (["backtest", "evil.py"], "is for no system of this run"),
    (["backtest", "DRAFTS", "--system", "HashAsset"], "--system is for one draft"),
    (["backtest", "DRAFTS", "nowhere"], "no trace at nowhere"),
]


@pytest.mark.parametrize(("arguments", "told"), BAD)
def test_bad_input_ends_with_status_2(run, tmp_path, capsys, arguments, told):
    """In one line, and nothing is run."""
    (tmp_path / "notes.py").write_text("print('hello')\n")
    (tmp_path / "evil.py").write_text(f"import os\nclass Evil:\n    os.mkdir({str(tmp_path / 'done')!r})\n")

    assert main([str(run.drafts) if each == "DRAFTS" else each for each in arguments]) == 2

    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert not (tmp_path / "done").exists()


def test_a_draft_that_gives_no_prediction_ends_with_status_1(run, capsys):
    """With the reason."""
    text = (run.drafts / "asset_pipeline_systems_HashAsset.py").read_text()
    broken = run.drafts.parent / "broken.py"
    broken.write_text(text.replace("cmd.size", "cmd.weight"))

    assert main(["backtest", str(broken)]) == 1
    assert "needs cmd.weight, which was not recorded" in capsys.readouterr().out


def test_a_hostile_run_does_not_reach_the_terminal(run, capsys):
    """Names with escape sequences are shown as escapes."""
    evil = "asset_pipeline.systems:Hash\\u001b[2JAsset"
    run.trace.write_text(run.trace.read_text().replace('"asset_pipeline.systems:HashAsset"', f'"{evil}"'))

    assert main(["backtest", draft(run, "HashAsset"), "--system", "asset_pipeline.systems:Hash\x1b[2JAsset"]) == 0
    said = capsys.readouterr().out
    assert "Hash\\x1b[2JAsset" in said
    assert "\x1b" not in said
