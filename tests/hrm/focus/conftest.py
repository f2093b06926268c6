"""Sessions with the test's own plugins at the hooks."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import Session, plugin_manager


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
