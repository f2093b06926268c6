"""A child process asks code about commands: whatever the code does, there is a verdict."""

from __future__ import annotations

import fcntl
import os
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam_obs.draft.sandbox import Answer, DraftCode, Limits, Outcome, SaidTrait, SourceCode, ask

DRAFT = """\
from __future__ import annotations
import math
from enum import Enum
from typing import TYPE_CHECKING, Any
from dam_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait, Trait

class System:
    @classmethod
    async def calculate_traits(cls, cmd: Any, world: object) -> list[Trait]:
        {setup}
        return [{traits}]
"""
COST = "ExecutionCostTrait(priority=1, time_ms={})"
ROOMY = Limits(seconds=60, cpu_seconds=50, memory_bytes=2**31)


def ask_draft(time_ms, *commands, setup="pass", is_dict=False, limits=None):
    """Ask a draft with this `time_ms`; it is not checked, so that the child is what is tested."""
    text = DRAFT.format(setup=setup, traits=COST.format(time_ms))
    return ask(DraftCode(text=text, class_name="System"), commands, is_dict=is_dict, limits=limits)


def said(outcome):
    """The times, or the problems."""
    return [answer.problem or answer.time_ms() for answer in outcome.answers]


def ask_source(tmp_path, body, *commands, limits=ROOMY, before="", name="module"):
    """Ask a function of a program of its own."""
    function = f"async def calculate_traits(cmd, world):\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    (tmp_path / f"{name}.py").write_text(f"{TRAITS}{textwrap.dedent(before)}\n{function}\n")
    code = SourceCode(root=tmp_path, module=name, qualname="calculate_traits")
    return ask(code, commands or ({},), limits=limits)


TRAITS = """
from dataclasses import dataclass

@dataclass
class ExecutionCostTrait:
    priority: int = 100
    time_ms: int = 0

@dataclass
class ResourceUsageTrait:
    pool_path: str
    amount: int = 1

class Mine(ResourceUsageTrait):
    pass

class Other:
    pass
"""


def test_traits_come_back_as_they_were_said():
    """All three, in order, with their arguments."""
    traits = 'ResourceUsageTrait(pool_path="disk/read/vda", amount=2), IOBoundTrait(), ' + COST.format(7)
    code = DraftCode(text=DRAFT.format(setup="pass", traits=traits), class_name="System")

    assert ask(code, [{}]) == Outcome(
        (
            Answer(
                (
                    SaidTrait("ResourceUsageTrait", {"pool_path": "disk/read/vda", "amount": 2}),
                    SaidTrait("IOBoundTrait", {}),
                    SaidTrait("ExecutionCostTrait", {"priority": 1, "time_ms": 7}),
                )
            ),
        ),
        None,
    )


FIELDS = [
    ("a number", "cmd.size", {"size": 41}, 41),
    ("a flag", "2 if cmd.flag else 3", {"flag": True}, 2),
    ("a whole text", "2 if cmd.kind == 'zip' else 3", {"kind": "zip", "len(kind)": 3}, 2),
    ("the length of a text that was too long to record", "len(cmd.text)", {"len(text)": 900}, 900),
    ("the length of a container", "len(cmd.items)", {"len(items)": 5}, 5),
    ("an enum's name", "len(cmd.kind.name if isinstance(cmd.kind, Enum) else str(cmd.kind))", {"kind": "ZIP"}, 3),
    ("a path's text", "len(cmd.path.name if isinstance(cmd.path, Enum) else str(cmd.path))", {"path": "/a/b"}, 4),
    ("a field of a field", "cmd.entry.size", {"entry.size": 4}, 4),
    ("a whole number", "int(cmd.size / 2) + abs(-1)", {"size": 9}, 5),
    ("a condition of several", "2 if 1 < cmd.size < 9 and not cmd.flag else 3", {"size": 8, "flag": False}, 2),
    ("whether a container has anything", "2 if cmd.items else 3", {"len(items)": 0}, 3),
    ("a logarithm", "round(math.log2(cmd.size))", {"size": 8}, 3),
]


@pytest.mark.parametrize(
    ("expression", "features", "expected"), [row[1:] for row in FIELDS], ids=[r[0] for r in FIELDS]
)
def test_a_command_is_rebuilt_of_its_features(expression, features, expected):
    """What the trace says of it can be read."""
    assert said(ask_draft(expression, features)) == [expected]


