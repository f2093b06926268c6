"""The distribution's README: its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "plugins" / "traits" / "README.md"


def test_the_example_runs(tmp_path):
    """As it stands there, in a file of its own."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")

    done = subprocess.run([sys.executable, "-W", "error", script], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (0, "1200\n", "")
