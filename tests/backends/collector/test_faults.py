"""Whatever becomes of the collector, the program works on, and what does not arrive is counted."""

from __future__ import annotations

import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

WaitUntil = Callable[..., None]
SEEN = 400
"""Pieces of work that are enough to say that it goes on: several requests' worth."""


def own_metric(collector: Any, name: str) -> float:
    """Return the sum of one of the collector's own metrics; one that has no series yet is 0."""
    found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", collector.metrics(), re.MULTILINE)
    return sum(map(float, found))


def works_on(load: Any, wait_until: WaitUntil) -> None:
    """Wait until the program has done some more."""
    target = load.done + SEEN
    wait_until(lambda: load.done >= target or load.process.poll() is not None, f"{target} pieces of work")
    assert load.process.poll() is None


def everything_is_accounted_for(load: Any, backend: Any, wait_until: WaitUntil) -> None:
    """What the program made has arrived, once, but for as much as it has counted as lost."""
    made = load.result["spans"]
    wait_until(lambda: len(backend.taker.ids()) + load.lost >= made, "all spans are accounted for")
    assert len(backend.taker.ids()) <= made


def test_killed_and_restarted_under_load(
    start_collector: Any, start_backend: Any, start_load: Any, wait_until: WaitUntil
) -> None:
    """An agent crashes and comes back: what it had taken arrives, what nobody has taken is counted as lost."""
    backend = start_backend()
    agent = start_collector("agent", DAM_GATEWAY=backend.address)
    load = start_load(agent.addresses["DAM_AGENT_GRPC"])
    wait_until(lambda: backend.taker.spans, "spans arrive")

    agent.kill()
    works_on(load, wait_until)
    before = len(backend.taker.ids())
    agent.start()
    wait_until(lambda: len(backend.taker.ids()) > before, "spans arrive again")
    load.finish()

    everything_is_accounted_for(load, backend, wait_until)


def test_the_queue_holds_while_the_gateway_is_down(
    start_collector: Any, start_backend: Any, start_load: Any, wait_until: WaitUntil, free_address: Callable[[], str]
) -> None:
    """The program has lost nothing; the agent crashes, comes back, and all arrives once a gateway is there."""
    backend = start_backend()
    address = free_address()
    agent = start_collector("agent", DAM_GATEWAY=address)
    load = start_load(agent.addresses["DAM_AGENT_GRPC"])
    works_on(load, wait_until)
    load.finish()
    assert load.lost == 0

    agent.kill()
    agent.start()
    start_collector(
        "gateway",
        DAM_GATEWAY_GRPC=address,
        DAM_JAEGER=backend.address,
        DAM_GATEWAY_SHARE="100",
        DAM_GATEWAY_ROOT_WAIT="1s",
    )

    made = load.result["spans"]
    wait_until(lambda: len(backend.taker.ids()) >= made, f"{made} spans arrive")
    assert len(backend.taker.ids()) == made


