"""Trace-point files: what they give, and what is said about a wrong one."""

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.points.load import load_file, read_file
from dam_obs.points.model import (
    AttributeRead,
    BlockedRule,
    DataField,
    FunctionName,
    HookName,
    Reads,
    Target,
    TracePoint,
    TracePointFile,
)
from dam_obs.points.paths import parse_path
from dam_obs.points.positions import Positions
from dam_obs.points.problems import PointFileError
from dam_obs.trace.layers import layer

WHOLE = """
[host]
name = "asset_pipeline"
requires = "asset_pipeline"

[[points]]
layer = "system"
operation = "execute"
meaning = "A system runs for one command"
kind = "span"
level = "debug"
component = "self.name"
input = "args.command.call_id"
output = "result.summary"
command = "args.command"
system = "self"
[points.blocked]
path = "result.allowed"
equals = false
[points.data.call_id]
type = "str"
meaning = "The program's own id of this call"
from = "args.command.call_id"
[points.data.tries]
type = "int"
meaning = "How often it was tried"
[points.attributes]
"gen_ai.operation.name" = "plan"
"gen_ai.request.top_k" = { from = "args.command.k", type = "int" }
[[points.targets]]
function = "asset_pipeline.systems:HashAssets.__call__"
[[points.targets]]
hook = "run_system"
project = "pipeline"
component = "args.system.name"
system = "args.system"
blocked = { path = "result", in = ["no", 3], reason = "result.why" }
data.call_id.from = "args.id"
data.tries.from = "result.0"
attributes."gen_ai.operation.name" = "execute_tool"

[[points]]
layer = "foc"
operation = "gate_check"
meaning = "A gate decides"
kind = "event"
"""


def problems_of(tmp_path, text):
    path = tmp_path / "x.toml"
    path.write_text(dedent(text), encoding="utf-8")
    return [str(problem).replace(f"{path}", "x.toml") for problem in read_file(path).problems]


def test_a_file_gives_all_that_it_says(tmp_path):
    """Every key of the format arrives in the model; a target has the point's paths where it has none of its own."""
    path = tmp_path / "pipeline.toml"
    path.write_text(WHOLE)
    at_point = Reads(
        component=parse_path("self.name"),
        input=parse_path("args.command.call_id"),
        output=parse_path("result.summary"),
        command=parse_path("args.command"),
        system=parse_path("self"),
        blocked=BlockedRule(path=parse_path("result.allowed"), values=(False,)),
    )
    at_hook = Reads(
        component=parse_path("args.system.name"),
        input=at_point.input,
        output=at_point.output,
        command=at_point.command,
        system=parse_path("args.system"),
        blocked=BlockedRule(path=parse_path("result"), values=("no", 3), reason=parse_path("result.why")),
    )
    call_id = parse_path("args.command.call_id")
    top_k = AttributeRead(parse_path("args.command.k"), "int")

    assert load_file(path) == TracePointFile(
        path=path,
        host="asset_pipeline",
        requires="asset_pipeline",
        points=(
            TracePoint(
                layer=layer("system"),
                operation="execute",
                meaning="A system runs for one command",
                level="debug",
                data=(
                    DataField(name="call_id", type="str", meaning="The program's own id of this call", path=call_id),
                    DataField(name="tries", type="int", meaning="How often it was tried"),
                ),
                attributes={"gen_ai.operation.name": "plan", "gen_ai.request.top_k": top_k},
                targets=(
                    Target(
                        place=FunctionName("asset_pipeline.systems", "HashAssets.__call__"),
                        reads=at_point,
                        data={"call_id": call_id},
                        attributes={"gen_ai.operation.name": "plan", "gen_ai.request.top_k": top_k},
                    ),
                    Target(
                        place=HookName("run_system", "pipeline"),
                        reads=at_hook,
                        data={"call_id": parse_path("args.id"), "tries": parse_path("result.0")},
                        attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.request.top_k": top_k},
                    ),
                ),
            ),
            TracePoint(layer=layer("focus"), operation="gate_check", meaning="A gate decides", kind="event"),
        ),
    )


HOST = '[host]\nname = "x"\n'
POINT = HOST + '[[points]]\nlayer = "sys"\noperation = "execute"\nmeaning = "m"\n'
TARGET = POINT + "[[points.targets]]\n"
DATA = POINT + "[points.data.a]\n"
ATTRIBUTES = TARGET + 'function = "m:f"\n[points.targets.attributes]\n'

