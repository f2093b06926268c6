"""What importing dam-obs loads: as little as can be. How long that takes is `benchmarks/import_cost.py`'s to say."""

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

OPENTELEMETRY = "import opentelemetry.trace, opentelemetry.context, opentelemetry.sdk.trace.sampling"
OURS = {"dam_obs", "msgspec", "pluggy"}
COSTLY = {
    "asyncio", "email", "google", "grpc", "http", "multiprocessing", "opentelemetry.exporter", "requests", "ssl",
    "tomllib", "unittest", "urllib3", "wrapt", "xml", "yaml",
}  # fmt: skip
"""Libraries, ours to use and the standard one's, that take milliseconds and that not every program needs."""


def loaded(statement, folder):
    """Return the modules that are loaded after a statement in a new interpreter, installed plugins left aside."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    environ = {**os.environ, "DAM_OBS_PLUGINS_OFF": ",".join(each.name for each in entry_points(group="dam_obs"))}
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=folder, env=environ
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


@pytest.fixture
def folder(tmp_path):
    """Make a project without settings."""
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_an_import_loads_opentelemetry_two_small_libraries_and_the_recording_part(folder):
    """Nothing of ours but recording and settings; neither sinks nor trace points."""
    before = loaded(OPENTELEMETRY, folder)
    added = loaded("import dam_obs", folder) - before

    from_outside = {name.split(".")[0] for name in added if name.split(".")[0] not in sys.stdlib_module_names}
    parts = {name.split(".")[1] for name in added if name.startswith("dam_obs.")}
    assert from_outside == OURS
    assert parts == {"config", "errors", "hookspecs", "plugins", "trace"}


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        ("import dam_obs", set()),
        ("import dam_obs; dam_obs.configure()", {"email"}),  # `importlib.metadata` reads plugins by it
        ("import dam_obs.points.activate", {"asyncio", "email", "ssl", "tomllib", "wrapt"}),
    ],
    ids=["import", "configure", "run"],
)
def test_nothing_costly_is_loaded_before_it_is_needed(folder, statement, may):
    """Neither by the import, nor by switching recording on, nor by what `dam-obs run` brings into a program."""
    before = loaded(OPENTELEMETRY, folder)
    added = loaded(statement, folder) - before
    costly = {each for each in COSTLY for name in added if name == each or name.startswith(f"{each}.")}

    assert costly <= may
