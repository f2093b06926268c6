"""What is committed is what the trace-point files give."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from dam_obs.points.load import load_file
from dashboards.points import read_layers

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "dashboards" / "generated"


def build(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "dashboards.build", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_committed_dashboards_are_fresh():
    """The generator, run now, gives the very bytes that are committed."""
    done = build("--check")

    assert (done.returncode, done.stderr) == (0, "")


def test_stale_files_are_named(tmp_path):
    """A file that was edited, one that is missing and one that nothing makes are each named, and no other."""
    folder = shutil.copytree(GENERATED, tmp_path / "generated")
    edited = folder / "dam-obs-overview.json"
    edited.write_text(edited.read_text().replace("1h", "2h"))
    (folder / "dam-obs-layers.json").unlink()
    (folder / "mine.json").write_text("{}")

    done = build("--check", "--folder", folder)

    assert done.returncode == 1
    assert [line.split()[0] for line in done.stderr.splitlines()] == [
        "dam-obs-layers.json",
        "dam-obs-overview.json",
        "mine.json",
    ]


def test_build_mends_what_check_names(tmp_path):
    """After it ran, nothing is stale."""
    folder = shutil.copytree(GENERATED, tmp_path / "generated")
    (folder / "dam-obs-layers.json").unlink()
    (folder / "mine.json").write_text("{}")
    assert build("--folder", folder).returncode == 0

    assert build("--check", "--folder", folder).returncode == 0


def test_every_operation_of_a_trace_point_file_is_explained():
    """The page of layers has a row for each layer, and in it each operation with its meaning."""
    page = json.loads((GENERATED / "dam-obs-layers.json").read_text())
    text = "\n".join(each["options"]["content"] for each in page["panels"] if each["type"] == "text")
    rows = [each["title"].lower() for each in page["panels"] if each["type"] == "row"]

    assert rows == [each.name for each in read_layers()]
    for path in ROOT.glob("plugins/*/dam_*/trace_points/*.toml"):
        for point in load_file(path).points:
            assert f"| `{point.operation}` |" in text, point.name


def test_a_point_that_is_added_is_on_the_page(tmp_path):
    """Nobody edits a dashboard for a new operation: it comes from the file."""
    folder = tmp_path / "plugins" / "mine" / "dam_mine" / "trace_points"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text(
        """
        [host]
        name = "mine"

        [[points]]
        layer = "focus"
        operation = "blink"
        meaning = "Eyes are shut"
        blocked = { path = "result", equals = false }
        targets = [{ function = "mine:blink" }]
        """
    )
    (layer,) = read_layers(tmp_path)

    assert (layer.name, layer.only(blocked=True), layer.operations[0].meaning) == ("focus", ("blink",), "Eyes are shut")
