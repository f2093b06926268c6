"""At which level an input speaks, and which moves may be made: tables of cases."""

from __future__ import annotations

import pytest
from dam_hrm import Level, Move
from dam_hrm.altitude import rules

L4, L3, L2, L1 = Level.IDENTITY, Level.STRATEGY, Level.OPERATIONS, Level.MOMENT


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("I value calm mornings", L4),
        ("Who am I without my work?", L4),
        ("What is our mission", L4),
        ("What matters most here?", L4),
        ("What matters to me is honesty", L4),
        ("Our goal is to publish", L3),
        ("What should we focus on next year?", L3),
        ("a long-term direction", L3),
        ("Plan the launch", L2),
        ("How do I prepare this?", L2),
        ("the deadline is next week", L2),
        ("What time is it now?", L1),
        ("remind me tonight", L1),
        ("hello there", None),
        ("", None),
        # The highest one counts.
        ("now, what is our strategy?", L3),
        ("plan by what I value", L4),
        # Words, not parts of words.
        ("a planet, a snowman and goalkeepers", None),
        # What an input says itself counts before its words.
        ("L1: our mission", L1),
        ("strategy: what is it now?", L3),
        ("l2:go", L2),
        ("Identity : hm", L4),
        ("L5: plan", L2),
        ("moment of truth", None),
    ],
)
def test_an_input_speaks_at_a_level(text, level):
    """Told by its words, or by itself."""
    assert rules.level_of(text) is level


@pytest.mark.parametrize(
    ("text", "rest"),
    [("L2: pack the bags", "pack the bags"), ("  pack ", "pack"), ("STRATEGY:x", "x"), ("L7: x", "L7: x")],
)
def test_the_level_that_an_input_says_is_no_part_of_it(text, rest):
    """It is taken off."""
    assert rules.without_level(text) == rest


@pytest.mark.parametrize(
    ("text", "atomic"),
    [
        ("What time is it?", True),
        ("please note: milk", True),
        ("L1: what is the wifi password?", True),
        ("is it raining now", True),
        ("What is our strategy?", False),  # speaks above the moment
        ("what is one two three four five six seven eight nine ten eleven", False),  # too long
        ("what is it; and why", False),  # two in one
        ("list this and then call Anna", False),
        ("note: our strategy is to wait; and then, after a long while, to wait for as long again", True),
        ("L2: note this", False),
        ("I am tired", False),  # no request
        ("whatever", False),
        ("L3: what is it?", False),
        ("", False),
    ],
)
def test_a_request_is_atomic(text, atomic):
    """Short, one thing, and not above the moment."""
    assert rules.is_atomic(text) is atomic


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Skip the strategy because the deadline is tonight.", "the deadline is tonight"),
        ("L2: without a goal, since nobody has one", "nobody has one"),
        ("pass over it as we know it!", "we know it"),
        ("skip the strategy", ""),
        ("because of you", ""),
        ("", ""),
    ],
)
def test_a_skip_has_a_reason(text, reason):
    """Or it is none."""
    assert rules.skip_reason(text) == reason


OTHERWISE = "or ask for one thing that can be answered at once"
CASES = [
    # from, to, established, reason, atomic -> allowed, skipped
    (L4, L3, {L4}, "", False, True, ()),
    (L4, L3, set(), "", False, False, ()),
    (L4, L3, set(), "it is urgent", False, False, ()),  # a reason helps past a level, not past the one that is left
    (L4, L3, {L3}, "", False, False, ()),
    (L3, L2, {L3}, "", False, True, ()),
    (L3, L2, {L4}, "", False, False, ()),
    (L2, L1, {L2}, "", False, True, ()),
    (L4, L2, {L4}, "", False, False, ()),
    (L4, L2, {L4, L3}, "", False, False, ()),  # a skip is one even where what is passed over is clear
    (L4, L2, {L4}, "   ", False, False, ()),
    (L4, L2, {L4}, "late", False, True, (L3,)),
    (L4, L2, {L3}, "late", False, False, ()),
    (L4, L1, {L4}, "late", False, True, (L3, L2)),
    (L3, L1, {L3}, "late", False, True, (L2,)),
    (L4, L1, set(), "", True, True, (L3, L2)),
    (L2, L1, set(), "", True, True, ()),
    (L4, L4, set(), "", False, True, ()),
    (L1, L4, set(), "", False, True, ()),
    (L1, L2, set(), "", False, True, ()),
    (L2, L3, set(), "", True, True, ()),
]


@pytest.mark.parametrize(("here", "there", "established", "reason", "atomic", "allowed", "skipped"), CASES)
def test_a_move_is_judged(here, there, established, reason, atomic, allowed, skipped):
    """Up always; down from what is established; past a level with a reason; atomic ones past all that."""
    move = Move(from_level=here, to_level=there, reason=reason, atomic=atomic)
    moved = rules.judge(move, established)

    assert (moved.allowed, moved.skipped) == (allowed, skipped)
    assert moved.outcome == ("success" if allowed else "blocked")
    assert moved.reason


@pytest.mark.parametrize(
    ("move", "established", "reason", "note"),
    [
        (
            Move(from_level=L4, to_level=L3),
            set(),
            f"L4 (identity) is not established: say what matters to you (“I value ...”), {OTHERWISE}",
            "",
        ),
        (Move(from_level=L4, to_level=L2), {L4}, "L3 (strategy) would be passed over, which needs a reason", ""),
        (
            Move(from_level=L4, to_level=L1),
            {L4},
            "L3 (strategy) and L2 (operations) would be passed over, which needs a reason",
            "",
        ),
        (
            Move(from_level=L4, to_level=L2, reason="the deadline"),
            {L4},
            "the deadline (passed over L3)",
            "L3 (strategy) is not established yet",
        ),
        (Move(from_level=L4, to_level=L2, reason="the deadline"), {L4, L3}, "the deadline (passed over L3)", ""),
        (
            Move(from_level=L4, to_level=L1, atomic=True),
            {L3},
            "an atomic request takes the fast lane",
            "L4 (identity), L2 (operations) are not established yet",
        ),
        (Move(from_level=L1, to_level=L3), set(), "going up is always allowed", ""),
        (Move(from_level=L2, to_level=L2), set(), "that is the level already", ""),
        (Move(from_level=L3, to_level=L2), {L3}, "L3 (strategy) is established", ""),
    ],
)
def test_a_judgement_says_why_and_what_would_help(move, established, reason, note):
    """In words for the user; what was passed over stands in the reason, where the trace shows it."""
    moved = rules.judge(move, established)
    assert (moved.reason, moved.note) == (reason, note)


@pytest.mark.parametrize(
    ("level", "height", "above", "below"), [(L4, 4, None, L3), (L3, 3, L4, L2), (L2, 2, L3, L1), (L1, 1, L2, None)]
)
def test_levels_stand_one_above_the_other(level, height, above, below):
    """From identity down to the moment."""
    assert (level.height, level.above, level.below) == (height, above, below)
