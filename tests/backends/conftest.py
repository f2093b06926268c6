"""
Fixtures that start the real programs, on free ports of loopback, and stop them.

A test asks for what it needs; where a program cannot be had, the script that builds it says
why, and the test is skipped with that line. Nothing outside the test's folder is written.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "collector-config"
LIMIT_SECONDS = 60
"""How long a condition is waited for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder needs backends."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.backends)


# -- waiting


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """Return a function that waits for a condition, and fails with `what` if it does not come true."""
    return _wait_until


def _wait_until(condition: Callable[[], object], what: str = "the condition", seconds: float = LIMIT_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Say whether a GET of `url` has status 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


# -- programs


@pytest.fixture(scope="session")
def built() -> Callable[[str], Path]:
    """Return a function that runs a script of ``collector-config/backends``: the path of the program, or a skip."""
    return _built


def _built(script: str) -> Path:
    result = subprocess.run([CONFIG / "backends" / script], capture_output=True, text=True)
    if result.returncode == 3:
        pytest.skip(result.stderr.strip().splitlines()[-1])
    assert result.returncode == 0, result.stderr[-2000:]
    return Path(result.stdout.strip())


@pytest.fixture(scope="session")
def free_address() -> Callable[[], str]:
    """Return a function that gives an address of loopback where nobody listens, another one each time."""
    return _free_address


_given: set[int] = set()
_random = random.SystemRandom()
PORTS = range(20_000, 32_000)
"""Below those that the kernel gives to who connects: so nobody who tries to reach one in vain gets it himself."""


def _free_address() -> str:
    while True:
        port = _random.choice(PORTS)
        if port not in _given and _is_free(port):
            _given.add(port)
            return f"127.0.0.1:{port}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Ended(Exception):
    """A program ended before it was ready."""


@dataclass
class Service:
    """A program that was started, and how to start it again."""

    name: str
    command: Sequence[str | Path]
    environ: Mapping[str, str]
    ready_url: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in self.command],
                env={**os.environ, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
            )
        _wait_until(lambda: self._has_ended() or answers(self.ready_url), f"{self.name} answers: {self.log}")
        if self._has_ended():
            raise Ended(f"{self.name} ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it with a signal, and wait until it has ended; not having been started is fine."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        try:
            self.process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(LIMIT_SECONDS)

    def kill(self) -> None:
        """End it as a crash does."""
        self.stop(signal.SIGKILL)

    def _has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None


One = TypeVar("One", bound=Service)


@pytest.fixture(scope="session")
def services() -> Iterator[ExitStack]:
    """What is entered here is stopped at the end of the session, the last first."""
    with ExitStack() as stack:
        yield stack


def _started(make: Callable[[], One], services: ExitStack) -> One:
    """Start a program on ports that were free a moment ago; with others, if somebody has taken one meanwhile."""
    for attempt in range(3):
        one = make()
        services.callback(one.stop)
        try:
            one.start()
        except Ended:
            if attempt == 2 or "address already in use" not in one.log.read_text():
                raise
        else:
            return one
    raise AssertionError


# -- the collector, as agent and as gateway


@dataclass
class Collector(Service):
    """The collector with one of our configurations; its addresses are under the names of their variables."""

    addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where a gateway writes what it gets."""
        return Path(self.addresses["DAM_GATEWAY_FILE"])

    def metrics(self) -> str:
        """Return the collector's own metrics, as Prometheus reads them."""
        role = "AGENT" if "DAM_AGENT_GRPC" in self.addresses else "GATEWAY"
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.addresses[f'DAM_{role}_METRICS_PORT']}/metrics"
        ) as response:
            return str(response.read().decode())


ADDRESSES = {
    "agent": ("DAM_AGENT_GRPC", "DAM_AGENT_HTTP", "DAM_AGENT_HEALTH", "DAM_AGENT_METRICS_PORT"),
    "gateway": (
        "DAM_GATEWAY_GRPC",
        "DAM_GATEWAY_HTTP",
        "DAM_GATEWAY_HEALTH",
        "DAM_GATEWAY_METRICS_PORT",
        "DAM_GATEWAY_PROMETHEUS",
    ),
}


@pytest.fixture(scope="session")
def collector_program(built: Callable[[str], Path]) -> Path:
    """The collector's program."""
    return built("build-collector")