WRONG = {
    "no host": ("points = []", ["x.toml host: is missing: name what the points belong to in [host] name"]),
    "no points": (HOST, ["x.toml points: is missing: the file names no [[points]]"]),
    "host without a name": ("points = []\n[host]", ["x.toml:2 host.name: is missing"]),
    "points as a table": (HOST + "[points]\n", ["x.toml:3 points: must be an array of tables: write [[points]]"]),
    "unknown table": ("points=[]\n" + HOST + "[pionts]\n", ["x.toml:4 pionts: unknown key; did you mean 'points'?"]),
    "unknown layer": (
        POINT.replace("sys", "focsu"),
        ["x.toml:4 points.layer: unknown layer 'focsu'; did you mean 'focus'?"],
    ),
    "layer missing": (
        POINT.replace('layer = "sys"', ""),
        ["x.toml:3 points.layer: is missing"],
    ),
    "unknown key": (POINT + 'ouput = "result"', ["x.toml:7 points.ouput: unknown key; did you mean 'output'?"]),
    "not a string": (POINT + "input = 3", ["x.toml:7 points.input: must be a non-empty string, not 3"]),
    "operation with its layer": (
        POINT.replace("execute", "system.execute"),
        ["x.toml:5 points.operation: must be without its layer: 'execute'"],
    ),
    "operation in capitals": (
        POINT.replace("execute", "Execute"),
        ["x.toml:5 points.operation: must be lower case letters, digits and '_', not 'Execute'"],
    ),
    "unknown kind": (
        POINT + 'kind = "spam"',
        ["x.toml:7 points.kind: must be one of span, event, step, not 'spam'; did you mean 'span'?"],
    ),
    "a flag that is none": (
        POINT + "own_threads = 1",
        ["x.toml:7 points.own_threads: must be true or false, not 1"],
    ),
    "no alternatives": (
        POINT + "input = []",
        ["x.toml:7 points.input: must be a read path or several, not []"],
    ),
    "alternatives at different times": (
        POINT + 'input = ["args.a", "result"]',
        ["x.toml:7 points.input: must be all of arguments or all of the result"],
    ),
    "an alternative that a hook has not": (
        POINT + 'input = ["args.a", "self"]\n[[points.targets]]\nhook = "h"\n',
        ["x.toml:9 points.targets.hook: input reads 'self', but a hook call has no self: read args or result"],
    ),
    "a point twice": (
        POINT + POINT.removeprefix(HOST),
        ["x.toml:9 points.operation: system.execute stands in this file already: add its targets there"],
    ),
    "a path of nowhere": (
        POINT + 'input = "kwargs.x"',
        ["x.toml:7 points.input: must start with args, self or result, not 'kwargs'"],
    ),
    "args alone": (POINT + 'input = "args"', ["x.toml:7 points.input: must name a parameter: args.<parameter>"]),
    "a private step": (
        POINT + 'input = "args.x._secret"',
        ["x.toml:7 points.input: must not read the private '_secret'"],
    ),
    "a dunder step": (
        POINT + 'input = "self.__class__.name"',
        ["x.toml:7 points.input: must not read the private '__class__'"],
    ),
    "a call": (
        POINT + 'input = "result.name()"',
        ["x.toml:7 points.input: must be names and positions joined by dots, not 'result.name()'"],
    ),
    "data without type": (DATA + 'meaning = "m"', ["x.toml:7 points.data.a.type: is missing"]),
    "data of an unknown type": (
        DATA + 'meaning = "m"\ntype = "integer"',
        ["x.toml:9 points.data.a.type: must be one of str, int, float, bool, not 'integer'; did you mean 'int'?"],
    ),
    "data under a taken name": (
        POINT + '[points.data.error]\ntype = "str"\nmeaning = "m"',
        ["x.toml:7 points.data.error: is the name of what recording itself adds: choose another"],
    ),
    "data that is no table": (POINT + "data.a = 1", ["x.toml:7 points.data.a: must be a table, not 1"]),
    "blocked without a rule": (
        POINT + '[points.blocked]\npath = "result"',
        ["x.toml:7 points.blocked: must have one of equals, in, is_none"],
    ),
    "blocked with two rules": (
        POINT + '[points.blocked]\npath = "result"\nequals = 1\nis_none = true',
        ["x.toml:10 points.blocked.is_none: must have one of equals, in, is_none"],
    ),
    "blocked without a path": (
        POINT + "[points.blocked]\nequals = 1",
        ["x.toml:7 points.blocked.path: is missing"],
    ),
    "a reason that is read at another time": (
        POINT + '[points.blocked]\npath = "result"\nequals = 1\nreason = "args.why"',
        [
            "x.toml:10 points.blocked.reason: must be read where path is: both from arguments, or both from the result",
        ],
    ),
    "a reason from the self of a hook": (
        TARGET + 'hook = "h"\nblocked = { path = "args.x", equals = 1, reason = "self.why" }',
        [
            (
                "x.toml:8 points.targets.hook: blocked.reason reads 'self.why', but a hook call has no self:"
                " read args or result"
            )
        ],
    ),
    "blocked by a table": (
        POINT + '[points.blocked]\npath = "result"\nequals = {}',
        ["x.toml:9 points.blocked.equals: must be text, numbers or booleans"],
    ),
    "no target in a target": (TARGET, ["x.toml:7 points.targets: must have either a function or a hook"]),
    "both in a target": (
        TARGET + 'hook = "h"\nfunction = "m:f"',
        ["x.toml:7 points.targets: must have either a function or a hook"],
    ),
    "project of a function": (
        TARGET + 'function = "m:f"\nproject = "p"',
        ["x.toml:9 points.targets.project: goes with a hook, not with a function"],
    ),
    "no colon": (
        TARGET + 'function = "a.b.f"',
        ["x.toml:8 points.targets.function: must be module:qualname, such as 'a.b:f'"],
    ),
    "not a name": (
        TARGET + 'function = "a.b:f()"',
        ["x.toml:8 points.targets.function: must be module:qualname in Python's names, not 'a.b:f()'"],
    ),
    "a keyword": (
        TARGET + 'function = "a.class:f"',
        ["x.toml:8 points.targets.function: must be module:qualname in Python's names, not 'a.class:f'"],
    ),
    "a local function": (
        TARGET + 'function = "a:f.<locals>.g"',
        [
            (
                "x.toml:8 points.targets.function: 'a:f.<locals>.g' is made anew by each call of another function, so"
                " no point can be put on it"
            ),
        ],
    ),
    "a target twice": (
        TARGET + 'function = "m:f"\n[[points.targets]]\nfunction = "m:f"',
        ["x.toml:10 points.targets.function: m:f is a target already"],
    ),
    "data that the point has not": (
        DATA + 'type = "str"\nmeaning = "m"\n[[points.targets]]\nfunction = "m:f"\ndata.b.from = "result"',
        ["x.toml:12 points.targets.data.b: unknown key; there are a"],
    ),
    "an attribute without quotes": (
        ATTRIBUTES + 'gen_ai.operation.name = "plan"',
        [
            (
                "x.toml:10 points.targets.attributes.gen_ai: must be a whole name with dots, in quotes, such as"
                ' "gen_ai.operation.name"'
            )
        ],
    ),
    "an attribute in capitals": (
        ATTRIBUTES + '"gen_ai.Name" = "plan"',
        [
            (
                "x.toml:10 points.targets.attributes.gen_ai.Name: must be a whole name with dots, in quotes, such as"
                ' "gen_ai.operation.name"'
            )
        ],
    ),
    "an attribute that is dam-obs's own": (
        ATTRIBUTES + '"dam.layer" = "x"',
        [
            (
                "x.toml:10 points.targets.attributes.dam.layer: must not start with 'dam': that is what dam-obs"
                " itself says"
            )
        ],
    ),
    "an attribute that is a list": (
        ATTRIBUTES + '"gen_ai.x" = ["a"]',
        [
            (
                "x.toml:10 points.targets.attributes.gen_ai.x: must be text, a number or a boolean, or a table that"
                " says where to read it"
            )
        ],
    ),
    "an attribute that is empty": (
        ATTRIBUTES + '"gen_ai.x" = ""',
        ["x.toml:10 points.targets.attributes.gen_ai.x: must be text of 1 to 200 characters"],
    ),
    "an attribute from nowhere": (
        ATTRIBUTES + '"gen_ai.x" = { type = "str" }',
        ["x.toml:10 points.targets.attributes.gen_ai.x.from: is missing"],
    ),
    "an attribute of no type": (
        ATTRIBUTES + '"gen_ai.x" = { from = "result" }',
        ["x.toml:10 points.targets.attributes.gen_ai.x.type: is missing"],
    ),
    "attributes of a point without targets": (
        POINT + '[points.attributes]\n"gen_ai.x" = 1',
        [
            (
                "x.toml:7 points.attributes: would be on no span: the point has no targets, so the program itself"
                " sets them"
            )
        ],
    ),
    "an attribute from the self of a hook": (
        TARGET + 'hook = "h"\n[points.targets.attributes]\n"gen_ai.x" = { from = "self.x", type = "str" }',
        ["x.toml:8 points.targets.hook: gen_ai.x reads 'self.x', but a hook call has no self: read args or result"],
    ),
    "self of a hook": (
        POINT + 'input = "self.x"\n[[points.targets]]\nhook = "h"',
        ["x.toml:9 points.targets.hook: input reads 'self.x', but a hook call has no self: read args or result"],
    ),
    "malformed": (
        HOST + "[[points]\n",
        ["x.toml:3: is not TOML: Expected ']]' at the end of an array declaration (at line 3, column 9)"],
    ),
    "data twice": (
        DATA + 'type = "str"\nmeaning = "m"\n[points.data.a]\n',
        ["x.toml:10: is not TOML: Cannot declare ('points', 'data', 'a') twice (at line 10, column 15)"],
    ),
}


