"""The built-in agents answer by the words of the signal and by the lanes; no model is needed."""

from __future__ import annotations

import pytest
from dam_hrm.focus.agents import AGENTS, BUNDLE_REDUCERS, BUNDLES
from dam_hrm.focus.signals import CUES


async def say(session, text):
    return (await session.focus.route(await session.focus.signal(text))).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello  there", "I hear: hello there"),
        ("stop", "No lane is active."),
        ("it is urgent", "Plan it first."),
        ("urgent, right now", "Do it now."),
        ("I am sad", "I hear: I am sad\n\nThere is time. A small step is enough: one thing that takes five minutes."),
        ("done", "What has come of it? What would you do in another way?\n\nNo lane is active."),
        (
            "write the report and then review it",
            "Steps: (1) write the report. (2) review it. Not said yet: by when, how to tell that it is done, for whom.",
        ),
        ("draft 3 pages for Ann by Friday", "Steps: (1) draft 3 pages for Ann by Friday. Nothing is missing."),
        ("plan...", "Steps: (1) plan. Not said yet: by when, how to tell that it is done, for whom."),
    ],
)
def test_bundles_answer(play, text, expected):
    async def work(session):
        return await say(session, text)

    assert play(work) == expected


def test_agents_know_the_lanes(play):
    async def work(session):
        await session.focus.open_lane("taxes", "pay them")
        await session.focus.pause_lane(bookmark="form B")
        await session.focus.open_lane("book", "write it", turns=4)
        await session.focus.change_stance("execution")
        return [await say(session, text) for text in ("stop", "finished", "I am sad", "urgent, right now")]

    assert play(work) == [
        "Lane book has 4 turns left. Paused: taxes.",
        "Is this reached: write it? What would you do in another way?\n\nLane book has 4 turns left. Paused: taxes.",
        "I hear: I am sad\n\nThere is time. A small step is enough: where book goes on: write it.",
        "Do it now.",
    ]


def test_every_signal_has_a_bundle_of_agents_that_there_are():
    """And a reducer of its own."""
    assert set(BUNDLES) == {"none", *CUES} == set(BUNDLE_REDUCERS)
    assert {agent for agents in BUNDLES.values() for agent in agents} == set(AGENTS)
