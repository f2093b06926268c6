"""Which source gives a setting its value, and what is said of what cannot be used."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dam_obs.config import (
    ConfigError,
    Origin,
    Settings,
    collect_settings,
    load_settings,
)
from dam_obs.trace import faults

SOURCES = ("settings.yaml", "pyproject.toml", "dam-obs.toml", "DOPEJAR_TRACE", "DAM_OBS_ENABLED", "argument")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of its own, which the search for files does not leave."""
    (tmp_path / ".git").mkdir()
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def set_level(project: Path, sources: tuple[str, ...]) -> tuple[dict[str, str], dict[str, object]]:
    """Let each of `sources` say whether to record: the weaker ones no, the strongest yes."""
    flags = [source == sources[-1] for source in sources]
    environ: dict[str, str] = {}
    arguments: dict[str, object] = {}
    for source, flag in zip(sources, flags, strict=True):
        word = str(flag).lower()
        match source:
            case "settings.yaml":
                write(project / "config" / "settings.yaml", f"tracing:\n  enabled: {word}\n")
            case "pyproject.toml":
                write(project / source, f"[tool.dam-obs]\nenabled = {word}\n")
            case "dam-obs.toml":
                write(project / source, f"enabled = {word}\n")
            case "argument":
                arguments["enabled"] = flag
            case variable:
                environ[variable] = str(int(flag))
    return environ, arguments


@pytest.mark.parametrize("strongest", range(len(SOURCES)))
def test_later_source_wins(project: Path, strongest: int) -> None:
    """Of all sources that set a value the strongest is followed."""
    environ, arguments = set_level(project, SOURCES[: strongest + 1])

    loaded = collect_settings(arguments, environ=environ, folder=project)

    assert loaded.settings == replace(Settings(), enabled=True)
    assert loaded.problems == ()


def test_without_sources_all_is_default(project: Path) -> None:
    """A project that says nothing gets the defaults, and each origin says so."""
    loaded = collect_settings(environ={"PATH": "/bin"}, folder=project)

    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {Origin("default")}
    assert list(loaded.origins) == list(Settings.__slots__)


def test_origin_names_the_place(project: Path) -> None:
    """Each value's origin names file, line and key, the variable, or the option."""
    yaml = write(project / "config" / "settings.yaml", "ui:\n  level: 3\ntracing:\n  # loud\n  level: debug\n")
    pyproject = write(project / "pyproject.toml", "[tool.other]\nconsole = 1\n\n[tool.dam-obs]\nconsole = true\n")
    toml = write(project / "dam-obs.toml", "# ours\n\nflush-interval = 1\n")

    loaded = collect_settings({"queue_size": 7}, environ={"DAM_OBS_ROTATE_KEEP": "2"}, folder=project)

    assert {name: origin for name, origin in loaded.origins.items() if origin.source != "default"} == {
        "level": Origin("settings.yaml", "tracing.level", yaml, 5),
        "console": Origin("pyproject.toml", "tool.dam-obs.console", pyproject, 5),
        "flush_interval": Origin("dam-obs.toml", "flush-interval", toml, 3),
        "rotate_keep": Origin("environment", "DAM_OBS_ROTATE_KEEP"),
        "queue_size": Origin("argument", "--queue-size"),
    }
    assert str(loaded.origins["level"]) == f"{yaml}:5 tracing.level"


def test_argument_none_is_not_given(project: Path) -> None:
    """An option that was not typed leaves the weaker source in force."""
    loaded = collect_settings({"level": None}, environ={"DAM_OBS_LEVEL": "warn"}, folder=project)

    assert loaded.settings.level == "warn"


def test_files_come_from_the_project_folder(project: Path) -> None:
    """A program started deep in a project finds the project's file, and its paths start there."""
    write(project / "dam-obs.toml", 'output = "traces/t.jsonl"\npoints = ["a.toml", "/b.toml"]\n')
    deep = project / "src" / "deep"
    deep.mkdir(parents=True)

    loaded = collect_settings(environ={"DAM_OBS_RUN_DIRECTORY": "here"}, folder=deep)

    assert loaded.project == project
    assert loaded.settings == Settings(
        output=project / "traces" / "t.jsonl",
        points=(project / "a.toml", Path("/b.toml")),
        run_directory=deep / "here",
    )


