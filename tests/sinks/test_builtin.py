"""The built-in sinks come by the hook that anyone's come by; plugins' hooks get every event."""

from __future__ import annotations

import subprocess
import sys

import pluggy
import pytest

from dam_obs import hookspecs
from dam_obs.config import Settings
from dam_obs.hookspecs import hookimpl
from dam_obs.sinks import builtin
from dam_obs.sinks.hooks import HookSink
from dam_obs.trace import faults


@pytest.fixture
def manager():
    manager = pluggy.PluginManager("dam_obs")
    manager.add_hookspecs(hookspecs)
    return manager


def kinds(manager: pluggy.PluginManager, settings: Settings) -> list[str]:
    manager.register(builtin)
    (factories,) = manager.hook.dam_obs_sinks(settings=settings)
    return [type(factory()).__name__ for factory in factories]


@pytest.mark.parametrize(
    ("switched_on", "expected"),
    [
        ({}, ["JsonlSink", "OpenTelemetrySink"]),
        ({"jsonl": False}, ["OpenTelemetrySink"]),
        ({"console": True}, ["JsonlSink", "ConsoleSink", "OpenTelemetrySink"]),
    ],
)
def test_dam_obs_sinks(manager, switched_on, expected):
    """What the settings switch on is what is there."""
    assert kinds(manager, Settings(**switched_on)) == expected


def test_a_protocol_that_is_not_spoken_leaves_the_other_sinks(manager, monkeypatch, caplog):
    """It is said once, with the way out."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")

    assert kinds(manager, Settings()) == ["JsonlSink", "OpenTelemetrySink"]
    assert "set it to grpc or http/protobuf" in caplog.text


def test_the_console_prints_at_once_where_only_failures_are_recorded(manager, make_span, capsys):
    """Their parents are not recorded, so none would ever come."""
    manager.register(builtin)
    (factories,) = manager.hook.dam_obs_sinks(settings=Settings(jsonl=False, console=True, level="warn"))
    factories[0]()([make_span(parent_id="alt_1_a", status="error")])

    assert capsys.readouterr().err == "[alt] transition: error (0ms)\n"


def test_the_sinks_import_no_exporter_that_is_not_used():
    """A program that sends nothing pays for nothing."""
    code = "import sys, dam_obs.sinks.builtin; print({'grpc', 'requests', 'google.protobuf'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_dam_obs_event(manager, make_span):
    """Plugins get each event, in order; one that raises is counted and takes nothing from the others."""
    seen = []

    class Keeps:
        @hookimpl
        def dam_obs_event(self, event):
            seen.append(event)

    class Raises:
        @hookimpl
        def dam_obs_event(self, event):
            raise ZeroDivisionError

    manager.register(Keeps())
    manager.register(Raises(), "raises")
    spans = [make_span(operation="a"), make_span(operation="b")]
    sink = HookSink(manager)
    sink(spans)
    sink.flush(1)
    sink.close(1)

    assert seen == [span.event for span in spans]
    assert sum(faults.counts().values()) == 2


def test_a_sink_for_nobody_does_nothing(manager, make_span):
    """No plugin, no work."""
    HookSink(manager)([make_span()])

    assert faults.counts() == {}
