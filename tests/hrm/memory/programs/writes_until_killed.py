"""Write and move records until somebody kills this; prints each write once it is acknowledged."""

import asyncio
import itertools
import sys
from pathlib import Path

from dam_hrm import Session, hookimpl, plugin_manager
from dam_hrm.focus.values import GateDecision


class Open:
    @hookimpl
    def dam_hrm_gate_write_approval(self, request):
        return GateDecision(allowed=True, reason="")


async def main(folder, name, first):
    memory = Session(folder=Path(folder), plugins=plugin_manager(Open(), installed=False)).memory
    for number in itertools.count(int(first)):
        key = f"{name}{number % 5}"
        await memory.write("n", key, [number, "x" * (number % 7 * 300)], tier=("warm", "cold")[number % 2])
        print(key, number, flush=True)
        if number % 3 == 0:
            await memory.demote("n", key)
        if number % 4 == 0:
            await memory.promote("n", key)


asyncio.run(main(*sys.argv[1:]))
