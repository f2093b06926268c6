"""The agent, run as users run it: a process with a pipe, a script or a terminal before it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

AGENT = [sys.executable, "-W", "error", "-m", "dam_hrm"]


def environment():
    """Give this process's environment without what traces."""
    tracing = ("DAM_OBS", "DOPEJAR", "OTEL")
    return {name: value for name, value in os.environ.items() if not name.startswith(tracing)}


@pytest.fixture
def agent(tmp_path):
    """Run the agent with lines in a pipe, in a folder of its own."""
    (tmp_path / ".git").mkdir()

    def run(*arguments, lines="", environ=None, text=True):
        return subprocess.run(
            [*AGENT, *map(str, arguments)],
            input=lines,
            capture_output=True,
            text=text,
            timeout=60,
            cwd=tmp_path,
            env=environment() | (environ or {}),
        )

    return run


# -- lines


def test_lines_of_a_pipe_are_turns(agent):
    """No prompt, no echo; empty lines are nothing."""
    done = agent(lines="I value calm mornings\n\n  What is the time?  \n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "L4 (identity) is established.\n"
        "Nothing is noted about that.\n"
        "  (L3 (strategy), L2 (operations) are not established yet)\n"
    )


def test_a_script_has_comments(agent, tmp_path):
    """Lines of a file; a hash begins what is for people."""
    script = tmp_path / "talk.txt"
    script.write_text("# what matters\nI value calm\n\n   # and\n/quit\nhello\n", encoding="utf-8")
    done = agent("--script", script, lines="not read\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "L4 (identity) is established.\n", "")


def test_what_is_refused_says_so(agent):
    """It is no failure."""
    done = agent(lines="Plan the launch\n")
    assert done.returncode == 0
    assert done.stdout.startswith("Blocked: L4 (identity) is not established: say what matters to you")


def test_lines_need_not_be_text(agent):
    """What is no UTF-8 is shown as such, and the session goes on."""
    done = agent(lines=b"\xff\xfe\x00 I value calm\nI value calm\n", text=False)
    assert done.returncode == 0
    assert done.stdout.decode().endswith("L4 (identity) is established.\n")


@pytest.mark.parametrize("lines", ["", "\n\n", "/quit", "/quit\nhello\n"])
def test_nothing_to_do_ends_cleanly(agent, lines):
    """At the end of the input, or by name."""
    done = agent(lines=lines)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("/level L9", "unknown level 'L9': did you mean L4? there are L4, L3, L2, L1"),
        ("/level mars", "unknown level 'mars': there are L4, L3, L2, L1"),
        ("/stance sensmaking", "unknown stance 'sensmaking': did you mean sensemaking? there are"),
        ("/sate", "unknown command '/sate': did you mean /state? there are"),
        ("/", "unknown command '/': there are"),
        ("/level", "/level needs more words: /level L1..L4 [REASON]"),
        ("/read notes", "/read needs more words: /read NAMESPACE KEY"),
        ("/read no/tes key", "'no/tes' is no namespace"),
        ("/lane gardening", "there is no lane gardening"),
        ("/renew gardening", "gardening"),
    ],
)
def test_bad_input_is_one_line_and_the_session_goes_on(agent, line, error):
    """On standard error; the status says in the end that something failed."""
    done = agent(lines=f"{line}\nI value calm\n")
    assert done.stdout == "L4 (identity) is established.\n"
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert error.split(": did")[0] in done.stderr


def test_status_says_whether_a_line_failed(agent):
    """A refused command is none that failed."""
    assert agent(lines="/level L9\n").returncode == 1
    assert agent(lines="/level L1\n").returncode == 0
    assert agent(lines="/level L1\n").stderr == (
        "error: L4 (identity) is not established: say what matters to you (“I value ...”),"
        " or ask for one thing that can be answered at once\n"
    )