def test_a_dictionary_is_read_by_its_keys():
    """And not by attributes, since the real command has none."""
    assert said(ask_draft("cmd['size']", {"size": 4}, is_dict=True)) == [4]
    assert said(ask_draft("cmd.size", {"size": 4}, is_dict=True)) == ["AttributeError: size"]


UNKNOWN = [
    ("a field", "cmd.other", {"size": 1}, "cmd.other"),
    ("a text of which the length alone is known", "str(cmd.text)", {"len(text)": 900}, "the text of cmd.text"),
    ("a redacted text", "str(cmd.text)", {"text": "[redacted:token]"}, "the text of cmd.text"),
    ("a text that redaction changed", "str(cmd.t)", {"t": "a [redacted:x]", "len(t)": 40}, "the text of cmd.t"),
    ("the text of an enum, which is not its name", "len(str(cmd.kind))", {"kind": "ZIP"}, "the text of cmd.kind"),
    ("the value of a container", "max(cmd.items, 1)", {"len(items)": 3}, "the value of cmd.items"),
    ("the length of an enum or a path", "len(cmd.kind)", {"kind": "ZIP"}, "len(cmd.kind)"),
    ("the size of a container's value", "abs(cmd.items)", {"len(items)": 3}, "the value of cmd.items"),
    ("a number that is a text", "int(cmd.text)", {"len(text)": 900}, "the value of cmd.text"),
    ("a plugin's own feature", "cmd.size", {"log2(size)": 3}, "cmd.size"),
]


@pytest.mark.parametrize(("expression", "features", "what"), [row[1:] for row in UNKNOWN], ids=[r[0] for r in UNKNOWN])
def test_what_was_not_recorded_is_not_made_up(expression, features, what):
    """The execution has no answer, and it is said what was missing."""
    assert said(ask_draft(expression, features)) == [f"needs {what}, which was not recorded"]


def test_one_command_that_fails_leaves_the_others_their_answers():
    """By its place."""
    outcome = ask_draft("round(8 / cmd.size)", {"size": 2}, {"size": 0}, {"size": 8})

    assert said(outcome) == [4, "ZeroDivisionError: division by zero", 1]
    assert outcome.stopped is None


REFUSED = [
    ("0.5", "ExecutionCostTrait does not take time_ms=0.5"),
    ("-3", "ExecutionCostTrait does not take time_ms=-3"),
    ("True", "ExecutionCostTrait does not take time_ms=True"),
    ("10 ** 400", "ValueError: time_ms is a int that is no plain, finite, short value"),
    ("1e308 * 10", "ValueError: time_ms is a float that is no plain, finite, short value"),
]


@pytest.mark.parametrize(("time_ms", "problem"), REFUSED)
def test_arguments_that_the_trait_would_refuse_are_no_answer(time_ms, problem):
    """As the scheduler would see it."""
    assert said(ask_draft(time_ms, {})) == [problem]


def test_a_draft_has_no_names_but_those_it_may_use():
    """Neither builtins nor imports, even where the check had let them through."""
    assert said(ask_draft("open('/etc/passwd').fileno()", {})) == ["NameError: name 'open' is not defined"]
    assert said(ask_draft("1", {}, setup="import os")) == ["KeyError: 'os'"]


FOUND = "[each for each in ().__class__.__base__.__subclasses__() if each.__name__ == '{}'][0]"
LOADER, OS = FOUND.format("FileLoader"), FOUND.format("_wrap_close") + ".__init__.__globals__"
ESCAPES = {
    "a file": (f"len({LOADER}('a', 'b').get_data('/etc/passwd'))", "OSError: [Errno 24]"),
    "its own code": (f"len({OS}['open']({OS}['__file__'], 0))", "OSError: [Errno 24]"),
    "a folder": (f"len({OS}['listdir']('/'))", "OSError: [Errno 24]"),
    "a pipe": (f"len({OS}['pipe']())", "OSError: [Errno 24]"),
    "a program": (f"{OS}['system']('true')", "PermissionError: os.system is refused here"),
    "a fork": (f"{OS}['fork']()", "PermissionError: os.fork is refused here"),
    "a signal": (f"{OS}['kill'](1, 0)", "PermissionError: os.kill is refused here"),
    "a socket": (
        f"{OS}['sys'].modules['builtins'].__dict__['__import__']('_socket').socket()",
        "ModuleNotFoundError: |OSError: |ImportError: ",
    ),
}


