"""
What a span costs: ours enabled, sampled out and disabled, beside others, in one interleaved run.

    python benchmarks/span_cost.py            # prints a table; --json for machines

Two figures are kept apart: wall time on the caller's thread, and CPU time of all threads
of the process including exporters and drain, until everything is flushed. Each peer does
its work in short rounds, one after the other, again and again, so that all see the same
noise; medians over rounds are printed, and ratios to the bare OpenTelemetry SDK span.

Peers: the OpenTelemetry SDK with a null exporter and with its OTLP exporter; the naive
dataclass-and-json.dumps tracer that the project's seed describes, written anew here;
ddtrace where it is installed; a bare call.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

DATA = {"a": "one", "b": "two", "c": "three", "d": 4, "e": 5.0, "f": True, "g": "seven", "h": "eight"}
Loop = Callable[[int], None]


# -- where exporters send to: another process, so that its CPU is not counted


def _serve(port: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    class Swallow(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_PUT = do_POST

        def log_message(self, *_: object) -> None:
            return

    # One thread a connection: clients keep theirs open.
    server = ThreadingHTTPServer(("127.0.0.1", 0), Swallow)
    port.put(server.server_port)
    server.serve_forever()


@contextmanager
def swallowing_server() -> Iterator[str]:
    """Run an HTTP server that takes everything, in a process of its own."""
    spawning = multiprocessing.get_context("spawn")
    port = spawning.Queue()
    process = spawning.Process(target=_serve, args=(port,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=30)}"
    finally:
        process.terminate()
        process.join()


# -- real work of about 100 microseconds that touches memory

_TEXT = json.dumps([{"name": f"asset {n}", "size": n * 7919, "tags": ["a", "b", str(n)]} for n in range(24)])


def work() -> int:
    """Parse, sort and sum: the kind of thing that a traced function does."""
    rows = json.loads(_TEXT)
    rows.sort(key=lambda row: row["size"] % 1009)
    return sum(len(tag) for row in rows for tag in row["tags"]) + len(json.dumps(rows))


def nothing() -> None:
    """Do nothing."""


# -- peers: each gives a loop for each kind of body, and a flush


@dataclass
class Peer:
    """Something that makes spans."""

    name: str
    loop: Loop
    """Makes so many spans around nothing."""
    around: Loop
    """Makes so many spans around `work`."""
    flush: Callable[[], object] = nothing
    before: Callable[[], object] = nothing
    after: Callable[[], object] = nothing


def bare() -> Peer:
    """Nothing but the call."""

    def loop(times: int) -> None:
        for _ in range(times):
            nothing()

    def around(times: int) -> None:
        for _ in range(times):
            work()

    return Peer("bare call", loop, around)


def otel_sdk(name: str, exporter: object) -> Peer:
    """Return the OpenTelemetry SDK's own span with its batch processor."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=1 << 17))  # type: ignore[arg-type]
    tracer = provider.get_tracer("benchmark")

    def loop(times: int) -> None:
        for _ in range(times):
            with tracer.start_as_current_span("focus.gate_check", attributes={"input": "x", **DATA}):
                pass

    def around(times: int) -> None:
        for _ in range(times):
            with tracer.start_as_current_span("focus.gate_check", attributes={"input": "x", **DATA}):
                work()

    return Peer(name, loop, around, flush=provider.force_flush)


def otel_null() -> Peer:
    """Return the SDK with an exporter that does nothing."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Null(SpanExporter):
        def export(self, spans: object) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    return otel_sdk("OTel SDK span", Null())


def otel_otlp(url: str) -> Peer:
    """Return the SDK with its OTLP exporter over HTTP."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return otel_sdk("OTel SDK span + OTLP", OTLPSpanExporter(endpoint=f"{url}/v1/traces"))


@dataclass
class _NaiveEvent:
    trace_id: str
    parent_id: str | None
    timestamp: str
    hrm_layer: str
    operation: str
    component: str
    input_summary: str
    output_summary: str
    duration_ms: int
    status: str
    metadata: dict[str, object]


