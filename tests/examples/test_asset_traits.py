"""The example of asset traits: what it prints is what the documentation shows, and its consumer knows no component."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "asset_traits"


def test_the_guide_shows_what_it_prints():
    """Run as a user runs it; nothing goes to stderr."""
    command = [sys.executable, "-W", "error", str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

    page = (ROOT / "docs" / "traits" / "component-traits.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```text\n(Nothing here.*?)```", page, flags=re.DOTALL)
    assert done.stdout == shown


def test_the_consumer_knows_the_trait_and_no_component():
    """It imports from `dam_traits` alone, and names neither component nor system."""
    tree = ast.parse((EXAMPLE / "consumer.py").read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }

    assert imported == {"AssetOperationTrait", "World"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))