def test_nearest_project_counts_alone(project: Path) -> None:
    """A project inside another one does not inherit the outer one's files."""
    write(project / "dam-obs.toml", "console = true\n")
    write(project / "inner" / "pyproject.toml", "")

    loaded = collect_settings(environ={}, folder=project / "inner")

    assert loaded.settings == Settings()


def test_search_ends_below_a_folder_for_everybody(tmp_path: Path) -> None:
    """A file in a folder that anyone may write to does not configure programs in folders below."""
    write(tmp_path / "dam-obs.toml", "console = true\n")
    below = tmp_path / "below"
    below.mkdir()
    tmp_path.chmod(0o1777)

    loaded = collect_settings(environ={}, folder=below)

    assert loaded.settings == Settings()
    assert collect_settings(environ={}, folder=tmp_path).settings == Settings(console=True)


WRONG = [
    ("dam-obs.toml", "outptu = 'x'\n", "{path}:1 outptu: unknown setting; did you mean output?"),
    ("dam-obs.toml", "\nxyzzy = 1\n", "{path}:2 xyzzy: unknown setting; `dam-obs doctor` lists all there are"),
    ("dam-obs.toml", "enabled = 'yes'\n", "{path}:1 enabled: must be true or false, not 'yes'"),
    ("dam-obs.toml", "enabled = 1\n", "{path}:1 enabled: must be true or false, not 1"),
    (
        "dam-obs.toml",
        "flush_interval = 0\n",
        "{path}:1 flush_interval: must be a number from 0.001 to 60, not 0",
    ),
    ("dam-obs.toml", "flush_interval = nan\n", "{path}:1 flush_interval: must be a number from 0.001 to 60, not nan"),
    (
        "dam-obs.toml",
        "queue_size = true\n",
        "{path}:1 queue_size: must be a whole number from 1 to 1_073_741_824, not true",
    ),
    ("dam-obs.toml", "level = 'loud'\n", "{path}:1 level: must be one of debug, info, warn, not 'loud'"),
    ("dam-obs.toml", "points = 'a'\n", "{path}:1 points: must be a list of paths, not 'a'"),
    ("dam-obs.toml", "points = [1]\n", "{path}:1 points: must be a list of paths, not a list"),
    ("dam-obs.toml", "[output]\na = 1\n", "{path}:1 output: must be a path, not a table"),
    ("dam-obs.toml", "output = ''\n", "{path}:1 output: must be a path, not ''"),
    ("dam-obs.toml", "a = \n", "{path}:1: is not TOML: Invalid value (at line 1, column 5)"),
    ("pyproject.toml", "[tool]\ndam-obs = 3\n", "{path} tool.dam-obs: must be a table of settings"),
    (
        "pyproject.toml",
        "[tool.dam-obs]\nconsoel = true\n",
        "{path}:2 tool.dam-obs.consoel: unknown setting; did you mean console?",
    ),
    (
        "config/settings.yaml",
        "tracing:\n  exporter: x\n",
        "{path}:2 tracing.exporter: unknown setting; there are enabled, output, level",
    ),
    (
        "config/settings.yaml",
        "tracing: [",
        "{path}:1: is not YAML: expected the node content, but found '<stream end>'",
    ),
    ("config/settings.yaml", "tracing: on\n", "{path} tracing: must be a table of settings"),
]


