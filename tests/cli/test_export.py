"""``dam-obs export`` writes a run's samples for other tools, and never replaces a file unasked."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from dam_obs.cli import main
from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.export.otlp_classes import profiles_pb2
from dam_obs.sample.attribution import attribute
from dam_obs.sample.profile import read_profile
from dam_obs.store.manifest import AbsentEvidence, read_manifest, write_manifest
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run

RUN_ID = "20260113-140000-example"
FILES = {
    "speedscope": "export.speedscope.json",
    "chrome": "export.chrome.json",
    "folded": "export.folded.txt",
    "otlp-profiles": "export.otlp.json",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Stand in a folder with one run."""
    monkeypatch.chdir(tmp_path)
    return write_example_run(tmp_path / ".dam-obs" / "runs" / RUN_ID, assets=60)


@pytest.fixture
def error(capsys: pytest.CaptureFixture[str]):
    """Run a command that fails, and return its status and what it printed."""

    def fail(*arguments: str) -> tuple[int, str]:
        status = main(["export", *arguments])
        return status, capsys.readouterr().err.strip()

    return fail


def sampled_executions(run: RunFolder) -> int:
    """Return in how many executions samples were taken."""
    return len(attribute(read_profile(run.raw_profile)).claimed)


@pytest.mark.parametrize("name", FILES)
def test_writes_into_the_newest_run(run, capsys, name):
    """Without a run and a file both are the nearest at hand; it says where, and how many samples of what."""
    assert main(["export", "--format", name]) == 0
    path = run.path / FILES[name]
    wrote, counts, *placed = capsys.readouterr().out.splitlines()

    assert wrote == f"Wrote {path}"
    quality = build_report(run).quality
    assert counts == (
        f"{quality.samples} samples: {quality.samples_claimed} in {sampled_executions(run)} executions, "
        f"{quality.samples_unclaimed} outside any"
    )
    assert bool(placed) == (name in {"chrome", "otlp-profiles"})
    assert path.stat().st_size > 0


@pytest.mark.parametrize("argument", [RUN_ID, f".dam-obs/runs/{RUN_ID}", f".dam-obs/runs/{RUN_ID}/trace.jsonl"])
def test_takes_id_folder_or_file(run, argument):
    """A run can be named in each way that other commands take."""
    assert main(["export", argument, "--format", "folded"]) == 0
    assert (run.path / FILES["folded"]).is_file()


@pytest.mark.parametrize("suffix", [".pb", ".binpb", ".json"])
def test_the_suffix_chooses_json_or_protobuf(run, tmp_path, suffix):
    """OTLP has both."""
    path = tmp_path / f"profile{suffix}"
    assert main(["export", "--format", "otlp-profiles", "-o", str(path)]) == 0
    if suffix == ".json":
        assert json.loads(path.read_bytes())["dictionary"]["stringTable"][0] == ""
    else:
        assert profiles_pb2().ProfilesData.FromString(path.read_bytes()).dictionary.string_table[0] == ""


def test_one_system(run, tmp_path, capsys):
    """The others are left out, and what is outside executions too."""
    assert main(["export", "--format", "folded", "--system", "CompressAsset", "-o", "c.txt"]) == 0
    assert {line.split(";")[0] for line in (tmp_path / "c.txt").read_text().splitlines()} == {
        "asset_pipeline.systems:CompressAsset (system.execute)"
    }
    assert ", 0 outside any" in capsys.readouterr().out


def test_refuses_to_replace(run, error, tmp_path):
    """What is there stays; the error says the way out, and --force takes it."""
    (tmp_path / "a.txt").write_text("mine")
    assert error("--format", "folded", "-o", "a.txt") == (
        2,
        "dam-obs: error: a.txt exists: add --force to replace it, or --output to write elsewhere",
    )
    assert (tmp_path / "a.txt").read_text() == "mine"
    assert main(["export", "--format", "folded", "-o", "a.txt", "--force"]) == 0
    assert (tmp_path / "a.txt").read_text() != "mine"


@pytest.mark.parametrize("name", ["samples.speedscope.json", "trace.jsonl"])
def test_never_replaces_what_it_is_made_of(run, error, name):
    """Not even with --force."""
    before = (run.path / name).read_bytes()
    status, message = error("--format", "speedscope", "-o", str(run.path / name), "--force")

    assert (status, "is what the run left, and would be lost" in message) == (2, True)
    assert (run.path / name).read_bytes() == before


def test_without_samples_it_says_why(run, error):
    """In the words of the manifest, with what to do; nothing is written."""
    run.raw_profile.unlink()
    absent = [AbsentEvidence("stacks", "switched off by --no-stacks", "run `dam-obs diagnose` without --no-stacks")]
    write_manifest(run, msgspec.structs.replace(read_manifest(run), absent=absent))
    before = sorted(run.path.iterdir())

    assert error("--format", "chrome") == (
        2,
        (
            f"dam-obs: error: {run.path} has no samples (switched off by --no-stacks): "
            "run `dam-obs diagnose` without --no-stacks"
        ),
    )
    assert sorted(run.path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--format", "pprof"], "'pprof' is not one of 'speedscope', 'chrome', 'otlp-profiles', 'folded'"),
        ([], "Missing option '--format'"),
        (["--format", "otlp-profiles", "-o", "p.txt"], "p.txt does not say by its suffix how OTLP is to be written"),
        (["--format", "folded", "--system", "Compres"], "name one of asset_pipeline.systems:CompressAsset"),
        (["--format", "folded", "-o", "file/x.txt"], "file/x.txt cannot be written"),
        (["--format", "folded", "nowhere"], "no trace at nowhere"),
    ],
)
def test_mistakes_are_one_line(run, error, tmp_path, arguments, says):
    """With what was wrong, and no file left behind."""
    (tmp_path / "file").write_text("")
    status, message = error(*arguments)

    assert status == 2
    assert says in message
    assert "\n" not in message
    assert not list(tmp_path.glob("*.new"))


def test_a_broken_profile_leaves_nothing_behind(run, error):
    """Half of a file is worse than none."""
    content = run.raw_profile.read_text()
    run.raw_profile.write_text(content.replace("]]", "],[999999]]", 1))
    status, message = error("--format", "speedscope")

    assert (status, "a sample names a frame that is not there" in message) == (2, True)
    assert not list(run.path.glob("*export*"))


def test_secrets_stay_hidden(run):
    """Also where a profile was not redacted when it was kept."""
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    run.raw_profile.write_text(run.raw_profile.read_text().replace('"work"', f'"{token}"'))

    for name in FILES:
        assert main(["export", "--format", name]) == 0
        assert token not in (run.path / FILES[name]).read_text()


def test_a_run_folder_may_have_any_name(run, tmp_path, capsys):
    """Also one that is no text and would move the cursor."""
    odd = tmp_path / "odd\x1b[2J\udcff"
    run.path.rename(odd)

    for name in FILES:
        assert main(["export", str(odd), "--format", name]) == 0
        assert "\x1b" not in capsys.readouterr().out
        assert b"\x1b" not in (odd / FILES[name]).read_bytes()
