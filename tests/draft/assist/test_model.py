"""Models of llm are asked, and whatever they do there is an answer or one line."""

from __future__ import annotations

import sys

import llm
import pytest

from dam_obs.draft.assist.answer import MOST_ANSWER
from dam_obs.draft.assist.errors import ModelFailed, NoKey, NoModelLibrary, UnknownModel
from dam_obs.draft.assist.model import ask


def test_an_answer_comes_back_whole(models, install):
    """With the model's full name, also where it was asked by an alias; it saw the question, once."""
    model = models.scripted(models.saying("one answer\nof two lines", piece=3))
    install(model)

    assert ask("shop-model-1-alias", "what?") == ("shop-model-1", "one answer\nof two lines")
    assert model.asked == ["what?"]


def test_a_model_that_does_not_stream_answers_too(models, install):
    """In one piece."""
    model = models.scripted(models.saying("all at once", piece=100))
    model.can_stream = False
    install(model)

    assert ask("shop-model-1", "what?")[1] == "all at once"


def test_nothing_is_logged_by_llm(models, install, tmp_path):
    """Its database of prompts is its command line's."""
    install(models.scripted(models.saying("x")))
    ask("shop-model-1", "what?")

    assert list((tmp_path / "llm").glob("*.db")) == []


def test_of_an_answer_without_end_so_much_is_read(models, install):
    """One character more than is allowed, so that it shows."""

    def for_ever(_):
        while True:
            yield "x" * 10_000

    install(models.scripted(for_ever))

    assert len(ask("shop-model-1", "what?")[1]) == MOST_ANSWER + 1


FAILURES = {
    "an exception": (lambda models: models.raising(RuntimeError("boom")), r"gave no answer \(RuntimeError: boom\)"),
    "an exception halfway": (lambda models: models.raising(OSError("gone"), after="def"), r"\(OSError: gone\)"),
    "a refused connection": (
        lambda models: models.raising(ConnectionRefusedError(111, "Connection refused")),
        "Connection refused",
    ),
    "an error of llm's": (lambda models: models.raising(llm.ModelError("quota\nexceeded")), "quota"),
    "a text of many lines": (lambda models: models.raising(ValueError("a\n" * 500)), "ValueError"),
    "bytes": (lambda models: lambda _: iter([b"\x00\x01"]), "no|not"),
    "a key in the message": (
        lambda models: models.raising(ValueError("bad key sk-" + "a1B2" * 12)),
        r"bad key .*\[redacted:",
    ),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_model_that_fails_is_one_line(models, install, what):
    """It is asked once, and its exception is not ours."""
    says, told = FAILURES[what]
    model = models.scripted(says(models))
    install(model)

    with pytest.raises(ModelFailed, match=told) as failed:
        ask("shop-model-1", "what?")
    assert len(str(failed.value).splitlines()) == 1
    assert len(model.asked) == 1


def test_a_model_that_hangs_is_given_up(models, install, release):
    """What it had said so far is no answer."""
    model = models.scripted(models.hanging(release))
    install(model)

    with pytest.raises(ModelFailed, match=r"it took longer than 0\.1 s, see --llm-timeout"):
        ask("shop-model-1", "what?", seconds=0.1)
    assert len(model.asked) == 1


def test_ctrl_c_is_heard_while_a_model_thinks(models, install, release):
    """At once, though the model's thread waits on."""
    install(models.scripted(models.interrupting(release)))

    with pytest.raises(KeyboardInterrupt):
        ask("shop-model-1", "what?", seconds=600)


def test_an_unknown_model_is_told_with_names_that_are_near(models, install):
    """Of all that the plugins bring, aliases among them."""
    install(models.scripted(models.saying("x")))

    with pytest.raises(UnknownModel, match="no model shop-modle-1: did you mean shop-model-1"):
        ask("shop-modle-1", "what?")


def test_a_missing_key_is_told_with_how_to_set_it(models, install, monkeypatch):
    """By the name that llm has for it; with it the model is asked."""
    install(models.Locked())

    with pytest.raises(NoKey, match="`llm keys set acme`"):
        ask("locked-1", "what?")
    monkeypatch.setenv("ACME_KEY", "k1")
    assert ask("locked-1", "what?")[1] == "the key is k1"


def test_a_plugin_that_fails_is_one_line(models, install):
    """All of llm's plugins are asked for models."""
    install(models.Broken())

    with pytest.raises(ModelFailed, match=r"llm cannot load its plugins: RuntimeError: cannot find libcuda\.so"):
        ask("shop-model-1", "what?")


def test_without_the_extra_it_is_named(monkeypatch):
    """And nothing else of dam-obs needs it."""
    monkeypatch.setitem(sys.modules, "llm", None)

    with pytest.raises(NoModelLibrary, match=r"pip install 'dam-obs\[cli,llm\]'"):
        ask("shop-model-1", "what?")
