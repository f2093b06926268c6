"""
A scripted session that reaches every operation of dam_hrm, with everything that can become of one.

    python examples/hrm_session
    dam-obs run -- python examples/hrm_session

It says first what stands in ``session.txt``, then does what is not asked for in words. It knows nothing of tracing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from dam_hrm import HrmError, Pattern, Session, plugin_manager
from dam_hrm.agent.commands import run_command

from plugins import Diary, Printer

SCRIPT = Path(__file__).parent / "session.txt"


async def talk(session: Session) -> None:
    """Say the script's lines, one after the other."""
    for line in SCRIPT.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        print(f"> {line}")
        if line.startswith("/"):
            print(await command(session, line))
            continue
        turn = await session.turn(line)
        print(f"{turn.status}: {turn.reply}")


async def command(session: Session, line: str) -> str:
    """Carry out a line that begins with ``/``."""
    try:
        return await run_command(session, line)
    except HrmError as error:
        return f"refused: {error}"


async def tidy_up(session: Session) -> None:
    """Look after patterns and memory; that is a caller's business, and no input's."""
    learning, memory = session.learning, session.memory
    for code, horizon, confidence in (("plan_weeks", "near", 0.8), ("plan_years", "far", 0.8), ("hunch", "far", 0.1)):
        when = {"input_type": "task", "stakes": "low", "horizon": horizon}
        await learning.add(
            Pattern(pattern_code=code, when=when, then="decomposition", confidence=confidence, source="example")
        )
    made = await learning.generalize(["plan_weeks", "plan_years"])
    print(f"generalized to {made.to_pattern}: {made.reason}")
    for trimmed in await learning.trim():
        print(f"{trimmed.pattern_code} {'went' if trimmed.removed else 'stays'}: {trimmed.reason}")

    written = await memory.write("diary", "today", "a long day")
    print(f"diary: {written.outcome}, {written.reason}")
    chapter = "The printer takes two weeks for a guide of this size, and paper has to be ordered before that. " * 4
    written = await memory.write("guide", "chapter-1", "printing takes two weeks", tier="warm", summary_of=chapter)
    print(f"guide: {written.outcome}, {written.tokens_saved} tokens saved")
    for shifted in (
        await memory.demote("guide", "chapter-1", "cold"),
        await memory.promote("guide", "chapter-1", "hot"),
        await memory.promote("guide", "chapter-1"),
    ):
        print(f"guide: {shifted.outcome} {shifted.shift.from_tier.value} -> {shifted.shift.to_tier.value}")


async def main() -> None:
    """Go through all of it."""
    async with Session(plugins=plugin_manager(Printer(sheets=0), Diary()), name="example") as session:
        await talk(session)
        await tidy_up(session)


if __name__ == "__main__":
    asyncio.run(main())
