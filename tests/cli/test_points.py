"""``dam-obs points``: what there is, what is wrong with it, and what it attached to."""

import json
import sys
from textwrap import dedent

import msgspec
import pytest

from dam_obs import plugins
from dam_obs.cli import main
from dam_obs.store.manifest import HostNote, Manifest, write_manifest
from dam_obs.store.runs import RunFolder
from dam_obs.trace.process import ProcessNote

POINTS = """
    [host]
    name = "demo"
    requires = "points_demo"
    [[points]]
    layer = "focus"
    operation = "gate_check"
    meaning = "A gate decides"
    [points.data.gate_type]
    type = "str"
    meaning = "Which gate"
    from = "args.gate"
    [points.data.tries]
    type = "int"
    meaning = "How often"
    [points.attributes]
    "openinference.span.kind" = "GUARDRAIL"
    "acme.gate" = { from = "args.gate", type = "str" }
    [[points.targets]]
    function = "points_demo:check"
    [[points.targets]]
    hook = "gate"
    project = "demo"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Start in a folder with a module and a trace-point file, without plugins."""
    (tmp_path / "demo.toml").write_text(dedent(POINTS))
    (tmp_path / "points_demo.py").write_text("def check(gate): pass\nREGISTRY = {'check': check}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAM_OBS_PLUGINS", "0")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "path", list(sys.path))
    plugins.forget()
    yield tmp_path
    plugins.forget()
    sys.modules.pop("points_demo", None)


def run(capsys, *arguments):
    """Return status, standard output and standard error."""
    status = main(["points", *map(str, arguments)])
    return status, *capsys.readouterr()


def test_list_shows_every_point(capsys):
    """One row a point, its targets below each other."""
    status, out, err = run(capsys, "list", "demo.toml")

    assert (status, err) == (0, "")
    assert [line.rstrip() for line in out.splitlines()] == [
        "Point             Meaning         Data              Targets            Host",
        "focus.gate_check  A gate decides  gate_type, tries  points_demo:check  demo",
        "                                                    demo::gate",
    ]


def test_list_as_json_says_all(capsys, folder):
    """For other programs: the same as data."""
    _, out, _ = run(capsys, "list", "--json", "demo.toml")

    assert json.loads(out) == [
        {
            "point": "focus.gate_check",
            "meaning": "A gate decides",
            "kind": "span",
            "level": "info",
            "data": [
                {"name": "gate_type", "type": "str", "meaning": "Which gate"},
                {"name": "tries", "type": "int", "meaning": "How often"},
            ],
            "attributes": {
                "openinference.span.kind": "GUARDRAIL",
                "acme.gate": {"from": "args.gate", "type": "str"},
            },
            "targets": ["points_demo:check", "demo::gate"],
            "host": "demo",
            "file": str(folder / "demo.toml"),
        }
    ]


def test_list_without_any_says_where_points_come_from(capsys):
    """An empty table would say nothing."""
    assert run(capsys, "list") == (
        0,
        "No trace points: install a plugin that brings some, or name a file (see docs/trace-points.md).\n",
        "",
    )


def test_check_finds_nothing_wrong_with_a_good_file(capsys):
    """It says what it looked at."""
    assert run(capsys, "check", "demo.toml") == (0, "demo.toml: 1 point with 2 targets, nothing wrong\n", "")


def test_check_names_targets_that_are_not_there(capsys, folder):
    """Every one, with status 2; also a path that can find nothing, and a module that does not import."""
    (folder / "points_broken.py").write_text("1 / 0")
    more = """
        [[points.targets]]
        function = "points_demo:chek"
        [[points.targets]]
        function = "points_nowhere:f"
        [[points.targets]]
        function = "points_broken:f"
    """
    (folder / "demo.toml").write_text(dedent(POINTS).replace("args.gate", "args.gat") + dedent(more))
    status, out, err = run(capsys, "check", "demo.toml")

    assert (status, err) == (2, "")
    assert out.splitlines() == [
        "demo.toml: focus.gate_check at points_demo:check, gate_type: args.gat: there is no parameter 'gat', only gate",
        "demo.toml: focus.gate_check at points_demo:check, acme.gate: args.gat: there is no parameter 'gat', only gate",
        "demo.toml: focus.gate_check at points_demo:chek: module points_demo has no chek",
        "demo.toml: focus.gate_check at points_nowhere:f: there is no module points_nowhere",
        (
            "demo.toml: focus.gate_check at points_broken:f: points_broken does not import "
            "(ZeroDivisionError: division by zero)"
        ),
    ]


def test_check_can_leave_the_code_alone(capsys, folder):
    """With ``--no-import`` only the file is looked at."""
    (folder / "points_demo.py").write_text("raise SystemExit")

    assert run(capsys, "check", "--no-import", "demo.toml")[0] == 0
    assert "points_demo" not in sys.modules


def test_check_does_not_look_for_targets_of_what_is_not_installed(capsys, folder):
    """A plugin's points for a host that is not here are not wrong."""
    (folder / "points_demo.py").unlink()

    assert run(capsys, "check", "demo.toml") == (
        0,
        (
            "demo.toml: targets not looked for, since points_demo is not installed here\n"
            "demo.toml: 1 point with 2 targets, nothing wrong\n"
        ),
        "",
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[host", "demo.toml: is not TOML: Expected ']' at the end of a table declaration (at end of document)"),
        (POINTS.replace("focus", "fokus"), "demo.toml:6 points.layer: unknown layer 'fokus'; did you mean 'focus'?"),
    ],
)
def test_check_names_what_is_wrong_in_a_file(capsys, folder, content, says):
    """The problems of the file come first, one a line."""
    (folder / "demo.toml").write_text(dedent(content))
    status, out, _ = run(capsys, "check", "--no-import", "demo.toml")

    assert (status, out.splitlines()[0]) == (2, says)