def test_a_gateway_that_crashes(
    start_collector: Any, start_backend: Any, start_load: Any, otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """The gateway is killed, and comes back while the program goes on: its file has every span."""
    gateway = start_collector("gateway", DAM_JAEGER=start_backend().address)
    agent = start_collector("agent", DAM_GATEWAY=gateway.addresses["DAM_GATEWAY_GRPC"])
    load = start_load(agent.addresses["DAM_AGENT_GRPC"])
    works_on(load, wait_until)
    # What came in the tenth of a second before a crash is not in the file: so let there be nothing.
    load.pause(wait_until)
    wait_until(lambda: len(_ids(otlp.written(gateway.file))) == load.done, "all so far is written")

    gateway.kill()
    load.resume()
    works_on(load, wait_until)
    gateway.start()
    works_on(load, wait_until)
    load.finish()

    assert load.lost == 0
    made = load.result["spans"]
    wait_until(lambda: len(_ids(otlp.written(gateway.file))) == made, f"{made} spans are written")


def test_a_full_disk_is_the_files_trouble_alone(
    start_collector: Any, start_backend: Any, start_load: Any, otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """What cannot be written is counted; figures and Jaeger have every span once, and nobody sends anything again."""
    backend = start_backend()
    gateway = start_collector(
        "gateway",
        DAM_JAEGER=backend.address,
        DAM_GATEWAY_FILE="/dev/full",
        DAM_GATEWAY_SHARE="100",
        DAM_GATEWAY_ROOT_WAIT="1s",
        DAM_GATEWAY_FLUSH="1s",
    )
    agent = start_collector("agent", DAM_GATEWAY=gateway.addresses["DAM_GATEWAY_GRPC"])
    load = start_load(agent.addresses["DAM_AGENT_GRPC"])
    works_on(load, wait_until)
    load.finish()
    made = load.result["spans"]

    wait_until(lambda: len(backend.taker.ids()) == made, f"{made} spans arrive")
    figures = gateway.addresses["DAM_GATEWAY_PROMETHEUS"]
    wait_until(lambda: f"}} {made}.0" in otlp.scraped(figures), f"{made} calls are counted")
    failed = "otelcol_exporter_send_failed_spans_total"
    wait_until(lambda: own_metric(gateway, failed) == made, "as many are counted as not written")
    assert set(backend.taker.ids().values()) == {1}
    assert load.lost == 0


def _ids(spans: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(each["traceId"], each["spanId"]) for each in spans}


def test_figures_and_file_do_not_wait_for_jaeger(
    start_collector: Any,
    start_backend: Any,
    start_load: Any,
    otlp: SimpleNamespace,
    wait_until: WaitUntil,
    free_address: Callable[[], str],
) -> None:
    """While Jaeger is away everything else goes on, and what is kept arrives when it is back."""
    address = free_address()
    gateway = start_collector(
        "gateway", DAM_JAEGER=address, DAM_GATEWAY_SHARE="100", DAM_GATEWAY_ROOT_WAIT="1s", DAM_GATEWAY_FLUSH="1s"
    )
    load = start_load(gateway.addresses["DAM_GATEWAY_GRPC"])
    works_on(load, wait_until)
    load.finish()
    made = load.result["spans"]

    wait_until(lambda: len(_ids(otlp.written(gateway.file))) == made, f"{made} spans are written")
    figures = gateway.addresses["DAM_GATEWAY_PROMETHEUS"]
    wait_until(lambda: f"}} {made}.0" in otlp.scraped(figures), f"{made} calls are counted")
    backend = start_backend(address)
    wait_until(lambda: len(backend.taker.ids()) == made, f"{made} spans arrive")


def test_what_the_gateway_asks_for_is_sent(
    start_collector: Any, start_backend: Any, otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """The one secret of these files comes from the environment, and stands in no log."""
    backend = start_backend()
    agent = start_collector("agent", DAM_GATEWAY=backend.address, DAM_GATEWAY_AUTHORIZATION="Bearer open-sesame")

    otlp.send(agent.addresses["DAM_AGENT_HTTP"], otlp.span(1))

    wait_until(lambda: backend.taker.spans, "the span arrives")
    assert backend.taker.headers["authorization"] == "Bearer open-sesame"
    assert "sesame" not in agent.log.read_text()


def test_a_full_queue_is_said_and_counted(
    start_collector: Any, start_backend: Any, start_load: Any, wait_until: WaitUntil
) -> None:
    """An agent that has no room refuses; the program works on, and both count. What was taken arrives."""
    backend = start_backend()
    backend.taker.open.clear()
    agent = start_collector("agent", DAM_GATEWAY=backend.address, DAM_AGENT_QUEUE_BYTES="100000")
    load = start_load(agent.addresses["DAM_AGENT_GRPC"])

    wait_until(lambda: own_metric(agent, "otelcol_exporter_enqueue_failed_spans_total"), "the queue is full")
    works_on(load, wait_until)
    load.finish()
    backend.taker.open.set()

    everything_is_accounted_for(load, backend, wait_until)
    assert load.lost > 0


def test_an_agent_short_of_memory_refuses(
    start_collector: Any, start_backend: Any, start_load: Any, wait_until: WaitUntil
) -> None:
    """Over its limit the agent refuses and says so; the program works on, and counts what was not taken in the end."""
    backend = start_backend()
    limits = {"DAM_AGENT_MEMORY_MIB": "4", "DAM_AGENT_MEMORY_SPIKE_MIB": "1"}
    agent = start_collector("agent", DAM_GATEWAY=backend.address, **limits)
    # The limiter looks twice a second: from when on it refuses is found out by asking.
    wait_until(lambda: not _takes(agent), "the agent refuses")
    load = start_load(agent.addresses["DAM_AGENT_GRPC"])

    wait_until(lambda: own_metric(agent, "otelcol_receiver_refused_spans_total") > 1, "spans are refused")
    works_on(load, wait_until)
    load.finish()

    assert load.lost > 0
    everything_is_accounted_for(load, backend, wait_until)


def _takes(agent: Any) -> bool:
    request = urllib.request.Request(
        f"http://{agent.addresses['DAM_AGENT_HTTP']}/v1/traces",
        data=b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"probe"}]}]}]}',
        headers={"content-type": "application/json"},
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError:
        return False
    return True