def naive(folder: Path) -> Peer:
    """Return a tracer as one writes it first: a uuid and two datetimes, a dataclass, json.dumps, a file logger."""
    logger = logging.getLogger("benchmark.naive")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.FileHandler(folder / "naive.jsonl"))
    open_spans: list[str] = []

    @contextmanager
    def span(hrm: str, operation: str, component: str, input_data: str, **metadata: object) -> Iterator[None]:
        handle = f"{hrm}_{int(datetime.now().timestamp())}_{uuid4().hex[:4]}"
        parent = open_spans[-1] if open_spans else None
        open_spans.append(handle)
        start = datetime.now()
        try:
            yield
        finally:
            took = int((datetime.now() - start).total_seconds() * 1000)
            open_spans.pop()
            event = _NaiveEvent(
                handle, parent, start.isoformat(), hrm, operation, component, input_data[:100], "", took, "success",
                metadata,
            )  # fmt: skip
            logger.info(json.dumps(asdict(event)))

    return _with_spans("naive tracer", span)


def _with_spans(name: str, span: Callable[..., object], **more: object) -> Peer:
    def loop(times: int) -> None:
        for _ in range(times):
            with span("foc", "gate_check", "gates.py", "x",
                      a="one", b="two", c="three", d=4, e=5.0, f=True, g="seven", h="eight"):  # type: ignore[attr-defined]  # fmt: skip
                pass

    def around(times: int) -> None:
        for _ in range(times):
            with span("foc", "gate_check", "gates.py", "x",
                      a="one", b="two", c="three", d=4, e=5.0, f=True, g="seven", h="eight"):  # type: ignore[attr-defined]  # fmt: skip
                work()

    return Peer(name, loop, around, **more)  # type: ignore[arg-type]


def ddtrace_peer(url: str) -> Peer | None:
    """Return ddtrace's span, sent to the same server; `None` where it is not installed."""
    os.environ.update(DD_TRACE_AGENT_URL=url, DD_TRACE_STARTUP_LOGS="0", DD_INSTRUMENTATION_TELEMETRY_ENABLED="0")
    os.environ.update(DD_REMOTE_CONFIGURATION_ENABLED="0", DD_TRACE_STATS_COMPUTATION_ENABLED="0")
    try:
        from ddtrace.trace import tracer
    except ImportError:
        return None
    logging.getLogger("ddtrace").setLevel(logging.CRITICAL)

    def loop(times: int) -> None:
        for _ in range(times):
            with tracer.trace("focus.gate_check") as span:
                span.set_tags({"input": "x", **DATA})

    def around(times: int) -> None:
        for _ in range(times):
            with tracer.trace("focus.gate_check") as span:
                span.set_tags({"input": "x", **DATA})
                work()

    return Peer("ddtrace span", loop, around, flush=tracer.flush)


# -- ours


def ours(name: str, folder: Path, *, otlp: str | None = None, write: bool = True) -> Peer:
    """Return our span by hand, recorded into a JSONL file, and sent by OTLP where `otlp` says where to."""
    import dam_obs

    def switch_on() -> None:
        if otlp is not None:
            os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = otlp
            os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"
        dam_obs.configure(output=folder / "ours.jsonl", jsonl=write, queue_size=1 << 17, rotate_bytes=0)

    def switch_off() -> None:
        dam_obs.shutdown()
        os.environ.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)

    return _with_spans(name, dam_obs.tracer.span, before=switch_on, after=switch_off, flush=dam_obs.flush)


def wrapped(name: str, folder: Path) -> Peer:
    """Return a function with a trace point attached, without data."""
    peer = ours(name, folder)
    from dam_obs.trace.site import site
    from dam_obs.trace.wrap import wrap

    place = site("focus", "gate_check", "gates.py")
    call, call_work = wrap(nothing, place), wrap(work, place)

    def loop(times: int) -> None:
        for _ in range(times):
            call()

    def around(times: int) -> None:
        for _ in range(times):
            call_work()

    return Peer(name, loop, around, flush=peer.flush, before=peer.before, after=peer.after)


def switched_off(peer: Peer, name: str) -> Peer:
    """Return a peer of ours while nothing is recorded."""
    return Peer(name, peer.loop, peer.around)


