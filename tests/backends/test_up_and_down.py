"""``up``, ``status`` and ``down``: all parts on loopback, started once and ended, and nobody else's process touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "collector-config" / "backends"
PARTS = ("jaeger", "gateway", "agent", "prometheus", "reports")
ADDRESSES = (
    "DAM_AGENT_GRPC",
    "DAM_AGENT_HTTP",
    "DAM_AGENT_HEALTH",
    "DAM_GATEWAY_GRPC",
    "DAM_GATEWAY_HTTP",
    "DAM_GATEWAY_HEALTH",
    "DAM_GATEWAY_PROMETHEUS",
    "DAM_JAEGER",
    "DAM_JAEGER_QUERY_HTTP",
    "DAM_JAEGER_QUERY_GRPC",
    "DAM_PROMETHEUS",
    "DAM_REPORTS",
)
PORTS = ("DAM_AGENT_METRICS_PORT", "DAM_GATEWAY_METRICS_PORT", "DAM_JAEGER_METRICS_PORT")


@dataclass(frozen=True)
class Backends:
    """A set of backends with ports and a folder of its own."""

    environ: dict[str, str]

    def __call__(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script."""
        return subprocess.run(
            [SCRIPTS / script, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, **self.environ},
            timeout=200,
        )

    @property
    def state(self) -> Path:
        return Path(self.environ["DAM_BACKENDS_STATE"])

    def pid(self, part: str) -> int:
        return int((self.state / f"{part}.pid").read_text().split()[0])

    def get(self, name: str, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.environ[name]}{path}", timeout=60) as response:
            return response.read().decode()


@pytest.fixture
def backends(tmp_path, free_address) -> Iterator[Backends]:
    """Backends that do not run yet, and do not run any more afterwards."""
    environ = {name: free_address() for name in ADDRESSES}
    environ |= {name: free_address().rpartition(":")[2] for name in PORTS}
    environ["DAM_GATEWAY"] = environ["DAM_GATEWAY_GRPC"]
    environ["DAM_BACKENDS_STATE"] = str(tmp_path / "state")
    environ["DAM_REPORTS_RUNS"] = str(tmp_path / "runs")
    one = Backends(environ)
    try:
        yield one
    finally:
        one("down")