StartCollector = Callable[..., Collector]


@pytest.fixture(scope="session")
def start_collector(
    collector_program: Path, services: ExitStack, tmp_path_factory: pytest.TempPathFactory
) -> StartCollector:
    """
    Return a function that starts an ``agent`` or a ``gateway``.

    It takes values for variables of its file, such as ``DAM_GATEWAY``, and `more`: configuration
    files that are laid over it, or options as they are. Where it listens is chosen; its files are in
    a folder of its own.
    """

    def start(role: str, *more: Path | str, **variables: str) -> Collector:
        folder = tmp_path_factory.mktemp(role)
        return _started(lambda: _collector(collector_program, role, more, variables, folder), services)

    return start


def _collector(
    program: Path, role: str, more: Sequence[Path | str], variables: Mapping[str, str], folder: Path
) -> Collector:
    addresses = {name: _free_address() for name in ADDRESSES[role]}
    addresses = {n: value.rpartition(":")[2] if n.endswith("_PORT") else value for n, value in addresses.items()}
    addresses.update({name: variables[name] for name in addresses if name in variables})
    files = {
        "DAM_AGENT_QUEUE": str(folder / "queue"),
        "DAM_GATEWAY_FILE": str(folder / "otlp" / "dam-obs.jsonl"),
        "DAM_GATEWAY_PROFILES": str(folder / "otlp" / "profiles.jsonl"),
    }
    configs = [each if isinstance(each, str) else f"--config={each}" for each in (CONFIG / f"{role}.yaml", *more)]
    health = addresses[f"DAM_{role.upper()}_HEALTH"]
    environ = {**files, **variables, **addresses}
    return Collector(role, [program, *configs], environ, f"http://{health}/", folder / f"{role}.log", addresses=environ)


@pytest.fixture(scope="session")
def gateway(start_collector: StartCollector) -> Collector:
    """A gateway whose Jaeger is not there."""
    return start_collector("gateway", DAM_JAEGER=_free_address())


@pytest.fixture(scope="session")
def agent(start_collector: StartCollector, gateway: Collector) -> Collector:
    """An agent that sends to `gateway`."""
    return start_collector("agent", DAM_GATEWAY=gateway.addresses["DAM_GATEWAY_GRPC"])


# -- sending to a collector, and reading what the gateway wrote


def otlp_value(value: object) -> dict[str, object]:
    """Return a Python value as OTLP/JSON has it."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [otlp_value(each) for each in value]}}
    return {"stringValue": str(value)}


def otlp_attributes(attributes: Mapping[str, object]) -> list[dict[str, object]]:
    """Return attributes as OTLP/JSON has them."""
    return [{"key": key, "value": otlp_value(value)} for key, value in attributes.items()]


def plain_value(value: Mapping[str, object]) -> object:
    """Return the Python value of one in OTLP/JSON."""
    ((kind, inner),) = value.items()
    if kind == "arrayValue":
        return [plain_value(each) for each in inner.get("values", [])]  # type: ignore[attr-defined]
    return int(inner) if kind == "intValue" else inner  # type: ignore[call-overload]


def span(trace: int, number: int = 1, name: str = "system.execute", **fields: object) -> dict[str, object]:
    """
    Return a span as OTLP/JSON, number `number` of trace `trace`.

    `attributes` are plain; `ms` is how long it took, `start_ns` when it began (now), `kind`, `status`
    (1 ok, 2 error) and `parent` are as OTLP numbers them. The ids are the numbers in hex.
    """
    start = int(fields.pop("start_ns", 0) or time.time_ns())  # type: ignore[call-overload]
    parent = fields.pop("parent", None)
    status = {"code": fields.pop("status", 0), "message": fields.pop("message", "")}
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        **({"parentSpanId": f"{parent:016x}"} if parent is not None else {}),
        "name": name,
        "kind": fields.pop("kind", 1),
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + int(fields.pop("ms", 1) * 1_000_000)),  # type: ignore[operator]
        "attributes": otlp_attributes(fields.pop("attributes", {})),  # type: ignore[arg-type]
        "status": status,
        **fields,
    }


def post(address: str, body: Mapping[str, object], signal_name: str = "traces") -> None:
    """Send a request by OTLP/HTTP; an answer other than 200 raises."""
    request = urllib.request.Request(
        f"http://{address}/v1/{signal_name}",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as response:
        assert response.status == 200


def send(address: str, *spans: Mapping[str, object], service: str = "test", scope: str = "test") -> None:
    """Send spans of one service."""
    resource = {"attributes": otlp_attributes({"service.name": service})}
    post(
        address, {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": spans}]}]}
    )


def written(path: Path) -> list[dict[str, object]]:
    """Return the spans in the gateway's file, each as it is there; half a line, left by a crash, is passed over."""
    text = path.read_text() if path.exists() else ""
    spans: list[dict[str, object]] = []
    start = text.find(REQUEST)
    while start >= 0:
        try:
            request, end = json.JSONDecoder().raw_decode(text, start)
        except ValueError:
            end = start + 1
        else:
            for resource in request["resourceSpans"]:
                spans += [each for scope in resource["scopeSpans"] for each in scope["spans"]]
        start = text.find(REQUEST, end)
    return spans