@pytest.mark.parametrize(("name", "text", "says"), WRONG)
def test_wrong_file_is_named_with_line_and_key(project: Path, name: str, text: str, says: str) -> None:
    """What a file holds wrongly becomes one sentence with file, line, key and the way out."""
    path = write(project / name, text)

    loaded = collect_settings(environ={}, folder=project)

    assert [str(problem) for problem in loaded.problems] == [says.format(path=path)]
    assert loaded.settings == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("DAM_OBS_OUTPTU", "x", "DAM_OBS_OUTPTU: unknown setting; did you mean DAM_OBS_OUTPUT?"),
        (
            "DAM_OBS_QUEUE_SIZE",
            "many",
            "DAM_OBS_QUEUE_SIZE: must be a whole number from 1 to 1_073_741_824, not 'many'",
        ),
        ("DAM_OBS_FLUSH_INTERVAL", "inf", "DAM_OBS_FLUSH_INTERVAL: must be a number from 0.001 to 60, not 'inf'"),
        ("DOPEJAR_TRACE", "maybe", "DOPEJAR_TRACE: must be true or false, not 'maybe'"),
    ],
)
def test_wrong_variable_is_named(project: Path, variable: str, text: str, says: str) -> None:
    """A variable that is unknown or does not fit becomes one sentence."""
    loaded = collect_settings(environ={variable: text}, folder=project)

    assert [str(problem) for problem in loaded.problems] == [says]


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("DAM_OBS_CONSOLE", "YES", Settings(console=True)),
        ("DAM_OBS_JSONL", "off", Settings(jsonl=False)),
        ("DAM_OBS_LEVEL", " Warn ", Settings(level="warn")),
        ("DAM_OBS_SHUTDOWN_TIMEOUT", "0", Settings(shutdown_timeout=0.0)),
        ("DAM_OBS_POINTS", f"/a.toml{os.pathsep}/b c.toml", Settings(points=(Path("/a.toml"), Path("/b c.toml")))),
        ("DAM_OBS_PLUGINS_OFF", "one, two,", Settings(plugins_off=("one", "two"))),
        ("DAM_OBS_POINTS", "", Settings()),
        ("DAM_OBS_OUTPUT", "", Settings()),
        ("_DAM_OBS_PARENT", "of another process", Settings()),
    ],
)
def test_variable_is_read(project: Path, variable: str, text: str, expected: Settings) -> None:
    """Text in the environment becomes the setting's own type; an empty variable changes nothing."""
    loaded = collect_settings(environ={variable: text}, folder=project)

    assert (loaded.settings, loaded.problems) == (expected, ())


def test_home_is_expanded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that begins with a tilde starts at home."""
    monkeypatch.setenv("HOME", "/home/somebody")

    loaded = collect_settings({"output": "~/t.jsonl"}, environ={}, folder=project)

    assert loaded.settings.output == Path("/home/somebody/t.jsonl")


def test_strict_door_raises_for_commands(project: Path) -> None:
    """A command stops at a wrong configuration with status 2, and says how much more is wrong."""
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={"DAM_OBS_A": "1", "DAM_OBS_LEVEL": "x"}, folder=project)

    assert caught.value.exit_status == 2
    assert str(caught.value) == (
        "DAM_OBS_A: unknown setting; `dam-obs doctor` lists all there are (1 more: see `dam-obs doctor`)"
    )
    assert len(caught.value.problems) == 2


def test_lenient_door_logs_once_and_goes_on(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In a program a wrong key is left out, told once and counted each time; the rest applies."""
    faults.reset()
    write(project / "dam-obs.toml", "lenient_wrong_key = 1\nconsole = true\n")
    with caplog.at_level(logging.WARNING):
        first = load_settings(environ={}, folder=project, lenient=True)
        load_settings(environ={}, folder=project, lenient=True)

    assert first.settings == Settings(console=True)
    assert faults.counts() == {"config": 2}
    assert len(caplog.messages) == 1
    assert "lenient_wrong_key" in caplog.messages[0]
    faults.reset()


def test_odd_argument_is_not_shown(project: Path) -> None:
    """Of an argument that is not plain data only the type is told: its repr is never run."""

    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError

    loaded = collect_settings({"output": Odd()}, environ={}, folder=project)

    assert [str(problem) for problem in loaded.problems] == ["--output: must be a path, not Odd"]


def test_unreadable_and_binary_files_are_named(project: Path) -> None:
    """A file that is a folder or not text is a problem, not an exception."""
    (project / "dam-obs.toml").mkdir()
    (project / "pyproject.toml").write_bytes(b"\xff\xfe\x00")

    loaded = collect_settings(environ={}, folder=project)

    assert [str(problem) for problem in loaded.problems] == [
        f"{project}/pyproject.toml: cannot be read (it is not UTF-8)",
        f"{project}/dam-obs.toml: cannot be read (Is a directory)",
    ]


def test_files_of_others_cost_no_parser(project: Path) -> None:
    """Files that do not mention us are not parsed, and no parser is imported for them."""
    write(project / "pyproject.toml", "[tool.other\nbroken")
    write(project / "config" / "settings.yaml", "ui: [broken")
    program = (
        "import sys; from dam_obs.config import collect_settings; assert collect_settings(environ={}).problems == ();"
        "print(sorted({'yaml', 'tomllib', 'click', 'rich', 'numpy'} & set(sys.modules)))"
    )

    found = subprocess.run([sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"