@pytest.mark.parametrize("what", ESCAPES)
def test_a_draft_that_had_got_past_the_check_reaches_nothing(what):
    """The check is the wall; behind it the child can open nothing, start nothing and reach nobody."""
    expression, why = ESCAPES[what]

    (problem,) = said(ask_draft(expression, {}))

    assert problem.startswith(tuple(why.split("|")))


def test_a_draft_that_had_got_past_the_check_finds_no_secrets(monkeypatch):
    """Our environment is not the child's."""
    monkeypatch.setenv("SHOP_TOKEN", "x")

    assert said(ask_draft(f"2 if 'SHOP_TOKEN' in {OS}['environ'] else 3", {})) == [3]


def test_arithmetic_without_end_uses_up_its_time():
    """A draft that passes the check can still ask for a number with a billion digits."""
    power = "(((((((cmd.size ** 10) ** 10) ** 10) ** 10) ** 10) ** 10) ** 10) ** 10"

    outcome = ask_draft(power, {"size": 1}, {"size": 3}, limits=Limits(seconds=60, cpu_seconds=1))

    assert said(outcome) == [1]
    assert outcome.stopped == "used up its 1 s of CPU time"


def test_a_text_larger_than_memory_is_an_error_of_its_own():
    """The limit is the child's."""
    outcome = ask_draft("len('a' * cmd.size)", {"size": 2**34}, {"size": 4})

    assert said(outcome) == ["MemoryError: ", 4]


ENDINGS = [
    ("sleeps", "import time; time.sleep(600)", Limits(seconds=1.0, memory_bytes=2**31), "took longer than 1 s"),
    ("leaves", "import os; os._exit(3)", ROOMY, "ended by itself, with status 3"),
    ("crashes", "import ctypes; ctypes.string_at(0)", ROOMY, "was ended by SIGSEGV"),
    (
        "goes round in circles",
        "while True: pass",
        Limits(seconds=60, cpu_seconds=1, memory_bytes=2**31),
        "used up its 1 s of CPU time",
    ),
    (
        "answers for itself, and nonsense",
        "import os, sys; os.write(int(sys.argv[1]), b'[[[' * 1000 + b'\\n')",
        ROOMY,
        "answered with something that is no result",
    ),
    (
        "says a number without end",
        """import os, sys; os.write(int(sys.argv[1]), b'{"traits": [' + b"9" * 9000 + b"]}\\n"); os._exit(0)""",
        ROOMY,
        "answered with something that is no result",
    ),
    (
        "says that all is done",
        "import os, sys; os.write(int(sys.argv[1]), b'{\"done\": true}\\n'); os._exit(0)",
        ROOMY,
        "answered with something that is no result",
    ),
    (
        "answers without end",
        'import os, sys\nwhile True: os.write(int(sys.argv[1]), b\'{"problem": "no"}\\n\' * 1000)',
        Limits(seconds=60, memory_bytes=2**31, answer_bytes=10**6),
        "answered with more than 1,000,000 bytes",
    ),
]


@pytest.mark.parametrize(("body", "limits", "verdict"), [row[1:] for row in ENDINGS], ids=[row[0] for row in ENDINGS])
def test_code_that_does_not_come_to_an_answer_gets_a_verdict(tmp_path, body, limits, verdict):
    """What it did, in a few words."""
    outcome = ask_source(tmp_path, body, limits=limits)

    assert outcome.stopped == verdict
    assert [answer.traits for answer in outcome.answers if answer.traits] == []


def test_a_trait_that_is_no_number_of_a_computers_is_no_answer(tmp_path):
    """Said by going round what the child itself would refuse."""
    said = '{"traits": [{"trait": "ExecutionCostTrait", "arguments": {"time_ms": %s}}]}' % ("9" * 400)
    outcome = ask_source(
        tmp_path, f"import os, sys; os.write(int(sys.argv[1]), {said.encode()!r} + b'\\n'); os._exit(0)"
    )

    assert [answer.traits for answer in outcome.answers] == [None]


