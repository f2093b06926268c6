"""An agent and a gateway of our own configuration, on free ports of loopback, and what they say of themselves."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

CONFIG = Path(__file__).parents[1] / "collector-config"
START_SECONDS = 60
LOST = (
    "otelcol_receiver_refused_spans",
    "otelcol_receiver_failed_spans",
    "otelcol_processor_refused_spans",
    "otelcol_exporter_enqueue_failed_spans",
    "otelcol_exporter_send_failed_spans",
)
"""Counters of spans that a collector did not take, or lost."""


class NoCollector(Exception):
    """It cannot be built here; the message says why."""


def collector_program() -> Path:
    """Return the collector, built if it is not there yet."""
    built = subprocess.run([CONFIG / "backends" / "build-collector"], capture_output=True, text=True)
    if built.returncode:
        raise NoCollector(built.stderr.strip().splitlines()[-1] if built.stderr.strip() else "it cannot be built here")
    return Path(built.stdout.strip())


@dataclass(frozen=True, slots=True)
class Collector:
    """One that runs."""

    pid: int
    grpc: str
    http: str
    metrics_url: str
    folder: Path

    def counters(self) -> dict[str, float]:
        """Return its counters, summed up over receivers, exporters and transports."""
        with urllib.request.urlopen(self.metrics_url, timeout=30) as response:
            text = response.read().decode()
        found: dict[str, float] = {}
        for name, labels, value in re.findall(r"^(otelcol_\w+?)(?:_total)?(?:\{(.*)\})? ([\d.e+]+)$", text, re.M):
            # What goes on to Jaeger, which is not there, is another pipeline's loss.
            if "jaeger" not in labels:
                found[name] = found.get(name, 0) + float(value)
        return found

    def lost(self) -> int:
        """Return how many spans it did not take, or lost."""
        counters = self.counters()
        return int(sum(counters.get(name, 0) for name in LOST))

    def accepted(self) -> int:
        """Return how many spans it took."""
        return int(self.counters().get("otelcol_receiver_accepted_spans", 0))

    def cpu_s(self) -> float:
        """Return the CPU time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Chain:
    """An agent that sends to a gateway, which writes all into a file."""

    agent: Collector
    gateway: Collector

    def written(self) -> int:
        """Return how many spans are in the gateway's file."""
        files = (self.gateway.folder / "otlp").glob("*")
        return sum(path.read_bytes().count(b'"spanId":') for path in files)


@contextmanager
def chain(folder: Path) -> Iterator[Chain]:
    """Start both, and stop them."""
    program = collector_program()
    with ExitStack() as stack:
        gateway = stack.enter_context(_started(program, "gateway", folder / "gateway", {"DAM_JAEGER": _free()}))
        agent = stack.enter_context(_started(program, "agent", folder / "agent", {"DAM_GATEWAY": gateway.grpc}))
        yield Chain(agent, gateway)


@contextmanager
def _started(program: Path, role: str, folder: Path, given: Mapping[str, str]) -> Iterator[Collector]:
    (folder / "otlp").mkdir(parents=True)
    name = f"DAM_{role.upper()}"
    health, metrics_port = _free(), _free().rpartition(":")[2]
    environ = {
        f"{name}_GRPC": _free(),
        f"{name}_HTTP": _free(),
        f"{name}_HEALTH": health,
        f"{name}_METRICS_PORT": metrics_port,
        "DAM_GATEWAY_PROMETHEUS": _free(),
        "DAM_AGENT_QUEUE": str(folder / "queue"),
        "DAM_GATEWAY_FILE": str(folder / "otlp" / "dam-obs.jsonl"),
        **given,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, f"--config={CONFIG / role}.yaml"],
            env={**os.environ, **environ},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(process, f"http://{health}/", folder / "log")
        metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"
        yield Collector(process.pid, environ[f"{name}_GRPC"], environ[f"{name}_HTTP"], metrics_url, folder)
    finally:
        process.terminate()
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise NoCollector(f"it does not start: {log.read_text()[-500:]}")


_given: set[int] = set()


def _free() -> str:
    """Return an address where nobody listens, another one each time."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return f"127.0.0.1:{port}"
