"""``dam-obs run``: real programs, as they are, with what they did in a file."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

BIN = Path(sys.executable).parent
RUN = [str(BIN / "dam-obs"), "run"]


@pytest.fixture
def shell(tmp_path):
    """Run a command in a folder of its own, with nothing of dam-obs set."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "OTEL", "PYTEST"))}
    environ |= {"COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*command, **options):
        return subprocess.run(
            [str(each) for each in command],
            cwd=tmp_path,
            env={**environ, **options.pop("environ", {})},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            **options,
        )

    return run


def events(folder):
    return [json.loads(line) for line in (folder / "trace.jsonl").read_text().splitlines()]


def parents(folder):
    """Return pairs of an event's and its parent's operation, each once."""
    recorded = events(folder)
    operation = {event["trace_id"]: event["operation"] for event in recorded}
    return {(event["operation"], operation.get(event["parent_id"])) for event in recorded}


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        (["sh", "-c", "exit 7"], 7, ""),
        (["sh", "-c", "kill -TERM $$"], -signal.SIGTERM, ""),
        (["no-such-program"], 127, "there is no program no-such-program: give its path, or look at PATH"),
        (
            ["./script.py"],
            126,
            "./script.py cannot be run (Permission denied): for a Python script, write `-- python ./script.py`",
        ),
        (["./script.py/x"], 127, "there is no program ./script.py/x: give its path, or look at PATH"),
        (["./empty"], 126, "./empty cannot be run (Exec format error): for a Python script, write `-- python ./empty`"),
    ],
)
def test_the_status_is_the_commands_own(shell, tmp_path, command, status, says):
    """A command that ran gives its status or signal; one that cannot run gives a shell's status and one line."""
    (tmp_path / "script.py").write_text("")
    (tmp_path / "empty").touch(mode=0o755)
    done = shell(*RUN, "--", *command)

    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr == (f"dam-obs: error: {says}\n" if says else "")


def test_the_commands_own_options_stay_its_own(shell):
    """After the command's name nothing is ours, with or without ``--``."""
    done = shell(*RUN, sys.executable, "-c", "import sys; print(sys.argv)", "--trace", "--", "--output", "x")

    assert done.stdout == "['-c', '--trace', '--', '--output', 'x']\n"


HOST = """
    import pluggy
    manager = pluggy.PluginManager("host")
    class Plugin:
        @pluggy.HookimplMarker("host")
        def greet(self): print("hello")
    manager.register(Plugin(), "plugin")
    manager.hook.greet()
"""


def test_trace_prints_the_tree_and_output_names_the_file(shell, tmp_path):
    """The tree goes to standard error, so that the program's output stays its own."""
    (tmp_path / "host.py").write_text(dedent(HOST))
    done = shell(*RUN, "--trace", "--output", "there.jsonl", "--", sys.executable, "host.py")

    assert (done.stdout, done.returncode) == ("hello\n", 0)
    assert re.fullmatch(r"\[sys\] greet: success \(\d+ms\)\n", done.stderr)
    assert [json.loads(line)["operation"] for line in (tmp_path / "there.jsonl").read_text().splitlines()] == ["greet"]


def test_a_trace_point_file_that_is_wrong_stops_before_the_program(shell, tmp_path):
    """One line with file, line and key, and status 2; nothing has run."""
    (tmp_path / "wrong.toml").write_text(
        '[host]\nname = "x"\n[[points]]\nlayer = "focsu"\noperation="a"\nmeaning="m"\n'
    )
    done = shell(*RUN, "--points", "wrong.toml", "--", "touch", "ran")

    assert (done.returncode, done.stderr) == (
        2,
        "dam-obs: error: wrong.toml:4 points.layer: unknown layer 'focsu'; did you mean 'focus'?\n",
    )
    assert not (tmp_path / "ran").exists()


def test_points_on_the_command_line_come_beside_those_of_the_settings(shell, tmp_path):
    """An option adds a file; the ones that the project has stay."""
    for name in ("one", "two"):
        point = f'layer = "system"\noperation = "{name}"\nmeaning = "m"\ntargets = [{{ function = "job:{name}" }}]\n'
        (tmp_path / f"{name}.toml").write_text(f'[host]\nname = "x"\n[[points]]\n{point}')
    (tmp_path / "dam-obs.toml").write_text('points = ["one.toml"]\n')
    (tmp_path / "job.py").write_text("def one(): pass\ndef two(): one()\n")
    (tmp_path / "main.py").write_text("import job; job.two()\n")
    shell(*RUN, "--points", "two.toml", "--", sys.executable, "main.py")

    assert parents(tmp_path) == {("one", "two"), ("two", None)}


