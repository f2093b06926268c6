"""Everything in a report may have been chosen to do harm: none of it gets out of its literal, comment or docstring."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import get_args
from xml.etree import ElementTree

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dam_obs.diagnose.report import CostModel, InferredTrait, SystemDiagnosis
from dam_obs.draft.check import check
from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.insert import insert
from dam_obs.draft.literals import LONGEST_STRING
from dam_obs.draft.rewrite import plan
from dam_obs.draft.sheet import sheet
from dam_obs.draft.target import choose
from dam_obs.draft.write import draft_source, make_drafts, review_text

PIECES = [
    *(
        "'''",
        '"""',
        '"',
        "'",
        "\\",
        "\\\\",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\t",
        "\f",
        "\x1b]0;",
        "\u2028",
        "\u202e",
        "\udc80",
        "\x85",
    ),
    *(
        "#",
        "# type: ignore",
        "# noqa",
        "# coding: utf-7",
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "{{ 7*7 }}",
        "\\N{NULL}",
        "\\x27",
    ),
    *(
        "CANARY()",
        "');CANARY()#",
        '");CANARY()#',
        "\nCANARY()\n",
        "\n    CANARY()\n",
        "]\n        CANARY()",
        "import CANARY",
    ),
    *("a", " ", ".", ":", "/", "|", "`", "<script>", "size", "len(", ")", "é", "名", "\U0001f600", "\u0301"),
]
strings = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(st.characters(codec=None), max_size=40)
names = strings | st.sampled_from(
    ["size", "app.systems:Extract", "app:CANARY", "len(entry)", "a.b", "class", "__class__", "x" * 5_000]
)
floats = st.floats() | st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324, float("nan"), float("inf")])
integers = st.integers() | st.sampled_from([0, -1, 2**63, 10**30, -(10**400), 10**5_000])
anything = (
    strings | floats | integers | st.none() | st.booleans() | st.lists(strings, max_size=2) | st.binary(max_size=3)
)

traits = st.builds(
    InferredTrait.model_construct,
    trait=names | st.sampled_from(["ResourceUsageTrait", "ExecutionCostTrait", "IOBoundTrait"]),
    arguments=st.dictionaries(names | st.sampled_from(["pool_path", "amount", "priority"]), anything, max_size=3),
    confidence=floats,
    evidence=st.lists(strings, max_size=2),
    rival=st.none() | strings,
)


@st.composite
def systems(draw: st.DrawFn, like: SystemDiagnosis) -> SystemDiagnosis:
    """A system in which any field that a host controls may be anything of its type."""
    families = st.sampled_from(get_args(CostModel.model_fields["family"].annotation))
    known = st.sampled_from(["intercept", "slope", "slope_2", "scale", "exponent", "exponent_2"])
    cost = CostModel.model_construct(
        family=draw(families),
        features=draw(st.lists(names, max_size=3)),
        coefficients=draw(st.dictionaries(known | names, floats, max_size=6)),
        categories=draw(st.dictionaries(strings, floats, max_size=3)),
        slopes=draw(st.dictionaries(strings, floats, max_size=3)),
        expression=draw(strings),
        quantile=draw(floats),
        quantile_factor=draw(floats),
        executions=draw(integers),
        held_out=draw(st.none() | st.just(like.cost.held_out)),
        valid_range=draw(st.dictionaries(names, st.tuples(floats, floats), max_size=2)),
        warnings=draw(st.lists(strings, max_size=1)),
        rejected=[],
    )
    point = like.points[0].model_copy(
        update={"handle": draw(strings), "status": draw(strings), "duration_ns": draw(integers)}
    )
    feature = draw(names | st.just("size"))
    drawn = [
        like.points[0].model_copy(update={"duration_ns": draw(integers), "features": {feature: draw(anything)}})
        for _ in range(draw(st.integers(0, 3)))
    ]
    changes = {
        "system": draw(names),
        "command_type": draw(names | st.sampled_from(["app:Command", "builtins:dict"])),
        "executions": draw(integers),
        "by_status": draw(st.dictionaries(strings, integers, max_size=2)),
        "latency": like.latency.model_copy(
            update={"p50_ns": draw(integers), "p90_ns": draw(integers), "max_ns": draw(integers)}
        ),
        "traits": draw(st.lists(traits, max_size=4)),
        "points": [point, *drawn],
        "features": [feature],
        "cost": cost,
    }
    return like.model_copy(update=changes)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(data=st.data(), run_id=strings)
def test_whatever_a_report_holds_its_draft_is_a_draft_or_is_refused(system, data, run_id):
    """It parses, passes the check, is written as UTF-8, and what was planted in it is never code."""
    hostile = data.draw(systems(system()))
    try:
        source = draft_source(hostile, run_id)
    except DraftRefused:
        event("refused")
        return

    source.encode("utf-8")
    assert check(source, command=sheet(hostile, run_id).command) is None
    _canary_is_never_called(source)
    _strings_are_whole_values(source, hostile)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(data=st.data(), run_id=strings, program=strings)
def test_whatever_a_report_holds_its_review_keeps_its_shape(system, report, data, run_id, program):
    """As many headings, rows and check boxes as for a harmless report; no markup of anybody else's."""
    hostile = data.draw(systems(system()))
    made = report(system()).model_copy(update={"systems": [system(), hostile], "run_id": run_id, "command": program})
    drafts = make_drafts(made, templates=())
    _keeps_its_shape(drafts.review, drafts.plots)
    _keeps_its_shape("\n" + review_text(made, drafts, plots_at="https://x.y/z", templates=()), drafts.plots)
    for name, picture in drafts.plots.items():
        assert re.fullmatch(r"[A-Za-z0-9_]+\.svg", name)
        _is_a_harmless_picture(picture)


