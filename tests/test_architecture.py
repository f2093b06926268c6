"""The house's rules about who imports whom, held over every module of the package."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import dam_obs

PACKAGE = Path(dam_obs.__file__).parent
GROUND = {"errors", "text", "config", "hookspecs", "plugins"}
MAY_IMPORT = {
    "errors": set(),
    "text": set(),
    "config": GROUND,
    "hookspecs": GROUND,
    "plugins": GROUND,
    "trace": GROUND,
    "points": GROUND | {"trace"},
    "sinks": GROUND | {"trace"},
    "store": GROUND | {"trace"},
    "sample": GROUND | {"trace", "store"},
    "diagnose": GROUND | {"trace", "store", "sample"},
    "draft": GROUND | {"trace", "store", "diagnose"},
    "testing": GROUND | {"trace", "points", "sinks", "store", "sample", "diagnose"},
    "stats": {"cli"},
    "view": {"cli"},
    "cli": GROUND | {"trace", "points", "sinks", "store", "sample", "diagnose", "draft"},
}
"""Part of the package to the parts that it may import, besides itself. The data flows the same way."""

EXCEPTIONS = {
    ("config/load.py", "trace"),  # a wrong setting is counted as a fault
    ("plugins.py", "trace"),  # so is what a plugin does
    ("sample/tracer.py", "points"),  # which make the environment that observes a program
}
"""Where a part reaches out of its row, with the reason."""

HOST_SIDE = ("errors", "config", "hookspecs", "plugins", "trace", "points", "sinks")
ANALYSIS = {
    "altair", "click", "duckdb", "jinja2", "libcst", "llm", "matplotlib", "numpy", "openai", "pandas", "pyarrow",
    "pydantic", "rich", "ruff", "textual", "vl_convert",
}  # fmt: skip


def modules():
    """Yield each module's path within the package, and the part that it belongs to."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE)
        yield str(name), name.parts[0].removesuffix(".py")


def imports(path, *, runtime_only=True):
    """Yield the dotted names that a module imports anywhere in it, but for type checking."""
    tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
    skipped = set()
    if runtime_only:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                skipped.update(id(below) for child in node.body for below in ast.walk(child))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_parts_import_along_the_flow_of_data_only():
    """points -> trace -> sinks -> store -> diagnose -> draft, the ground floor below, the command line on top."""
    crossings = {
        (path, name.split(".")[1])
        for path, part in modules()
        if part != "__init__"
        for name in imports(path)
        if name.startswith("dam_obs.") and name.split(".")[1] in MAY_IMPORT
        if name.split(".")[1] not in MAY_IMPORT[part] | {part}
    }

    assert crossings == EXCEPTIONS


def test_every_part_has_its_row():
    """A new folder says where it stands."""
    assert {part for _, part in modules()} - {"__init__"} == set(MAY_IMPORT)


@pytest.mark.parametrize("part", HOST_SIDE)
def test_the_host_side_imports_no_analysis_library(part):
    """Nowhere in a module, not even inside a function."""
    found = {
        (path, name)
        for path, owner in modules()
        if owner == part
        for name in imports(path)
        if name.split(".")[0] in ANALYSIS
    }

    assert found == set()


def test_the_hook_contract_names_analysis_types_for_type_checkers_alone():
    """A plugin of the host side does not drag in what only an analysis needs."""
    assert not [name for name in imports("hookspecs.py") if name.startswith(("dam_obs.diagnose", "dam_obs.store"))]


USES = {
    "importing it": "import dam_obs",
    "recording to a file and the console": """
import dam_obs
dam_obs.configure(console=True)
with dam_obs.tracer.span("sys", "execute", "c", {"a": 1}): pass
dam_obs.flush()
""",
    "measuring, with a trace-point file, plugins watched and the fork": """
import os
import dam_obs
from dam_obs.config import load_settings
from dam_obs.points.activate import activate
activate(load_settings({"enabled": True, "measure": True}).settings)
import json
with dam_obs.tracer.span("sys", "execute", "c") as span: span.set_command({"size": 1})
if not os.fork(): os._exit(0)
os.wait()
dam_obs.flush()
""",
    "testing a program": "import dam_obs.testing",
}


@pytest.mark.parametrize("use", USES)
def test_a_program_loads_no_analysis_library(tmp_path, use):
    """Looked at in `sys.modules` of a process of its own, where all of them are installed."""
    (tmp_path / ".git").mkdir()
    program = f"{USES[use]}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    loaded = {name.split(".")[0] for name in json.loads(result.stdout.splitlines()[-1])}

    assert loaded & ANALYSIS == set()
    assert "dam_obs" in loaded
