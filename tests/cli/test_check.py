"""``dam-obs check``."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from dam_obs.cli import main
from dam_obs.store.runs import RUNS, RunFolder
from dam_obs.testing.runs import write_example_run

SOURCE = """\
from dam_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait, Trait

DISK = "disk/read/nvme0n1"


class HashAsset:
    @classmethod
    async def calculate_traits(cls, cmd, world) -> list[Trait]:
        time_ms = max(1, round(0.6 + cmd.size * 5e-6))
        return [ResourceUsageTrait(DISK), ResourceUsageTrait("cpu"), ExecutionCostTrait(50, time_ms)]


class SniffMime:
    @classmethod
    async def calculate_traits(cls, cmd, world) -> list[Trait]:
        return [ResourceUsageTrait("disk"), ResourceUsageTrait("cpu"), IOBoundTrait(), ExecutionCostTrait(time_ms=90)]


class WriteJournal:
    @classmethod
    async def calculate_traits(cls, cmd, world) -> list[Trait]:
        if cmd:
            return [ResourceUsageTrait("disk"), IOBoundTrait()]
        return []


class CompressAsset:
    pass


class NeverRun:
    @classmethod
    async def calculate_traits(cls, cmd, world) -> list[Trait]:
        return []
"""
SNIFF_LINE = 15


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of the example pipeline."""
    return write_example_run(tmp_path_factory.mktemp("example") / "run", assets=80)


