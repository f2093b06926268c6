"""Plugins are found, checked and called so that none can hurt another or the program."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dam_obs import plugins
from dam_obs.config import Settings
from dam_obs.hookspecs import hookimpl
from dam_obs.plugins import DamPluginManager, PluginRefused, PluginState, call_each, call_first, plugin_manager
from dam_obs.trace import faults

ON = Settings()
POINTS = "@hookimpl\ndef dam_obs_trace_points():\n    return {!r}\n"


def installed(manager: DamPluginManager) -> list[PluginState]:
    """Return the states of what was pip-installed by a test."""
    return [state for state in manager.states if state.distribution.startswith("dist-")]


def manager_of(**named: Any) -> DamPluginManager:
    """Return a manager with these plugins, in order."""
    manager = DamPluginManager()
    for name, plugin in named.items():
        plugins.register(manager, plugin, name)
    return manager


class Answer:
    """A plugin with one answer."""

    def __init__(self, answer: str | None) -> None:
        self.answer = answer

    @hookimpl
    def dam_obs_redact(self, value: str) -> str | None:
        return self.answer


class Raising:
    """A plugin that fails."""

    @hookimpl
    def dam_obs_redact(self, key: str, value: str) -> str | None:
        raise RuntimeError("with the secret in it")


def test_installed_plugin_is_loaded_and_asked(install: Any) -> None:
    """A pip-installed plugin takes part without any setting."""
    install("one", POINTS.format("/one.toml"), version="2.5")

    manager = plugin_manager("host", ON)

    assert "/one.toml" in call_each(manager, "dam_obs_trace_points")
    assert installed(manager) == [PluginState("one", "loaded", "", "dist-one 2.5", ("dam_obs_trace_points",))]


def test_plugin_that_does_not_import_is_skipped(install: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A plugin whose import raises is left out, logged once, counted and listed; the others are there."""
    install("bad", "raise ImportError('no module of mine\\nand more')\n")
    install("good", POINTS.format("/good.toml"))

    with caplog.at_level(logging.WARNING):
        manager = plugin_manager("host", ON)

    assert "/good.toml" in call_each(manager, "dam_obs_trace_points")
    assert installed(manager) == [
        PluginState("bad", "failed", "ImportError: no module of mine", "dist-bad 1.0"),
        PluginState("good", "loaded", "", "dist-good 1.0", ("dam_obs_trace_points",)),
    ]
    assert faults.counts() == {"plugins.bad": 1}
    assert [message for message in caplog.messages if "bad" in message] == [
        (
            "dam-obs: ImportError in plugins.bad (plugin bad of dist-bad 1.0); "
            "the program is not affected, see `dam-obs doctor`"
        )
    ]


def test_plugin_that_ends_the_interpreter_is_skipped(install: Any) -> None:
    """`sys.exit` at a plugin's import does not end the program."""
    install("exits", "raise SystemExit(3)\n")

    assert installed(plugin_manager("host", ON)) == [
        PluginState("exits", "failed", "plugin exits: its import ended the interpreter (3)", "dist-exits 1.0")
    ]


def test_all_plugins_off(install: Any) -> None:
    """With `plugins` off no installed plugin is imported."""
    install("one", "raise AssertionError\n")

    assert installed(plugin_manager("host", Settings(plugins=False))) == []
    assert faults.counts() == {}


def test_one_plugin_off(install: Any) -> None:
    """A plugin named in `plugins_off` is not imported, and listed as off."""
    install("one", "raise AssertionError\n")

    manager = plugin_manager("host", Settings(plugins_off=("one",)))

    assert installed(manager) == [PluginState("one", "off", "named in plugins_off", "dist-one 1.0")]


def test_two_plugins_of_one_name(install: Any) -> None:
    """Of two plugins with the same name one is kept, and the other is told what to do."""
    install("a", POINTS.format("/a.toml"), entry_point="same")
    install("b", POINTS.format("/b.toml"), entry_point="same")

    manager = plugin_manager("host", ON)

    assert [(state.distribution, state.state) for state in installed(manager)] == [
        ("dist-a 1.0", "loaded"),
        ("dist-b 1.0", "failed"),
    ]
    assert "another plugin has this name already" in installed(manager)[1].says


def test_manager_is_built_once(install: Any) -> None:
    """Asking again gives the same manager; other settings or another side, another one."""
    manager = plugin_manager("host", ON)

    assert plugin_manager("host", ON) is manager
    assert plugin_manager("cli", ON) is not manager
    assert plugin_manager("host", Settings(plugins=False)) is not manager


