"""The README and the pages of the guide: what they show is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import dam_beliefs
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "plugins" / "beliefs" / "README.md", *sorted((ROOT / "docs" / "beliefs").glob("*.md"))]
BLOCK = re.compile(r"```(\w+)\n(.*?)```", flags=re.DOTALL)


def examples():
    """Yield each program of a page with what the page says it prints, and the last file shown before it."""
    for page in PAGES:
        blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
        for number, (language, code) in enumerate(blocks):
            if language == "python":
                after = blocks[number + 1] if number + 1 < len(blocks) else ("", "")
                village = next((text for kind, text in reversed(blocks[:number]) if kind == "toml"), "")
                printed = after[1] if after[0] == "text" else ""
                yield pytest.param(code, village, printed, id=f"{page.parent.name}-{page.name}-{number}")


@pytest.mark.parametrize(("code", "village", "printed"), list(examples()))
def test_an_example_prints_what_is_shown(tmp_path, code, village, printed):
    """Line by line, with the file beside it that the page shows."""
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    (tmp_path / "village.toml").write_text(village, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script], capture_output=True, text=True, timeout=100, cwd=tmp_path
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == printed


def test_importing_the_package_imports_none_of_it():
    """Its trace points are found without the runtime being loaded."""
    heavy = ("dam_beliefs.", "pluggy", "rpds")
    shown = f"import dam_beliefs, sys; print([name for name in sys.modules if name.startswith({heavy})])"
    printed = subprocess.run(
        [sys.executable, "-S", "-c", shown], capture_output=True, text=True, timeout=60, cwd=ROOT / "plugins/beliefs"
    )
    assert (printed.stdout, printed.stderr) == ("[]\n", "")


def test_every_public_name_is_there():
    """Though each is imported only when it is asked for."""
    assert [name for name in dam_beliefs.__all__ if getattr(dam_beliefs, name, None) is None] == []
    assert set(dam_beliefs.__all__) <= set(dir(dam_beliefs))
    with pytest.raises(AttributeError, match="has no attribute 'Beleif'"):
        _ = dam_beliefs.Beleif


def test_one_module_knows_dam_obs():
    """And it imports it when it is asked for something only."""
    package = ROOT / "plugins" / "beliefs" / "dam_beliefs"
    knowing = [
        path.name
        for path in package.rglob("*.py")
        if re.search(r"^\s*(from|import) dam_obs", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]
    assert knowing == []
