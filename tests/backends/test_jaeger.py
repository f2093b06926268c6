"""Jaeger's configuration, by the real program: pages, links, storage on disk."""

from __future__ import annotations

import json
import re
import urllib.parse

import pytest

TRACE, RUN = "5b8aa5a2d2c872e8321cf37308d69df2", "20260113T140000Z-a3f2"
PAGE = "<script>const DEFAULT_CONFIG = null; const JAEGER_CONFIG = DEFAULT_CONFIG;</script>"
"""The line of Jaeger's own page that the program puts the settings into."""


def _post(otlp, address: str, *, trace: str = TRACE) -> None:
    """Send two spans, a parent and its child, as a measured run does."""
    parent = otlp.span(int(trace, 16), 1, attributes={"dam.id": "sys_1768312800_0001", "dam.component": "shop:Pack"})
    child = otlp.span(
        int(trace, 16),
        2,
        parent=1,
        attributes={
            "dam.id": "sys_1768312800_0002",
            "dam.parent_id": "sys_1768312800_0001",
            "dam.component": "shop:Hash",
        },
    )
    resource = [{"key": name, "value": {"stringValue": value}} for name, value in RESOURCE.items()]
    spans = [{"scope": {"name": "dam_obs"}, "spans": [parent, child]}]
    otlp.post(address, {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": spans}]})


RESOURCE = {"service.name": "shop", "dam.run.id": RUN}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A folder with a page like Jaeger's own, as somebody has who gives DAM_JAEGER_UI."""
    folder = tmp_path_factory.mktemp("ui")
    (folder / "index.html").write_text(PAGE)
    return folder


@pytest.fixture(scope="module")
def with_pages(start_jaeger, pages):
    """A Jaeger with pages."""
    return start_jaeger(DAM_JAEGER_UI=str(pages))


@pytest.fixture(scope="module")
def filled(with_pages, start_collector, otlp, wait_until):
    """The same, with the two spans in it."""
    gateway = start_collector(
        "gateway", DAM_JAEGER=with_pages.otlp, DAM_GATEWAY_SHARE="100", DAM_GATEWAY_DECISION_WAIT="1s"
    )
    _post(otlp, gateway.addresses["DAM_GATEWAY_HTTP"])
    wait_until(lambda: with_pages.ask(f"/api/traces/{TRACE}"), "Jaeger has the trace")
    return with_pages


def _settings(page: str) -> dict[str, object]:
    found = re.search(r"JAEGER_CONFIG = (\{.*?\});", page)
    assert found, page
    return json.loads(found[1])


def test_the_pages_are_given_our_settings(with_pages, config):
    """Those of the file, by the real program."""
    assert _settings(with_pages.page("/search")) == json.loads((config / "jaeger" / "ui.json").read_text())


def test_a_browser_gets_a_placeholder_from_what_we_build(jaeger):
    """The Go module has no pages; whoever wants them names a folder or a program that has."""
    page = jaeger.page("/")

    assert "<html" in page
    assert "static/" not in page


def _links(settings, trace) -> list[tuple[str, str, str]]:
    """Return (tag, text, address) of each link, as the pages make them: none where a value is not known."""
    links = []
    for span in trace["spans"]:
        process = trace["processes"][span["processID"]]["tags"]
        for kind, items in (("tags", span["tags"]), ("process", process)):
            known = {item["key"]: item["value"] for item in [*process, *span["tags"], *items]}
            known["trace.traceID"] = trace["traceID"]
            for item in items:
                for pattern in settings["linkPatterns"]:
                    if (pattern["type"], pattern["key"]) == (kind, item["key"]):
                        filled = [
                            _fill(pattern[part], known, quote) for part, quote in (("text", str), ("url", _quote))
                        ]
                        if None not in filled:
                            links.append((item["key"], *filled))
    return sorted(set(links))


def _quote(value: str) -> str:
    return urllib.parse.quote(value, safe="!'()*")


def _fill(template: str, known, quote) -> str | None:
    names = re.findall(r"#\{([^{}]*)\}", template)
    if not all(name in known for name in names):
        return None
    return re.sub(r"#\{([^{}]*)\}", lambda found: quote(str(known[found[1]])), template)


@pytest.fixture(scope="module")
def links(filled):
    """The links that the pages show on the two spans."""
    (trace,) = filled.ask(f"/api/traces/{TRACE}")["data"]
    return _links(_settings(filled.page("/")), trace)


def test_tags_lead_to_the_trace_the_parent_and_the_report(links):
    """With what the stored spans carry."""
    report = f"http://127.0.0.1:16680/{RUN}/report.html"
    at = f"/trace/{TRACE}?uiFind=dam.id%3D"

    assert links == [
        ("dam.component", f"The report of run {RUN}, on shop:Hash", report),
        ("dam.component", f"The report of run {RUN}, on shop:Pack", report),
        ("dam.id", "The trace of sys_1768312800_0001", f"{at}sys_1768312800_0001"),
        ("dam.id", "The trace of sys_1768312800_0002", f"{at}sys_1768312800_0002"),
        ("dam.parent_id", "The parent, sys_1768312800_0001", f"{at}sys_1768312800_0001"),
        ("dam.run.id", f"The report of run {RUN}", report),
    ]


def test_links_within_jaeger_answer_and_what_they_look_for_is_there(filled, links):
    """The page comes, and the trace that it then asks for has a span with that handle."""
    for _, _, url in (link for link in links if link[2].startswith("/")):
        address = urllib.parse.urlsplit(url)
        name, _, handle = urllib.parse.parse_qs(address.query)["uiFind"][0].partition("=")
        (trace,) = filled.ask(f"/api/traces/{address.path.rpartition('/')[2]}")["data"]

        assert "JAEGER_CONFIG" in filled.page(url)
        assert handle in {item["value"] for s in trace["spans"] for item in s["tags"] if item["key"] == name}


def test_on_disk_traces_outlive_a_restart(start_jaeger, start_collector, otlp, wait_until, config):
    """With badger.yaml laid over the settings."""
    one = start_jaeger(config / "jaeger" / "badger.yaml")
    gateway = start_collector("gateway", DAM_JAEGER=one.otlp, DAM_GATEWAY_SHARE="100", DAM_GATEWAY_DECISION_WAIT="1s")
    _post(otlp, gateway.addresses["DAM_GATEWAY_HTTP"])
    wait_until(lambda: one.ask(f"/api/traces/{TRACE}"), "Jaeger has the trace")
    before = one.ask(f"/api/traces/{TRACE}")["data"][0]["spans"]

    one.stop()
    one.start()

    assert _by_id(one.ask(f"/api/traces/{TRACE}")["data"][0]["spans"]) == _by_id(before)


def _by_id(spans):
    return sorted(spans, key=lambda span: span["spanID"])