@pytest.mark.parametrize(("text", "says"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_place(tmp_path, text, says):
    """A problem is one line with file, line, key and the way out."""
    assert problems_of(tmp_path, text) == says


def test_all_problems_are_found_at_once_in_the_order_of_the_file(tmp_path):
    """One mistake does not hide the next, and the rest of the file is still read."""
    text = (
        POINT.replace("sys", "x") + 'kind = "y"\n[[points]]\nlayer = "sys"\noperation = "ok"\nmeaning = ""\nlevel = 1\n'
    )

    assert [line.partition(" ")[0] for line in problems_of(tmp_path, text)] == [
        "x.toml:4",
        "x.toml:7",
        "x.toml:11",
        "x.toml:12",
    ]


def test_the_error_for_a_program_names_the_first_and_counts_the_rest(tmp_path):
    """`load_file` raises one line that leads to the command that lists all."""
    path = tmp_path / "x.toml"
    path.write_text(HOST + '[[points]]\nlayer = "x"\n')

    with pytest.raises(PointFileError) as caught:
        load_file(path)

    assert str(caught.value) == (
        f"{path}:3 points.operation: is missing (and 2 more: `dam-obs points check {path}` lists all)"
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "cannot be read (No such file or directory)"),
        (lambda path: path.mkdir(), "cannot be read (Is a directory)"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "cannot be read (it is not UTF-8)"),
    ],
    ids=["missing", "folder", "binary"],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, make, says):
    """There is no traceback for a wrong path."""
    make(tmp_path / "x.toml")

    assert [str(each) for each in read_file(tmp_path / "x.toml").problems] == [f"{tmp_path / 'x.toml'}: {says}"]