REQUEST = '{"resourceSpans":'


def scraped(address: str) -> str:
    """Return what the gateway's Prometheus exporter says, as OpenMetrics: with exemplars."""
    request = urllib.request.Request(
        f"http://{address}/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}
    )
    with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as response:
        return str(response.read().decode())


@pytest.fixture(scope="session")
def otlp() -> SimpleNamespace:
    """What speaks OTLP/JSON and Prometheus' text: `span`, `send`, `post`, `written`, `plain_value`, `scraped`."""
    return SimpleNamespace(span=span, send=send, post=post, written=written, plain_value=plain_value, scraped=scraped)


# -- Jaeger


@dataclass
class Jaeger(Service):
    """Jaeger with our configuration."""

    otlp: str = ""
    """Where it takes OTLP by gRPC."""
    query: str = ""
    """Where it is asked by HTTP; `query_grpc` by gRPC."""
    query_grpc: str = ""

    def page(self, path: str) -> str:
        """Return what is answered to a browser."""
        with urllib.request.urlopen(f"http://{self.query}{path}", timeout=LIMIT_SECONDS) as response:
            return str(response.read().decode())

    def ask(self, path: str, **parameters: str) -> object:
        """Return the answer of the query API, out of its JSON; `None` for what it has not got."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        try:
            return json.loads(self.page(path + query))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise


StartJaeger = Callable[..., Jaeger]


@pytest.fixture(scope="session")
def start_jaeger(
    built: Callable[[str], Path], services: ExitStack, tmp_path_factory: pytest.TempPathFactory
) -> StartJaeger:
    """
    Return a function that starts Jaeger on free ports.

    It takes values for variables of its file, such as ``DAM_JAEGER_UI``, and `more` configuration files that are laid
    over it.
    """

    def start(*more: Path, **variables: str) -> Jaeger:
        program, folder = built("build-jaeger"), tmp_path_factory.mktemp("jaeger")
        return _started(lambda: _jaeger(program, more, variables, folder), services)

    return start


def _jaeger(program: Path, more: Sequence[Path | str], variables: Mapping[str, str], folder: Path) -> Jaeger:
    otlp, query, query_grpc, metrics = (_free_address() for _ in range(4))
    configs = [f"--config={path}" for path in (CONFIG / "jaeger" / "jaeger.yaml", *more)]
    environ = {
        "DAM_JAEGER": otlp,
        "DAM_JAEGER_QUERY_HTTP": query,
        "DAM_JAEGER_QUERY_GRPC": query_grpc,
        "DAM_JAEGER_METRICS_PORT": metrics.rpartition(":")[2],
        "DAM_JAEGER_UI_CONFIG": str(CONFIG / "jaeger" / "ui.json"),
        "DAM_JAEGER_BADGER": str(folder / "badger"),
        **variables,
    }
    ready, log = f"http://{query}/api/services", folder / "jaeger.log"
    command = [program, *configs]
    return Jaeger("jaeger", command, environ, ready, log, otlp=otlp, query=query, query_grpc=query_grpc)


@pytest.fixture(scope="session")
def jaeger(start_jaeger: StartJaeger) -> Jaeger:
    """A Jaeger that keeps traces in memory."""
    return start_jaeger()


@pytest.fixture(scope="session")
def config() -> Path:
    """The folder ``collector-config``."""
    return CONFIG
