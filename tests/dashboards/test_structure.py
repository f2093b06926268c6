"""What Grafana asks of a dashboard beyond its schema, page by page."""

import itertools
import re
from urllib.parse import parse_qsl, urlsplit

UNITS = {"none", "short", "ms", "s", "percentunit", "ops", "bytes"}
GRAFANAS_OWN = {"__rate_interval", "__range", "__interval", "__url_time_range", "__value.raw", "__all"}


def panels(page):
    return [each for each in page["panels"] if each["type"] != "row"]


def queries(page):
    return [(panel, target) for panel in panels(page) for target in panel.get("targets", ())]


def strings(value):
    """All texts in a page, wherever they stand, but for what people read."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in ("content", "description"):
                yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def used_variables(value):
    return {
        name
        for text in strings(value)
        for name in re.findall(r"\$(?:\{(\w+(?:\.\w+)*)[^}]*\}|(\w+))", text)
        for name in name
        if name and not name.startswith("__data.fields.")
    }


def defined_variables(page):
    return {each["name"] for each in page["templating"]["list"]}


def test_uids_are_short_and_unlike(all_dashboards):
    """Grafana takes 40 characters of letters, digits, `-` and `_`."""
    assert len(all_dashboards) == 5
    assert all(re.fullmatch(r"[a-z0-9_-]{8,40}", uid) for uid in all_dashboards)


def test_titles_are_unlike(all_dashboards):
    """People know a page by its title."""
    titles = [each["title"] for each in all_dashboards.values()]
    assert len(set(titles)) == len(titles)


def test_panel_ids_are_unlike(dashboard):
    """An address of a panel names it by its id."""
    ids = [each["id"] for each in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_panels_lie_on_the_grid_side_by_side(dashboard):
    """Within 24 columns, no two on the same cell."""
    cells = {}
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert 0 <= at["x"] < at["x"] + at["w"] <= 24
        for cell in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert cells.setdefault(cell, panel["title"]) == panel["title"]
    assert len(cells) == sum(each["gridPos"]["w"] * each["gridPos"]["h"] for each in dashboard["panels"])


def test_every_panel_says_what_it_shows(dashboard):
    """A title, and for figures a sentence."""
    for panel in panels(dashboard):
        assert panel["title"]
        assert panel["type"] == "text" or panel["description"].endswith(".")


def test_panels_of_a_page_are_told_apart_by_title(dashboard):
    """No two alike."""
    titles = [each["title"] for each in panels(dashboard)]
    assert len(set(titles)) == len(titles)


def test_units_are_known(dashboard):
    """Grafana shows an unknown unit as a suffix, without a word."""
    for panel in panels(dashboard):
        if panel["type"] == "text":
            continue
        if panel["type"] == "heatmap":
            assert panel["options"]["yAxis"]["unit"] in UNITS
        elif panel["type"] != "table":
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        for override in panel["fieldConfig"]["overrides"]:
            for each in override["properties"]:
                assert each["id"] != "unit" or each["value"] in UNITS


def test_every_target_asks_something(dashboard):
    """An expression, and a letter of its own."""
    for panel in panels(dashboard):
        targets = panel.get("targets", [])
        assert targets or panel["type"] == "text"
        assert all(each["expr"].strip() for each in targets)
        refs = [each["refId"] for each in targets]
        assert len(set(refs)) == len(refs)


def test_variables_are_defined_and_used(dashboard):
    """What a query names is chosen at the top, and what can be chosen has an effect."""
    used = used_variables({"panels": dashboard["panels"], "templating": dashboard["templating"]}) - GRAFANAS_OWN

    assert used == defined_variables(dashboard)


def test_the_data_source_is_the_one_that_is_provisioned(dashboard):
    """A page finds it by the variable, whose first value is the uid in the provisioning file."""
    (source,) = (each for each in dashboard["templating"]["list"] if each["type"] == "datasource")

    assert (source["query"], source["current"]["value"]) == ("prometheus", "dam-prometheus")
    for panel, target in queries(dashboard):
        assert panel["datasource"] == target["datasource"] == {"type": "prometheus", "uid": "${prometheus}"}


def test_links_lead_to_pages_that_know_their_variables(dashboard, all_dashboards):
    """An address of ours names a dashboard of ours, and variables that it has."""
    links = [text for text in strings(dashboard) if text.startswith("/d/")]
    for link in links:
        address = urlsplit(link)
        target = all_dashboards[address.path.removeprefix("/d/")]
        given = {name.removeprefix("var-") for name, _ in parse_qsl(address.query) if name.startswith("var-")}
        assert given <= defined_variables(target)


def test_links_name_columns_that_are_there(dashboard):
    """A link that takes another column's value takes that of a column of its table."""
    for panel in panels(dashboard):
        named = {name for text in strings(panel) for name in re.findall(r"\$\{__data\.fields\.(\w+)", text)}
        if named:
            shown = next(each["options"] for each in panel["transformations"] if each["id"] == "organize")
            assert named <= set(shown["renameByName"].values())


def test_pages_lead_to_each_other(dashboard):
    """By their tag, keeping the time and what is chosen."""
    (link,) = dashboard["links"]

    assert (link["type"], link["tags"], link["keepTime"], link["includeVars"]) == (
        "dashboards",
        ["dam-obs"],
        True,
        True,
    )
    assert dashboard["tags"] == ["dam-obs"]


def test_settings_of_columns_are_of_columns_that_are_shown(dashboard):
    """An override that fits no column is without effect, and nothing says so."""
    for panel in panels(dashboard):
        if panel["type"] == "table":
            shown = next(each["options"] for each in panel["transformations"] if each["id"] == "organize")
            titles = set(shown["renameByName"].values())
            assert {each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]} <= titles
            assert {each["displayName"] for each in panel["options"]["sortBy"]} <= titles