POSITIONS = dedent('''
    # a comment with [brackets]
    top = 1
    [a."quoted key"]
    b.c = 2
    [[list]]
    text = """
    [not.a.table]
    x = 1 "" '
    """
    many = [
      1, # ]
      "]",
    ]
    [list.sub]
    y = 1
    [[list]]
    literal = \'\'\'
    z = "
    \'\'\'
    [list.sub]
    y = 2
    inline = { deep = { er = 1 } }
''').lstrip("\n")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("top",), 2),
        (("a", "quoted key"), 3),
        (("a", "quoted key", "b", "c"), 4),
        (("list", 0), 5),
        (("list", 0, "text"), 6),
        (("list", 0, "many"), 10),
        (("list", 0, "sub", "y"), 15),
        (("list", 1), 16),
        (("list", 1, "literal"), 17),
        (("list", 1, "sub", "y"), 21),
        (("list", 1, "sub", "inline", "deep", "er"), 22),
        (("list", 1, "absent"), 16),
        (("z",), None),
        (("x",), None),
    ],
)
def test_lines_are_found_in_every_way_to_write_a_key(place, line):
    """Strings, arrays and comments over several lines are not taken for keys; the nearest table stands for the rest."""
    assert Positions(POSITIONS).line_of(place) == line


@given(st.lists(st.sampled_from(["a", "_b", "0", "-1", "x-y", "", "a b", "()", "args", "self", "result"]), max_size=5))
def test_a_path_that_is_accepted_is_written_as_it_was_read(parts):
    """Parsing loses nothing: a path's text is the text it came from, up to the form of numbers."""
    text = ".".join(parts)
    try:
        path = parse_path(text)
    except ValueError:
        return
    assert str(path) == text
    assert not any(part.startswith("_") for part in parts)
