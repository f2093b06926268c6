"""Sessions with the test's own plugins at the hooks, and patterns."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import Session, plugin_manager
from dam_hrm.learning.values import Pattern


async def _played(work, plugins):
    session = Session(plugins=plugin_manager(*plugins, installed=False))
    try:
        return await work(session)
    finally:
        await session.memory.close()


@pytest.fixture(scope="session")
def play():
    """Run an async function with a session of these plugins, and give what it returns."""
    return lambda work, *plugins: asyncio.run(_played(work, plugins))


@pytest.fixture(scope="session")
def pattern():
    """Make a pattern; what is not said is plain."""

    def make(code="p", then="answer", confidence=0.5, **fields):
        return Pattern(pattern_code=code, then=then, confidence=confidence, **{"when": {"a": 1}, **fields})

    return make