def _keeps_its_shape(page: str, plots: dict[str, str]) -> None:
    page.encode("utf-8")
    assert all(char == "\n" or char.isprintable() for char in page)
    assert page.count("\n# ") == 1
    assert page.count("\n- [ ] ") == 5
    assert {line.strip("#").strip() for line in page.splitlines() if line.startswith("#") and "`" not in line} <= {
        *("Warnings", "Systems", "To check", "Not drafted", "Drafted traits: run (empty)", "(empty)"),
    }
    for row in (line for line in page.splitlines() if line.startswith("|")):
        assert len(re.findall(r"(?<!\\)\|", row)) in (6, 10)
    assert page.count("| executions | median seen | model | took longer |\n| --- | ---: | ---: | ---: | ---: |") <= 2
    outside_code = re.sub(r"`[^`\n]*`", "", re.sub(r"<!--.*?-->", "", page))
    names = "|".join(map(re.escape, plots))
    picture = rf"^!\[Each execution as a dot, the model as a line\]\((?:https://x\.y/z/)?(?:{names})\)$"
    outside_code = re.sub(picture, "", outside_code, flags=re.M)
    assert not re.search(r"(?<!\\)[<>]|(?<!\\)!\[|(?<!\\)\]\(|(?<!\\)&(?!#8203;)", outside_code)


FILE = b"class Extract:\n    x = 1\n\n\ny = 2\n"


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(data=st.data(), run_id=strings)
def test_whatever_a_report_holds_only_a_draft_gets_into_a_source_file(system, data, run_id):
    """What was planted in it is never code there either, and the rest of the file is as it was."""
    named = {"system": "app.systems:Extract", "command_type": "app.commands:Extraction"}
    hostile = data.draw(systems(system())).model_copy(update=named)
    try:
        draft = draft_source(hostile, run_id)
    except DraftRefused:
        event("refused")
        return

    command = sheet(hostile, run_id).command
    done = insert(FILE, draft, choose(FILE, "Extract"), command=command, module="app.systems").data.decode()
    head, _, rest = done.partition("class Extract:\n    x = 1\n")
    assert all(
        line == "" or line.lstrip().startswith(("from ", "import ", "if TYPE_CHECKING:")) for line in head.split("\n")
    )
    assert rest.endswith("\n\n\ny = 2\n")
    _canary_is_never_called(done)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=names | st.just("app.systems:Extract"),
    file=strings
    | st.sampled_from(["/app/systems.py", "../app/systems.py", "/etc/passwd", "x.py\0.py", "a" * 5_000 + ".py"]),
    line=st.none() | integers,
    function=st.none() | strings | st.just("app.systems:Extract.f"),
)
def test_whatever_a_report_says_of_its_source_no_other_file_is_touched(
    system, report, tmp_path, name, file, line, function
):
    """It is placed in the one file that is there, or left out, or refused."""
    root = tmp_path / "root"
    (root / "app").mkdir(parents=True, exist_ok=True)
    (root / "app" / "systems.py").write_bytes(FILE)
    lured = system().model_copy(
        update={"system": name, "source_file": file, "source_line": line, "source_function": function}
    )
    made = report().model_copy(update={"systems": [lured]})
    planned = plan(made, make_drafts(made, templates=()), root)

    assert {each.path for each in planned.files} <= {root / "app" / "systems.py"}
    assert all(char.isprintable() for why in [*planned.left_out.values(), *planned.refused.values()] for char in why)
    planned.patch().decode("utf-8")


def _is_a_harmless_picture(picture: str) -> None:
    """A few shapes and text, nothing that runs, loads or refers."""
    root = ElementTree.fromstring(picture)
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in {"svg", "path", "text", "g", "circle"}
        assert not [name for name in element.attrib if "href" in name or name.startswith("on") or name == "style"]
        assert not re.search(r"nan|inf|e[+]", element.get("d", "") + element.get("cx", "") + element.get("cy", ""))


def _canary_is_never_called(source: str) -> None:
    """The planted name may stand in strings, comments, and as the name of a class that a host chose."""
    tree = ast.parse(source)
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert "CANARY" not in {node.id for node in called if isinstance(node, ast.Name)}
    assert not [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "CANARY" and not _annotates(tree, node)
    ]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            assert token.string.count("#") == 1


def _annotates(tree: ast.Module, name: ast.Name) -> bool:
    (method,) = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    return any(name is node for arg in method.args.args if arg.annotation for node in ast.walk(arg.annotation))


def _strings_are_whole_values(source: str, hostile: SystemDiagnosis) -> None:
    """Every string in the code, its docstring aside, is exactly one that the report has."""
    known = {value for trait in hostile.traits for value in trait.arguments.values() if isinstance(value, str)}
    known |= hostile.cost.categories.keys()
    known |= {part for feature in hostile.cost.features for part in re.split(r"[.()]", feature)}
    (method,) = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.AsyncFunctionDef)]
    found = [
        node.value
        for statement in method.body[1:]
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert set(found) <= known
    assert all(len(text) <= LONGEST_STRING for text in found)
