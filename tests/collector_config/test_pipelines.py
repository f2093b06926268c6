"""The collector's configurations hold their promises; looked at as data, without the collector."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "collector-config"
ROLES = ("agent", "gateway")
BOUNDED = {"dam.layer", "dam.operation", "dam.component", "dam.status"}
"""Attributes with a value for each place in the code at most; every other one may be of the program's data."""

VARIABLE = re.compile(r"\$\{env:([A-Z_]+)(?::-(.*?))?\}")
SECRET = re.compile(r"(?i)(password|secret|token|api_?key|authorization|credential)")

Config = dict[str, Any]


def config(role: str) -> Config:
    """Return a configuration as it is in its file."""
    return yaml.safe_load((CONFIG / f"{role}.yaml").read_text(encoding="utf-8"))


def scalars(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every value that is no container, and where it is."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from scalars(value, (*path, str(key)))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from scalars(value, (*path, str(number)))
    else:
        yield path, node


def kind(name: str) -> str:
    """Return which component a name like ``redaction/names`` is of."""
    return name.partition("/")[0]


# -- the rules: each yields what is wrong


def wiring(config: Config) -> Iterator[str]:
    """What a pipeline names is there, what is there is used, and a connector joins two pipelines."""
    pipelines = config["service"]["pipelines"]
    connectors = set(config.get("connectors", {}))
    used = {part: {name for each in pipelines.values() for name in each[part]} for part in PARTS}
    for part in PARTS:
        there = set(config[part]) | (connectors if part != "processors" else set())
        yield from (f"{name} of {part} is nowhere" for name in used[part] - there)
        yield from (f"{name} of {part} is not used" for name in set(config[part]) - used[part])
    for name in connectors:
        if name not in used["exporters"] or name not in used["receivers"]:
            yield f"connector {name} does not join two pipelines"
    if set(config["extensions"]) != set(config["service"]["extensions"]):
        yield "extensions that are there and those that are started differ"


PARTS = ("receivers", "processors", "exporters")


def memory_first(config: Config) -> Iterator[str]:
    """The memory limiter is the first of every pipeline."""
    for name, pipeline in config["service"]["pipelines"].items():
        if pipeline["processors"][0] != "memory_limiter":
            yield f"{name} does not begin with the memory limiter"


def nothing_waits_for_ever(config: Config) -> Iterator[str]:
    """What sends over a network has a bounded queue, tries again, and does not make its sender wait."""
    for name, exporter in config["exporters"].items():
        if kind(name) != "otlp_grpc":
            continue
        queue = exporter.get("sending_queue", {})
        if not (queue.get("enabled") and queue.get("sizer") == "bytes" and queue.get("queue_size")):
            yield f"{name} has no queue bounded in bytes"
        if queue.get("block_on_overflow"):
            yield f"{name} makes its sender wait"
        if not exporter.get("retry_on_failure", {}).get("enabled"):
            yield f"{name} does not try again"


def figures_are_whole(config: Config) -> Iterator[str]:
    """Figures and the file are made where nothing has been sampled away."""
    for name, pipeline in config["service"]["pipelines"].items():
        whole = {"span_metrics", "service_graph", "file"} & {kind(each) for each in pipeline["exporters"]}
        if whole and any("sampl" in kind(each) for each in pipeline["processors"]):
            yield f"{name} samples before {', '.join(sorted(whole))}"


def the_file_fails_alone(config: Config) -> Iterator[str]:
    """An exporter without a queue has a batch before it, and a pipeline of its own: its failure is not the sender's."""
    for name, pipeline in config["service"]["pipelines"].items():
        kinds = {kind(each) for each in pipeline["exporters"]}
        if "file" in kinds and (kinds != {"file"} or kind(pipeline["processors"][-1]) != "batch"):
            yield f"{name} fails where its file does"


def dimensions_are_bounded(config: Config) -> Iterator[str]:
    """No label has a value for each run, trace, span or input, and there is a limit all the same."""
    figures = config.get("connectors", {}).get("span_metrics")
    if figures is None:
        return
    for place in (figures, figures["histogram"]):
        for key in ("dimensions", "calls_dimensions"):
            yield from (f"dimension {d['name']}" for d in place.get(key, []) if d["name"] not in BOUNDED)
    if "span.name" not in figures["exclude_dimensions"]:
        yield "dimension span.name"
    if not figures.get("aggregation_cardinality_limit"):
        yield "no limit of series"


def secrets_come_from_outside(config: Config) -> Iterator[str]:
    """What is a secret is a variable, and one without a default."""
    for path, value in scalars(config):
        if SECRET.search(path[-1]) and not re.fullmatch(r"\$\{env:[A-Z_]+(:-)?\}", str(value)):
            yield f"{'.'.join(path)} is written down"


def listens_on_loopback(config: Config) -> Iterator[str]:
    """Every address is a variable whose default is loopback."""
    for path, value in scalars(config):
        if path[-1] in ("endpoint", "host"):
            found = VARIABLE.fullmatch(str(value))
            if not (found[2] if found else str(value)).startswith("127.0.0.1"):
                yield f"{'.'.join(path)} is not on loopback"


RULES = (
    wiring,
    memory_first,
    nothing_waits_for_ever,
    figures_are_whole,
    the_file_fails_alone,
    dimensions_are_bounded,
    secrets_come_from_outside,
    listens_on_loopback,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("role", ROLES)
def test_what_is_there_holds(role: str, rule: Callable[[Config], Iterator[str]]) -> None:
    """Every rule, over both files."""
    assert list(rule(config(role))) == []


def _pipeline(config: Config, name: str) -> Config:
    return config["service"]["pipelines"][name]


BREAKS: dict[str, tuple[str, Callable[[Config], None], Callable[[Config], Iterator[str]], str]] = {
    "a processor without a definition": (
        "agent",
        lambda c: _pipeline(c, "traces")["processors"].append("filter"),
        wiring,
        "filter of processors is nowhere",
    ),
    "an exporter that nobody uses": (
        "gateway",
        lambda c: c["exporters"].update({"debug": {}}),
        wiring,
        "debug of exporters is not used",
    ),
    "a connector that leads nowhere": (
        "gateway",
        lambda c: _pipeline(c, "metrics/figures")["receivers"].remove("service_graph"),
        wiring,
        "connector service_graph does not join two pipelines",
    ),
    "the limiter behind others": (
        "agent",
        lambda c: _pipeline(c, "traces")["processors"].reverse(),
        memory_first,
        "traces does not begin with the memory limiter",
    ),
    "a sender that waits": (
        "agent",
        lambda c: c["exporters"]["otlp_grpc/gateway"]["sending_queue"].update(block_on_overflow=True),
        nothing_waits_for_ever,
        "otlp_grpc/gateway makes its sender wait",
    ),
    "figures of what was kept": (
        "gateway",
        lambda c: _pipeline(c, "traces/kept")["exporters"].append("span_metrics"),
        figures_are_whole,
        "traces/kept samples before span_metrics",
    ),
    "a full disk for everybody": (
        "gateway",
        lambda c: _pipeline(c, "traces/figures")["exporters"].append("file"),
        the_file_fails_alone,
        "traces/figures fails where its file does",
    ),
    "a label for each run": (
        "gateway",
        lambda c: c["connectors"]["span_metrics"]["dimensions"].append({"name": "dam.run.id"}),
        dimensions_are_bounded,
        "dimension dam.run.id",
    ),
    "a secret in the file": (
        "agent",
        lambda c: c["exporters"]["otlp_grpc/gateway"]["headers"].update(authorization="Bearer x"),
        secrets_come_from_outside,
        "exporters.otlp_grpc/gateway.headers.authorization is written down",
    ),
    "a secret as a default": (
        "agent",
        lambda c: c["exporters"]["otlp_grpc/gateway"]["headers"].update({"api_key": "${env:KEY:-abc}"}),
        secrets_come_from_outside,
        "exporters.otlp_grpc/gateway.headers.api_key is written down",
    ),
    "open to the network": (
        "gateway",
        lambda c: c["exporters"]["prometheus"].update(endpoint="${env:DAM_GATEWAY_PROMETHEUS:-0.0.0.0:9464}"),
        listens_on_loopback,
        "exporters.prometheus.endpoint is not on loopback",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_a_rule_is_found(name: str) -> None:
    """Each rule can say no."""
    role, change, rule, problem = BREAKS[name]
    broken = copy.deepcopy(config(role))
    change(broken)

    assert list(rule(broken)) == [problem]


# -- what the two promise besides


def test_nothing_leaves_the_agent_unredacted() -> None:
    """In each pipeline both redactions are there, by name and by shape, and texts are lent to the latter."""
    processors = {name: each["processors"] for name, each in config("agent")["service"]["pipelines"].items()}

    assert processors == {
        "traces": ["memory_limiter", "redaction/names", "transform/lend", "redaction/values", "transform/return"],
        "metrics": ["memory_limiter", "redaction/names", "redaction/values"],
    }


def test_what_the_agent_has_taken_is_on_disk() -> None:
    """Its queue is a file's, and no batch is made in memory before it."""
    agent = config("agent")
    queue = agent["exporters"]["otlp_grpc/gateway"]["sending_queue"]

    assert queue["storage"] in agent["extensions"]
    assert "batch" in queue
    assert agent["exporters"]["otlp_grpc/gateway"]["retry_on_failure"]["max_elapsed_time"] == "0s"


def test_the_gateway_keeps_what_matters() -> None:
    """Failures, refusals and what was slow; of the rest a share. `blocked` is the status that the events have."""
    sampling = config("gateway")["processors"]["tail_sampling"]
    kept = {policy["name"]: policy[policy["type"]] for policy in sampling["policies"]}

    assert kept == {
        "errors": {"status_codes": ["ERROR"]},
        "blocked": {"key": "dam.status", "values": ["blocked"]},
        "slow": {"threshold_ms": "${env:DAM_GATEWAY_SLOW_MS:-1000}"},
        "share": {"sampling_percentage": "${env:DAM_GATEWAY_SHARE:-10}"},
    }


NAMES = {
    "password": True,
    "db.password": True,
    "http.request.header.authorization": True,
    "http.request.header.proxy-authorization": True,
    "http.request.header.set-cookie": True,
    "http.response.header.cookie": True,
    "user.api_key": True,
    "x-api-key": True,
    "aws.secret_access_key": True,
    "CLIENT_SECRET": True,
    "access_token": True,
    "session-token": True,
    "connection_string": True,
    "gen_ai.usage.input_tokens": False,
    "gen_ai.memory.record.id": False,
    "messaging.kafka.message.key": False,
    "http.request.method": False,
    "code.function.name": False,
    "error.type": False,
    "thread.id": False,
    "token_type": False,
    "password_policy": False,
    "session.id": False,
    "service.name": False,
    "monkey": False,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_secrets(name: str) -> None:
    """What stands under such a name is hidden; under one that is only like it, not."""
    patterns = config("agent")["processors"]["redaction/names"]["blocked_key_patterns"]

    assert any(re.search(pattern, name) for pattern in patterns) is NAMES[name]


def test_our_own_names_are_left_alone() -> None:
    """What dam-obs sends was redacted by the program's own settings; data may well be called `key` or `token`."""
    (pattern,) = config("agent")["processors"]["redaction/names"]["ignored_key_patterns"]

    assert [bool(re.search(pattern, name)) for name in ("dam.data.key", "dam.data.token", "damage", "x.dam.y")] == [
        True,
        True,
        False,
        False,
    ]
