"""The example programs, run as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Ran:
    """A run of the pipeline that has ended."""

    output: str
    calls: list[dict[str, Any]]
    folder: Path


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run the pipeline over a small corpus, large enough for everything to happen."""
    folder = tmp_path_factory.mktemp("pipeline")
    command = [
        sys.executable,
        "-W",
        "error",
        str(EXAMPLES / "asset_pipeline"),
        "--files",
        "90",
        "--workdir",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    lines = (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    return Ran(done.stdout, [json.loads(line) for line in lines], folder)
