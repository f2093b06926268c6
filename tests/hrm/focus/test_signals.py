"""What an input calls for is told from its words, by plain rules."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import HookFailed, hookimpl
from dam_hrm.focus.signals import CUES, MAX_CHARACTERS, signal_of
from dam_hrm.focus.values import Signal
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "signal_type", "strength"),
    [
        ("", "none", 1.0),
        ("What is the weather like?", "none", 1.0),
        ("Stop!", "interrupt", 0.5),
        ("STOP, wait, hold on, cancel it", "interrupt", 1.0),
        ("stop stop stop", "interrupt", 0.5),
        ("this is urgent and due right now", "urgency", 0.75),
        ("I am frustrated", "emotional", 0.5),
        ("the report is finished", "completion", 0.5),
        ("that’s it", "completion", 0.5),
        ("write the report", "formal_work", 0.75),
        # The first type in the table wins.
        ("stop, this is urgent", "interrupt", 0.5),
        ("I am worried, the deadline is near", "urgency", 0.5),
        # Words, not parts of words.
        ("nonstop music", "none", 1.0),
        ("a planet", "none", 1.0),
        ("well-planned", "none", 1.0),
        # What is denied does not count.
        ("this is not urgent", "none", 1.0),
        ("it isn't really done yet", "none", 1.0),
        ("it isn’t done", "none", 1.0),
        ("not urgent, but I am sad", "emotional", 0.5),
        ("do not stop; write on", "formal_work", 0.5),
    ],
)
def test_words_tell_what_is_called_for(text, signal_type, strength):
    """More of them tell it louder."""
    assert signal_of(text) == Signal(signal_type=signal_type, text=text, strength=strength)


@pytest.mark.parametrize(("signal_type", "cue"), [(kind, cue) for kind, cues in CUES.items() for cue in cues])
def test_every_cue_is_found(signal_type, cue):
    """In the middle of a sentence, in any case."""
    assert signal_of(f"well, {cue.upper()}: that").signal_type == signal_type


@given(st.text(max_size=200))
def test_any_text_has_a_signal(text):
    """And keeps the text as it is."""
    signal = signal_of(text)

    assert signal.text == text
    assert signal.signal_type in {"none", *CUES}
    assert 0 < signal.strength <= 1


def test_the_end_of_a_long_text_is_not_looked_at():
    """However long it is, it takes no longer."""
    assert signal_of("x " * (MAX_CHARACTERS // 2) + "stop").signal_type == "none"


def test_denials_in_a_row_take_no_time():
    """A text made to be slow is not."""
    assert signal_of("not really " * 900).signal_type == "none"


def test_a_plugin_knows_signals_of_its_own(play):
    """The built-in rules are asked last."""

    class Cook:
        @hookimpl
        async def dam_hrm_signal(self, text):
            await asyncio.sleep(0)
            return Signal(signal_type="hunger", text=text) if "hungry" in text else None

    async def tell(session):
        return (await session.focus.signal("I am hungry")).signal_type

    assert play(tell, Cook()) == "hunger"


def test_a_plugin_that_fails_at_signals_is_named(play):
    """No gate was asked, so this is an error."""

    class Crooked:
        @hookimpl
        def dam_hrm_signal(self):
            return "urgency"

    async def tell(session):
        await session.focus.signal("help")

    with pytest.raises(HookFailed, match="dam_hrm_signal: plugin Crooked answered with str where Signal was due"):
        play(tell, Crooked())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"signal_type": ["urgency"]}, "a signal's type and text are str"),
        ({"text": None}, "a signal's type and text are str"),
        ({"strength": 2}, "a signal's strength is from 0 to 1, not 2"),
    ],
)
def test_a_signal_that_cannot_be_is_refused(fields, message):
    """Where it is made: its plugin is to blame."""
    with pytest.raises((TypeError, ValueError), match=message):
        Signal(**{"signal_type": "urgency", "text": "help", **fields})
