"""Findings as SARIF: whole, valid, and safe to show."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from dam_obs.draft.checking import CheckReport
from dam_obs.draft.drift import Terms
from dam_obs.draft.findings import POOL_MISSING, RULES, TIME_TOO_SHORT, Finding, SystemCheck
from dam_obs.draft.sarif import sarif

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def exactly(required, **properties):
    """An object with these properties and no others."""
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


RULE = exactly(
    ["id"],
    id={"type": "string"},
    name={"type": "string"},
    shortDescription=TEXT,
    fullDescription=TEXT,
    help=TEXT,
    defaultConfiguration=exactly([], level=LEVEL),
)
LOCATION = exactly(
    ["physicalLocation"],
    physicalLocation=exactly(
        ["artifactLocation"],
        artifactLocation=exactly(["uri"], uri={"type": "string", "format": "uri"}, uriBaseId={"type": "string"}),
        region=exactly(["startLine"], startLine={"type": "integer", "minimum": 1}),
    ),
    logicalLocations={
        "type": "array",
        "items": exactly([], fullyQualifiedName={"type": "string"}, kind={"type": "string"}),
    },
)
RESULT = exactly(
    ["message"],
    ruleId={"type": "string"},
    ruleIndex={"type": "integer", "minimum": -1},
    level=LEVEL,
    message=TEXT,
    locations={"type": "array", "minItems": 1, "maxItems": 1, "items": LOCATION},
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
    properties={"type": "object"},
)
NOTIFICATION = exactly(["message"], level=LEVEL, message=TEXT)
SCHEMA = exactly(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "items": exactly(
            ["tool"],
            tool=exactly(
                ["driver"],
                driver=exactly(
                    ["name"],
                    name={"type": "string"},
                    semanticVersion={"type": "string"},
                    rules={"type": "array", "uniqueItems": True, "items": RULE},
                ),
            ),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            invocations={
                "type": "array",
                "items": exactly(
                    ["executionSuccessful"],
                    executionSuccessful={"type": "boolean"},
                    toolExecutionNotifications={"type": "array", "items": NOTIFICATION},
                ),
            },
            results={"type": "array", "items": RESULT},
        ),
    },
)
"""The part of the SARIF 2.1.0 schema that is used here, as its standard has it."""


def finding(**changes):
    """A pool that is not declared."""
    given = {
        "rule": POOL_MISSING,
        "level": "error",
        "system": "shop.work:Pack",
        "subject": "disk/read/vda",
        "message": "uses disk/read/vda and does not declare it",
        "evidence": ("All of it.",),
        "figures": {"executions": 60},
        "handles": ("sys_1_a", "sys_1_b"),
        "file": Path("src/shop/work.py"),
        "line": 17,
    }
    return Finding(**(given | changes))


def report_of(*findings, unread=()):
    """A report with these findings, of one system."""
    checked = SystemCheck(
        system="shop.work:Pack", verdict="checked", file=Path("src/shop/work.py"), findings=tuple(findings)
    )
    return CheckReport(run_id="r", source=Path("src"), terms=Terms(), systems=(checked,), unread=tuple(unread))


def result_of(one, root=Path()):
    """The result that is made of a finding."""
    (run,) = sarif(report_of(one), root)["runs"]
    (result,) = run["results"]
    return result


def test_a_finding_is_a_result_with_its_line():
    """Whole values."""
    assert result_of(finding()) | {"partialFingerprints": None} == {
        "ruleId": "pool-missing",
        "ruleIndex": 0,
        "level": "error",
        "message": {
            "text": "shop.work:Pack uses disk/read/vda and does not declare it. All of it."
            " Executions to look at: sys_1_a, sys_1_b."
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "src/shop/work.py", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 17},
                },
                "logicalLocations": [{"fullyQualifiedName": "shop.work:Pack", "kind": "type"}],
            }
        ],
        "partialFingerprints": None,
        "properties": {"run": "r", "figures": {"executions": 60}, "handles": ["sys_1_a", "sys_1_b"]},
    }


def test_every_rule_is_described():
    """Each by its id once, in the order that results refer to."""
    (run,) = sarif(report_of(), Path())["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    assert len({rule["id"] for rule in rules}) == len(rules)
    Draft7Validator(SCHEMA).validate(sarif(report_of(), Path()))


SAME = [
    {"line": 900},
    {"message": "is worded in another way"},
    {"figures": {}, "handles": (), "evidence": ()},
    {"file": Path("moved/work.py")},
    {"level": "note"},
]
OTHERS = [{"rule": TIME_TOO_SHORT}, {"system": "shop.work:Send"}, {"subject": "cpu"}]


def test_a_fingerprint_stays_when_lines_and_figures_change():
    """And is another one for another rule, system or subject."""
    first = result_of(finding())["partialFingerprints"]

    assert [result_of(finding(**each))["partialFingerprints"] for each in SAME] == [first] * len(SAME)
    assert first not in [result_of(finding(**each))["partialFingerprints"] for each in OTHERS]


def test_what_has_no_place_in_the_source_is_a_notification():
    """Viewers refuse results without one."""
    gone = SystemCheck(system="shop.work:Gone", verdict="not_in_source", why="it is not in the source")
    report = replace(report_of(unread=[(Path("bad.py"), "it is not valid Python")]), systems=(gone,))

    log = sarif(report, Path())

    (run,) = log["runs"]
    assert run["results"] == []
    assert run["invocations"][0]["toolExecutionNotifications"] == [
        {"level": "warning", "message": {"text": "bad.py was not read: it is not valid Python"}},
        {"level": "note", "message": {"text": "shop.work:Gone was not checked: it is not in the source"}},
    ]
    Draft7Validator(SCHEMA).validate(log)


def test_a_file_outside_of_the_root_is_named_as_a_whole(tmp_path):
    """With its scheme, and without a base."""
    inner = tmp_path / "inner"
    inner.mkdir()
    place = result_of(finding(file=tmp_path / "a b#?%.py"), inner)["locations"][0]["physicalLocation"]

    assert place["artifactLocation"] == {"uri": f"file://{tmp_path}/a%20b%23%3F%25.py"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[click](http://evil)", r"\[click\](http://evil)"),
        ("{0}", "{{0}}"),
        ("\x1b[2J", r"\\x1b\[2J"),
        ("\\[a](b)", r"\\\[a\](b)"),
        ("\u202egnp.exe", r"\\u202egnp.exe"),
    ],
)
def test_a_name_is_no_markup(name, shown):
    """Links, arguments and control characters stand for themselves."""
    assert result_of(finding(system=name))["message"]["text"].startswith(f"{shown} uses")


NAMES = st.text(st.characters(codec=None), max_size=40)


@given(system=NAMES, subject=NAMES, message=NAMES, handle=NAMES, path=st.text(min_size=1, max_size=30))
def test_whatever_the_names_are_the_log_is_valid(system, subject, message, handle, path):
    """In ASCII, without control characters, links or a line that is not there."""
    file = Path("src") / path.replace("\0", "0").lstrip("/")
    one = finding(system=system, subject=subject, message=message, handles=(handle,), file=file)
    log = sarif(report_of(one), Path())
    text = json.dumps(log)

    Draft7Validator(SCHEMA).validate(log)
    said = log["runs"][0]["results"][0]["message"]["text"]
    assert said.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", said)
    assert not re.search(r"(?<!\\)(?:\\\\)*\[", said)
    assert text.isascii()
    uri = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"(?:file://)?[\w.~/%-]+", uri, re.ASCII)
    assert unquote(uri)
