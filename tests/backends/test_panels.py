"""Every query of every dashboard has figures in the real Prometheus, fed by a program through agent and gateway."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from dam_obs.testing.faults import install_plugin

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path for path in sorted((ROOT / "dashboards" / "generated").glob("*.json"))}
SERVICE = "library"

VALUES = {"$__rate_interval": "15s", "$__range": "60s", "$service": SERVICE, "$world": ".*", "$system": ".*"}
"""What Grafana puts in for a short time range and for `All`."""

MAY_BE_NOUGHT = {
    "Spans refused": "nothing is refused while there is room; 0 is said for every collector",
    "Spans lost, given up": "sending is given up after minutes; 0 is said for every queue",
    "Traces gone too early": "there are not too many traces; 0 is said",
}
"""Queries that say 0 of a healthy pipeline. All others must say more than 0 of something."""


# -- Prometheus


@dataclass(frozen=True)
class Prometheus:
    """The real one."""

    address: str

    def ask(self, path: str, **parameters: str | float) -> Any:
        """Return what a path of its API answers."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            pytest.fail(f"{url}: {error.read().decode()}")

    def values(self, target: dict[str, Any]) -> list[float]:
        """Return what a panel's query gives: now, or over the last half minute."""
        now = time.time()
        if target.get("instant"):
            found = [each["value"][1] for each in self.ask("query", query=target["expr"])["result"]]
        else:
            answer = self.ask("query_range", query=target["expr"], start=now - 30, end=now, step=2)
            found = [value for each in answer["result"] for _, value in each["values"]]
        return [number for number in map(float, found) if math.isfinite(number)]