def test_commands_look_at_the_session_and_change_it(agent):
    """Past a turn, through the same layers."""
    lines = """I value calm
Our goal is to rest
/level L4 to begin again
/level L2 because of the deadline
/consent memory.write notes.*
note: tea is green
/read notes tea
/revoke memory.write notes.*
note: milk is white
Let's rest
/lanes
/renew rest
/complete
/lanes
/stance discovery to look around
/patterns
/state
"""
    done = agent(lines=lines)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "L4 (identity) is established.",
        "L3 (strategy) is established.",
        "L4: going up is always allowed",
        "L2: because of the deadline (passed over L3)",
        "memory.write on notes.* is allowed",
        "Noted as tea.",
        "  (L2 (operations) is not established yet)",
        "{'text': 'tea is green', 'turn': 3} (warm)",
        "memory.write on notes.* is no longer allowed",
        "Blocked: consent to memory.write on notes.* was revoked",
        "  (L2 (operations) is not established yet)",
        "Lane rest is open: rest.",
        "  (learned pattern quick_answer_8097e8: quick_answer)",
        "rest: active, 10 turns left, rest",
        "lane rest has 10 turns",
        "lane rest is completed",
        "rest: completed, 10 turns left, rest",
        done.stdout.splitlines()[17],
        "quick_answer_8097e8: quick_answer (0.80)",
        "level L2, established: L4, L3",
        "stance discovery, lane: none",
        "escalation 0, patterns 1, turns 5",
    ]


def test_yes_consents_to_everything(agent):
    """For scripts."""
    assert "Noted as tea." in agent("--yes", lines="note: tea is green\n").stdout


# -- output


def test_json_is_an_object_a_line(agent):
    """Turns, commands and errors, in the order of the lines."""
    done = agent("--json", lines="I value calm\n/consent memory.write\n/level L9\n/state\n")
    turn, command, error, state = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (1, "")
    assert turn == {
        "kind": "turn",
        "session": "agent",
        "number": 1,
        "text": "I value calm",
        "reply": "L4 (identity) is established.",
        "status": "success",
        "notes": [],
        "failure": None,
        "level": "L4",
        "stance": "sensemaking",
        "lane": None,
        "escalation": 0,
    }
    assert command == {"kind": "command", "text": "/consent memory.write", "output": ["memory.write on * is allowed"]}
    assert (error["kind"], error["text"]) == ("error", "/level L9")
    assert error["error"].startswith("unknown level 'L9'")
    assert state["output"][0] == "level L4, established: L4"