SUITE = """
    import pytest

    @pytest.fixture
    def number(): return 3

    @pytest.mark.parametrize("n", [1, 2])
    def test_good(n, number): assert n < number
    def test_bad(): assert 0
    @pytest.mark.skip
    def test_skipped(): pass
"""


def same_but_for_time(text):
    return re.sub(r"\d+\.\d+s", "0.00s", text)


def test_pytest_is_unchanged_and_its_hooks_nest(shell, tmp_path):
    """A suite with a failure: the same report and status; each phase of a test under its protocol."""
    (tmp_path / "test_suite.py").write_text(dedent(SUITE))
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "test_suite.py"]
    environ = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    bare = shell(*command, environ=environ)
    observed = shell(*RUN, "--", *command, environ=environ)

    assert (observed.returncode, bare.returncode) == (1, 1)
    assert same_but_for_time(observed.stdout) == same_but_for_time(bare.stdout)
    assert observed.stderr == bare.stderr
    assert parents(tmp_path) >= {
        ("pytest_cmdline_main", None),
        ("pytest_collection", "pytest_cmdline_main"),
        ("pytest_runtestloop", "pytest_cmdline_main"),
        ("pytest_runtest_protocol", "pytest_runtestloop"),
        ("pytest_runtest_setup", "pytest_runtest_protocol"),
        ("pytest_fixture_setup", "pytest_runtest_setup"),
        ("pytest_runtest_call", "pytest_runtest_protocol"),
        ("pytest_pyfunc_call", "pytest_runtest_call"),
        ("pytest_runtest_teardown", "pytest_runtest_protocol"),
        ("pytest_terminal_summary", "pytest_sessionfinish"),
    }
    calls = [event["status"] for event in events(tmp_path) if event["operation"] == "pytest_pyfunc_call"]
    assert calls == ["success", "success", "error"]


DATASETTE_POINTS = """
    [host]
    name = "datasette"
    requires = "datasette"
    [[points]]
    layer = "focus"
    operation = "consent_check"
    meaning = "May the actor do this?"
    input = "args.action"
    output = "result"
    [points.blocked]
    path = "result"
    equals = false
    [points.data.operation]
    type = "str"
    meaning = "What is to be done"
    from = "args.action"
    [[points.targets]]
    function = "datasette.app:Datasette.permission_allowed"
    [[points]]
    layer = "system"
    operation = "request"
    meaning = "One request"
    [[points.targets]]
    function = "datasette.app:DatasetteRouter.route_path"
"""


@pytest.mark.parametrize(
    "path",
    [
        "/data/t.json?_shape=array",
        pytest.param("/", marks=pytest.mark.slow),
        pytest.param("/nowhere", marks=pytest.mark.slow),
    ],
)
def test_datasette_is_unchanged_and_its_hooks_nest(shell, tmp_path, path):
    """An async host in which hooks are called from coroutines: the same page and status, hooks under what asked."""
    pytest.importorskip("datasette")
    (tmp_path / "points.toml").write_text(dedent(DATASETTE_POINTS))
    with sqlite3.connect(tmp_path / "data.db") as database:
        database.execute("create table t (a, b)")
        database.executemany("insert into t values (?, ?)", [(number, f"n{number}") for number in range(10)])
    database.close()
    command = [BIN / "datasette", "--get", path, "data.db"]
    bare = shell(*command)
    observed = shell(*RUN, "--points", "points.toml", "--", *command)

    def shown(done):  # a page may show times and addresses of objects
        return re.sub(r"0x[0-9a-f]+|\d+\.\d+ ?ms", "…", done.stdout), done.stderr, done.returncode

    assert shown(observed) == shown(bare)
    assert parents(tmp_path) >= {("request", None), ("publish_subcommand", None), ("actor_from_request", "request")}
    if path != "/nowhere":
        assert ("permission_allowed", "consent_check") in parents(tmp_path)
        assert {event["metadata"]["operation"] for event in events(tmp_path) if event["operation"] == "consent_check"}
