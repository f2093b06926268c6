"""The mark of a drafted method."""

from __future__ import annotations

import pytest

from dam_obs.draft.method import fingerprint, has_mark, is_as_drafted, marked, without_mark

METHOD = '''\
    @classmethod
    async def calculate_traits(cls, cmd: "C", world: object) -> list[Trait]:
        """
        Predict what one execution takes.
        """
        # why
        return [ExecutionCostTrait(priority=50, time_ms=max(1, round(0.0021 * cmd.size))), IOBoundTrait()]'''


def test_a_mark_is_the_same_on_every_python():
    """What one interpreter drafted, another one does not take for edited."""
    assert fingerprint(METHOD) == "3823bcb75fbac211"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_marked_method_is_as_drafted(newline):
    """And without its mark what it was."""
    text = marked(METHOD, "    ").replace("\n", newline)

    assert (has_mark(text), is_as_drafted(text), without_mark(text)) == (True, True, METHOD)
    assert (has_mark(METHOD), is_as_drafted(METHOD), without_mark(METHOD)) == (False, False, METHOD)


@pytest.mark.parametrize("indent", ["  ", "\t", "        "])
def test_indentation_does_not_count(indent):
    """The same method stands in classes of all kinds."""
    assert fingerprint(METHOD.replace("    ", indent)) == fingerprint(METHOD)


@pytest.mark.parametrize("text", ["", "    x = (", "    '''", "\tx\n  y", "    \0", "    \udc80"])
def test_text_that_is_no_method_has_a_mark_of_its_own(text):
    """It can be told from every draft, and nothing is raised."""
    assert fingerprint(text) not in (fingerprint(METHOD), fingerprint(text + " "))
