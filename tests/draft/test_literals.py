"""The only ways in which a report's content gets into code."""

from __future__ import annotations

import ast
import io
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.draft.literals import LONGEST_STRING, LONGEST_TEXT, NotALiteral, comment, literal, prose, shown

any_text = st.text(st.characters(codec=None), max_size=60) | st.lists(
    st.sampled_from(
        ["'''", '"""', '"', "'", "\\", "\n", "\r", "\0", "\x1b[2J", "#", "{{", "}}", "%}", "\u202e", "\udc80", "a", " "]
    )
).map("".join)

values = (
    any_text.filter(lambda text: len(text) <= LONGEST_STRING)
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
)


@given(values)
def test_a_literal_reads_back_as_the_value(value):
    """One line of ASCII, the same value and the same type."""
    source = literal(value)

    assert source.isascii()
    assert "\n" not in source
    assert (ast.literal_eval(source), type(ast.literal_eval(source))) == (value, type(value))


class _Text(str):
    def __repr__(self) -> str:
        return "print('gone')"


class _Number(int):
    def __repr__(self) -> str:
        return "print('gone')"


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        pytest.param(10**5_000, id="huge"),
        2**63,
        "x" * (LONGEST_STRING + 1),
        b"bytes",
        ["a list"],
        {"a": 1},
        _Text("a"),
        _Number(3),
        object(),
    ],
)
def test_what_is_no_plain_value_is_no_literal(value):
    """Subclasses, whose repr is anybody's, containers, and numbers that are none."""
    with pytest.raises(NotALiteral):
        literal(value)


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("disk/read/vda", '"disk/read/vda"'),
        ('say "no"', "'say \"no\"'"),
        ("it's", '"it\'s"'),
        ("a\nb", '"a\\nb"'),
        ("é", '"\\xe9"'),
        (3, "3"),
        (-0.5, "-0.5"),
        (True, "True"),
        (None, "None"),
    ],
)
def test_literals_look_as_a_formatter_would_have_them(value, source):
    """Double quotes where that needs no escape."""
    assert literal(value) == source


@given(any_text)
def test_a_remark_stays_behind_its_hash(text):
    """Whatever the text, the line is one comment, and nothing in it starts a second one."""
    source = f"x = 1  # why: {comment(text)}\ny = 2\n"
    tokens = [
        token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.COMMENT
    ]

    assert ast.dump(ast.parse(source)) == ast.dump(ast.parse("x = 1\ny = 2"))
    assert [token.string.count("#") for token in tokens] == [1]


@given(any_text)
def test_prose_stays_in_its_docstring(text):
    """Whatever the text, the docstring is that text and ends where it should."""
    source = f'"""\n{prose(text)}\n"""\n'
    (statement,) = ast.parse(source).body

    assert ast.literal_eval(statement.value) == f"\n{prose(text)}\n"


@given(any_text)
def test_text_that_is_shown_is_one_bounded_visible_line(text):
    """No control characters, no marks that reorder or hide others, no surrogates."""
    assert shown(text).isprintable()
    assert len(shown(text)) <= LONGEST_TEXT + len(" [...]")
    shown(text).encode("utf-8")


def test_text_that_is_cut_says_so():
    """A reader can tell a cut remark from a whole one."""
    assert shown("x" * 1_000) == "x" * LONGEST_TEXT + " [...]"
