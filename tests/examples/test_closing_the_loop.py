"""The loop is closed: drafts, once merged, change the schedule."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "closing_the_loop"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """Close the loop once; give the folder and what was printed."""
    folder = tmp_path_factory.mktemp("loop")
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--workdir", str(folder)], capture_output=True, text=True, timeout=380
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_merged_drafts_change_the_schedule(closed):
    """Before, the system registered first does everything; afterwards each does what it is better at."""
    _, printed = closed
    before, after = printed.splitlines()[-2:]

    assert "30 large by Zlib, 60 small by Zlib" in before
    assert "30 large by Gzip, 60 small by Zlib" in after


def test_merged_code_is_good_code(closed):
    """What is merged has its types, and imports what it needs and no more."""
    folder, _ = closed
    module = str(folder / "compressing.py")

    for command in (["mypy", "--strict"], ["ruff", "check", "--isolated", "--select", "F"]):
        checked = subprocess.run([sys.executable, "-m", *command, module], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout


def test_merged_drafts_hold_against_the_run_that_they_are_of(closed):
    """Nothing is called drift, of either system."""
    folder, _ = closed
    (run,) = (folder / ".dam-obs" / "runs").iterdir()
    command = [sys.executable, "-m", "dam_obs.cli"]

    check = [*command, "check", str(run), "--source", str(folder / "compressing.py"), "--json"]
    checked = subprocess.run(check, capture_output=True, text=True, timeout=120)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert [(each["system"], each["verdict"]) for each in json.loads(checked.stdout)["systems"]] == [
        ("compressing:Gzip", "checked"),
        ("compressing:Zlib", "checked"),
    ]

    backtest = [*command, "backtest", str(run / "drafts"), str(run), "--json"]
    tested = subprocess.run(backtest, capture_output=True, text=True, timeout=120)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert [(each["executions"], each["stopped"]) for each in json.loads(tested.stdout)["drafts"]] == [(90, None)] * 2


def test_a_pool_that_is_not_the_one_used_is_drift(closed, tmp_path):
    """The program that is started is not the one that is declared."""
    folder, _ = closed
    (run,) = (folder / ".dam-obs" / "runs").iterdir()
    text = (folder / "compressing.py").read_text(encoding="utf-8")
    (tmp_path / "compressing.py").write_text(text.replace("process/gzip", "process/bzip2"), encoding="utf-8")

    command = [sys.executable, "-m", "dam_obs.cli", "check", str(run), "--source", str(tmp_path), "--json"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert checked.returncode == 1, checked.stderr
    (gzip,) = [each for each in json.loads(checked.stdout)["systems"] if each["system"] == "compressing:Gzip"]
    assert [(each["rule"], each["subject"]) for each in gzip["findings"] if each["level"] == "error"] == [
        ("pool-missing", "process/gzip")
    ]
