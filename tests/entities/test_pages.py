"""The README and the pages of the guide: what they show is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import dam_entities
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "plugins" / "entities" / "README.md", *sorted((ROOT / "docs" / "entities").glob("*.md"))]


def examples():
    """Yield each program of a page with what the page says it prints, where it says so."""
    for page in PAGES:
        blocks = re.findall(r"```(\w+)\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for number, (language, code) in enumerate(blocks):
            if language == "python":
                after = blocks[number + 1] if number + 1 < len(blocks) else ("", "")
                printed = after[1] if after[0] == "text" else None
                yield pytest.param(code, printed, id=f"{page.parent.name}-{page.name}-{number}")


@pytest.mark.parametrize(("code", "printed"), list(examples()))
def test_an_example_prints_what_is_shown(tmp_path, code, printed):
    """Line by line; where the page shows it beside the code, too."""
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script], capture_output=True, text=True, timeout=100, cwd=tmp_path
    )
    beside = re.findall(r"^(?:    )?print\(.*\)  # (.*)$", code, flags=re.MULTILINE)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (printed if printed is not None else "".join(f"{line}\n" for line in beside))


def test_importing_the_package_imports_none_of_it():
    """Its trace points are found without the runtime being loaded."""
    heavy = ("dam_entities.", "pydantic", "pluggy", "rpds")
    shown = f"import dam_entities, sys; print([name for name in sys.modules if name.startswith({heavy})])"
    printed = subprocess.run(
        [sys.executable, "-S", "-c", shown], capture_output=True, text=True, timeout=60, cwd=ROOT / "plugins/entities"
    )
    assert (printed.stdout, printed.stderr) == ("[]\n", "")


def test_every_public_name_is_there():
    """Though each is imported only when it is asked for."""
    assert [name for name in dam_entities.__all__ if getattr(dam_entities, name, None) is None] == []
    assert set(dam_entities.__all__) <= set(dir(dam_entities))
    with pytest.raises(AttributeError, match="has no attribute 'Entty'"):
        _ = dam_entities.Entty


def test_one_module_knows_dam_obs():
    """And it imports it when it is asked for something only."""
    package = ROOT / "plugins" / "entities" / "dam_entities"
    knowing = [
        path.name
        for path in package.rglob("*.py")
        if re.search(r"^\s*(from|import) dam_obs", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]
    assert knowing == ["observability.py"]
