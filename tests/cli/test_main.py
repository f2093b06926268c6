"""The command line as a whole: its help, its errors and its exit statuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dam_obs import __version__, plugins
from dam_obs.cli import builtin, main
from dam_obs.trace import faults

ENTRY = [sys.executable, "-m", "dam_obs.cli"]

PLUGIN = """
import sys
import click
from dam_obs.errors import DamObsError
from dam_obs.hookspecs import hookimpl

class Mendable(DamObsError):
    exit_status = 4

@click.command()
def fails():
    raise Mendable("the file has a \\x1b[31mred\\x1b[0m name: rename it")

@click.command()
def bug():
    raise ZeroDivisionError

@click.command()
def status():
    return 7

@click.command()
def leaves():
    click.get_current_context().exit(9)

@click.command()
def interrupted():
    raise KeyboardInterrupt

@click.command()
def chatty():
    for number in range(100_000):
        click.echo(number)

@hookimpl
def dam_obs_commands(cli):
    for command in (fails, bug, status, leaves, interrupted, chatty):
        cli.add_command(command)
"""

TAKEN = """
import click
from dam_obs.hookspecs import hookimpl

@click.command()
def mine():
    pass

@hookimpl
def dam_obs_commands(cli):
    cli.add_command(mine, "mine")
    cli.add_command(mine, "doctor")
"""


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start in an empty folder, without managers of earlier tests."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.delenv("NO_COLOR", raising=False)
    plugins.forget()
    faults.reset()
    faults.let_through(False)
    yield
    plugins.forget()
    faults.reset()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Return what installs a plugin for this process and its children."""
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.setenv("PYTHONPATH", str(packages), prepend=os.pathsep)
    modules: list[str] = []

    def install_one(name: str, source: str) -> None:
        modules.append(name)
        (packages / f"{name}.py").write_text(source, encoding="utf-8")
        info = packages / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[dam_obs]\n{name} = {name}\n")

    yield install_one
    for module in modules:
        sys.modules.pop(module, None)


def test_help_shows_the_loop_and_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Help names the two first commands to type and each command with its line."""
    assert main(["--help"]) == 0

    text = capsys.readouterr().out
    assert "dam-obs diagnose -- python your_program.py\n    dam-obs draft\n" in text
    listed = text.partition("Commands:\n")[2].splitlines()
    assert [line.split(maxsplit=1) for line in listed] == [list(each) for each in builtin.COMMANDS]


def test_without_arguments_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Bare `dam-obs` shows help."""
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` tells the version of the distribution."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"dam-obs {__version__}\n"


def test_help_imports_no_library_of_a_command() -> None:
    """Help is fast: what commands need is imported when they run."""
    program = (
        "import sys; from dam_obs.cli import main; main(['--help']);"
        "print(sorted({'numpy', 'duckdb', 'pydantic', 'jinja2', 'libcst', 'altair', 'rich'} & set(sys.modules)))"
    )

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["docter"], "there is no command 'docter'; did you mean `dam-obs doctor`? (see `dam-obs --help`)"),
        (["xyz"], "there is no command 'xyz' (see `dam-obs --help`)"),
        (["--nope"], "No such option '--nope' (see `dam-obs --help`)"),
        (["doctor", "--nope"], "No such option '--nope' (see `dam-obs doctor --help`)"),
    ],
)
def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    """What was typed wrongly gives one line with the way out, and status 2."""
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"dam-obs: error: {says}\n")


def test_error_of_ours_is_one_line(install: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]) -> None:
    """An error of dam-obs becomes one line, control characters shown as escapes, and its own status."""
    install("with_commands", PLUGIN)

    assert main(["fails"]) == 4
    assert capsys.readouterr() == ("", "dam-obs: error: the file has a \\x1b[31mred\\x1b[0m name: rename it\n")


def test_verbose_adds_the_traceback(install: Callable[[str, str], None]) -> None:
    """`-v` shows where an error came from, before its line."""
    install("with_commands", PLUGIN)

    found = subprocess.run([*ENTRY, "-v", "fails"], capture_output=True, text=True, check=False)

    assert found.returncode == 4
    assert "Traceback (most recent call last)" in found.stderr
    assert found.stderr.splitlines()[-1].startswith("dam-obs: error: the file has")


def test_bug_is_not_dressed_up(install: Callable[[str, str], None]) -> None:
    """An exception that is not one of ours passes: a traceback means a bug."""
    install("with_commands", PLUGIN)

    with pytest.raises(ZeroDivisionError):
        main(["bug"])


@pytest.mark.parametrize(("command", "status"), [("status", 7), ("leaves", 9), ("interrupted", 130)])
def test_exit_status(install: Callable[[str, str], None], command: str, status: int) -> None:
    """A command's returned or chosen status is that of `dam-obs`; Ctrl-C gives 130."""
    install("with_commands", PLUGIN)

    assert main([command]) == status


def test_reader_that_leaves_is_no_error(install: Callable[[str, str], None]) -> None:
    """Piping into something that stops reading, as `head` does, prints no error."""
    install("with_commands", PLUGIN)

    child = subprocess.Popen([*ENTRY, "chatty"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    with child.stderr:
        assert child.stderr.read() == b""
    assert child.wait(timeout=60) == 1


def test_plugin_cannot_take_a_name(install: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]) -> None:
    """A plugin's command does not replace one that the user knows; its others are there, and it is counted."""
    install("taker", TAKEN)

    assert main(["mine"]) == 0
    assert main(["doctor", "--help"]) == 0
    assert "works here" in capsys.readouterr().out
    assert faults.counts() == {"plugins.taker.dam_obs_commands": 1}


def test_wrong_configuration_does_not_hide_help(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a broken settings file help still works."""
    Path("dam-obs.toml").write_text("nonsense = 1\n", encoding="utf-8")

    assert main(["--help"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("no_colour", "coloured"), [(None, True), ("1", False)])
def test_errors_are_red_on_a_terminal_only(no_colour: str | None, coloured: bool) -> None:
    """On a terminal the word error is red, unless NO_COLOR is set."""
    ours, theirs = os.openpty()
    environ = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    environ |= {"NO_COLOR": no_colour} if no_colour else {}
    subprocess.run([*ENTRY, "xyz"], stderr=theirs, env=environ, check=False)
    os.close(theirs)
    shown = os.read(ours, 4096)
    os.close(ours)

    assert (b"\x1b[31m" in shown) is coloured


def test_extra_that_is_missing_is_named(tmp_path: Path) -> None:
    """Where the extra `cli` is not installed, the command says how to get it."""
    program = (
        "import sys; sys.modules['rich'] = None; import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'click' else find(name, *rest)\n"
        "from dam_obs.cli import main; sys.exit(main(['--help']))"
    )

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (found.returncode, found.stderr) == (
        2,
        "dam-obs: error: the command line is an extra: pip install 'dam-obs[cli]'\n",
    )