def _prometheus_config(folder: Path, addresses: dict[str, str]) -> Path:
    """Write the project's own configuration, with other addresses, that asks every second."""
    config = yaml.safe_load((ROOT / "collector-config" / "prometheus" / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(_hurried_rules(folder))]
    config["scrape_configs"] = [each for each in config["scrape_configs"] if each["job_name"] in addresses]
    for each in config["scrape_configs"]:
        each["static_configs"] = [{"targets": [addresses[each["job_name"]]]}]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return path


HURRIED = (
    ("interval: 1m", "interval: 1s"),
    ("[1d] offset 1h", "[20s]"),
    (">= 60", ">= 5"),
    ("[1h]", "[15s]"),
    ("[10m]", "[10s]"),
    ("[15m]", "[15s]"),
    ("offset 15m", "offset 15s"),
    ("for: 5m", "for: 1s"),
)
"""What a day is in the rules, and what in a test; the figures' names stay."""


def _hurried_rules(folder: Path) -> Path:
    text = (ROOT / "collector-config" / "prometheus" / "rules.yml").read_text()
    for slow, quick in HURRIED:
        assert slow in text
        text = text.replace(slow, quick)
    path = folder / "rules.yml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def pipeline(start_collector, tmp_path_factory):
    """An agent and a gateway that are quick; there is no Jaeger, and little room to wait for it in."""
    gateway = start_collector(
        "gateway",
        DAM_JAEGER="127.0.0.1:9",
        DAM_GATEWAY_FLUSH="1s",
        DAM_GATEWAY_DECISION_WAIT="1s",
        DAM_GATEWAY_SHARE="50",
        DAM_GATEWAY_QUEUE_BYTES="200000",
    )
    agent = start_collector("agent", DAM_GATEWAY=gateway.addresses["DAM_GATEWAY_GRPC"])
    return agent, gateway


@pytest.fixture(scope="module")
def prometheus(built, pipeline, free_address, tmp_path_factory, wait_until) -> Iterator[Prometheus]:
    """Prometheus, which reads the gateway's figures and the collectors' own."""
    agent, gateway = pipeline
    folder = tmp_path_factory.mktemp("prometheus")
    addresses = {
        "dam-obs": gateway.addresses["DAM_GATEWAY_PROMETHEUS"],
        "gateway": f"127.0.0.1:{gateway.addresses['DAM_GATEWAY_METRICS_PORT']}",
        "agent": f"127.0.0.1:{agent.addresses['DAM_AGENT_METRICS_PORT']}",
    }
    config = _prometheus_config(folder, addresses)
    for attempt in range(3):  # somebody else may take a free port before we do
        found = Prometheus(free_address())
        command = [
            built("install-prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / str(attempt)}",
            f"--web.listen-address={found.address}",
            "--enable-feature=exemplar-storage",
        ]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                wait_until(lambda one=process, at=found: one.poll() is not None or _is_ready(at), "Prometheus answers")
                if process.poll() is None:
                    yield found
                    return
            finally:
                process.terminate()
    pytest.fail((folder / "log").read_text()[-2000:])


def _is_ready(prometheus: Prometheus) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://{prometheus.address}/-/ready", timeout=5) as response:
        return bool(response.status == 200)
    return False


@pytest.fixture(scope="module", autouse=True)
def program(pipeline, prometheus, tmp_path_factory) -> Iterator[subprocess.Popen[bytes]]:
    """The program, at work for as long as there are tests; a plugin in it fails, so that dam-obs has faults."""
    agent, _ = pipeline
    folder = tmp_path_factory.mktemp("program")
    source = "from dam_obs import hookimpl\n\n@hookimpl\ndef dam_obs_event(event):\n    raise OSError\n"
    path = [str(install_plugin(folder / "site", "broken", source)), os.environ.get("PYTHONPATH", "")]
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{agent.addresses['DAM_AGENT_HTTP']}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": SERVICE,
    }
    command = [
        sys.executable,
        "-m",
        "dam_obs.cli",
        "run",
        "--",
        sys.executable,
        Path(__file__).with_name("panels_program.py"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environ, cwd=folder)
        with process:
            yield process
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            process.stdin.close()
            assert process.wait(60) == 0, (folder / "log").read_text()[-2000:]


# -- what is asked


def _filled(expr: str) -> str:
    """Put in what Grafana puts in."""
    for name, value in VALUES.items():
        expr = expr.replace(name, value)
    assert "$" not in expr
    return expr


def _targets(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every query of a page by its panel and, where there are several, its legend."""
    found = {}
    for panel in page["panels"]:
        targets = panel.get("targets", ())
        for target in targets:
            name = (
                f"{panel['title']}, {target['legendFormat'].partition(',')[0]}" if len(targets) > 1 else panel["title"]
            )
            assert name not in found
            found[name] = {**target, "expr": _filled(target["expr"])}
    return found


def _page(uid: str) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(PAGES[uid].read_text(encoding="utf-8"))
    return page


def _is_answered(prometheus: Prometheus, name: str, target: dict[str, Any]) -> bool:
    values = prometheus.values(target)
    return bool(values) if name in MAY_BE_NOUGHT else any(value > 0 for value in values)


@pytest.mark.parametrize("uid", PAGES)
def test_every_panel_has_figures(prometheus, wait_until, uid):
    """Each query gives a number, and one above 0 where a healthy pipeline has one."""
    missing = _targets(_page(uid))
    assert missing

    def all_are_answered() -> bool:
        for name in [name for name, target in missing.items() if _is_answered(prometheus, name, target)]:
            del missing[name]
        return not missing

    with suppress(pytest.fail.Exception):
        wait_until(all_are_answered, uid)
    assert {name: target["expr"] for name, target in missing.items()} == {}


def test_what_may_be_nought_is_a_query_that_there_is():
    """The exceptions are no longer than they need to be."""
    names = {name for uid in PAGES for name in _targets(_page(uid))}

    assert names >= MAY_BE_NOUGHT.keys()


@pytest.mark.parametrize("uid", PAGES)
def test_every_choice_has_values(prometheus, wait_until, uid):
    """What is offered at the top of a page comes from labels that there are."""
    for variable in _page(uid)["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
            wait_until(
                lambda m=metric, of=label: prometheus.ask(f"label/{of}/values", **{"match[]": m}), f"{uid} {label}"
            )


def test_the_service_that_can_be_chosen_is_the_program(prometheus, wait_until):
    """Not the gateway, whose exporter Prometheus reads."""
    wait_until(lambda: prometheus.ask("label/job/values", **{"match[]": "dam_calls_total"}) == [SERVICE], "one service")


def test_dots_lead_to_traces_of_the_program(prometheus, pipeline, wait_until):
    """A panel's examples name traces that the gateway has seen."""
    _, gateway = pipeline
    target = _targets(_page("dam-obs-systems"))["How long runs take"]
    assert target["exemplar"]

    def ids() -> set[str]:
        now = time.time()
        found = prometheus.ask("query_exemplars", query=target["expr"], start=now - 60, end=now)
        return {each["labels"]["trace_id"] for series in found for each in series["exemplars"]}

    wait_until(ids, "examples")
    one = min(ids())
    wait_until(lambda: one in Path(gateway.addresses["DAM_GATEWAY_FILE"]).read_text(), f"trace {one}")


def test_spans_lead_back_to_figures(prometheus, wait_until):
    """The queries that Jaeger's data source offers for a span have figures."""
    sources = yaml.safe_load((ROOT / "dashboards" / "provisioning" / "datasources" / "dam-obs.yaml").read_text())
    (jaeger,) = (each for each in sources["datasources"] if each["type"] == "jaeger")
    span = {"service.name": SERVICE, "dam.layer": "system", "dam.operation": "execute"}
    back = jaeger["jsonData"]["tracesToMetrics"]
    tags = ", ".join(f'{each["value"]}="{span[each["key"]]}"' for each in back["tags"])

    for each in back["queries"]:
        expr = each["query"].replace("$$__tags", tags)
        wait_until(lambda expr=expr: any(value > 0 for value in prometheus.values({"expr": expr})), expr)


# -- rules and alerts


def _recorded() -> list[str]:
    groups = yaml.safe_load((ROOT / "collector-config" / "prometheus" / "rules.yml").read_text())["groups"]
    return [rule["record"] for group in groups for rule in group["rules"] if "record" in rule]


@pytest.mark.parametrize("name", _recorded())
def test_every_recorded_figure_is_there(prometheus, wait_until, name):
    """Worked out by the real Prometheus, in less time, of what the program sent."""
    wait_until(lambda: prometheus.values({"expr": name, "instant": True}), name)


@pytest.mark.parametrize("alert", ["DamSystemFails", "DamObsFaults", "DamSpansLost"])
def test_alerts_fire_for_what_is_wrong_with_the_program(prometheus, wait_until, alert):
    """A system of it fails for a third of what it gets, a plugin in it raises, and there is no Jaeger."""
    firing = f'ALERTS{{alertname="{alert}", alertstate="firing"}}'
    wait_until(lambda: prometheus.values({"expr": firing, "instant": True}), alert)


def test_no_rule_has_failed(prometheus, wait_until):
    """Each has been worked out, without an error."""

    def health() -> set[str]:
        return {rule["health"] for group in prometheus.ask("rules")["groups"] for rule in group["rules"]}

    wait_until(lambda: "unknown" not in health(), "every rule was worked out once")
    assert health() == {"ok"}
