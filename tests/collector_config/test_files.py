"""What belongs to the configurations agrees with them: the manifest, the pins, compose.yaml, the table, the page."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "collector-config"
PAGE = ROOT / "docs" / "backends" / "collector.md"
ROLES = ("agent", "gateway")
VARIABLE = re.compile(r"\$\{env:([A-Z_]+)(?::-(.*?))?\}")


def load(path: Path) -> dict[str, Any]:
    """Return what is in a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def versions() -> dict[str, str]:
    """Return the pins."""
    lines = (CONFIG / "versions.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def variables() -> dict[str, str | None]:
    """Return the variables that the configurations take, with their defaults."""
    text = "".join((folder / f"{role}.yaml").read_text() for role in ROLES for folder in (CONFIG, CONFIG / "profiles"))
    return {found[1]: found[2] or "" for found in VARIABLE.finditer(text)}


# -- the manifest

MODULES = {
    "otlpreceiver": "otlp",
    "batchprocessor": "batch",
    "memorylimiterprocessor": "memory_limiter",
    "redactionprocessor": "redaction",
    "tailsamplingprocessor": "tail_sampling",
    "transformprocessor": "transform",
    "servicegraphconnector": "service_graph",
    "spanmetricsconnector": "span_metrics",
    "otlpexporter": "otlp_grpc",
    "fileexporter": "file",
    "prometheusexporter": "prometheus",
    "healthcheckextension": "health_check",
    "filestorage": "file_storage",
}
"""The last part of a component's module to the name that configurations use."""


def test_the_collector_has_what_is_used_and_no_more() -> None:
    """By kind: the manifest's components are those of the two configurations."""
    kinds = ("receivers", "processors", "connectors", "exporters", "extensions")
    manifest = load(CONFIG / "builder.yaml")
    built = {kind: {MODULES[each["gomod"].split()[0].rsplit("/", 1)[1]] for each in manifest[kind]} for kind in kinds}
    used: dict[str, set[str]] = {kind: set() for kind in kinds}
    for role in ROLES:
        for kind in kinds:
            used[kind] |= {name.partition("/")[0] for name in load(CONFIG / f"{role}.yaml").get(kind, {})}

    assert built == used


def test_versions_stand_in_one_place() -> None:
    """Every module of the manifest has a version from versions.env, and one that is exact."""
    manifest = load(CONFIG / "builder.yaml")
    pins = [each["gomod"].split()[1] for group in manifest.values() if isinstance(group, list) for each in group]

    names = {pin.removeprefix("${").removesuffix("}") for pin in pins}
    assert names == {"COLLECTOR_CORE", "COLLECTOR_STABLE", "COLLECTOR_CONTRIB"}
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", versions()[name]) for name in names)


def test_a_new_manifest_is_a_new_program(tmp_path: Path) -> None:
    """Where the program is kept follows from manifest and versions, so an old one is never taken for a new one."""

    def where(name: str, old: str = "", new: str = "") -> str:
        folder = tmp_path / name
        (folder / "backends").mkdir(parents=True)
        for each in ("builder.yaml", "versions.env", "backends/build-collector"):
            (folder / each).write_text(
                (CONFIG / each).read_text().replace(old, new) if old else (CONFIG / each).read_text()
            )
        (folder / "backends" / "build-collector").chmod(0o755)
        command = [folder / "backends" / "build-collector", "--where"]
        environ = {"DAM_BACKENDS_CACHE": "/cache", "PATH": "/usr/bin:/bin"}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout.strip()

    pin = versions()["COLLECTOR_CORE"]
    places = [where("same"), where("again"), where("newer", pin, "v9.9.9"), where("less", "fileexporter", "other")]

    assert places[0] == places[1]
    assert len(set(places)) == 3
    assert all(re.fullmatch(r"/cache/collector-[0-9a-f]{16}/otelcol-dam", place) for place in places)


def test_a_machine_without_go_says_so(tmp_path: Path) -> None:
    """With the status that callers skip by, and one line."""
    for name in ("bash", "cat", "sed", "sha256sum", "cut", "dirname"):
        (tmp_path / name).symlink_to(next(p for p in (Path("/usr/bin") / name, Path("/bin") / name) if p.exists()))
    result = subprocess.run(
        [CONFIG / "backends" / "build-collector"],
        env={"PATH": str(tmp_path), "DAM_BACKENDS_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )

    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == "build-collector: no Go on the PATH: install it from https://go.dev/dl\n"


# -- compose.yaml


@pytest.fixture
def compose() -> dict[str, Any]:
    """What is in compose.yaml."""
    return load(CONFIG / "compose.yaml")


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    """To the very versions that the tests run."""
    pins = versions()
    images = {name: part["image"].rpartition(":")[2] for name, part in compose["services"].items()}

    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", tag) for tag in images.values()), images
    assert f"v{images['agent']}" == f"v{images['gateway']}" == pins["COLLECTOR_CONTRIB"]
    assert f"v{images['jaeger']}" == pins["JAEGER_RELEASE"]


def test_files_that_are_mounted_exist(compose: dict[str, Any]) -> None:
    """And are mounted to be read alone; what is written goes to volumes that are declared."""
    mounts = [mount.split(":") for part in compose["services"].values() for mount in part.get("volumes", [])]
    files = [mount for mount in mounts if mount[0].startswith(".")]

    assert files
    assert [mount[0] for mount in files if not (CONFIG / mount[0]).exists() or mount[2:] != ["ro"]] == []
    assert {mount[0] for mount in mounts if mount not in files} == set(compose["volumes"])


def test_ports_are_on_loopback(compose: dict[str, Any]) -> None:
    """Nobody else on the network gets at them, and no two meet."""
    ports = [port for part in compose["services"].values() for port in part.get("ports", [])]

    assert len(ports) == len(set(ports))
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in ports)


def test_a_part_is_told_only_what_its_configuration_reads(compose: dict[str, Any]) -> None:
    """Every variable is one of the files that are mounted there, and every path in it is a mount's."""
    for name, part in compose["services"].items():
        files = [CONFIG / mount.split(":")[0] for mount in part.get("volumes", []) if mount.startswith(".")]
        texts = "".join(p.read_text() for f in files for p in ([f] if f.is_file() else f.rglob("*.y*ml")))
        ours = {key: value for key, value in part.get("environment", {}).items() if key.startswith("DAM_")}
        assert [key for key in ours if key not in texts] == [], name
        targets = [mount.split(":")[1] for mount in part.get("volumes", [])]
        paths = [value for value in ours.values() if value.startswith("/")]
        assert [path for path in paths if not any(path.startswith(target) for target in targets)] == [], name


def test_parts_find_each_other(compose: dict[str, Any]) -> None:
    """A name in an address is another part's, and that part listens there for all."""
    services = compose["services"]
    for part in services.values():
        for value in part.get("environment", {}).values():
            found = re.fullmatch(r"([a-z]+):(\d+)", value)
            if not found:
                continue
            other = services[found[1]]
            listening = {*other.get("environment", {}).values(), *(p.split(":", 1)[1] for p in other.get("ports", []))}
            assert {f"0.0.0.0:{found[2]}", f"{found[2]}:{found[2]}"} & listening, value


def test_prometheus_scrapes_the_same(compose: dict[str, Any]) -> None:
    """As prometheus.yml does, but for the names that the parts have here."""
    inside = yaml.safe_load(compose["configs"]["prometheus"]["content"])
    outside = load(CONFIG / "prometheus" / "prometheus.yml")
    for job in inside["scrape_configs"]:
        for group in job["static_configs"]:
            group["targets"] = [re.sub(r"^[a-z]+:", "127.0.0.1:", each) for each in group["targets"]]

    assert inside == outside


# -- the table and the page


def test_the_table_has_the_dimensions_of_the_figures() -> None:
    """Labels of figures are the connector's own and the dimensions that gateway.yaml gives it."""
    table = tomllib.loads((CONFIG / "metrics.toml").read_text())
    figures = load(CONFIG / "gateway.yaml")["connectors"]["span_metrics"]
    dimensions = {each["name"].replace(".", "_") for each in figures["dimensions"]}
    own = {"job", "service_name", "span_kind", "status_code", "otel_metric_overflow"}

    for name in ("dam_calls_total", "dam_duration_milliseconds"):
        assert set(table[name]["always"]) | set(table[name]["sometimes"]) == own | dimensions


def test_the_page_lists_every_variable() -> None:
    """With its default."""
    rows = re.findall(r"^\| `(DAM_[A-Z_]+)` \| (?:`(.*?)`)? *\|", PAGE.read_text(), re.MULTILINE)

    assert dict(rows) == variables()