def test_nobody_is_there(start_load: Any, wait_until: WaitUntil, free_address: Callable[[], str]) -> None:
    """From beginning to end: the program does its work, comes to its end, and knows that all is lost."""
    load = start_load(free_address())
    works_on(load, wait_until)
    load.finish()

    assert load.lost == load.result["spans"]


def test_an_agent_that_hangs(start_collector: Any, start_backend: Any, start_load: Any, wait_until: WaitUntil) -> None:
    """It takes connections and never answers: the program works on, comes to its end, and counts what it gave up."""
    backend = start_backend()
    agent = start_collector("agent", DAM_GATEWAY=backend.address)
    load = start_load(agent.addresses["DAM_AGENT_GRPC"])
    wait_until(lambda: backend.taker.spans, "spans arrive")

    agent.process.send_signal(signal.SIGSTOP)
    try:
        works_on(load, wait_until)
        load.finish()
    finally:
        agent.process.send_signal(signal.SIGCONT)

    assert load.lost > 0
    everything_is_accounted_for(load, backend, wait_until)


def test_a_slow_backend_is_not_the_programs_concern(
    start_collector: Any, start_backend: Any, start_load: Any, wait_until: WaitUntil
) -> None:
    """A backend that answers only after the program has ended gets everything all the same."""
    backend = start_backend()
    backend.taker.open.clear()
    agent = start_collector("agent", DAM_GATEWAY=backend.address)
    load = start_load(agent.addresses["DAM_AGENT_GRPC"])

    wait_until(lambda: backend.taker.waiting, "the backend is asked")
    works_on(load, wait_until)
    load.finish()
    assert (load.lost, backend.taker.spans) == (0, [])
    backend.taker.open.set()

    made = load.result["spans"]
    wait_until(lambda: len(backend.taker.ids()) >= made, f"{made} spans arrive")
    assert len(backend.taker.ids()) == made


DAY = 86_400_000_000_000


@pytest.mark.parametrize("skew", [-DAY, DAY], ids=["behind", "ahead"])
def test_clocks_that_are_wrong_lose_nothing(
    gateway: Any, agent: Any, otlp: SimpleNamespace, wait_until: WaitUntil, backend: Any, skew: int
) -> None:
    """
    Of two machines whose clocks are a day apart, both halves of a trace arrive as they were sent, and are kept.

    The trace looks as if it took a day, so it counts as slow: wrong clocks keep more, never less.
    """
    trace = 0x5EED_0000 + (skew > 0)
    now = time.time_ns()
    sent = [
        otlp.span(trace, 1, start_ns=now, attributes={"dam.status": "success"}),
        otlp.span(trace, 2, parent=1, start_ns=now + skew, attributes={"dam.status": "success"}),
        otlp.span(trace, 3, parent=1, start_ns=now, ms=-5, attributes={"dam.status": "success"}),
    ]
    address = agent.addresses["DAM_AGENT_HTTP"]
    otlp.send(address, *sent[1:], service="there")
    otlp.send(address, *sent[:1], service="here")

    def arrived() -> dict[str, tuple[str, str]]:
        return {
            each["spanId"]: (each["startTimeUnixNano"], each["endTimeUnixNano"])
            for each in otlp.written(gateway.file)
            if each["traceId"] == f"{trace:032x}"
        }

    wait_until(lambda: len(arrived()) == 3, "the file has the trace")
    assert arrived() == {each["spanId"]: (each["startTimeUnixNano"], each["endTimeUnixNano"]) for each in sent}
    wait_until(lambda: trace in backend.taker.traces, "the trace is kept")