def _lines(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what was said of each part, without numbers of processes."""
    return [line.partition(" (pid")[0] for line in result.stdout.splitlines()]


def _answers(backends: Backends) -> list[str]:
    pages = (
        ("DAM_JAEGER_QUERY_HTTP", "/api/services"),
        ("DAM_GATEWAY_HEALTH", "/"),
        ("DAM_AGENT_HEALTH", "/"),
        ("DAM_PROMETHEUS", "/-/ready"),
        ("DAM_REPORTS", "/"),
    )
    where = (f"http://{backends.environ[name]}{path}" for name, path in pages)
    return [f"{part} answers at {each}" for part, each in zip(PARTS, where, strict=True)]


def test_a_day_of_the_backends(backends, built, otlp, wait_until):
    """Start all, start them again, send a span, look at what it became, stop all, stop them again."""
    for script in ("build-jaeger", "build-collector", "install-prometheus"):
        built(script)
    report = backends.state.parent / "runs" / "20260113T140000Z-a3f2" / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("<h1>The report</h1>")

    first = backends("up")
    assert (first.returncode, _lines(first), first.stderr) == (0, _answers(backends), "")
    assert _lines(backends("status")) == [
        f"{line.split(' ', 1)[0]:<10}  {line.split(' ', 1)[1]}" for line in _answers(backends)
    ]

    pids = {part: backends.pid(part) for part in PARTS}
    again = backends("up")
    assert (again.returncode, _lines(again)) == (0, [f"{part} runs already" for part in PARTS])
    assert {part: backends.pid(part) for part in PARTS} == pids

    span = otlp.span(7, attributes={"dam.id": "sys_1768312800_0001", "dam.layer": "system", "dam.status": "blocked"})
    otlp.send(backends.environ["DAM_AGENT_HTTP"], span, service="shop")
    wait_until(lambda: '"traceID"' in _ask_jaeger(backends), "Jaeger has the trace")
    wait_until(lambda: _asked(backends, 'dam_calls_total{dam_status="blocked"}') == 1, "Prometheus has the figure")
    wait_until(lambda: _asked(backends, 'up{job=~"dam-obs|agent|gateway|jaeger|prometheus"} == 1') == 5, "all are up")
    groups = json.loads(backends.get("DAM_PROMETHEUS", "/api/v1/rules"))["data"]["groups"]
    assert {group["name"] for group in groups} == {"dam-systems", "dam-traits", "dam-obs"}
    links = json.loads((backends.state / "ui.json").read_text())["linkPatterns"]
    url = next(link["url"] for link in links if link["key"] == "dam.run.id")
    with urllib.request.urlopen(url.replace("#{dam.run.id}", report.parent.name), timeout=60) as response:
        assert response.read() == b"<h1>The report</h1>"

    stopped = backends("down")
    assert (stopped.returncode, _lines(stopped)) == (0, [f"{part} stopped" for part in reversed(PARTS)])
    assert [pid for pid in pids.values() if Path(f"/proc/{pid}/exe").exists()] == []
    assert _lines(backends("down")) == [f"{part} does not run" for part in reversed(PARTS)]
    assert backends("status").returncode == 1


def _ask_jaeger(backends: Backends) -> str:
    try:
        return backends.get("DAM_JAEGER_QUERY_HTTP", f"/api/traces/{7:032x}")
    except urllib.error.HTTPError:
        return ""


def _asked(backends: Backends, query: str) -> int:
    """Return how many series Prometheus finds."""
    answer = backends.get("DAM_PROMETHEUS", f"/api/v1/query?query={urllib.parse.quote(query)}")
    return len(json.loads(answer)["data"]["result"])


def test_one_part_can_be_started_and_stopped_alone(backends):
    """The server of reports needs nothing but Python."""
    up = backends("up", "reports")
    status = backends("status")
    down = backends("down", "reports")

    assert _lines(up) == [f"reports answers at http://{backends.environ['DAM_REPORTS']}/"]
    assert (status.returncode, status.stdout.splitlines()[0]) == (1, "jaeger      does not run")
    assert _lines(down) == ["reports stopped"]


def test_what_this_machine_cannot_have_is_left_out_and_the_rest_starts(backends):
    """The part is named, with the reason."""
    backends.environ["DAM_JAEGER_PROGRAM"] = "/nowhere/jaeger"
    up = backends("up", "jaeger", "reports")

    assert up.returncode == 0
    assert up.stderr == "build-jaeger: DAM_JAEGER_PROGRAM names /nowhere/jaeger, which is no program\n"
    assert _lines(up) == [
        "jaeger: left out, see the line above",
        f"reports answers at http://{backends.environ['DAM_REPORTS']}/",
    ]


def test_a_part_that_ends_is_told_of_with_the_end_of_its_log(backends, tmp_path):
    """And the rest starts."""
    program = tmp_path / "jaeger"
    program.write_text("#!/bin/sh\necho 'no such storage'\nexit 1\n")
    program.chmod(0o755)
    backends.environ["DAM_JAEGER_PROGRAM"] = str(program)
    up = backends("up", "jaeger", "reports")

    assert up.returncode == 1
    assert up.stderr == f"jaeger: ended; the end of {backends.state}/jaeger.log:\nno such storage\n"
    assert _lines(up) == [f"reports answers at http://{backends.environ['DAM_REPORTS']}/"]


@pytest.fixture
def stranger(backends) -> Iterator[subprocess.Popen[bytes]]:
    """A server of somebody else's where the reports would be."""
    host, _, port = backends.environ["DAM_REPORTS"].partition(":")
    command = [sys.executable, "-m", "http.server", "--bind", host, port]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=backends.state.parent)
    yield process
    process.kill()
    process.wait()


def test_somebody_else_at_an_address_is_told_of_and_let_be(backends, stranger, wait_until):
    """Neither taken for ours nor ended."""
    wait_until(lambda: _is_there(backends), "the stranger answers")
    up = backends("up", "reports")
    down = backends("down")

    assert up.returncode == 1
    assert up.stderr == f"reports: not started, something else answers at http://{backends.environ['DAM_REPORTS']}/\n"
    assert "reports does not run" in down.stdout
    assert stranger.poll() is None


def _is_there(backends: Backends) -> bool:
    try:
        return bool(backends.get("DAM_REPORTS", "/"))
    except OSError:
        return False


def test_a_process_that_got_an_old_number_is_let_be(backends, stranger):
    """The number is the same, the start is not."""
    backends.state.mkdir(exist_ok=True)
    (backends.state / "reports.pid").write_text(f"{stranger.pid} 1\n")
    down = backends("down")

    assert "reports does not run" in down.stdout
    assert stranger.poll() is None


def test_a_part_that_was_killed_is_started_again(backends, wait_until):
    """Its number is no longer anybody's."""
    backends("up", "reports")
    old = backends.pid("reports")
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{old}/exe").exists(), "it has ended")
    up = backends("up", "reports")

    assert _lines(up) == [f"reports answers at http://{backends.environ['DAM_REPORTS']}/"]
    assert backends.pid("reports") != old


@pytest.mark.parametrize("script", ["up", "down"])
def test_an_unknown_part_is_refused(script, backends):
    """With the usage, before anything is done."""
    result = backends(script, "kafka")

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Usage: {script} [PART...]")


@pytest.mark.parametrize("script", ["up", "down", "status", "build-jaeger", "install-prometheus"])
def test_every_script_explains_itself(script, backends):
    """By --help, doing nothing."""
    result = backends(script, "--help")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: {script}")
    assert not backends.state.exists()
