"""What the collector is tried with: a server that takes spans as slowly as one likes, and a program under load."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

LOAD = Path(__file__).with_name("load.py")


class Taker(trace_service_pb2_grpc.TraceServiceServicer):
    """
    Takes spans by OTLP/gRPC and remembers them.

    While `open` is not set no request is answered: a backend that is slow without an end.
    """

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.waiting = 0
        self.headers: dict[str, str] = {}
        self._lock = threading.Lock()
        self._spans: list[Any] = []

    def Export(self, request: Any, context: Any) -> Any:
        """Take a request, once the door is open."""
        with self._lock:
            self.waiting += 1
            self.headers = dict(context.invocation_metadata())
        self.open.wait()
        with self._lock:
            self.waiting -= 1
            self._spans += [
                each for resource in request.resource_spans for scope in resource.scope_spans for each in scope.spans
            ]
        return trace_service_pb2.ExportTraceServiceResponse()

    @property
    def spans(self) -> list[Any]:
        """The spans so far, as protobuf messages."""
        with self._lock:
            return list(self._spans)

    @property
    def traces(self) -> set[int]:
        """The numbers of the traces so far."""
        return {int.from_bytes(each.trace_id, "big") for each in self.spans}

    def ids(self) -> Counter[bytes]:
        """How often each span has arrived."""
        return Counter(each.trace_id + each.span_id for each in self.spans)


@dataclass
class Backend:
    """A `Taker` behind an address."""

    address: str
    taker: Taker
    server: grpc.Server

    def stop(self) -> None:
        """Let go who waits, and listen no more."""
        self.taker.open.set()
        self.server.stop(None).wait()


@pytest.fixture(scope="session")
def start_backend(services: ExitStack, free_address: Callable[[], str]) -> Callable[..., Backend]:
    """Return a function that starts a server that takes spans, at a free address or a given one."""

    def start(address: str | None = None) -> Backend:
        # As many threads as requests that may be kept waiting at once.
        server = grpc.server(ThreadPoolExecutor(max_workers=32))
        taker = Taker()
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(taker, server)
        address = address or free_address()
        assert server.add_insecure_port(address)
        server.start()
        backend = Backend(address, taker, server)
        services.callback(backend.stop)
        return backend

    return start


@pytest.fixture(scope="session")
def backend(start_backend: Callable[..., Backend]) -> Backend:
    """What `gateway` sends the traces to that it keeps."""
    return start_backend()


@pytest.fixture(scope="session")
def gateway(start_collector: Callable[..., Any], backend: Backend) -> Any:
    """A gateway that decides quickly, and keeps none of the traces that have nothing to them."""
    return start_collector(
        "gateway",
        DAM_JAEGER=backend.address,
        DAM_GATEWAY_ROOT_WAIT="1s",
        DAM_GATEWAY_FLUSH="1s",
        DAM_GATEWAY_SHARE="0",
        DAM_GATEWAY_SERIES="50",
    )


@pytest.fixture(scope="session")
def agent(start_collector: Callable[..., Any], gateway: Any) -> Any:
    """An agent that sends to `gateway`."""
    return start_collector("agent", DAM_GATEWAY=gateway.addresses["DAM_GATEWAY_GRPC"])


@dataclass
class Load:
    """A program that makes spans until it is told to stop, and says how it goes."""

    folder: Path
    process: subprocess.Popen[str]
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """How many pieces of work it has done; each one is a span."""
        try:
            return int((self.folder / "done").read_text() or 0)
        except FileNotFoundError:
            return 0

    def pause(self, wait_until: Callable[..., None]) -> None:
        """Let it make nothing more, and wait until it does not."""
        (self.folder / "pause").touch()
        before = [-1]

        def stands_still() -> bool:
            before.append(self.done)
            return len(before) > 10 and len(set(before[-10:])) == 1

        wait_until(stands_still, "the program pauses")

    def resume(self) -> None:
        """Let it go on."""
        (self.folder / "pause").unlink()

    def finish(self) -> None:
        """Let it come to its end, and read what it says of itself."""
        (self.folder / "stop").touch()
        output, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        self.result = json.loads(output.splitlines()[-1])

    @property
    def lost(self) -> int:
        """How many spans it knows that it could not hand over."""
        return sum(number for place, number in self.result["faults"].items() if place in LOST)


LOST = ("sinks.otlp.dropped", "sinks.otlp.rejected", "queue.dropped", "recorder.lost")


@pytest.fixture
def start_load(tmp_path: Path) -> Iterator[Callable[[str], Load]]:
    """Return a function that starts the program, which sends to an address by OTLP/gRPC."""
    started: list[Load] = []

    def start(address: str) -> Load:
        folder = tmp_path / f"load-{len(started)}"
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, LOAD, folder],
            env={"PATH": "", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}", "OTEL_SERVICE_NAME": "load"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
        )
        started.append(Load(folder, process))
        return started[-1]

    yield start
    for load in started:
        if load.process.poll() is None:
            load.process.kill()
            load.process.communicate()