def test_settings_of_the_folder_count(install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings given, those of the environment say which plugins are off."""
    install("one", POINTS.format("/one.toml"))
    monkeypatch.setenv("DAM_OBS_PLUGINS_OFF", "one")
    monkeypatch.chdir(tmp_path)

    assert [state.state for state in installed(plugin_manager("host"))] == ["off"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "@hookimpl\ndef dam_obs_redact(key, text):\n    pass\n",
            "plugin one: dam_obs_redact(key, text) asks for text, but the hook is dam_obs_redact(key, value)",
        ),
        (
            "@hookimpl(wrapper=True)\ndef dam_obs_redact(key):\n    return (yield)\n",
            (
                "plugin one: dam_obs_redact(key) is a wrapper, but each implementation is called by itself: "
                "make it a plain one"
            ),
        ),
    ],
)
def test_wrong_implementation_is_refused(install: Any, source: str, says: str) -> None:
    """What does not fit its hook is refused, with plugin, hook and signature named."""
    install("one", source)

    assert installed(plugin_manager("host", ON)) == [PluginState("one", "failed", says, "dist-one 1.0")]
    assert faults.counts() == {"plugins.one": 1}


def test_unknown_hook_is_told_and_the_rest_kept(install: Any) -> None:
    """A hook that does not exist is named with the nearest one; the plugin's other hooks work."""
    install("one", "@hookimpl\ndef dam_obs_trace_pionts():\n    pass\n" + POINTS.format("/one.toml"))

    manager = plugin_manager("host", ON)

    says = "dam-obs has no hook dam_obs_trace_pionts, did you mean dam_obs_trace_points?"
    assert installed(manager) == [PluginState("one", "loaded", says, "dist-one 1.0", ("dam_obs_trace_points",))]
    assert "/one.toml" in call_each(manager, "dam_obs_trace_points")


def test_optional_hook_of_another_version_is_no_problem(install: Any) -> None:
    """A plugin may implement a hook of a later dam-obs, marked as optional."""
    install("one", "@hookimpl(optionalhook=True)\ndef dam_obs_of_tomorrow():\n    pass\n")

    assert installed(plugin_manager("host", ON)) == [PluginState("one", "loaded", "", "dist-one 1.0", ())]


def test_each_is_asked_although_one_raises() -> None:
    """A raising implementation is left out, counted by plugin and hook; the others answer, last registered first."""
    manager = manager_of(a=Answer("a"), broken=Raising(), none=Answer(None), b=Answer("b"))

    assert call_each(manager, "dam_obs_redact", key="k", value="v") == ["b", "a"]
    assert faults.counts() == {"plugins.broken.dam_obs_redact": 1}


def test_raising_is_logged_once_with_signature(caplog: pytest.LogCaptureFixture) -> None:
    """The log names plugin, hook and signature, once, and never what the exception says."""
    manager = manager_of(broken=Raising())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            call_each(manager, "dam_obs_redact", key="k", value="v")

    assert caplog.messages == [
        (
            "dam-obs: RuntimeError in plugins.broken.dam_obs_redact (plugin broken, dam_obs_redact(key, value)); "
            "the program is not affected, see `dam-obs doctor`"
        )
    ]
    assert faults.counts() == {"plugins.broken.dam_obs_redact": 3}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"a": Answer("a"), "b": Answer("b")}, "b"),
        ({"a": Answer("a"), "none": Answer(None)}, "a"),
        ({"a": Answer("a"), "broken": Raising()}, "a"),
        ({"broken": Raising()}, None),
        ({}, None),
    ],
)
def test_first_answer_wins(named: dict[str, object], expected: str | None) -> None:
    """The last registered is asked first; who has no opinion or raises is passed over."""
    assert call_first(manager_of(**named), "dam_obs_redact", key="k", value="v") == expected


def test_raising_may_be_an_answer_of_its_own() -> None:
    """Where going on would be unsafe, a raising implementation stands for a given answer."""
    manager = manager_of(a=Answer("a"), broken=Raising())

    assert call_first(manager, "dam_obs_redact", "hidden", key="k", value="v") == "hidden"


def test_interrupt_passes() -> None:
    """A keyboard interrupt inside a plugin is the program's to handle."""

    class Interrupted:
        @hookimpl
        def dam_obs_redact(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call_each(manager_of(a=Interrupted()), "dam_obs_redact", key="k", value="v")


def test_stall_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An implementation that takes longer than the bound answers, and is counted as slow."""
    monkeypatch.setattr(plugins, "STALL_SECONDS", -1.0)

    assert call_each(manager_of(a=Answer("a")), "dam_obs_redact", key="k", value="v") == ["a"]
    assert faults.counts() == {"plugins.a.dam_obs_redact.slow": 1}


def test_register_twice_is_refused() -> None:
    """One object cannot be two plugins."""
    plugin = Answer("a")
    manager = manager_of(a=plugin)

    with pytest.raises(PluginRefused, match="plugin b: it is registered already as a"):
        plugins.register(manager, plugin, "b")


def test_host_side_stays_light() -> None:
    """Looking for plugins in a program imports no library of the command line."""
    program = (
        "import sys; from dam_obs.config import Settings; from dam_obs.plugins import plugin_manager;"
        "plugin_manager('host', Settings(plugins=False));"
        "print(sorted({'click', 'rich', 'pydantic', 'numpy', 'duckdb', 'jinja2', 'altair'} & set(sys.modules)))"
    )

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"
