"""Deep nesting: parents are right, and spans that are never left take neither ever more memory nor stack."""

import subprocess
import sys
import textwrap

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace

from dam_obs import tracer
from dam_obs.testing import recording
from dam_obs.trace.span import DEEPEST


@pytest.fixture(autouse=True)
def deep_recursion():
    """Let the test recurse deeper than the spans hold each other."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 10 * DEEPEST)
    yield
    sys.setrecursionlimit(limit)


def nested(levels, inner=lambda: None, *, beside=False):
    """Open so many spans in each other and, on the way out, another one in each."""
    if not levels:
        inner()
        return
    with tracer.span("sys", "execute", f"level {levels}"):
        nested(levels - 1, inner, beside=beside)
        if beside:
            with tracer.span("sys", "execute", f"beside {levels - 1}"):
                pass


@pytest.mark.parametrize(("levels", "beside"), [(DEEPEST - 1, True), (2 * DEEPEST + 10, False)])
def test_each_span_stands_under_the_one_around_it(levels, beside):
    """By handle and by id, in one trace, and nothing is current afterwards."""
    with recording() as record:
        nested(levels, beside=beside)
        after = otel_context.get_current()
        events = record.events()
        parents = record.parents()

    components = {event.otel_span_id: event.component for event in events}
    expected = {f"level {level}": f"level {level + 1}" if level < levels else None for level in range(1, levels + 1)}
    if beside:
        expected |= {f"beside {level - 1}": f"level {level}" for level in range(1, levels + 1)}
    assert parents == {event.component: components.get(event.otel_parent_id) for event in events} == expected
    assert len({event.otel_trace_id for event in events}) == 1
    assert after == {}


def test_what_others_find_as_current_is_the_innermost_span():
    """OpenTelemetry's own context leads to it however deep it is."""
    seen = []
    with recording() as record:
        nested(DEEPEST + 3, lambda: seen.append(otel_trace.get_current_span().get_span_context().span_id))
        (innermost,) = (each.span_id for each in record.spans() if each.event.component == "level 1")

    assert seen == [innermost]


def test_spans_that_are_never_left_take_neither_memory_nor_stack(tmp_path):
    """A program that enters spans and never leaves them does not grow, nor fall when its context goes."""
    program = """
    import threading, tracemalloc
    import dam_obs
    from dam_obs import tracer

    dam_obs.configure(jsonl=False)

    def enter(times):
        for _ in range(times):
            tracer.span("sys", "execute", "never left").__enter__()

    def work():
        enter(4000)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        enter(20_000)
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        print(grown < 500_000 or grown)

    threading.stack_size(256 * 1024)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=100, cwd=tmp_path
    )

    assert (result.stdout, result.stderr, result.returncode) == ("True\n", "", 0)
