"""
Bad input: one line that says what is wrong, where and what to do next; exit status 2; nothing written before is lost.

The commands run as processes of their own, in a folder with one of everything that can be wrong.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from dam_obs.testing.faults import CannotMount, full_disk

EVENT = (
    '{"trace_id":"alt_1705180800_a3f2","parent_id":null,"timestamp":"2024-01-13T21:20:00+00:00","hrm_layer":"altitude",'
    '"operation":"transition","component":"altitude.py","input_summary":"L3","output_summary":"success",'
    '"duration_ms":5,"status":"success","metadata":{}}\n'
)
POINT = '[host]\nname = "x"\n[[points]]\nlayer = "{layer}"\noperation = "go"\nmeaning = "m"\n{more}\n'
GOOD_POINTS = POINT.format(layer="altitude", more='[[points.targets]]\nfunction = "json:dumps"')

FILES = {
    "good.jsonl": EVENT,
    "torn.jsonl": EVENT + EVENT[:40],
    "garbage.jsonl": EVENT + 'no json\n[1, 2]\n{"trace_id": 5}\n\n' + EVENT,
    "binary.jsonl": bytes(range(256)) * 20,
    "empty.jsonl": "",
    "good.toml": GOOD_POINTS,
    "malformed.toml": "[host\nname=",
    "binary.toml": b"\xff\xfe\x00",
    "layer.toml": POINT.format(layer="altitute", more=""),
    "key.toml": POINT.format(layer="altitude", more="targetz = 1"),
    "function.toml": GOOD_POINTS.replace("json:dumps", "json:dumbs"),
    "module.toml": GOOD_POINTS.replace("json:dumps", "no_such_module:f"),
    "empty_folder/.keep": "",
    "run_without_events/manifest.json": '{"run_id": "r", "started_ns": 1, "dam_obs": "0"}',
    "run_with_broken_manifest/manifest.json": "{",
    "run_with_broken_manifest/trace.jsonl": EVENT,
    "run_with_broken_report/report.json": '{"schema_version": 99}',
    "run_with_broken_report/manifest.json": "{}",
    ".dam-obs/runs/without_samples/trace.jsonl": EVENT,
    "unknown_setting/dam-obs.toml": '\nlevl = "warn"\n',
    "wrong_setting/dam-obs.toml": 'level = "loud"\n',
    "malformed_setting/dam-obs.toml": "[[[",
    "not_a_program": "data",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make a folder with one of everything."""
    root = tmp_path_factory.mktemp("bad")
    (root / ".git").mkdir()  # so that no settings from further up count
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def dam_obs(folder, *arguments, prelude="", **variables):
    """Run the command line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "DOPEJAR", "OTEL"))}
    code = f"{prelude}\nimport sys; from dam_obs.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True, text=True, timeout=90, cwd=folder, env={**kept, "COLUMNS": "200", **variables},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def contents(folder):
    """Return what all files hold."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


PY = (sys.executable, "-c", "print('ran')")

ERRORS = [
    # what is typed, what the one line says
    (["veiw"], r"there is no command 'veiw'; did you mean `dam-obs view`\?"),
    (["view", "--lst", "3"], r"No such option '--lst'.* \(see `dam-obs view --help`\)"),
    (["view", "--last", "0"], r"0 is not in the range"),
    (["view", "good.jsonl", "--hrm", "altitute"], r"unknown layer 'altitute': did you mean altitude\?"),
    (["view", "good.jsonl", "--trace-id", "nothing"], r"good.jsonl .* nothing with the id 'nothing': give a handle"),
    *(
        ([command, name], r"binary\.jsonl is not a trace: it is a binary file; give a trace.jsonl or a run folder")
        for command, name in [("view", "binary.jsonl"), ("stats", "binary.jsonl")]
    ),
    *(
        ([command, name], r"no trace at.* make one with `dam-obs run -- COMMAND`")
        for command in ("view", "stats", "report", "draft")
        for name in ("empty_folder", "nothing_of_that_name")
    ),
    *(([command, "run_without_events"], r"no trace at .*run_without_events") for command in ("view", "stats")),
    (["report", "good.jsonl"], r"good.jsonl is in no run folder: .*`dam-obs diagnose -- COMMAND`"),
    (["report", "run_with_broken_manifest"], r"manifest.json cannot be read .* remove it to go on"),
    (["draft", "run_with_broken_report"], r"report.json is not a report of this version of dam-obs"),
    (["draft", ".dam-obs/runs/without_samples"], r"report.json is not there: make it with `dam-obs report"),
    (["points", "attach-report", "good.jsonl"], r"good.jsonl is no run folder.* use --import MODULE"),
    (["points", "attach-report", "--import", "no_such_module"], r"it does not import \(ModuleNotFoundError"),
    *(
        ([*command, "--points", file, "--", *PY], pattern)
        for command in (["run"], ["diagnose"])
        for file, pattern in [
            ("malformed.toml", r"malformed.toml:1: is not TOML"),
            ("layer.toml", r"layer.toml:4 points.layer: unknown layer 'altitute'; did you mean 'altitude'\?"),
            ("key.toml", r"key.toml:7 points.targetz: unknown key; did you mean 'targets'\?"),
            ("binary.toml", r"binary.toml: cannot be read \(it is not UTF-8\)"),
            ("missing.toml", r"missing.toml.*(No such file|does not exist)"),
        ]
    ),
    (["points", "list", "layer.toml"], r"layer.toml:4 points.layer: unknown layer"),
    (["run"], r"Missing argument '-- COMMAND"),
    (["diagnose"], r"say what to measure: a command after --, or --pid"),
    (["diagnose", "--pid", "1"], r"--pid needs --duration"),
    (["diagnose", "--pid", "99999999", "--duration", "1"], r"there is no process 99999999"),
    (["diagnose", "--out", "run_with_broken_manifest", "--", *PY], r"is not an empty folder: name another with --out"),
    (["run", "--output", ".", "--", *PY], r"'\.' is a directory"),
]


