"""Runs executions, sync and async, one within the other; says now and then how many objects it has and what memory."""

import asyncio
import gc
import json
import sys
import time
from pathlib import Path

from dam_obs import traced
from dam_obs.trace.span import queue


class Job:
    def __init__(self, number):
        self.number = number


@traced("system.execute", component="inner")
def inner(job):
    return job.number


@traced("system.execute", component="outer")
async def outer(job):
    await asyncio.sleep(0)
    return inner(job)


def look(number):
    while len(queue):
        time.sleep(0.01)
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    print(json.dumps({"executions": number, "objects": len(gc.get_objects()), "bytes": resident}), flush=True)


async def main(looks):
    done = 0
    for until in looks:
        while done < until:
            await outer(Job(done))
            done += 2
            while len(queue) > 5000:
                time.sleep(0.001)
        look(done)


if __name__ == "__main__":
    asyncio.run(main([int(word) for word in sys.argv[1:]]))
