"""Beliefs beside the other runtimes: what the example prints is what the guide shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "composed_traits"


def test_the_guide_shows_what_it_prints():
    """Run as a user runs it; nothing goes to stderr."""
    command = [sys.executable, "-W", "error", str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

    page = (ROOT / "docs" / "beliefs" / "examples.md").read_text(encoding="utf-8")
    habits, kinds = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    assert done.stdout == f"{habits}\n{kinds}"


def test_they_meet_in_the_example_alone():
    """Neither runtime imports another one."""
    runtimes = {"beliefs", "hrm", "traits"}
    meeting = [
        (own, line)
        for own in sorted(runtimes)
        for path in (ROOT / "plugins" / own / f"dam_{own}").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(rf"\s*(from|import) dam_({'|'.join(sorted(runtimes - {own}))})\b", line)
    ]
    assert meeting == []
