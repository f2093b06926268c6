"""A run against a source that is made of its own drafts, and against one that is older than the program."""

from __future__ import annotations

import ast

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.draft.checking import check_run
from dam_obs.draft.drift import Terms
from dam_obs.draft.write import make_drafts
from dam_obs.testing.runs import write_example_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of the example pipeline."""
    return write_example_run(tmp_path_factory.mktemp("example") / "run", assets=150)


@pytest.fixture(scope="module")
def merged(run):
    """The module of the pipeline's systems, with every draft merged as it is."""
    imports: list[str] = []
    classes: list[str] = []
    for source in make_drafts(build_report(run)).sources.values():
        for node in ast.parse(source).body:
            (classes if isinstance(node, ast.ClassDef) else imports).append(ast.unparse(node))
    return "\n".join([*dict.fromkeys(imports), *classes])


def check(run, folder, text, **terms):
    """Check a source of this text."""
    package = folder / "asset_pipeline"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "systems.py").write_text(text)
    return check_run(run, folder, Terms(**terms))


def test_drafts_that_are_merged_are_no_drift(run, tmp_path, merged):
    """Of any system, nor is anything of them not checkable."""
    found = check(run, tmp_path, merged)

    assert found.findings == []
    assert {each.verdict for each in found.systems} == {"checked"}
    assert found.checked == 7
    assert all(each.answered == each.executions for each in found.systems)


CHANGES = {
    "time_ms=max(1, round(": ("time_ms=max(1, 9 * round(", "time-too-long", {"CompressAsset", "FetchMetadata"}),
    "'disk/read/nvme0n1'": ("'disk/read/sda'", "pool-missing", {"ExtractMember"}),
    "'process/gzip'": ("'process/zstd'", "pool-missing", {"CompressAsset"}),
    "IOBoundTrait()": ("ResourceUsageTrait(pool_path='heavy')", "io-bound-missing", {"FetchMetadata", "WriteJournal"}),
}


@pytest.mark.parametrize("old", CHANGES)
def test_a_source_that_says_something_else_is_drift(run, tmp_path, merged, old):
    """Of those systems that it says it of, at least."""
    new, rule, systems = CHANGES[old]
    assert old in merged

    found = check(run, tmp_path, merged.replace(old, new))

    drifted = {each.system.rpartition(":")[2] for each in found.findings if each.rule.id == rule}
    assert systems <= drifted
    assert all(each.file == tmp_path / "asset_pipeline" / "systems.py" and each.line for each in found.findings)


def test_the_same_run_and_source_give_the_same_findings(run, tmp_path, merged):
    """In the same order."""
    text = merged.replace("time_ms=max(1, round(", "time_ms=max(1, 9 * round(")
    first = check(run, tmp_path, text)

    assert check_run(run, tmp_path, Terms()) == first


def test_a_device_of_another_name_is_an_alias_away(run, tmp_path, merged):
    """As on a machine of a CI."""
    text = merged.replace("nvme0n1", "sda")
    aliases = {f"disk/{way}/sda": f"disk/{way}/nvme0n1" for way in ("read", "write")}

    assert check(run, tmp_path, text, aliases=aliases).findings == []