@pytest.fixture
def run(tmp_path, monkeypatch, made):
    """The run and a source, below the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(RUNS / "20260113-140000-4321")
    shutil.copytree(made.path, folder.path)
    (tmp_path / "src" / "asset_pipeline").mkdir(parents=True)
    (tmp_path / "src" / "asset_pipeline" / "systems.py").write_text(SOURCE)
    return folder


def checked(capsys, *options):
    """Check, and return the status and the document."""
    status = main(["check", "--source", "src", "--json", *options])
    return status, json.loads(capsys.readouterr().out)


def rules(document):
    """The rules that were broken, by system."""
    return {
        each["system"].rpartition(":")[2]: sorted(finding["rule"] for finding in each["findings"])
        for each in document["systems"]
        if each["findings"]
    }


def test_drift_ends_with_status_1(run, capsys):
    """What differs, what cannot be said, and nothing about what is as it was declared."""
    status, told = checked(capsys)

    assert (status, told["schema_version"], told["drift"], told["checked"]) == (1, 1, True, 2)
    assert rules(told) == {
        "SniffMime": ["io-bound-wrong", "time-too-long"],
        "WriteJournal": ["not-checkable"],
        "CompressAsset": ["undeclared"],
        "NeverRun": ["never-run"],
    }
    assert {each["system"].rpartition(":")[2]: each["verdict"] for each in told["systems"]} == {
        "SniffMime": "checked",
        "CompressAsset": "undeclared",
        "WriteJournal": "not_checkable",
        "NeverRun": "not_in_run",
        "HashAsset": "checked",
        "ExtractMember": "not_in_source",
        "FetchMetadata": "not_in_source",
        "IngestAsset": "not_in_source",
    }


def test_a_finding_leads_to_executions(run, capsys):
    """By their handles, and to the line of the declaration."""
    _, told = checked(capsys)
    handles = {json.loads(line)["trace_id"] for line in run.trace.read_text().splitlines()}
    (sniff,) = [each for each in told["systems"] if each["system"].endswith(":SniffMime")]

    assert (sniff["file"], sniff["line"]) == ("src/asset_pipeline/systems.py", SNIFF_LINE)
    assert all(finding["handles"] and set(finding["handles"]) <= handles for finding in sniff["findings"])
    assert sniff["pools"] == {"cpu": sniff["executions"], "disk": sniff["executions"]}


def test_a_source_that_fits_ends_with_status_0(run, tmp_path, capsys):
    """Also with what it says nothing of; but not if that is to be strict."""
    file = tmp_path / "src" / "asset_pipeline" / "systems.py"
    file.write_text(SOURCE.replace("IOBoundTrait(), ExecutionCostTrait(time_ms=90)", "ExecutionCostTrait(time_ms=1)"))

    assert main(["check", "--source", "src"]) == 0
    assert "2 as declared" in capsys.readouterr().out
    assert main(["check", "--source", "src", "--strict"]) == 1


def test_a_source_is_run_only_if_that_is_asked_for(run, tmp_path, capsys):
    """Then in a child; what it prints and leaves behind is not seen."""
    file = tmp_path / "src" / "asset_pipeline" / "systems.py"
    mark = f"import sys\nprint('here')\nprint('there', file=sys.stderr)\nopen({str(tmp_path / 'mark')!r}, 'w')\n"
    file.write_text(SOURCE.replace("        if cmd:", "        import math\n        if cmd.__class__:"))

    _, before = checked(capsys)
    _, after = checked(capsys, "--run-source")
    file.write_text(f"{SOURCE.replace('if cmd:', 'if [cmd]:')}\n{mark}")
    _, broken = checked(capsys, "--run-source")

    assert rules(before)["WriteJournal"] == ["not-checkable"]
    assert "WriteJournal" not in rules(after)
    (why,) = [each["why"] for each in broken["systems"] if each["system"].endswith(":WriteJournal")]
    assert why == "it could not be loaded (PermissionError: to write to a file is refused here)"
    assert not (tmp_path / "mark").exists()


def test_the_text_has_a_line_for_each_finding_as_compilers_have(run, capsys, monkeypatch):
    """For people, and for programs that jump to the line."""
    monkeypatch.setenv("COLUMNS", "70")

    assert main(["check", run.path.name, "--source", "src"]) == 1

    told = capsys.readouterr().out
    table = told.partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= 70
    assert f"src/asset_pipeline/systems.py:{SNIFF_LINE}: error: asset_pipeline.systems:SniffMime declares IOB" in told
    assert "[io-bound-wrong]\n" in told
    assert told.endswith(
        "8 systems: 1 drift, 1 no traits, 1 not checkable, 1 not run, 3 not in source, 1 as declared\n"
    )


def test_sarif_is_written_beside_what_is_printed(run, capsys):
    """With paths from the root on."""
    assert main(["check", "--source", "src", "--sarif", "drift.sarif", "--root", "src", "--json"]) == 1

    with open("drift.sarif", encoding="ascii") as file:
        (told,) = json.load(file)["runs"]
    places = [each["locations"][0]["physicalLocation"] for each in told["results"]]
    assert {place["artifactLocation"]["uri"] for place in places} == {"asset_pipeline/systems.py"}
    assert [each["ruleId"] for each in told["results"]] == [
        "io-bound-wrong", "time-too-long", "undeclared", "not-checkable", "never-run",
    ]  # fmt: skip
    json.loads(capsys.readouterr().out)


NOTHING = {
    "traits": ("class HashAsset: ...", None, "no traits that the source declares could be evaluated"),
    "systems": ("class Other: ...", None, "no system of the run is in the source"),
    "commands": (SOURCE, "command", "no execution of the run names its command, as `dam-obs diagnose` records it"),
}


@pytest.mark.parametrize(("source", "without", "why"), NOTHING.values(), ids=NOTHING.keys())
def test_nothing_that_could_be_checked_is_no_success(run, tmp_path, capsys, source, without, why):
    """A gate that is always open is none."""
    (tmp_path / "src" / "asset_pipeline" / "systems.py").write_text(source)
    events = [json.loads(line) for line in run.trace.read_text().splitlines()]
    run.trace.write_text("\n".join(json.dumps({k: v for k, v in each.items() if k != without}) for each in events))

    assert main(["check", "--source", "src"]) == 1
    assert capsys.readouterr().err == f"Nothing could be checked: {why}.\n"


def test_a_path_that_is_no_text_is_shown_all_the_same(run, tmp_path, capsys):
    """Names of files are bytes."""
    with open(os.path.join(os.fsencode(tmp_path), b"src", b"\xff.py"), "wb") as file:
        file.write(b"calculate_traits(")

    _, told = checked(capsys, "--sarif", "drift.sarif")

    assert told["unread"] == {"src/\\udcff.py": "it is not valid Python"}
    assert main(["check", "--source", "src"]) == 1
    assert "src/\\udcff.py was not read" in capsys.readouterr().out


BAD = [
    (["--source", "gone"], "does not exist"),
    (["--source", "empty"], "empty has no Python files"),
    ([], "Missing option '--source'"),
    (["--source", "src", "--threshold", "half"], "is no percentage: write 50%"),
    (["--source", "src", "--alias", "heavy"], "is no alias: write heavy=cpu"),
    (["--source", "src", "--sarif", "gone/it.sarif"], "cannot be written"),
    (["nowhere", "--source", "src"], "no trace at nowhere"),
]


@pytest.mark.parametrize(("arguments", "told"), BAD)
def test_bad_input_ends_with_status_2(run, tmp_path, capsys, arguments, told):
    """In one line."""
    (tmp_path / "empty").mkdir()

    assert main(["check", *arguments]) == 2

    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_hostile_names_reach_neither_terminal_nor_sarif(run, tmp_path, capsys):
    """They are shown as escapes."""
    evil = "\x1b]0;owned\x07"
    events = [json.loads(line) for line in run.trace.read_text().splitlines()]
    for event in events:
        for peer in ("touched", "features"):
            event.pop(peer, None)
        if event["component"].endswith(":SniffMime"):
            event["trace_id"] = f"sys_{evil}"
            event["touched"] = {"processes": [f"[x](y){evil}"]}
    run.trace.write_text("\n".join(map(json.dumps, events)))
    (tmp_path / "src" / f"bad{evil}.py").write_text("calculate_traits(")

    assert main(["check", "--source", "src", "--sarif", "drift.sarif"]) == 1

    shown = capsys.readouterr()
    written = (tmp_path / "drift.sarif").read_text()
    assert "\\x1b]0;owned\\x07" in shown.out
    assert not {"\x1b", "\x07"} & set(shown.out + shown.err + written)
    assert "\\\\[x\\\\](y)" in written
    assert "[x](y)" not in written.replace("\\\\[x\\\\](y)", "")


def test_a_name_without_end_does_not_fill_the_terminal(run, capsys):
    """It is cut."""
    events = [json.loads(line) for line in run.trace.read_text().splitlines()]
    for event in events:
        if event["component"].endswith(":SniffMime"):
            event["touched"] = {"processes": ["x" * 50_000]}
    run.trace.write_text("\n".join(map(json.dumps, events)))

    assert main(["check", "--source", "src"]) == 1

    told = capsys.readouterr().out
    assert "[...] [pool-missing]" in told
    assert len(told) < 10_000
