"""
Findings as SARIF 2.1.0, which code review shows beside the line that they are about.

A result's fingerprint is made of its rule, its system and its subject, so that it stays the same
when lines move and figures change. A finding without a place in the source has no result, for
viewers refuse those; it is a notification of the tool.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import dam_obs
from dam_obs.draft.checking import CheckReport
from dam_obs.draft.findings import RULES, Finding, Rule
from dam_obs.text import printable

VERSION: Final = "2.1.0"
SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT: Final = "damObsDrift/v1"
LONGEST_MESSAGE: Final = 2_000
ROOT: Final = "%SRCROOT%"
_ESCAPED: Final = re.compile(r"[\\\[\]]")


def sarif(report: CheckReport, root: Path) -> dict[str, Any]:
    """
    Return a SARIF log.

    Args:
        report: What was found.
        root: The folder that paths are relative to: of the repository, as a rule.
    """
    placed = [each for each in report.findings if each.file is not None]
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "dam-obs",
                        "semanticVersion": dam_obs.__version__,
                        "rules": [_rule(rule) for rule in RULES],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {"executionSuccessful": True, "toolExecutionNotifications": list(_notifications(report))}
                ],
                "results": [_result(each, report.run_id, root) for each in placed],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(part.title() for part in rule.id.split("-")),
        "shortDescription": {"text": rule.short},
        "fullDescription": {"text": rule.help},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": rule.level},
    }


def _result(finding: Finding, run_id: str, root: Path) -> dict[str, Any]:
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": RULES.index(finding.rule),
        "level": finding.level,
        "message": {"text": _message(finding)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(finding.file or root, root),
                    "region": {"startLine": finding.line or 1},
                },
                "logicalLocations": [{"fullyQualifiedName": printable(finding.system), "kind": "type"}],
            }
        ],
        "partialFingerprints": {FINGERPRINT: _fingerprint(finding)},
        "properties": {
            "run": printable(run_id),
            "figures": dict(finding.figures),
            "handles": [printable(handle) for handle in finding.handles],
        },
    }


def _notifications(report: CheckReport) -> Iterable[dict[str, Any]]:
    for file, why in report.unread:
        yield {"level": "warning", "message": {"text": _plain(f"{file} was not read: {why}")}}
    for system in report.systems:
        if system.file is None:
            yield {"level": "note", "message": {"text": _plain(f"{system.system} was not checked: {system.why}")}}


def _message(finding: Finding) -> str:
    text = f"{finding.system} {finding.message}. {' '.join(finding.evidence)}".rstrip()
    if finding.handles:
        text += f" Executions to look at: {', '.join(finding.handles)}."
    return _plain(text)


def _plain(text: str) -> str:
    r"""Make text of which every character stands for itself: ``[a](b)`` would be a link, ``{0}`` an argument."""
    shown = printable(text)
    shown = shown if len(shown) <= LONGEST_MESSAGE else f"{shown[:LONGEST_MESSAGE]} ..."
    return _ESCAPED.sub(r"\\\g<0>", shown).replace("{", "{{").replace("}", "}}")


def _artifact(file: Path, root: Path) -> dict[str, str]:
    path, top = file.resolve(), root.resolve()
    if path.is_relative_to(top):
        return {"uri": quote(_utf8(path.relative_to(top))), "uriBaseId": ROOT}
    return {"uri": f"file://{quote(_utf8(path))}"}


def _utf8(path: Path) -> bytes:
    return path.as_posix().encode("utf-8", "surrogateescape")


def _fingerprint(finding: Finding) -> str:
    parts = "\0".join((finding.rule.id, finding.system, finding.subject))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()
