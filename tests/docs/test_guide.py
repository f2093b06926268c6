"""The guide: what is made from the code is whole, and its examples hold."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dam_obs import hookspecs
from dam_obs.cli.builtin import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *DOCS.glob("*.md"),
        *DOCS.glob("traits/*.md"),
        *DOCS.glob("hrm/*.md"),
        *DOCS.glob("entities/*.md"),
        *DOCS.glob("backends/*.md"),
    ]
)


@pytest.fixture(scope="module")
def generated():
    """The module that makes parts of the guide."""
    spec = importlib.util.spec_from_file_location("generated_pages", DOCS / "_ext" / "generated_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hooks():
    return [name for name, function in vars(hookspecs).items() if hasattr(function, "dam_obs_spec")]


@pytest.mark.parametrize("hook", hooks())
def test_every_hook_has_a_section_in_the_guide(generated, hook):
    """With its signature and its promise, as Markdown."""
    (section,) = [each for each in generated.hook_sections(hookspecs) if each.startswith(f"## {hook}\n")]

    promise = getattr(hookspecs, hook).__doc__.strip().splitlines()[0]
    assert f"```python\ndef {hook}(" in section
    assert promise.replace("``", "`").replace("*", "\\*") in section
    assert "``" not in re.sub(r"```.*?```", "", section, flags=re.DOTALL)


def test_arguments_and_results_of_hooks_are_lists_and_sentences(generated):
    """Not the indented blocks of a docstring."""
    (section,) = [each for each in generated.hook_sections(hookspecs) if each.startswith("## dam_obs_pool_for\n")]

    assert (
        section
        == """\
## dam_obs_pool_for

```python
def dam_obs_pool_for(resource: Resource) -> str | None: ...
```

Say which pool a touched resource belongs to.

Called while a run is diagnosed, never inside the observed program, once for each distinct resource.

**Arguments:**

- `resource`: A file, peer or process; `resource.bytes` is what went to and from it.

**Returns:** A pool path such as `"disk/read/nvme0n1"`, or `None` for no opinion. The first answer wins; the built-in \
rules are asked last.
"""
    )


@pytest.mark.parametrize("command", [name for name, _ in COMMANDS if importlib.util.find_spec(f"dam_obs.cli.{name}")])
def test_every_command_has_a_section_with_its_help(generated, command):
    """As the command itself prints it."""
    (section,) = [each for each in generated.command_sections() if each.startswith(f"## dam-obs {command}\n")]

    assert f"```text\nUsage: dam-obs {command} " in section
    assert "--help" in section


def test_the_tables_of_trace_points_say_what_the_files_say(generated):
    """Operation, moment, data with its meaning, and what blocks."""
    lines = "\n".join(generated.point_tables(generated.HRM / "trace_points")).splitlines()
    (consent,) = [line for line in lines if line.startswith("| `focus.consent_check`")]

    assert consent == (
        "| `focus.consent_check` | Does the user allow an operation within a scope? |"
        " `operation` What is to be done<br>"
        "`allowed` The user's answer, given now or before | `result.allowed` is `false` |"
    )
    assert sum(line.startswith("| `") for line in lines) == 21


def test_the_table_of_conventions_says_what_the_registry_says(generated):
    """Constants with their value, what is read with its meaning."""
    lines = list(generated.convention_table(generated.HRM / "conventions.toml"))

    assert lines[1] == (
        "| `system.turn` | `invoke_workflow`<br>The handle is `dam.id`. | merged | `gen_ai.operation.name` ="
        " `invoke_workflow`<br>`gen_ai.workflow.name` = `dam_hrm.turn`<br>"
        "`gen_ai.conversation.id`: the session's name |"
    )


def test_generated_parts_are_written_once(generated, tmp_path):
    """A second build finds them as they were, and leaves them alone."""
    folder = tmp_path / "generated"
    generated.write_pages(folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    generated.write_pages(folder)

    assert sorted(before) == ["cli.md", "hooks.md", "hrm-conventions.md", "hrm-points.md"]
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_in_the_guide_hold(page):
    """Python parses; what a prompt shows is what Python answers."""
    text = page.read_text(encoding="utf-8")
    for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        ast.parse(code)

    shown = "\n".join(re.findall(r"```pycon\n(.*?)```", text, flags=re.DOTALL))
    test = doctest.DocTestParser().get_doctest(shown, {"__name__": "__main__"}, page.name, str(page), 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_tests_in_the_guide_pass(tmp_path):
    """Those of the page on testing, each block a file of its own, as somebody would copy it."""
    text = (DOCS / "testing.md").read_text(encoding="utf-8")
    blocks = [code for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL) if "def test_" in code]
    for number, code in enumerate(blocks):
        (tmp_path / f"test_block{number}.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, timeout=100,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert len(blocks) == 2
