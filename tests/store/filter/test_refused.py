"""What a filter cannot mean: a sentence, and the place."""

from __future__ import annotations

import pytest

from dam_obs.store.filter import BadFilter, of_layers, parse_filter, with_statuses

FIELDS = "there are layer, status, operation, component, id, duration, since, before and @data.NAME; to look for text with a colon, quote it"  # noqa: E501
UNITS = "there are ns, us, ms, s, m, h, d"

REFUSED = [
    ("stauts:error", "unknown field 'stauts': did you mean status? " + FIELDS, "^^^^^^"),
    ("ok hrm:focus", "unknown field 'hrm': did you mean layer? " + FIELDS, "   ^^^"),
    ("http://x", "unknown field 'http': " + FIELDS, "^^^^"),
    ("status:errr", "unknown status 'errr': did you mean error? there are success, error, blocked", "       ^^^^"),
    ("a status:", "nothing follows status: write status:error", "         ^"),
    ("duration:>100", "'100' has no unit: " + UNITS, "         ^^^^"),
    ("duration:>5sec", "'sec' is no unit: " + UNITS, "         ^^^^^"),
    ("duration:>5mss", "'mss' is no unit: did you mean ms? " + UNITS, "         ^^^^^"),
    ("duration:fast", "'fast' is no duration: write one such as 100ms, >1.5s or 10ms..1s", "         ^^^^"),
    ("duration:1s..1ms", "'1s..1ms' begins after its end: write the shorter one first", "         ^^^^^^^"),
    (
        "since:yesterday",
        "'yesterday' is no time: write how long ago, such as 10m, or 2026-01-13T15:00 with or without an offset",
        "      ^^^^^^^^^",
    ),
    ("since:10", "'10' has no unit: " + UNITS, "      ^^"),
    (
        "@data.x:>much",
        "'much' is no number to compare with: write one, or \">much\" to look for this text",
        "        ^^^^^",
    ),
    ("@x:9..1", "'9..1' begins after its end: write the smaller one first", "   ^^^^"),
    ("@data.x", "@data.x says nothing of the value: write @data.x:* for all that have it", "^^^^^^^"),
    ("@data.x:", "nothing follows @data.x: write @data.x:* for all that have it", "        ^"),
    ("@data.:x", "a name among the data is missing: write @data.gate_type:WriteApproval", "^^^^^^"),
    ("@:x", "a name among the data is missing: write @data.gate_type:WriteApproval", "^"),
    ("@a.b.c.d.e.f.g.h.i:x", "'@a.b.c.d.e.f.g.h.i' is too deep: 8 names with dots between them are the most", "^" * 18),
    (":x", "there is no field before the colon: write one, or quote the text", "^^"),
    ('a "b c', 'a quotation mark is not closed: put a " at the end of the phrase', "  ^"),
    ('a ""', "there is nothing between the quotation marks: write a phrase, or remove them", "  ^^"),
    ("(a or b", "a parenthesis is not closed: put a ) at its end", "^"),
    ("a ) b", "a parenthesis is closed that was not opened: remove it", "  ^"),
    ("a ()", "there is nothing before this parenthesis: write a term, or remove it", "   ^"),
    ("or a", 'or has nothing before it: write a term, or "or" to look for the word', "^^"),
    ("a or", "or has nothing behind it: write what else is wanted, or remove it", "  ^^"),
    ("a AND", "AND has nothing behind it: write what else is wanted, or remove it", "  ^^^"),
    ("a - b", '- has nothing behind it: write -word, or "-" to look for it', "  ^"),
    ("a --b", "one - is enough: remove the other, or quote the text", "   ^"),
    ("a NOT b", 'what is not wanted has a - before it: write -word, or "NOT" to look for the word', "  ^^^"),
    ("(" * 40, "too many parentheses within each other: 32 are the most", " " * 32 + "^"),
    ("漢字 é:x", "unknown field 'é': " + FIELDS, "     ^"),
    ("\x1b x:y", "unknown field 'x': " + FIELDS, "     ^"),
]


@pytest.mark.parametrize(("text", "problem", "carets"), REFUSED)
def test_a_filter_is_refused_at_a_place(text: str, problem: str, carets: str) -> None:
    """In terminal columns, wide and escaped characters included."""
    with pytest.raises(BadFilter) as refused:
        parse_filter(text)

    assert (refused.value.problem, refused.value.excerpt[1]) == (problem, carets)
    assert str(refused.value) == f"{problem} (column {refused.value.mark.column + 1} of the filter)"
    assert refused.value.exit_status == 2


def test_of_a_long_filter_the_part_is_shown() -> None:
    """So that it fits a terminal."""
    with pytest.raises(BadFilter) as refused:
        parse_filter("some words before " * 10 + "stats:x " + "and behind " * 10)

    assert refused.value.excerpt == (
        "…some words before some words before stats:x and behind and behind and be…",
        "                                     ^^^^^",
    )


def test_there_is_an_end_to_it() -> None:
    """No filter makes a parser or a database run out of stack."""
    with pytest.raises(BadFilter, match="the filter is too long: 500 words and signs are the most"):
        parse_filter("-a " * 300)


def test_a_layer_may_be_known_to_the_trace_alone() -> None:
    """By its name or code; one that nobody knows is refused at its place, with the nearest there is."""
    seen = {"billing": "bil", "focus": "foc"}
    for text in ("layer:billing", "layer:bil", "layer:memory"):
        parse_filter(text).check_layers(seen)

    with pytest.raises(BadFilter) as refused:
        parse_filter("a -(layer:focus or layer:biling)").check_layers(seen)
    assert refused.value.problem == (
        "unknown layer 'biling': did you mean billing? there are altitude (alt), focus (foc), reasoning (rsn), "
        "learning (lrn), memory (mem), system (sys), billing (bil)"
    )
    assert refused.value.excerpt == ("a -(layer:focus or layer:biling)", " " * 25 + "^^^^^^")


def test_only_a_strange_layer_needs_the_trace() -> None:
    """So that a trace is not asked for its layers in vain."""
    assert [parse_filter(text).has_strange_layers() for text in ("layer:foc x", "x -(y or layer:bil)")] == [False, True]


def test_options_are_refused_alike() -> None:
    """A word of an option is pointed at as a whole."""
    with pytest.raises(BadFilter, match="unknown layer 'fokus': did you mean focus"):
        of_layers(["fokus"]).check_layers({})
    with pytest.raises(BadFilter, match="unknown status 'failed'"):
        with_statuses(["failed"])
