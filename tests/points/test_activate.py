"""Programs are observed from outside: real processes, with nothing of dam-obs in them."""

import json
import os
import subprocess
import sys
import threading
import venv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pluggy
import pytest

from dam_obs.config import Origin, Settings
from dam_obs.points.activate import AUTORUN, activate, active, deactivate, environment

POINTS = """
    [host]
    name = "job"
    [[points]]
    layer = "system"
    operation = "execute"
    meaning = "Some work"
    input = "args.name"
    [[points.targets]]
    function = "job:outer"
    [[points.targets]]
    function = "job:inner"
    [[points.targets]]
    function = "job:nothing"
"""

JOB = """
    import asyncio, multiprocessing, os, subprocess, sys
    from concurrent.futures import ThreadPoolExecutor

    def outer(name, work, *args): return work(*args)
    def inner(name): return name
    async def in_executor(loop_executor):
        return await asyncio.get_running_loop().run_in_executor(None, inner, "executor")
"""


@pytest.fixture
def program(tmp_path):
    """Write ``job.py``, a trace-point file for it and a program; run that observed or bare."""
    (tmp_path / "job.py").write_text(dedent(JOB))
    points = tmp_path / "job.toml"
    points.write_text(dedent(POINTS))

    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "OTEL"))}

    class Program:
        folder = tmp_path
        environ = clean
        settings = Settings(points=(points,), output=tmp_path / "trace.jsonl")

        def run(self, source, *, observed=True, python=sys.executable, **environ):
            (tmp_path / "main.py").write_text(dedent(source))
            given = {**self.environ, **environ}
            given = environment(self.settings, given) if observed else given
            return subprocess.run(
                [python, "main.py"], cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60, check=False
            )

        def events(self):
            trace = tmp_path / "trace.jsonl"
            return [json.loads(line) for line in trace.read_text().splitlines()] if trace.exists() else []

        def by_input(self):
            """Return each event's parent's input by its own input."""
            inputs = {event["trace_id"]: event["input_summary"] for event in self.events()}
            return {event["input_summary"]: inputs.get(event["parent_id"]) for event in self.events()}

    return Program()


def test_the_environment_puts_us_first_and_leaves_the_rest(tmp_path):
    """The user's own folders follow, once; an empty element, which means the current folder, is not added."""
    given = {"PYTHONPATH": f"/a::{AUTORUN}:/b", "OTEL_SERVICE_NAME": "mine", "HOME": "/h"}

    made = environment(Settings(output=tmp_path / "t.jsonl"), given)

    assert made == {
        "PYTHONPATH": f"{AUTORUN}:/a:/b",
        "OTEL_SERVICE_NAME": "mine",
        "HOME": "/h",
        "DAM_OBS_ENABLED": "1",
        "DAM_OBS_OUTPUT": f"{tmp_path}/t.jsonl",
    }
    assert environment(Settings(), {})["PYTHONPATH"] == str(AUTORUN)


def test_what_was_set_to_its_default_is_handed_on_too():
    """Otherwise a settings file that the child reads would win over an option."""
    made = environment(Settings(), {}, {"console": Origin("argument", "--no-console")})

    assert made["DAM_OBS_CONSOLE"] == "0"


def test_the_folder_on_the_path_holds_nothing_else():
    """Whatever stood beside it could be imported by any program by accident."""
    assert [path.name for path in AUTORUN.iterdir() if path.name != "__pycache__"] == ["sitecustomize.py"]


def test_a_program_without_dam_obs_is_observed(program):
    """Functions that a trace-point file names, and hooks of every manager, nested as they were called."""
    done = program.run("""
        import job, pluggy
        manager = pluggy.PluginManager("host")
        class Plugin:
            @pluggy.HookimplMarker("host")
            def work(self): return job.inner("in hook")
        manager.register(Plugin(), "plugin")
        job.outer("outer", manager.hook.work)
        print("done")
    """)
    inner, hook, outer = program.events()

    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)
    assert [event["operation"] for event in (inner, hook, outer)] == ["execute", "work", "execute"]
    assert (inner["parent_id"], hook["parent_id"], outer["parent_id"]) == (hook["trace_id"], outer["trace_id"], None)


@pytest.mark.parametrize(
    "source",
    [
        "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)",
        "import job; job.outer('x', lambda: 1 / 0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import signal, os; signal.signal(signal.SIGTERM, lambda *_: print('caught')); os.kill(os.getpid(), 15)",
        "import os; os._exit(5)",
        "import sys; sys.stdout.write(sys.stdin.read())",
        "raise SystemExit('a message')",
        "import job, inspect; print(inspect.signature(job.outer), inspect.getsource(job.inner))",
        "import sys; print(sys.argv, sys.flags.dev_mode, __name__, sys.path[0] != '')",
    ],
    ids=["status", "traceback", "signal", "handler", "os._exit", "stdin", "message", "inspect", "sys"],
)
def test_output_and_exit_status_are_the_programs_own(program, source):
    """Byte by byte the same as in a bare run; of a traceback all but the one line of ours in between."""
    bare, observed = program.run(source, observed=False), program.run(source)

    assert (observed.stdout, observed.returncode) == (bare.stdout, bare.returncode)
    assert observed.stderr.splitlines()[-1:] == bare.stderr.splitlines()[-1:]
    if "Traceback" not in bare.stderr:
        assert observed.stderr == bare.stderr