def test_help_teaches(agent):
    """What to say first, all commands, and the exit statuses."""
    from dam_hrm.agent.commands import COMMANDS

    done = agent("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(command.usage in done.stdout for command in COMMANDS.values())
    for told in ("I value calm mornings", "--script FILE", "--memory FOLDER", "--trace", "--json", "exit status"):
        assert told in done.stdout


def test_what_help_says_to_say_first_works(agent):
    """Its conversation, line by line."""
    shown = agent("--help").stdout
    lines = re.findall(r"^  ([A-Z].*|note: .*)$", shown.split("answered from anywhere")[0], flags=re.MULTILINE)
    assert len(lines) == 5
    done = agent("--yes", "--json", lines="\n".join(lines))
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["success"] * 5


def test_a_reader_that_has_enough_is_no_failure(tmp_path):
    """`python -m dam_hrm | head -1` ends in silence."""
    lines = "What is the time?\n" * 50
    process = subprocess.Popen(
        AGENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    process.stdin.write(lines)
    process.stdin.close()
    assert process.stdout.readline() == "Nothing is noted about that.\n"
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_terminal_will_do(agent, encoding):
    """What it cannot show is shown as an escape."""
    done = agent("--yes", lines="note: tea is 茶\nWhat is tea?\n", environ={"PYTHONIOENCODING": encoding}, text=True)
    shown = "tea is 茶" if encoding == "utf-8" else "tea is \\u8336"
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout


def test_what_was_said_cannot_move_the_cursor(agent):
    """Control characters are shown, not sent."""
    done = agent("--yes", lines="note: tea is \x1b[2Jgone\nWhat is tea?\n/read \x1b[2J x\n")
    assert "tea is \\x1b[2Jgone" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


# -- memory


def test_memory_is_gone_on_with(agent, tmp_path):
    """In a folder; without one it is forgotten."""
    agent("--memory", tmp_path / "kept", "--yes", lines="I value calm\nOur goal is to rest\nnote: tea is green\n")
    done = agent("--memory", tmp_path / "kept", lines="What is tea?\n/state\n")
    assert done.stdout.startswith("tea is green\n  (going on at L3, where agent left off)\n")
    assert "level L3, established: L4, L3" in done.stdout
    assert agent(lines="What is tea?\n").stdout.startswith("Nothing is noted about that.")


# -- what keeps it from starting


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--script", "nowhere.txt"], "error: [Errno 2] No such file or directory: 'nowhere.txt'"),
        (["--script", "."], "error: [Errno 21] Is a directory: '.'"),
        (["--memory", "a-file"], "/a-file (File exists): make it writable and make room, or name another folder"),
        (["--memory", "a-file/below"], "/a-file/below (Not a directory): make it writable and make room, or name"),
        (["--colour"], "unrecognized arguments: --colour"),
        (["--trac"], "unrecognized arguments: --trac"),
    ],
)
def test_an_agent_that_cannot_start_says_why(agent, tmp_path, arguments, error):
    """In one line, with status 2."""
    (tmp_path / "a-file").touch()
    done = agent(*arguments, lines="I value calm\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert error in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_broken_installed_plugin_is_named(agent, tmp_path):
    """And can be left out."""
    metadata = tmp_path / "site" / "broken_plugin-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[dam_hrm]\nbroken = broken_plugin\n")
    environ = {"PYTHONPATH": str(tmp_path / "site")}

    done = agent(lines="I value calm\n", environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: plugin broken: broken_plugin does not load: ModuleNotFoundError: No module named 'broken_plugin';"
        " repair or uninstall broken-plugin, or leave the plugin out (without={'broken'}, --without broken)\n"
    )
    assert agent("--without", "broken", lines="I value calm\n", environ=environ).returncode == 0


def test_a_plugin_that_fails_at_the_end_is_named(agent, tmp_path):
    """In one line; all lines have been answered."""
    metadata = tmp_path / "site" / "sulking-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: sulking\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[dam_hrm]\nsulking = sulking\n")
    (tmp_path / "site" / "sulking.py").write_text(
        "from dam_hrm import hookimpl\n@hookimpl\ndef dam_hrm_closing():\n    raise OSError('no goodbye')\n"
    )
    done = agent(lines="I value calm\n", environ={"PYTHONPATH": str(tmp_path / "site")})
    assert (done.returncode, done.stdout) == (1, "L4 (identity) is established.\n")
    assert done.stderr == "error: dam_hrm_closing: plugin sulking raised OSError: no goodbye\n"


# -- the trace

ROOT = "[sys] turn: I value calm → L4 (identity) is established. ("


def test_trace_shows_the_tree(agent, tmp_path):
    """On standard error, below each other as the layers called each other; the reply is where it always is."""
    done = agent("--trace", lines="I value calm\n")
    assert (done.returncode, done.stdout) == (0, "L4 (identity) is established.\n")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(ROOT)
    assert "  └─[rsn] classify: I value calm → statement (0ms)" in lines
    assert any(re.fullmatch(r"      └─\[mem\] write: altitude.identity → written \(\d+ms\)", line) for line in lines)
    assert any(
        re.fullmatch(r"          └─\[foc\] gate_check: WriteApprovalGate → allowed \(\d+ms\)", line) for line in lines
    )
    assert (tmp_path / "trace.jsonl").exists()


