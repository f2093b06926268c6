"""Recording by hand: what the seed's own code does runs as it is."""

import pytest

from dam_obs import traced, tracer
from dam_obs.testing import recording
from dam_obs.trace import faults
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.layers import UnknownLayer


def test_a_span_is_the_seeds_event_and_more(recorder, clock):
    """A span gives an event with the seed's fields first and in order, and the measured ones after them."""
    with tracer.span("alt", "transition", "altitude.py", "L3→L2") as ctx:
        clock.advance(seconds=0.005)
        ctx.set_output("success", reason="user requested tactical")

    (event,) = recorder.events()
    assert list(TraceEvent.__struct_fields__[:11]) == [
        "trace_id", "parent_id", "timestamp", "hrm_layer", "operation", "component", "input_summary",
        "output_summary", "duration_ms", "status", "metadata",
    ]  # fmt: skip
    assert (event.trace_id, event.parent_id) == ("alt_1705180800_0002", None)
    assert event.timestamp.startswith("2024-01-1")
    assert (event.hrm_layer, event.operation, event.component) == ("altitude", "transition", "altitude.py")
    assert (event.input_summary, event.output_summary) == ("L3→L2", "success")
    assert (event.duration_ms, event.duration_ns, event.status) == (5, 5_000_000, "success")
    assert event.metadata == {"reason": "user requested tactical"}


def test_a_moment_takes_the_seeds_arguments(recorder):
    """`tracer.event` takes the seed's keywords and gives an event without duration, under the current span."""
    with tracer.span("alt", "execute", "loop.py") as outer:
        handle = tracer.event(
            hrm="foc", operation="gate_check", component="gates.py", input_data="WriteApprovalGate",
            output_data="denied", status="blocked", metadata={"context": {"tier": "warm"}},
        )  # fmt: skip

    event = recorder.event(operation="gate_check")
    assert (event.trace_id, event.parent_id) == (handle, outer.trace_id)
    assert (event.kind, event.duration_ns, event.status) == ("event", 0, "blocked")
    assert (event.input_summary, event.output_summary) == ("WriteApprovalGate", "denied")
    assert event.metadata == {"context": {"tier": "warm"}}


@pytest.mark.parametrize(("word", "layer"), [("foc", "focus"), ("focus", "focus"), ("sys", "system")])
def test_a_layer_goes_by_name_or_code(recorder, word, layer):
    """A layer may be given by its code or by its name; the event has the name, the handle the code."""
    with tracer.span(word, "route", "x"):
        pass

    event = recorder.event()
    assert (event.hrm_layer, event.trace_id[:3]) == (layer, layer[:3])


def test_an_unknown_layer_does_not_stop_the_program(recorder, caplog):
    """It is logged once with the known ones, counted, and recorded under `system`."""
    for _ in range(2):
        with tracer.span("nope", "x", "y"):
            pass

    assert [(event.hrm_layer, event.operation) for event in recorder.events()] == [("system", "nope.x")] * 2
    assert faults.counts() == {"tracer.layer": 1}
    (record,) = caplog.records
    assert "unknown layer 'nope': known are altitude (alt)" in record.getMessage()


def test_nothing_happens_while_recording_is_off():
    """Off, a span is false and silent, so guarded and unguarded code of the seed's kind runs."""
    assert not tracer.enabled
    with tracer.span("not even a layer", "x", "y") as ctx:
        assert not ctx
        ctx.set_output("x", more=1)
        ctx.set_status("blocked")
    assert tracer.event("foc", "gate_check", "gates.py") is None


def test_data_given_at_the_start_and_with_the_output_come_together(recorder):
    """Keyword arguments of `span` and of `set_output` are one set of data."""
    with tracer.span("mem", "write", "manager.py", "key", namespace="altitude", tier="warm") as ctx:
        ctx.set_output("written", tokens_saved=45)
        ctx.set_data("key", "session")

    assert recorder.event().metadata == {
        "namespace": "altitude", "tier": "warm", "tokens_saved": 45, "key": "session",
    }  # fmt: skip


def test_what_may_change_later_is_taken_now(recorder):
    """A mutable value is copied when it is given, not when it is written."""
    value = {"tier": "warm"}
    with tracer.span("mem", "write", "manager.py", context=value) as ctx:
        ctx.set_output(value)
        value["tier"] = "cold"

    event = recorder.event()
    assert (event.metadata, event.output_summary) == ({"context": {"tier": "warm"}}, "{'tier': 'warm'}")


def test_a_failure_is_recorded_and_passes(recorder):
    """An exception passes as it is; the event has its type and message."""
    with pytest.raises(ValueError, match="broken"), tracer.span("mem", "read", "manager.py"):
        raise ValueError("broken")

    event = recorder.event()
    assert (event.status, event.metadata) == ("error", {"error": "broken", "error.type": "ValueError"})


def test_secrets_leave_neither_in_data_nor_in_messages(recorder):
    """Secrets are replaced in input, data, messages and names; the marker names the rule."""
    with (
        pytest.raises(RuntimeError),
        tracer.span("mem", "read", "m.py", "token=abcdef0123456789", api_key="0123456789"),
    ):
        raise RuntimeError("login failed: password=hunter2-hunter2")

    event = recorder.event()
    assert "abcdef0123456789" not in repr(event)
    assert "0123456789" not in repr(event)
    assert "hunter2" not in repr(event)
    assert event.metadata["api_key"] == "[redacted:api_key]"


def test_a_summary_has_at_most_a_hundred_characters(recorder):
    """Input and output are cut to 100 characters; the data is not."""
    with tracer.span("mem", "read", "m.py", "x" * 5000, whole="y" * 500) as ctx:
        ctx.set_output("z" * 101)

    event = recorder.event()
    assert (len(event.input_summary), len(event.output_summary), len(event.metadata["whole"])) == (100, 100, 500)


def test_traced_takes_layer_and_operation_as_one_word(recorder, clock):
    """`@traced("focus.gate_check")` makes each run a span with the function as component."""

    @traced("focus.gate_check", output=True, gate_type="write")
    def check(answer: bool) -> bool:
        clock.advance(seconds=3)
        return answer

    assert check(True) is True
    event = recorder.event()
    assert (event.operation, event.component) == ("gate_check", f"{__name__}:{check.__qualname__}")
    assert (event.output_summary, event.duration_ns, event.metadata) == ("True", 3_000_000_000, {"gate_type": "write"})


def test_traced_refuses_an_unknown_layer():
    """A layer that nobody knows is an error where the decorator stands."""
    with pytest.raises(UnknownLayer):
        traced("focsu.gate_check")


def test_faults_of_ours_do_not_reach_the_program():
    """A value that cannot be captured is left to the guard: the program goes on, the fault is counted."""

    class Hostile:
        @property
        def __class__(self):
            raise RuntimeError("even that")

        def __repr__(self):
            raise RuntimeError("no")

    with recording(let_faults_through=False) as record:
        with tracer.span("mem", "read", "m.py", Hostile(), data=Hostile()) as ctx:
            ctx.set_output(Hostile())
        assert record.event().status == "success"