def test_the_users_own_sitecustomize_runs(program):
    """The one that would have been found without ours, as the module it would have been."""
    own = program.folder / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import sys; sys.own = __file__, __name__")

    done = program.run(
        "import sys, sitecustomize as s; print(sys.own == (s.__file__, s.__name__), s.__file__)", PYTHONPATH=str(own)
    )

    assert done.stdout == f"True {own / 'sitecustomize.py'}\n"


def test_a_users_sitecustomize_that_fails_fails_as_without_us(program):
    """Python's own message, and the program runs."""
    own = program.folder / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("raise ValueError('mine')")
    source = "import job; print(job.inner('x'))"
    bare = program.run(source, observed=False, PYTHONPATH=str(own))
    observed = program.run(source, PYTHONPATH=str(own))

    assert (observed.stdout, observed.stderr) == (bare.stdout, bare.stderr)
    assert len(program.events()) == 1


def test_an_interpreter_without_dam_obs_is_left_alone(program):
    """Another environment's Python: silent, unless it is asked to say so."""
    venv.create(program.folder / "venv", symlinks=True)
    python = str(program.folder / "venv" / "bin" / "python")
    silent = program.run("print('fine')", python=python)
    asked = program.run("print('fine')", python=python, _DAM_OBS_VERBOSE="1")

    assert (silent.stdout, silent.stderr) == ("fine\n", "")
    assert (asked.stdout, asked.stderr) == ("fine\n", f"dam-obs: not installed for {python}, so it is not observed\n")


def test_a_broken_dam_obs_is_one_line_and_the_program_runs(program):
    """Whatever goes wrong at the start stays there."""
    broken = program.folder / "broken" / "dam_obs"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("")
    (broken / "config.py").write_text("raise ZeroDivisionError('broken')")
    done = program.run("print('fine')", PYTHONPATH=str(broken.parent))

    assert (done.stdout, done.returncode) == ("fine\n", 0)
    assert done.stderr == "dam-obs: ZeroDivisionError: broken; this program is not observed\n"


def test_a_trace_point_file_that_does_not_load_is_left_out(program):
    """The program runs, the other files count, and one line says what is wrong."""
    wrong = program.folder / "wrong.toml"
    wrong.write_text("[host]\nname = ?")
    program.settings = replace(program.settings, points=(wrong, *program.settings.points))
    done = program.run("import job; job.inner('x')")

    assert (done.returncode, len(done.stderr.splitlines()), len(program.events())) == (0, 1, 1)
    assert f"{wrong}:2: is not TOML" in done.stderr


def test_observing_survives_exec(program):
    """A program that becomes another Python program is observed again, and what came before is not lost."""
    program.run("""
        import job, os, sys
        job.inner("before")
        if not os.environ.get("AGAIN"):
            os.environ["AGAIN"] = "1"
            os.execv(sys.executable, [sys.executable, "main.py"])
    """)

    assert [event["input_summary"] for event in program.events()] == ["before", "before"]


CHILD = "[sys.executable, '-c', 'import job; job.inner(\"child\")']"


@pytest.mark.parametrize(
    "start",
    [
        f"job.subprocess.run({CHILD}, check=True)",
        f"job.subprocess.run({CHILD}, check=True, env=dict(os.environ))",
        f"job.subprocess.Popen({CHILD}, -1, None, None, None, None, None, True, False, None, None).wait()",
        f"job.asyncio.run(spawn(*{CHILD}))",
        "fork()",
        "thread()",
    ],
    ids=["run", "own environment", "positional", "asyncio", "fork", "from a thread"],
)
def test_a_subprocess_is_a_child_of_the_span_that_started_it(program, start):
    """Another Python process of the program, started from inside a span."""
    done = program.run(f"""
        import job, os, sys, threading
        async def spawn(*command):
            process = await job.asyncio.create_subprocess_exec(*command)
            await process.wait()
        def fork():
            pid = os.fork()
            if pid == 0:
                job.inner("child")
                os._exit(0)
            os.waitpid(pid, 0)
        def thread():
            started = threading.Thread(target=job.inner, args=["child"])
            started.start()
            started.join()
        job.outer("parent", lambda: {start})
    """)

    assert (done.stderr, program.by_input()) == ("", {"child": "parent", "parent": None})


def test_a_child_that_is_not_to_be_observed_gets_the_environment_it_was_given(program):
    """An environment that the program made itself is handed on as it is."""
    done = program.run("""
        import job, subprocess, sys
        show = [sys.executable, "-c", "import os; print(sorted(os.environ))"]
        job.outer("parent", lambda: subprocess.run(show, env={"A": "1", "LC_CTYPE": "C.UTF-8"}))
    """)

    assert done.stdout == "['A', 'LC_CTYPE']\n"


