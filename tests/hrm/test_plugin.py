"""Plugins are asked in order, given, installed, built-in; one that cannot be used is named with the way out."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.metadata
import subprocess
import sys
import types

import dam_hrm
import pytest
from dam_hrm import ActionResult, PluginBroken, hookimpl, plugin_manager
from dam_hrm.asking import ask
from dam_hrm.plugin import BUILT_IN


class Acting:
    def __init__(self, name, asked, *, answers=False):
        self._name, self._asked, self._answers = name, asked, answers

    @hookimpl
    def dam_hrm_act(self, session, action):
        self._asked.append(self._name)
        return ActionResult(allowed=True, output=self._name) if self._answers else None


def acting_last(asked):
    class ActingLast(Acting):
        @hookimpl(trylast=True)
        def dam_hrm_act(self, session, action):
            return super().dam_hrm_act(session, action)

    return ActingLast("last", asked)


@pytest.fixture
def install(monkeypatch):
    """Let plugins look as if distributions brought them."""

    def install(**plugins):
        for name, plugin in plugins.items():
            if plugin is not None:
                monkeypatch.setitem(sys.modules, f"brought_{name}", plugin)
        distribution = types.SimpleNamespace(name="the-distribution")
        points = [
            importlib.metadata.EntryPoint(name, f"brought_{name}", "dam_hrm")._for(distribution) for name in plugins
        ]
        monkeypatch.setattr(
            "dam_hrm.plugin.entry_points", lambda group: [point for point in points if point.group == group]
        )

    return install


def act_with(manager):
    asking = ask(
        manager.hook.dam_hrm_act, ActionResult, session=None, action=dam_hrm.Action(altitude="L1", action_type="sing")
    )
    return asyncio.run(asking)


def test_those_given_are_asked_before_those_installed_and_the_built_in_ones_last(install):
    """Of those given the last one first; one that wants to be last comes before the built-in ones all the same."""
    asked = []
    install(ape=Acting("ape", asked), bee=Acting("bee", asked))
    manager = plugin_manager(Acting("one", asked), acting_last(asked), Acting("two", asked))

    refused = act_with(manager)

    assert asked == ["two", "one", "bee", "ape", "last"]
    assert refused == ActionResult(
        allowed=False, output="", reason="nothing here can sing: a plugin with dam_hrm_act for it would help"
    )


def test_the_first_answer_counts(install):
    """Nobody else is asked then."""
    asked = []
    install(ape=Acting("ape", asked))
    assert act_with(plugin_manager(Acting("one", asked, answers=True))).output == "one"
    assert asked == ["one"]


def test_installed_ones_can_be_left_out(install):
    """All of them, or by name."""
    asked = []
    install(ape=Acting("ape", asked), bee=Acting("bee", asked))
    act_with(plugin_manager(installed=False))
    act_with(plugin_manager(without=["bee"]))
    assert asked == ["ape"]


def test_each_layer_is_a_built_in_plugin():
    """There is no other door: without them nobody answers."""
    manager = plugin_manager(installed=False)
    assert {name for name, _ in manager.list_name_plugin()} == set(BUILT_IN)
    hooks = {name for name in vars(manager.hook) if name.startswith("dam_hrm_")}
    unanswered = {name for name in hooks if not getattr(manager.hook, name).get_hookimpls()}
    assert unanswered == {"dam_hrm_ask_user", "dam_hrm_closing"}


class Empty: ...


class Misspelt:
    @hookimpl
    def dam_hrm_akt(self, session, action): ...


class WrongParameter:
    @hookimpl
    def dam_hrm_act(self, session, deed): ...


BROKEN = {
    "empty": (Empty(), "has no hook implementation: mark its functions with @dam_hrm.hookimpl"),
    "misspelt": (Misspelt(), "implements dam_hrm_akt, which is no hook of dam_hrm"),
    "wrong": (
        WrongParameter(),
        "Argument(s) {'deed'} are declared in the hookimpl but can not be found in the hookspec",
    ),
    "a_class": (Acting, "is a class: give an instance of it, Acting()"),
}


@pytest.mark.parametrize(("plugin", "why"), BROKEN.values(), ids=BROKEN)
def test_a_plugin_that_cannot_be_used_is_named(plugin, why):
    """By its class; what is registered later on is looked at in the same way."""
    name = getattr(plugin, "__name__", type(plugin).__name__)
    with pytest.raises(PluginBroken) as caught:
        plugin_manager(plugin, installed=False)
    assert str(caught.value) == f"plugin {name}: {why}"

    manager = plugin_manager(installed=False)
    before = manager.get_plugins()
    with pytest.raises(PluginBroken):
        manager.register(plugin)
    assert manager.get_plugins() == before


@pytest.mark.parametrize(("plugin", "why"), BROKEN.values(), ids=BROKEN)
def test_an_installed_one_is_named_with_its_distribution_and_the_way_out(install, plugin, why):
    """By the name of its entry point."""
    install(ape=plugin)
    with pytest.raises(PluginBroken) as caught:
        plugin_manager()
    way_out = "repair or uninstall the-distribution, or leave the plugin out (without={'ape'}, --without ape)"
    assert str(caught.value) == f"plugin ape: {why}; {way_out}"
    assert caught.value.plugin == "ape"
    assert plugin_manager(without=["ape"])


def test_an_installed_one_that_does_not_import_is_named(install):
    """With what its import raised."""
    install(ape=None)
    with pytest.raises(PluginBroken) as caught:
        plugin_manager()
    assert str(caught.value).startswith(
        "plugin ape: brought_ape does not load: ModuleNotFoundError: No module named 'brought_ape'; repair or uninstall"
    )
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_two_of_a_class_are_told_apart():
    """Both are asked."""
    asked = []
    act_with(plugin_manager(Acting("one", asked), Acting("two", asked), installed=False))
    assert asked == ["two", "one"]


def test_one_object_is_given_once():
    """A second time it is an error, not asked twice."""
    plugin = Acting("one", [])
    with pytest.raises(PluginBroken, match=r"^plugin Acting: is registered already$"):
        plugin_manager(plugin, plugin, installed=False)


def test_a_dataclass_is_a_plugin():
    """Though it has no hash, and two of them may be equal."""

    @dataclasses.dataclass
    class Singing:
        tune: str = "la"
        heard: list = dataclasses.field(default_factory=list)

        @hookimpl
        def dam_hrm_act(self):
            return ActionResult(allowed=True, output=self.tune)

        @hookimpl
        def dam_hrm_closing(self, session):
            self.heard.append(session.name)

    plugin = Singing()
    manager = plugin_manager(plugin, installed=False)
    assert act_with(manager).output == "la"
    session = dam_hrm.Session(plugins=manager, name="it")
    asyncio.run(session.aclose())
    assert plugin.heard == ["it"]


def test_a_module_is_a_plugin():
    """With its functions."""
    module = types.ModuleType("singing")
    module.dam_hrm_act = hookimpl(lambda action: ActionResult(allowed=True, output="la"))
    manager = plugin_manager(module, installed=False)
    assert act_with(manager).output == "la"
    assert manager.has_plugin("singing")


def test_a_real_distribution_brings_a_plugin(tmp_path):
    """An entry point in the group `dam_hrm` is all it takes."""
    (tmp_path / "dam_hrm_echo.py").write_text(
        "from dam_hrm import ActionResult, hookimpl\n"
        "@hookimpl\n"
        "def dam_hrm_act(action):\n"
        "    return ActionResult(allowed=True, output='echo')\n"
    )
    metadata = tmp_path / "dam_hrm_echo-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: dam-hrm-echo\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[dam_hrm]\necho = dam_hrm_echo\n")
    shown = "import dam_hrm; print('echo' in dict(dam_hrm.plugin_manager().list_name_plugin()))"
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {shown}"

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert printed.stdout == "True\n"