PROBLEMS = [
    ("exits", "raise SystemExit(4)", "it tried to exit"),
    ("forks", "import os; os.fork()", "PermissionError: os.fork is refused here"),
    ("starts another", "import subprocess; subprocess.run('x')", "PermissionError: subprocess.Popen is refused here"),
    ("connects", "import socket; socket.socket().connect(('', 9))", "PermissionError: socket.connect is refused here"),
    ("writes", "open('here', 'w')", "PermissionError: to write to a file is refused here"),
    ("eats memory", "bytearray(2**33)", "MemoryError: "),
    ("returns nothing", "return None", "TypeError: it returned a NoneType, no list of traits"),
    ("returns too much", "return [Other()] * 1000", "ValueError: it returned 1000 traits"),
    ("has a bad pool", "return [ResourceUsageTrait('a//b')]", "ResourceUsageTrait does not take pool_path='a//b'"),
    ("asks the world", "world.clock.now()", "needs world.clock, which was not recorded"),
    ("is rude", "raise ValueError('\\x1b[2J\\n' + 'x' * 9)", "ValueError: \ufffd[2J\ufffdxxxxxxxxx"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "problem"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS])
def test_code_that_misbehaves_has_a_problem_and_the_next_command_its_turn(tmp_path, body, problem):
    """Said in one line of visible characters."""
    outcome = ask_source(tmp_path, f"if cmd.first:\n    {body}\nreturn []", {"first": True}, {"first": False})

    assert outcome == Outcome((Answer(None, problem), Answer(())), None)


def test_what_is_printed_goes_nowhere(tmp_path, capfd):
    """However much it is."""
    outcome = ask_source(tmp_path, "import sys; print('x' * 10**7); sys.stderr.write('y' * 10**7); return []")

    assert outcome == Outcome((Answer(()),), None)
    assert capfd.readouterr() == ("", "")


def test_a_source_that_cannot_be_imported_says_why(tmp_path):
    """The exception, on one line."""
    outcome = ask_source(tmp_path, "return []", before="raise RuntimeError('no\\nway')")

    assert outcome == Outcome((), "could not be loaded (RuntimeError: no\ufffdway)")


def test_a_subclass_of_a_trait_is_that_trait_and_others_are_named(tmp_path):
    """With what is known of the trait."""
    outcome = ask_source(tmp_path, "return [Mine('disk'), Other()]")

    said = (SaidTrait("ResourceUsageTrait", {"pool_path": "disk", "amount": 1}), SaidTrait("Other", {}))
    assert outcome == Outcome((Answer(said),), None)


def test_the_child_inherits_no_secret(tmp_path, monkeypatch):
    """Neither the environment, nor open files, nor the folder we are in."""
    monkeypatch.setenv("API_TOKEN", "hunter2")
    secret = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(secret, True)
    body = f"""
        import os, sys
        own = os.fstat(int(sys.argv[1]))
        opened = [fd for fd in range(3, 60) if os.path.exists(f"/proc/self/fd/{{fd}}") and fd != int(sys.argv[1])]
        same = [fd for fd in opened if os.path.realpath(f"/proc/self/fd/{{fd}}") == {__file__!r}]
        raise ValueError((sorted(os.environ), same, os.getcwd() == {os.getcwd()!r}))
    """
    try:
        (answer,) = ask_source(tmp_path, body).answers
    finally:
        os.close(secret)

    assert answer.problem in {
        f"ValueError: ({names}, [], False)"
        for names in (["HOME", "LANG", "PATH", "TMPDIR"], ["HOME", "LANG", "LC_CTYPE", "PATH", "TMPDIR"])
    }


def test_what_the_child_has_started_ends_with_it(tmp_path):
    """Here by a door that the refusal does not guard, as it is no jail: a lock that it holds is free afterwards."""
    lock = tmp_path / "lock"
    lock.touch()
    body = f"""
        import ctypes, fcntl, os, time
        held = open({str(lock)!r})
        fcntl.flock(held, fcntl.LOCK_EX)
        if ctypes.CDLL(None).fork() == 0:
            time.sleep(6000)
        os._exit(5)
    """

    assert ask_source(tmp_path, body).stopped == "ended by itself, with status 5"
    with lock.open() as ours:
        fcntl.flock(ours, fcntl.LOCK_EX)  # waits for ever, if it is not


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
NAMES = st.text(max_size=9) | st.from_regex(
    r"(len\()?(a|b|name|_x|get|__len__)?(\.(a|b|__class__))*\)?", fullmatch=True
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.dictionaries(NAMES, SCALARS, max_size=6), min_size=1, max_size=40))
def test_whatever_the_features_are_each_command_is_answered(commands):
    """With a time, or with what is missing."""
    outcome = ask_draft("max(1, round(cmd.a)) if len(cmd.b) > 1 else 7", *commands)

    assert outcome.stopped is None
    assert len(outcome.answers) == len(commands)
    assert all(answer.problem or answer.time_ms() for answer in outcome.answers)
