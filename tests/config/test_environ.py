"""Settings handed to a child process are the settings it gets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.config import ConfigError, Settings, collect_settings, settings_to_environ

NOWHERE = Path("/nonexistent")

file_names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/" + os.pathsep), min_size=1, max_size=12
).filter(lambda name: name.strip() and name not in (".", ".."))
absolute_paths = st.lists(file_names, min_size=1, max_size=3).map(lambda parts: Path("/", *parts))
names = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)

any_settings = st.builds(
    Settings,
    enabled=st.booleans(),
    output=absolute_paths,
    jsonl=st.booleans(),
    console=st.booleans(),
    level=st.sampled_from(["debug", "info", "warn"]),
    points=st.lists(absolute_paths, max_size=3).map(tuple),
    plugins=st.booleans(),
    plugins_off=st.lists(names, max_size=3).map(tuple),
    observe_pluggy=st.booleans(),
    follow_subprocesses=st.booleans(),
    flush_interval=st.floats(0.001, 60),
    queue_size=st.integers(1, 2**30),
    rotate_bytes=st.integers(0, 2**50),
    rotate_keep=st.integers(0, 10_000),
    redact_off=st.lists(names, max_size=3).map(tuple),
    redact_safe_keys=st.lists(names, max_size=3).map(tuple),
    measure=st.booleans(),
    run_directory=st.none() | absolute_paths,
    shutdown_timeout=st.floats(0, 3600),
)


@given(any_settings)
def test_child_gets_the_same_settings(settings: Settings) -> None:
    """Writing settings to variables and loading those gives the same settings, without a problem."""
    loaded = collect_settings(environ=settings_to_environ(settings), folder=NOWHERE)

    assert (loaded.settings, loaded.problems) == (settings, ())


def test_defaults_need_no_variable() -> None:
    """Nothing is passed for what is as it would be anyway."""
    assert settings_to_environ(Settings()) == {}


def test_default_that_was_asked_for_is_passed(tmp_path: Path) -> None:
    """A value set to what is the default reaches the child, which may read a file that says otherwise."""
    (tmp_path / "dam-obs.toml").write_text("console = true\n", encoding="utf-8")
    loaded = collect_settings({"console": False}, environ={}, folder=tmp_path)

    environ = settings_to_environ(loaded.settings, loaded.origins)

    assert environ == {"DAM_OBS_CONSOLE": "0"}
    assert collect_settings(environ=environ, folder=tmp_path).settings == loaded.settings


def test_paths_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A child that starts elsewhere writes to the same file."""
    monkeypatch.chdir(tmp_path)

    assert settings_to_environ(Settings(output=Path("x.jsonl"), points=(Path("p.toml"),))) == {
        "DAM_OBS_OUTPUT": f"{tmp_path}/x.jsonl",
        "DAM_OBS_POINTS": f"{tmp_path}/p.toml",
    }


def test_element_with_the_separator_is_refused() -> None:
    """A list element that would fall apart in the child is an error, not two elements."""
    with pytest.raises(ConfigError, match="DAM_OBS_REDACT_OFF: a,b holds ','"):
        settings_to_environ(Settings(redact_off=("a,b",)))
