"""The loop is closed: drafts, once merged, change the schedule."""

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