def test_the_environment_asks_for_a_trace(agent, tmp_path):
    """In dam-obs' own way: a file, and nothing on the console."""
    done = agent(lines="I value calm\n", environ={"DOPEJAR_TRACE": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    events = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"turn", "classify", "route", "plan", "evaluate", "execute", "write"} <= {
        each["operation"] for each in events
    }


def test_both_show_the_tree_once(agent):
    """Who asks twice does not get it twice."""
    done = agent("--trace", lines="I value calm\n", environ={"DOPEJAR_TRACE": "1"})
    assert sum(line.startswith(ROOT) for line in done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("outer", "inner", "trees", "warned"),
    [((), (), 0, 0), (("--trace",), ("--trace",), 1, 0), ((), ("--trace",), 0, 1)],
)
def test_dam_obs_run_observes_the_agent(tmp_path, outer, inner, trees, warned):
    """Without a change to it; it is dam-obs run that shows the tree then."""
    command = [sys.executable, "-m", "dam_obs.cli", "run", *outer, "--", *AGENT, *inner]
    done = subprocess.run(
        command, input="I value calm\n", capture_output=True, text=True, timeout=60, cwd=tmp_path, env=environment()
    )
    assert (done.returncode, done.stdout) == (0, "L4 (identity) is established.\n")
    assert sum(line.startswith(ROOT) for line in done.stderr.splitlines()) == trees
    assert done.stderr.count("warning: dam-obs run records this: the tree is shown by dam-obs run --trace") == warned
    assert '"operation":"turn"' in (tmp_path / "trace.jsonl").read_text(encoding="utf-8").replace(" ", "")


@pytest.mark.parametrize("environ", [{}, {"DOPEJAR_TRACE": "0"}, {"DOPEJAR_TRACE": ""}])
def test_nothing_is_traced_unasked(agent, tmp_path, environ):
    """No tree, no file."""
    done = agent(lines="I value calm\n", environ=environ)
    assert (done.stderr, (tmp_path / "trace.jsonl").exists()) == ("", False)


def without_dam_obs(tmp_path):
    """Make an environment in which dam-obs cannot be imported, as if it were not installed."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('dam_obs', 'opentelemetry'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
    )
    return {"PYTHONPATH": str(tmp_path)}


def test_without_dam_obs_the_trace_is_refused_with_the_fix(agent, tmp_path):
    """Status 2; the environment's wish is a warning only; and all else works."""
    environ = without_dam_obs(tmp_path)
    done = agent("--trace", lines="I value calm\n", environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --trace needs dam-obs, which is not installed here: pip install dam-obs\n"

    done = agent(lines="I value calm\n", environ=environ | {"DOPEJAR_TRACE": "1"})
    assert (done.returncode, done.stdout) == (0, "L4 (identity) is established.\n")
    assert done.stderr == "warning: the environment asks for a trace, but dam-obs is not installed\n"

    for unasked in ({}, {"DOPEJAR_TRACE": "0"}):
        done = agent(lines="I value calm\n", environ=environ | unasked)
        assert (done.returncode, done.stdout, done.stderr) == (0, "L4 (identity) is established.\n", "")


def test_only_one_module_knows_dam_obs():
    """No other one imports it, and no agent that is not traced loads it."""
    package = Path(__file__).resolve().parents[2] / "plugins" / "hrm" / "dam_hrm"
    importing = re.compile(r"^\s*(?:import|from) (?:dam_obs|opentelemetry)\b", re.MULTILINE)
    found = {path.name for path in package.rglob("*.py") if importing.search(path.read_text(encoding="utf-8"))}
    assert found == {"observability.py"}

    program = "import sys; from dam_hrm.agent.main import main; main([]); print('dam_obs' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], input="hello\n", capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "False"


# -- a terminal


class Terminal:
    """The agent with a terminal before it."""

    def __init__(self, folder, *arguments):
        self.controller, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [*AGENT, *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=folder,
            start_new_session=True,
            env={**os.environ, "TERM": "dumb"},
        )
        os.close(terminal)
        self.shown = ""

    def wait_for(self, text):
        """Read until this is shown."""
        until = time.monotonic() + 60
        while text not in self.shown and time.monotonic() < until:
            try:
                self.shown += os.read(self.controller, 4096).decode(errors="replace").replace("\r\n", "\n")
            except OSError:
                break
        assert text in self.shown, self.shown
        shown, self.shown = self.shown.split(text, 1)
        return shown

    def type(self, text):
        os.write(self.controller, text.encode())

    def interrupt(self):
        """Press Ctrl-C; again if nothing comes of it: readline does not see one that comes while it begins to wait."""
        for _ in range(10):
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                continue
            return

    def end(self):
        status = self.process.wait(timeout=60)
        while True:
            try:
                data = os.read(self.controller, 4096)
            except OSError:
                break
            if not data:
                break
            self.shown += data.decode(errors="replace")
        os.close(self.controller)
        return status


@pytest.fixture
def terminal(tmp_path):
    made = []

    def begin(*arguments):
        made.append(Terminal(tmp_path, *arguments))
        return made[-1]

    yield begin
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def test_a_terminal_is_prompted_and_asked(terminal):
    """For lines, and once for consent; the end of the input ends it."""
    session = terminal()
    session.wait_for("> ")
    session.type("note: tea is green\n")
    session.wait_for("Allow memory.write on notes.*? [y/N] ")
    session.type("y\n")
    session.wait_for("Noted as tea.")
    session.wait_for("> ")
    session.type("note: milk is white\n")
    session.wait_for("Noted as milk.")
    session.wait_for("> ")
    session.type("/level L9\n")
    session.wait_for("error: unknown level 'L9'")
    session.wait_for("> ")
    session.type("\x04")
    assert session.end() == 0


@pytest.mark.parametrize("answer", ["n\n", "\n", "maybe\n", "\x04"])
def test_anything_but_yes_is_no(terminal, answer):
    """Also no answer at all; the session goes on."""
    session = terminal()
    session.wait_for("> ")
    session.type("note: tea is green\n")
    session.wait_for("[y/N] ")
    session.type(answer)
    session.wait_for("Blocked: the user said no to memory.write on notes.*")
    session.wait_for("> ")
    session.type("/quit\n")
    assert session.end() == 0


@pytest.mark.parametrize("asked", [False, True])
def test_ctrl_c_ends_it_cleanly(terminal, asked):
    """At the prompt, and while a question waits for its answer: status 130, no traceback."""
    session = terminal()
    session.wait_for("> ")
    if asked:
        session.type("note: tea is green\n")
        session.wait_for("[y/N] ")
    session.interrupt()
    assert session.end() == 130
    assert "Traceback" not in session.shown


def test_ctrl_c_while_a_turn_runs_closes_the_session(tmp_path):
    """What was acknowledged is there, and what was learned is kept."""
    plugin = tmp_path / "site"
    metadata = plugin / "hanging-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: hanging\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[dam_hrm]\nhanging = hanging\n")
    (plugin / "hanging.py").write_text(
        "import asyncio\n"
        "from dam_hrm import hookimpl\n"
        "@hookimpl\n"
        "def dam_hrm_act(action):\n"
        "    return hang() if action.arguments.get('text') == 'hang' else None\n"
        "async def hang():\n"
        "    print('hanging', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "@hookimpl\n"
        "def dam_hrm_closing():\n"
        "    print('closing', flush=True)\n"
    )
    process = subprocess.Popen(
        [*AGENT, "--memory", "kept"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(plugin)},
    )
    process.stdin.write("I value calm\nhang\n")
    process.stdin.flush()
    assert [process.stdout.readline() for _ in range(2)] == ["L4 (identity) is established.\n", "hanging\n"]
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr.strip()) == (130, "closing\n", "")
