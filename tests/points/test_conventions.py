"""Attributes under names that a convention gives: on the span, not in the event."""

import enum
from collections.abc import Mapping
from types import SimpleNamespace

import pluggy
import pytest
from opentelemetry import trace as otel_trace

from dam_obs.points.attach import attached
from dam_obs.points.hosts import observe
from dam_obs.sinks.attributes import attributes
from dam_obs.testing import recording
from dam_obs.trace import faults

SOURCE = """
    def evaluate(plan, score=0.5):
        if plan is None:
            raise ValueError("no plan")
        return plan
"""


class Verdict(enum.Enum):
    APPROVED = "approved"


@pytest.fixture
def host(imported):
    return imported("convention_host", SOURCE)


def call(point, host, lines, *args, **recorded):
    """Return the one span of a call, and what it says beside ``dam.*`` and OpenTelemetry's own names."""
    with recording(**recorded) as record, attached([point("convention_host:evaluate", lines=lines)]):
        host.evaluate(*args)
        (span,) = record.spans()
    said = {name: value for name, value in attributes(span).items() if name.startswith(("gen_ai.", "db."))}
    return span, said


def test_a_constant_is_on_the_span_and_not_in_the_event(point, host):
    """Text, numbers and booleans, as they are written."""
    lines = (
        '[points.attributes]\n"gen_ai.operation.name" = "plan"\n"gen_ai.x" = 3\n"gen_ai.y" = false\n"gen_ai.z" = 0.5'
    )
    span, said = call(point, host, lines, "p")

    assert said == {"gen_ai.operation.name": "plan", "gen_ai.x": 3, "gen_ai.y": False, "gen_ai.z": 0.5}
    assert span.event.metadata == {}


READ = {
    "of the declared type": ('{ from = "result", type = "str" }', "approved", "approved"),
    "made to be of it": ('{ from = "args.score", type = "float" }', "x", 0.5),
    "an enum by its value": ('{ from = "result", type = "str" }', Verdict.APPROVED, "approved"),
    "by alternatives": ('{ from = ["args.plan.name", "args.plan"], type = "str" }', "x", "x"),
}


@pytest.mark.parametrize(("value", "plan", "said"), READ.values(), ids=READ)
def test_a_value_is_read_like_data(point, host, value, plan, said):
    """From arguments or the result; it is on the span and not in the event."""
    span, found = call(point, host, f'[points.attributes]\n"gen_ai.x" = {value}', plan)

    assert (found, span.event.metadata) == ({"gen_ai.x": said}, {})


def test_what_is_not_there_is_left_out_and_counted(point, host):
    """`None` is nothing to say; a path that finds nothing is counted under the attribute's name."""
    lines = '[points.attributes]\n"gen_ai.x" = { from = "args.plan.a", type = "str" }\n'
    _, said = call(point, host, lines, SimpleNamespace(a=None))
    assert (said, faults.counts()) == ({}, {})

    _, said = call(point, host, lines, SimpleNamespace())
    assert (said, faults.counts()) == ({}, {"points.system.execute.gen_ai.x.absent": 1})


def test_data_and_attributes_are_told_apart(point, host):
    """The event has the point's data, also where an attribute says the same."""
    lines = (
        '[points.attributes]\n"gen_ai.x" = { from = "args.plan", type = "str" }\n'
        '[points.data.plan]\ntype = "str"\nmeaning = "m"\nfrom = "args.plan"'
    )
    span, said = call(point, host, lines, "p")

    assert (said, span.event.metadata) == ({"gen_ai.x": "p"}, {"plan": "p"})


def test_a_secret_is_hidden_wherever_it_stands(point, host):
    """In a constant as in what is read."""
    lines = (
        '[points.attributes]\n"db.url" = "postgres://ann:hunter22secret@db/x"\n'
        '"gen_ai.x" = { from = "args.plan", type = "str" }'
    )
    _, said = call(point, host, lines, "postgres://bob:hunter33secret@db/x")

    assert "hunter" not in str(said)
    assert said.keys() == {"db.url", "gen_ai.x"}


def test_a_long_value_is_bounded(point, host):
    """As data is: what is kept does not grow with what a program passes."""
    _, said = call(
        point, host, '[points.attributes]\n"gen_ai.x" = { from = "args.plan", type = "str" }', "x" * 10_000_000
    )

    assert len(said["gen_ai.x"]) < 100_000


def test_what_the_program_says_itself_wins(point, imported, recorder):
    """A library that sets the same attribute on the current span knows better."""
    host = imported(
        "saying_host",
        """
        from opentelemetry import trace
        def work(): trace.get_current_span().set_attribute("gen_ai.x", "mine")
        """,
    )
    with attached([point("saying_host:work", lines='[points.attributes]\n"gen_ai.x" = "constant"')]):
        host.work()
    (span,) = recorder.spans()

    assert attributes(span)["gen_ai.x"] == "mine"
    assert otel_trace.get_current_span().is_recording() is False


def test_a_target_may_say_otherwise(points, recorder):
    """An attribute of a target replaces the point's; a hook's come from its arguments."""
    file = points(
        """
        [[points]]
        layer = "system"
        operation = "execute"
        meaning = "m"
        [points.attributes]
        "gen_ai.a" = "point"
        "gen_ai.b" = "point"
        [[points.targets]]
        hook = "work"
        [points.targets.attributes]
        "gen_ai.b" = { from = "args.x", type = "int" }
        """
    )
    manager = pluggy.PluginManager("demo")
    manager.register(type("Plugin", (), {"work": staticmethod(pluggy.HookimplMarker("demo")(lambda x: x))})())
    with observe(manager, [file]):
        manager.hook.work(x=3)

    said: Mapping[str, object] = attributes(recorder.spans()[0])
    assert {name: value for name, value in said.items() if name.startswith("gen_ai.")} == {
        "gen_ai.a": "point",
        "gen_ai.b": 3,
    }


def test_spans_of_a_call_site_share_their_constants(point, host):
    """Nothing is made for each span of what is the same on all."""
    lines = '[points.attributes]\n"gen_ai.operation.name" = "plan"'
    with recording() as record, attached([point("convention_host:evaluate", lines=lines)]):
        host.evaluate("a")
        host.evaluate("b")
        first, second = record.spans()

    assert first.standard is second.standard
    assert first.attributes == {}


def test_plugin_managers_made_again_and_again_share_them_too(points, recorder):
    """A host that makes a manager for each of its sessions costs no memory for each."""
    file = points(
        """
        [[points]]
        layer = "system"
        operation = "execute"
        meaning = "m"
        attributes = { "gen_ai.a" = 1, "gen_ai.b" = true }
        targets = [{ hook = "work" }]
        [[points]]
        layer = "system"
        operation = "again"
        meaning = "m"
        attributes = { "gen_ai.a" = true, "gen_ai.b" = 1 }
        targets = [{ hook = "work" }]
        """
    )
    for _ in range(3):
        manager = pluggy.PluginManager("demo")
        manager.register(type("Plugin", (), {"work": staticmethod(pluggy.HookimplMarker("demo")(lambda x: x))})())
        with observe(manager, [file]):
            manager.hook.work(x=3)

    said = {(span.event.operation, id(span.standard)): span.standard for span in recorder.spans()}
    assert {operation: standard for (operation, _), standard in said.items()} == {
        "execute": {"gen_ai.a": 1, "gen_ai.b": True},
        "again": {"gen_ai.a": True, "gen_ai.b": 1},
    }
    assert len(said) == 2
