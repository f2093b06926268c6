"""Show both. Run by `python examples/composed_traits`."""

from __future__ import annotations

import asyncio

import habits
import kinds


async def main() -> None:
    """Habits of people, then kinds of assets."""
    await habits.show()
    print()
    await kinds.show()


if __name__ == "__main__":
    asyncio.run(main())
