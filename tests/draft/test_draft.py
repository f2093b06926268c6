"""Drafts: their whole text, and that it is what a type checker and a formatter accept."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dam_obs.draft.errors import DraftRefused, UnknownSystem
from dam_obs.draft.sheet import digest
from dam_obs.draft.write import draft_source, make_drafts

MEMBR = "asset_pipeline.systems:ExtractMembr"

COMMANDS = '''\
"""Commands of the pipeline."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    ZIP = 1


@dataclass
class ExtractMemberCommand:
    size: int
    width: float
    entry: str
    kind: Kind
    label: str
    deep: bool
'''

EXPECTED = '''\
from __future__ import annotations

from typing import TYPE_CHECKING

from dam_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait, Trait

if TYPE_CHECKING:
    from asset_pipeline.commands import ExtractMemberCommand


class ExtractMember:  # for asset_pipeline.systems:ExtractMember
    @classmethod
    async def calculate_traits(cls, cmd: ExtractMemberCommand, world: object) -> list[Trait]:
        """
        Predict what one execution takes.

        Drafted from run 20260113-140000-4321: 240 executions (231 success, 6 error, 3 blocked).

        time_ms is meant to hold for 90% of executions.
        On executions it had not seen, the linear model's median error is 8%, its bias +1%, and 10%
          took longer.
        size was 120 to 5,000,000; beyond that nothing is known.

        IOBoundTrait: 240 of 240 executions showed it.
        ExecutionCostTrait: 240 of 240 executions showed it.
        ResourceUsageTrait disk/read/vda: 240 of 240 executions showed it.
        ResourceUsageTrait net/db.internal:5432: 240 of 240 executions showed it.

        Executions to look at:
        sys_1768312800_0003: 3 ms, success
        sys_1768312800_0012: 18 ms, success
        sys_1768312800_005d: 93 ms, success
        """
        return [
            ResourceUsageTrait(pool_path="disk/read/vda", amount=1),
            # doubtful (confidence 0.41): ResourceUsageTrait(pool_path="net/db.internal:5432", amount=1)
            ExecutionCostTrait(priority=50, time_ms=max(1, round((3.1 + 0.0021 * cmd.size) * 1.4))),
            IOBoundTrait(),
        ]