def sampled_out(folder: Path) -> Peer:
    """Return our span under a root that the sampler did not take."""
    from opentelemetry import trace as otel

    import dam_obs

    peer = ours("ours, sampled out", folder)
    unsampled = otel.NonRecordingSpan(otel.SpanContext(1, 1, is_remote=False, trace_flags=otel.TraceFlags(0)))

    def under(loop: Loop) -> Loop:
        def run(times: int) -> None:
            with otel.use_span(unsampled), dam_obs.tracer.span("sys", "execute", "root"):
                loop(times)

        return run

    return Peer(peer.name, under(peer.loop), under(peer.around), peer.flush, peer.before, peer.after)


# -- measuring


@dataclass
class Taken:
    """Nanoseconds for one span, by round."""

    wall: list[float]
    cpu: list[float]


def measure(peers: list[Peer], body: str, rounds: int, times: int) -> dict[str, Taken]:
    """Let the peers do a round each, again and again."""
    taken = {peer.name: Taken([], []) for peer in peers}
    for _ in range(rounds + 1):
        for peer in peers:
            loop = peer.loop if body == "loop" else peer.around
            peer.before()
            loop(20)
            peer.flush()
            gc.collect()
            cpu, wall = time.process_time_ns(), time.perf_counter_ns()
            loop(times)
            wall = time.perf_counter_ns() - wall
            peer.flush()
            cpu = time.process_time_ns() - cpu
            peer.after()
            taken[peer.name].wall.append(wall / times)
            taken[peer.name].cpu.append(cpu / times)
    for each in taken.values():  # the first round warms up
        del each.wall[0], each.cpu[0]
    return taken


def rows(taken: dict[str, Taken], bare_name: str, base: str, otlp: str) -> list[dict[str, object]]:
    """Return a row for each peer: medians over rounds, the bare call's own time taken off."""
    wall = {name: statistics.median(each.wall) for name, each in taken.items()}
    cpu = {name: statistics.median(each.cpu) for name, each in taken.items()}
    off_wall, off_cpu = wall[bare_name], cpu[bare_name]
    return [
        {
            "peer": name,
            "wall_ns": round(wall[name] - off_wall),
            "wall_ratio": round((wall[name] - off_wall) / (wall[base] - off_wall), 3),
            "cpu_ns": round(cpu[name] - off_cpu),
            "cpu_ratio_to_sdk_otlp": round((cpu[name] - off_cpu) / (cpu[otlp] - off_cpu), 3),
        }
        for name in taken
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--times", type=int, default=3000, help="spans in a round of the tight loop")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(swallowing_server())
        both = ours("ours, JSONL + OTLP", folder, otlp=url)
        point = wrapped("ours, attached point", folder)
        peers = [
            bare(), otel_null(), otel_otlp(url), naive(folder), ours("ours, JSONL", folder), both, point,
            sampled_out(folder), switched_off(both, "ours, disabled span"), switched_off(point, "ours, disabled point"),
        ]  # fmt: skip
        dd = ddtrace_peer(url)
        if dd is None:
            print("ddtrace: not installed, left out", file=sys.stderr)
        else:
            peers.insert(4, dd)
        result: dict[str, object] = {"python": sys.version.split()[0]}
        for body, times in (("loop", arguments.times), ("around_work", max(200, arguments.times // 5))):
            taken = measure(peers, body, arguments.rounds, times)
            result[body] = rows(taken, "bare call", "OTel SDK span", "OTel SDK span + OTLP")
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"Python {result['python']}; ns a span over the bare call, medians of {arguments.rounds} interleaved rounds")
    for title, key in (("tight loop", "loop"), ("around about 100 us of work", "around_work")):
        print(f"\n{title:28s}{'wall':>10s}{'x SDK':>8s}{'all CPU':>10s}{'x SDK+OTLP':>12s}")
        for row in result[key]:  # type: ignore[union-attr]
            print(
                f"{row['peer']:28s}{row['wall_ns']:10,d}{row['wall_ratio']:8.3f}"
                f"{row['cpu_ns']:10,d}{row['cpu_ratio_to_sdk_otlp']:12.3f}"
            )


if __name__ == "__main__":
    main()