# All of them in one go: importing what a command needs takes ten times as long as refusing to do it.
TYPE_ALL = """
import json, os, sys, tempfile, traceback
from pathlib import Path
import dam_obs.cli.diagnose, dam_obs.cli.draft, dam_obs.cli.report, dam_obs.cli.stats, dam_obs.cli.view
import dam_obs.diagnose.build, dam_obs.diagnose.page, dam_obs.draft.write
from dam_obs.cli import main

def contents():
    return {path: path.read_bytes() for path in sorted(Path.cwd().rglob("*")) if path.is_file()}

def typed_alone(arguments, outputs):
    for number, output in zip((1, 2), outputs):
        os.dup2(output.fileno(), number)
    status = 70
    try:
        status = main(arguments)
    except SystemExit as error:
        status = error.code
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

before = contents()
answers = []
for arguments in json.load(sys.stdin):
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if not child:
            typed_alone(arguments, (out, err))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = [output.seek(0) or output.read() for output in (out, err)]
        answers.append([status, *texts, contents() == before])
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers(folder):
    """Type all of the table, each in its process; return status, both outputs, and whether all files are as before."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "DOPEJAR", "OTEL"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning", "-c", TYPE_ALL],
        input=json.dumps([typed for typed, _ in ERRORS]),
        capture_output=True, text=True, timeout=300, cwd=folder, env={**kept, "COLUMNS": "200"}, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", range(len(ERRORS)), ids=[" ".join(typed[:4]) for typed, _ in ERRORS])
@pytest.mark.timeout(320)
def test_one_line_and_status_2(answers, number):
    """What is wrong, where, and the way out; the program is not started, and no file is changed."""
    _, says = ERRORS[number]
    status, out, err, is_unchanged = answers[number]

    assert (status, out, is_unchanged) == (2, "", True)
    assert re.fullmatch(rf"dam-obs: error: .*{says}.*\n", err), err


def test_as_a_process_of_its_own(folder):
    """The table's commands are typed into a copy of one process; this one is not."""
    result = dam_obs(folder, "report", "good.jsonl")

    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(r"dam-obs: error: .*good.jsonl is in no run folder: .*\n", result.stderr)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("run", "there is no program no_such_program: give its path, or look at PATH"),
        ("diagnose", "no_such_program: command not found; give a program on PATH or the path of one after --"),
    ],
)
def test_command_not_found(folder, command, says):
    """Status 127, as a shell has it, and no run folder is left behind."""
    before = contents(folder)
    result = dam_obs(folder, command, "--", "no_such_program")

    assert (result.returncode, result.stdout, result.stderr) == (127, "", f"dam-obs: error: {says}\n")
    assert contents(folder) == before


@pytest.mark.parametrize("command", ["run", "diagnose"])
def test_command_that_is_no_program(folder, command):
    """Status 126."""
    result = dam_obs(folder, command, "--", "./not_a_program")

    assert (result.returncode, result.stdout) == (126, "")
    assert re.fullmatch(r"dam-obs: error: ./not_a_program cannot be run .*\n", result.stderr)


@pytest.mark.parametrize("command", ["run", "diagnose"])
@pytest.mark.parametrize(
    ("where", "variables", "says"),
    [
        ("unknown_setting", {}, r"dam-obs.toml:2 levl: unknown setting; did you mean level\?"),
        ("wrong_setting", {}, r"dam-obs.toml:1 level: must be one of debug, info, warn, not 'loud'"),
        ("malformed_setting", {}, r"dam-obs.toml:1: is not TOML"),
        (".", {"DAM_OBS_LEVL": "warn"}, r"DAM_OBS_LEVL: unknown setting; did you mean DAM_OBS_LEVEL\?"),
        (".", {"DAM_OBS_FLUSH_INTERVAL": "x"}, r"DAM_OBS_FLUSH_INTERVAL: must be a number from 0.001 to 60, not 'x'"),
    ],
)
def test_settings(folder, command, where, variables, says):
    """A command that records stops at settings that are wrong, and says so once."""
    result = dam_obs(folder / where, command, "--", *PY, **variables)

    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(rf"dam-obs: error: .*{says}.*\n", result.stderr), result.stderr


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("malformed.toml", r"malformed.toml:1: is not TOML"),
        ("layer.toml", r"layer.toml:4 points.layer: unknown layer"),
        ("function.toml", r"altitude.go at json:dumbs: module json has no dumbs"),
        ("module.toml", r"altitude.go at no_such_module:f: there is no module no_such_module"),
        ("missing.toml", r"missing.toml: cannot be read"),
    ],
)
def test_points_check(folder, file, says):
    """What is checked is reported line by line on standard output; the files that are right are named, too."""
    result = dam_obs(folder, "points", "check", "good.toml", file)

    assert (result.returncode, result.stderr) == (2, "")
    good, bad = result.stdout.splitlines()
    assert good == "good.toml: 1 point with 1 target, nothing wrong"
    assert re.match(rf"\S*{says}|{file}: {says}", bad), bad