def test_subprocesses_are_not_followed_where_that_is_switched_off(program):
    """Then the child is a root of its own."""
    program.settings = replace(program.settings, follow_subprocesses=False)
    program.run(f"import job, sys; job.outer('parent', lambda: job.subprocess.run({CHILD}))")

    assert program.by_input() == {"child": None, "parent": None}


def test_handlers_in_the_default_executor_keep_their_parent(program):
    """`run_in_executor` carries no context variables; the handler sees none of ours, and its span has its parent."""
    done = program.run("""
        import asyncio, contextvars, job
        mine = contextvars.ContextVar("mine", default="unset")
        def handler():
            job.inner("handler")
            return mine.get(), [variable.name for variable in contextvars.copy_context()]
        async def main():
            mine.set("set")
            return await asyncio.get_running_loop().run_in_executor(None, job.outer, "dispatched", handler)
        print(job.outer("parent", lambda: asyncio.run(main())))
    """)

    assert program.by_input() == {"handler": "dispatched", "dispatched": "parent", "parent": None}
    assert "unset" in done.stdout


def test_a_parent_in_the_environment_is_the_roots_parent(program):
    """What started the program, a CI job for instance, may be traced too."""
    program.run("import job; job.inner('x')", TRACEPARENT="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    (event,) = program.events()

    assert (event["otel_trace_id"], event["otel_parent_id"]) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


def test_a_measured_process_notes_what_was_attached(program):
    """The note in the run folder names what was attached, what was missing, and what goes past a point."""
    program.settings = replace(program.settings, measure=True, run_directory=program.folder / "run")
    program.run("""
        import job
        import sys
        sys.modules["__main__"].kept = job.inner
        job.inner("x")
    """)
    (note,) = [json.loads(path.read_text()) for path in (program.folder / "run" / "processes").glob("*.json")]

    assert note["points_attached"] == ["system.execute at job:outer", "system.execute at job:inner"]
    assert note["points_missing"] == ["system.execute at job:nothing: module job has no nothing"]
    assert "references_escaped" not in note


def test_functions_of_the_script_itself_are_told_apart_from_ones_that_wait(program):
    """Nobody can hear the end of a script's import, for it is the program: the note says what to do."""
    program.settings = replace(program.settings, measure=True, run_directory=program.folder / "run")
    (program.folder / "job.toml").write_text(dedent(POINTS).replace("job:outer", "main:f"))
    program.run("def f(): pass\nf()")
    (note,) = [json.loads(path.read_text()) for path in (program.folder / "run" / "processes").glob("*.json")]

    says = "main is the script that is run itself: move the function into a module that it imports"
    assert note["points_missing"] == [f"system.execute at main:f: {says}"]


def test_everything_is_undone(tmp_path):
    """After `deactivate` every function that was replaced is the very object it was."""

    def replaced():
        return [
            pluggy.PluginManager.__init__,
            subprocess.Popen.__init__,
            vars(threading.Thread)["start"],
            vars(threading.Thread)["run"],
            vars(ThreadPoolExecutor)["submit"],
            os._exit,
        ]

    before = replaced()
    finders = list(sys.meta_path)
    first = activate(Settings(enabled=True, output=tmp_path / "trace.jsonl", plugins=False))
    try:
        assert activate(Settings()) is first is active()
        assert not [new for new, old in zip(replaced(), before, strict=True) if new is old]
    finally:
        deactivate()

    assert [new is old for new, old in zip(replaced(), before, strict=True)] == [True] * len(before)
    assert (sys.meta_path, active()) == (finders, None)
    deactivate()


def test_opentelemetry_instrument_finds_us(program):
    """Its own tool switches dam-obs on by the entry point, with no word of ours on the command line."""
    tool = Path(sys.executable).parent / "opentelemetry-instrument"
    (program.folder / "main.py").write_text("import job; job.outer('parent', job.inner, 'child'); print('done')")
    environ = {**program.environ, "DAM_OBS_POINTS": str(program.folder / "job.toml"), "OTEL_TRACES_EXPORTER": "none"}
    done = subprocess.run(
        [tool, sys.executable, "main.py"], cwd=program.folder, env=environ, capture_output=True, text=True, timeout=60
    )

    assert (done.stdout, done.stderr) == ("done\n", "")
    assert program.by_input() == {"child": "parent", "parent": None}


def test_switched_off_stays_off_under_opentelemetry_instrument(program):
    """``DAM_OBS_ENABLED=0`` is heeded there too."""
    tool = Path(sys.executable).parent / "opentelemetry-instrument"
    (program.folder / "main.py").write_text("import job; job.inner('child')")
    environ = {**program.environ, "DAM_OBS_POINTS": str(program.folder / "job.toml"), "DAM_OBS_ENABLED": "0"}
    subprocess.run([tool, sys.executable, "main.py"], cwd=program.folder, env=environ, check=True, timeout=60)

    assert program.events() == []