'''


def body(source: str) -> str:
    """The code below the header."""
    return source[source.index("from __future__") :]


def entries(source: str) -> list[str]:
    """The lines of the returned list."""
    lines = source[source.index("return [") :].splitlines()[1:-1]
    return [line.strip() for line in lines]


def test_a_draft_as_a_whole(system):
    """The trait seed's shape, with the evidence in the docstring and the doubtful trait as a comment."""
    assert body(draft_source(system(), "20260113-140000-4321")) == EXPECTED


def test_the_header_says_where_a_draft_comes_from(system):
    """Made by dam-obs, of which report, with a hash of the code."""
    lines = draft_source(system(), "run-7").splitlines()

    assert lines[0] == "# Made by dam-obs: a draft to review and to move into the system it is for."
    assert lines[1].startswith("# Code: sha256 ")
    assert lines[2:4] == [
        "# System: asset_pipeline.systems:ExtractMember",
        f"# Report: run run-7, sha256 {digest(system())} of what it says of this system",
    ]


def test_a_draft_is_the_same_twice(report, system, cost):
    """Byte for byte."""
    made = report(system(), system(system="a:B", cost=cost(warnings=["no variance"])))

    assert make_drafts(made, templates=()) == make_drafts(made, templates=())


def test_the_digest_follows_what_the_report_says(system):
    """Another figure, another digest."""
    assert digest(system()) == digest(system())
    assert digest(system()) != digest(system(concurrency_peak=5))


def test_a_model_with_warnings_is_drafted_constant_and_says_why(system, cost):
    """In a comment above the cost, and in the docstring."""
    source = draft_source(system(cost=cost(warnings=["only 9 executions", "size never varied"])), "run-7")

    assert entries(source)[2:5] == [
        "# constant cost: only 9 executions",
        "# constant cost: size never varied",
        "ExecutionCostTrait(priority=50, time_ms=41),",
    ]
    assert "It is a constant; why the linear model was not taken is said below." in source
    assert "cmd." not in source


@pytest.mark.parametrize("confidence", [0.0, 0.59, -1.0, float("nan")])
def test_a_doubtful_cost_takes_its_statements_and_imports_with_it(system, trait, cost, confidence):
    """A commented line leaves nothing unused behind."""
    model = cost(family="category", features=["kind"], coefficients={"intercept": 2e6}, categories={"ZIP": 5e6})
    source = draft_source(system(traits=[trait("ExecutionCostTrait", confidence)], cost=model), "run-7")

    assert entries(source)[0].startswith("# doubtful (confidence ")
    assert "from dam_traits import Trait\n" in source
    assert "category =" not in source
    assert "Enum" not in body(source).split("class")[0]


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        ("GpuTrait", {"memory": 3}, "# no trait of dam_traits: GpuTrait(memory=3)"),
        ("Trait", {}, "# no trait of dam_traits: Trait()"),
        (
            "ResourceUsageTrait",
            {"pool_path": "disk//read"},
            '# its arguments are not what the trait takes: ResourceUsageTrait(pool_path="disk//read")',
        ),
        (
            "ResourceUsageTrait",
            {"pool_path": "cpu", "amount": 0},
            '# its arguments are not what the trait takes: ResourceUsageTrait(pool_path="cpu", amount=0)',
        ),
        (
            "IOBoundTrait",
            {"very": True},
            "# its arguments are not what the trait takes: IOBoundTrait(very=True)",
        ),
        (
            "ExecutionCostTrait",
            {"priority": [1]},
            "# its arguments are not what the trait takes: ExecutionCostTrait(priority=...)",
        ),
        ("ResourceUsageTrait", {"pool_path": "cpu"}, 'ResourceUsageTrait(pool_path="cpu", amount=1),'),
        ("ExecutionCostTrait", {"time_ms": 4}, "ExecutionCostTrait(priority=100, time_ms=99),"),
    ],
)
def test_a_trait_is_said_only_with_arguments_it_takes(system, trait, cost, name, arguments, line):
    """What a plugin infers beyond that is left to the reviewer, as a comment."""
    model = cost(family="constant", features=[], coefficients={"intercept": 99e6}, quantile_factor=1.0)
    source = draft_source(system(traits=[trait(name, **arguments)], cost=model), "run-7")

    assert entries(source) == [line]


def test_a_trait_is_said_once(system, trait):
    """Of two costs the first counts; the same pool twice is one line; the rest is a comment."""
    given = [
        trait("ResourceUsageTrait", pool_path="cpu"),
        trait("ResourceUsageTrait", pool_path="cpu"),
        trait("IOBoundTrait"),
        trait("IOBoundTrait"),
        trait("ExecutionCostTrait", priority=1),
        trait("ExecutionCostTrait", priority=2),
    ]
    source = draft_source(system(traits=given), "run-7")

    time = "time_ms=max(1, round((3.1 + 0.0021 * cmd.size) * 1.4))"
    assert entries(source) == [
        'ResourceUsageTrait(pool_path="cpu", amount=1),',
        f"ExecutionCostTrait(priority=1, {time}),",
        f"# said above already: ExecutionCostTrait(priority=2, {time})",
        "IOBoundTrait(),",
    ]


def test_a_system_without_traits_or_executions_to_show(system, cost):
    """Nothing is made up."""
    source = draft_source(system(traits=[], points=[], cost=cost(held_out=None, valid_range={})), "run-7")

    assert "return []" in source
    assert "Executions to look at" not in source
    assert "Too few executions to test the cost on ones it had not seen." in source


def test_systems_are_chosen_by_name(report, system):
    """By the whole name, or by its last part where only one has it."""
    made = report(system(), system(system="a:Twin"), system(system="b:Twin"))

    assert list(make_drafts(made, systems=["ExtractMember", "b:Twin"], templates=()).sources) == [
        "asset_pipeline.systems:ExtractMember",
        "b:Twin",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Twin", "no system Twin in the report: did you mean b:Twin or a:Twin?"),
        (
            MEMBR,
            f"no system {MEMBR} in the report: did you mean asset_pipeline.systems:ExtractMember?",
        ),
        ("???", "no system ??? in the report: it has a:Twin, asset_pipeline.systems:ExtractMember, b:Twin"),
    ],
)
def test_an_unknown_system_is_an_error_that_names_near_ones(report, system, name, message):
    """Nothing is drafted then."""
    made = report(system(), system(system="a:Twin"), system(system="b:Twin"))

    with pytest.raises(UnknownSystem) as caught:
        make_drafts(made, systems=[name], templates=())
    assert str(caught.value) == message


def test_one_refused_system_does_not_keep_the_others_from_their_drafts(report, system):
    """The review says which and why."""
    latency = system().latency.model_copy(update={"p90_ns": 2**100})
    huge = system(
        system="a:Huge", command_type="a:C", latency=latency, cost=system().cost.model_copy(update={"warnings": ["w"]})
    )
    drafts = make_drafts(report(system(), huge), templates=())

    assert list(drafts.sources) == ["asset_pipeline.systems:ExtractMember"]
    assert drafts.refused == {"a:Huge": "the report holds a value that cannot be written as code"}
    assert "## Not drafted\n\n- `a:Huge`: the report holds a value that cannot be written as code\n" in drafts.review
    with pytest.raises(DraftRefused, match="a:Huge: no draft"):
        draft_source(huge, "run-7")


@pytest.fixture(scope="module")
def every_kind(system, cost, trait):
    """A system for each shape that a draft can take."""
    linear = {"intercept": 3e6, "slope": 2e3}
    costs = {
        "Constant": cost(family="constant", features=[], coefficients={"intercept": 2e6}),
        "Warned": cost(warnings=["too few"]),
        "Linear": cost(),
        "Float": cost(features=["width"]),
        "Length": cost(features=["len(entry)"]),
        "Two": cost(features=["size", "width"], coefficients=linear | {"slope_2": -5e3}),
        "Power": cost(family="power", coefficients={"scale": 2e4, "exponent": 0.7}),
        "TwoPowers": cost(
            family="power", features=["size", "width"], coefficients={"scale": 2e4, "exponent": 0.7, "exponent_2": -1.5}
        ),
        "LogLinear": cost(family="nlogn", coefficients=linear),
        "ByEnum": cost(family="category", features=["kind"], coefficients={"intercept": 1e6}, categories={"ZIP": 2e6}),
        "ByText": cost(
            family="category", features=["label"], coefficients={"intercept": 1e6}, categories={"a\nb'\"": 2e6}
        ),
        "ByFlag": cost(
            family="category_linear", features=["deep", "size"], coefficients=linear, categories={"True": 2e6}
        ),
        "BySlope": cost(
            family="category_slopes",
            features=["kind", "size"],
            coefficients=linear,
            categories={"ZIP": 2e6},
            slopes={"ZIP": 70.0},
        ),
    }
    made = [system(system=f"app:{name}", cost=model) for name, model in costs.items()]
    others = {
        "Local": "app:f.<locals>.C",
        "Dict": "builtins:dict",
        "Trait": "asset_pipeline.commands:ExtractMemberCommand",
    }
    made += [system(system=f"app:{name}", command_type=command) for name, command in others.items()]
    return [*made, system(system="app:Nothing", traits=[])]


@pytest.fixture(scope="module")
def drafted(every_kind, report, tmp_path_factory):
    """A folder with all of them and the commands that they name."""
    folder = tmp_path_factory.mktemp("drafted")
    package = folder / "asset_pipeline"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "py.typed").touch()
    (package / "commands.py").write_text(COMMANDS)
    drafts = make_drafts(report(*every_kind), templates=())
    assert len(drafts.sources) == len(every_kind)
    for name, text in drafts.contents().items():
        (folder / name).write_text(text)
    return folder


def test_drafts_pass_a_strict_type_checker(drafted):
    """Against `dam_traits` and the commands themselves, warnings about unused ignores included."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-incremental",
        "--config-file=",
        *sorted(drafted.glob("*.py")),
    ]
    done = subprocess.run(
        command, cwd=drafted, env={**os.environ, "MYPYPATH": str(drafted)}, capture_output=True, text=True, timeout=100
    )

    assert (done.stdout, done.returncode) == ("Success: no issues found in 17 source files\n", 0)


def test_drafts_are_formatted_and_free_of_what_is_not_used(drafted):
    """By ruff, with its own rules for names and imports."""
    files = sorted(drafted.glob("*.py"))
    ruff = [sys.executable, "-m", "ruff"]
    formatting = subprocess.run(
        [*ruff, "format", "--check", "--isolated", "--line-length", "120", *files], capture_output=True, text=True
    )
    rules = subprocess.run(
        [*ruff, "check", "--isolated", "--select", "F,E4,E7,E9,W,UP,PLE", *files], capture_output=True, text=True
    )

    assert formatting.returncode == 0, formatting.stdout
    assert rules.returncode == 0, rules.stdout


def test_drafts_run(drafted):
    """In a process of their own, as their host would: each returns traits that their classes accept."""
    program = """
import asyncio, importlib, inspect, pathlib
from dam_traits import Trait
from asset_pipeline.commands import ExtractMemberCommand, Kind
cmd = ExtractMemberCommand(size=4096, width=2.5, entry="a/b", kind=Kind.ZIP, label="x", deep=True)
for path in sorted(pathlib.Path().glob("*.py")):
    module = importlib.import_module(path.stem)
    (system,) = [each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == path.stem]
    given = vars(cmd) if path.stem == "app_Dict" else cmd
    traits = asyncio.run(system.calculate_traits(given, None))
    assert all(isinstance(each, Trait) for each in traits), traits
    print(path.stem, len(traits))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=drafted, capture_output=True, text=True, timeout=60)

    assert done.stderr == ""
    counts = [line.split()[1] for line in done.stdout.splitlines()]
    assert sorted(counts) == ["0"] + ["3"] * 16


@pytest.mark.parametrize(("statuses", "shown"), [("ess", [2, 3]), ("eee", [1, 2, 3]), ("ees", [3])])
def test_executions_to_look_at_are_ones_that_succeeded(system, statuses, shown):
    """Where there are any: a failed one says little about cost."""
    full = {"e": "error", "s": "success"}
    like = system().points[0]
    points = [
        like.model_copy(update={"handle": f"sys_1_{i}", "duration_ns": i, "status": full[status]})
        for i, status in enumerate(statuses, start=1)
    ]
    source = draft_source(system(points=points), "run-7")

    assert [i for i in (1, 2, 3) if f"sys_1_{i}: " in source] == shown