@pytest.mark.parametrize(
    ("file", "events", "skipped"), [("torn.jsonl", 1, 1), ("garbage.jsonl", 2, 3), ("good.jsonl", 1, 0)]
)
def test_lines_without_an_event_are_skipped_and_said(folder, file, events, skipped):
    """What can be read is shown; how much was not is one line on standard error."""
    viewed = dam_obs(folder, "view", file, "--jsonl")
    summed = dam_obs(folder, "stats", file)

    assert (viewed.returncode, summed.returncode) == (0, 0)
    assert len([json.loads(line) for line in viewed.stdout.splitlines()]) == events
    said = f"Skipped {skipped} line" if skipped else ""
    assert viewed.stderr.startswith(said)
    assert viewed.stderr.count("\n") == summed.stderr.count("\n") == (1 if skipped else 0)


@pytest.mark.parametrize("command", ["view", "stats"])
def test_a_trace_without_events(folder, command):
    """Nothing is wrong with it, and that is said."""
    result = dam_obs(folder, command, "empty.jsonl")

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "empty.jsonl holds no events yet.\n")


def test_a_run_without_samples_is_reported(folder, tmp_path):
    """From its events alone; what is not there is named as absent."""
    shutil.copytree(folder, tmp_path / "copy")
    result = dam_obs(tmp_path / "copy", "report", ".dam-obs/runs/without_samples")

    assert (result.returncode, result.stderr) == (0, "")
    report = json.loads((tmp_path / "copy/.dam-obs/runs/without_samples/report.json").read_text())
    assert {"stacks"} <= {each["evidence"] for each in report["quality"]["absent"]}
    assert [each["executions"] for each in report["systems"]] == [1]


NO_PYSPY = "import dam_obs.sample.pyspy as it, pathlib; it.SCRIPTS = pathlib.Path('/nowhere')"


@pytest.mark.slow
def test_py_spy_missing(folder, tmp_path):
    """The program is measured all the same, its own status is passed on, and the report says what is missing."""
    (tmp_path / ".git").mkdir()
    program = [sys.executable, "-c", "import json; print(json.dumps(1)); raise SystemExit(3)"]
    result = dam_obs(
        tmp_path, "diagnose", "--out", "run", "--points", str(folder / "good.toml"), "--", *program,
        prelude=NO_PYSPY, PATH="/nowhere",
    )  # fmt: skip

    assert (result.returncode, result.stdout) == (3, "1\n")
    assert "pip install 'dam-obs[cli]', or py-spy by itself" in result.stderr
    report = json.loads((tmp_path / "run/report.json").read_text())
    assert [each["executions"] for each in report["systems"]] == [1]
    assert [each["remedy"] for each in report["quality"]["absent"] if each["evidence"] == "stacks"] == [
        "pip install 'dam-obs[cli]', or py-spy by itself"
    ]


@pytest.fixture
def disk(tmp_path):
    """Make a small disk."""
    try:
        with full_disk(tmp_path / "disk", free_bytes=64 * 1024) as made:
            yield made
    except CannotMount as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_a_disk_that_is_full_from_the_start(disk):
    """The program is not started, and it is said what to do."""
    (disk / "filling").write_bytes(bytes(64 * 1024))
    result = dam_obs(disk, "diagnose", "--", *PY)

    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(r"dam-obs: error: .*No space left.*--out\n", result.stderr)


@pytest.mark.slow
def test_a_disk_that_runs_full_meanwhile(folder, disk):
    """The program does not notice; the one line at the end says how to make the report once there is room."""
    program = [
        sys.executable,
        "-c",
        "import json\nfor n in range(3000): json.dumps(n)\nprint('ran'); raise SystemExit(3)",
    ]
    result = dam_obs(disk, "diagnose", "--points", str(folder / "good.toml"), "--no-stacks", "--", *program)
    told = [line for line in result.stderr.splitlines() if line.startswith("dam-obs: error:")]

    assert (result.returncode, result.stdout) == (3, "ran\n")
    assert "Traceback" not in result.stderr
    assert len(told) == 1
    (again,) = re.findall(r"`dam-obs (report \S+)`", told[0])

    (disk / "ballast").unlink()
    mended = dam_obs(disk, *again.split())
    assert (mended.returncode, mended.stderr) == (0, "")