def write_events(folder, *metadata):
    """Write a trace of gate checks; one that is a string failed with that."""
    lines = []
    for number, data in enumerate(metadata):
        failed = isinstance(data, str)
        lines.append(
            {
                "trace_id": f"foc_1705180800_{number:04x}",
                "parent_id": None,
                "timestamp": "2026-01-13T14:00:00+00:00",
                "hrm_layer": "focus",
                "operation": "gate_check",
                "component": "gates.py",
                "input_summary": "",
                "output_summary": "",
                "duration_ms": 1,
                "status": "error" if failed else "success",
                "metadata": {"error": data} if failed else data,
            }
        )
    (folder / "trace.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ([{"gate_type": "a", "tries": 1}, {"gate_type": None, "tries": 2, "more": 3}], []),
        ([{"gate_type": "[redacted:token]", "tries": "[redacted:key]"}], []),
        (["failed"], []),
        (
            [{"gate_type": "a", "tries": 1}, {"tries": 1}, {"tries": 2}],
            ["focus.gate_check: 2 of 3 finished events carry no gate_type"],
        ),
        (
            [{"gate_type": 1, "tries": True}, {"gate_type": "a", "tries": 1.5}],
            [
                "focus.gate_check: in 1 of 2 events gate_type is int, not str",
                "focus.gate_check: in 1 of 2 events tries is bool, not int",
                "focus.gate_check: in 1 of 2 events tries is float, not int",
            ],
        ),
    ],
    ids=["good", "redacted", "failed", "absent", "of another type"],
)
def test_check_holds_events_to_what_was_promised(capsys, folder, metadata, says):
    """Every finished event carries each piece of data, of its type; what failed or was redacted is excused."""
    write_events(folder, *metadata)
    status, out, _ = run(capsys, "check", "--events", "trace.jsonl", "demo.toml")

    assert (status, [line for line in out.splitlines() if line.startswith("focus")]) == (2 if says else 0, says)


def test_attach_report_of_imports(capsys):
    """What attached, what waits, and which references go past it, for modules that are imported for it."""
    status, out, err = run(capsys, "attach-report", "--points", "demo.toml", "--import", "points_demo")

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "  1 attached",
        "    focus.gate_check at points_demo:check",
        "  0 not found",
        "  1 references that go past a point",
        "    points_demo:check is also held by points_demo.REGISTRY (dict)",
        "  0 waiting for their module to be imported",
        "  0 data that can never be read",
    ]


def test_attach_report_as_json(capsys):
    """The same as data."""
    _, out, _ = run(capsys, "attach-report", "--json", "--points", "demo.toml", "--import", "points_demo")

    assert json.loads(out) == {
        "attached": [{"point": "focus.gate_check", "target": "points_demo:check", "state": "attached", "says": ""}],
        "missing": [],
        "waiting": [],
        "unreadable": [],
        "escaped": ["points_demo:check is also held by points_demo.REGISTRY (dict)"],
    }


def test_attach_report_of_a_module_that_does_not_import(capsys, folder):
    """One line, status 2."""
    (folder / "points_demo.py").write_text("1 / 0")

    assert run(capsys, "attach-report", "--import", "points_demo") == (
        2,
        "",
        "dam-obs: error: --import points_demo: it does not import (ZeroDivisionError: division by zero)\n",
    )


@pytest.fixture
def a_run(folder):
    """Make a run folder with one process's note."""
    run_folder = RunFolder(folder / ".dam-obs" / "runs" / "r1")
    run_folder.processes.mkdir(parents=True)
    host = HostNote(python="3.11.7", implementation="CPython", kernel="Linux", machine="x86_64", cpus=2)
    manifest = Manifest(
        run_id="r1",
        dam_obs_version="0",
        versions={},
        started="2026-01-13T14:00:00+00:00",
        duration_ns=1,
        command="python",
        exit_status=0,
        host=host,
        settings={},
        privilege="",
        sampler=None,
        absent=[],
        complete=True,
    )
    write_manifest(run_folder, manifest)
    note = ProcessNote(
        pid=7,
        parent_pid=1,
        program="main.py",
        started_ns=1,
        points_attached=["a at b:c"],
        points_missing=["d at e:f: gone"],
        references_escaped=["b:c is also held by m.\x1b[31mc"],
    )
    (run_folder.processes / "7.json").write_bytes(msgspec.json.encode(note))
    return run_folder


def test_attach_report_of_a_run(capsys, a_run):
    """Without arguments the newest run's notes are told; control characters are shown, not obeyed."""
    assert run(capsys, "attach-report") == (
        0,
        (
            "main.py (process 7)\n"
            "  1 attached\n    a at b:c\n"
            "  1 not found\n    d at e:f: gone\n"
            "  1 references that go past a point\n    b:c is also held by m.\\x1b[31mc\n"
        ),
        "",
    )


def test_attach_report_of_a_plain_trace_says_what_to_do(capsys, folder):
    """A file of events does not say what was attached."""
    write_events(folder, {})

    assert run(capsys, "attach-report", "trace.jsonl") == (
        2,
        "",
        (
            f"dam-obs: error: {folder / 'trace.jsonl'} is no run folder, so it does not say what was attached: "
            "name one that `dam-obs diagnose` made, or use --import MODULE\n"
        ),
    )
