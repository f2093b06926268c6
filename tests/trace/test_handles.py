"""Handles: unique by construction, short, and readable back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.trace.handles import HandleBook, NotAHandle, parse
from dam_obs.trace.layers import UnknownLayer

span_ids = st.integers(1, 2**64 - 1)


@given(st.lists(st.tuples(st.sampled_from(["alt", "mem"]), st.integers(0, 3), span_ids), max_size=300))
def test_no_two_spans_share_a_handle(spans):
    """Whatever the ids, each span has its own handle, the same each time, and it is a prefix of its span id."""
    book = HandleBook()
    handles = {span: book.issue(*span) for span in spans}

    assert len(set(handles.values())) == len(handles)
    for (code, seconds, span_id), handle in handles.items():
        assert handle == book.issue(code, seconds, span_id)
        parsed = parse(handle)
        assert (parsed.layer.code, parsed.seconds) == (code, seconds)
        assert f"{span_id:016x}".startswith(parsed.rand)


@given(st.lists(st.tuples(st.integers(0, 50), span_ids), max_size=400, unique=True))
def test_forgetting_old_handles_never_issues_one_twice(spans):
    """With room for few handles, later and late spans still get handles that nobody had."""
    book = HandleBook(remembered=16)
    handles = [book.issue("sys", *span) for span in spans]

    assert len(set(handles)) == len(handles)


def test_a_handle_is_as_short_as_it_can_be():
    """Four digits, and one more only where another span of that layer and second has them already."""
    book = HandleBook()

    assert book.issue("alt", 7, 0xA3F2_0000_0000_0000) == "alt_7_a3f2"
    assert book.issue("alt", 7, 0xA3F2_1000_0000_0000) == "alt_7_a3f21"
    assert book.issue("foc", 7, 0xA3F2_1000_0000_0000) == "foc_7_a3f2"


@pytest.mark.parametrize("text", ["alt_1705180800_a3f2", "lrn_1705180800_f6g7", "mem_1_Z9"])
def test_a_handle_reads_back(text):
    """Any letters and digits are read: the seed's own examples are not hex."""
    assert str(parse(text)) == text


@pytest.mark.parametrize("text", ["", "alt", "alt_x_a3f2", "alt_17_", "alt_17_a-b", "alt_17_a3f2_", "ALT_17_a3f2"])
def test_what_is_no_handle_is_refused(text):
    """Anything else is an error that shows what a handle looks like."""
    with pytest.raises(NotAHandle, match="one looks like alt_1705180800_a3f2"):
        parse(text)


def test_an_unknown_code_is_named():
    """A handle of a layer that nobody knows says so."""
    with pytest.raises(UnknownLayer, match="'xyz'"):
        parse("xyz_17_a3f2")
