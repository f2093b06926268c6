"""The files by which Grafana finds data and dashboards."""

import re
from pathlib import Path

import yaml

PROVISIONING = Path(__file__).parents[2] / "dashboards" / "provisioning"
VARIABLES = {"DAM_PROMETHEUS", "DAM_JAEGER_QUERY_HTTP", "DAM_DASHBOARDS"}


def loaded(name):
    return yaml.safe_load((PROVISIONING / name).read_text(encoding="utf-8"))


def test_sources_have_the_uids_that_are_linked():
    """Exemplars lead to Jaeger, and spans back to Prometheus, by uids that are there."""
    sources = {each["uid"]: each for each in loaded("datasources/dam-obs.yaml")["datasources"]}

    assert {uid: each["type"] for uid, each in sources.items()} == {
        "dam-prometheus": "prometheus",
        "dam-jaeger": "jaeger",
    }
    (examples,) = sources["dam-prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert (examples["name"], examples["datasourceUid"]) == ("trace_id", "dam-jaeger")
    assert sources["dam-jaeger"]["jsonData"]["tracesToMetrics"]["datasourceUid"] == "dam-prometheus"


def test_labels_of_a_span_are_labels_of_its_figures(figures):
    """From a span one comes to series that exist."""
    (jaeger,) = (each for each in loaded("datasources/dam-obs.yaml")["datasources"] if each["type"] == "jaeger")
    back = jaeger["jsonData"]["tracesToMetrics"]

    for query in back["queries"]:
        (metric,) = re.findall(r"(\w+)\{\$\$__tags\}", query["query"])
        assert {each["value"] for each in back["tags"]} <= figures[metric]


def test_variables_are_those_that_are_told_of():
    """Grafana takes one that is not set for nothing: each that is used is in the guide."""
    texts = [path.read_text(encoding="utf-8") for path in PROVISIONING.glob("*/*.yaml")]
    guide = (PROVISIONING.parents[1] / "docs" / "backends" / "dashboards.md").read_text(encoding="utf-8")

    used = {name for text in texts for name in re.findall(r"\$\{(\w+)\}", text)}
    assert used == VARIABLES
    assert all(f"`{name}`" in guide for name in used)


def test_the_provider_reads_a_folder_and_keeps_it():
    """What is generated is not changed in the browser."""
    (provider,) = loaded("dashboards/dam-obs.yaml")["providers"]

    assert (provider["type"], provider["options"], provider["allowUiUpdates"]) == (
        "file",
        {"path": "${DAM_DASHBOARDS}"},
        False,
    )


def test_the_container_is_given_all_variables_and_both_folders():
    """With Docker, Grafana is of the version whose types the dashboards are held against, and finds everything."""
    config = PROVISIONING.parents[1] / "collector-config"
    grafana = yaml.safe_load((config / "compose.yaml").read_text(encoding="utf-8"))["services"]["grafana"]
    versions = dict(re.findall(r"^(\w+)=(.+)$", (config / "versions.env").read_text(encoding="utf-8"), re.MULTILINE))
    mounted = {
        Path(to): (config / here).resolve() for here, to, _ in (each.split(":") for each in grafana["volumes"][:2])
    }

    assert grafana["image"] == f"grafana/grafana:{versions['GRAFANA_SCHEMA_NEWEST']}"
    assert grafana["environment"].keys() >= VARIABLES
    assert mounted == {
        Path("/etc/grafana/provisioning"): PROVISIONING,
        Path(grafana["environment"]["DAM_DASHBOARDS"]): PROVISIONING.parent / "generated",
    }
