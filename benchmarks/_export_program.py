"""
The program of `export`: records spans at a steady rate, and prints one line of JSON on what that took.

    python _export_program.py EVENTS_A_SECOND SECONDS

Where events go is in the environment. A span has eight attributes, as that of `span_cost`. Each hundredth of a second
it records as many as are due; what it is late is made up for. Only the recording is in the caller's CPU time.
"""

from __future__ import annotations

import json
import sys
import time

import dam_obs
from dam_obs.trace import faults

DATA = {
    "namespace": "shop", "key": "order", "tier": "warm", "attempt": 3, "cached": True, "ratio": 0.25,
    "reason": "stock is low", "size": 4096,
}  # fmt: skip
TICK_SECONDS = 0.01
WARM_UP = 200
"""Spans before its clocks start: what is made once is made then."""


def record(number: int) -> None:
    """Record spans, one after the other."""
    for _ in range(number):
        with dam_obs.tracer.span("sys", "execute", "bench:Work", **DATA):
            pass


def main(rate: float, seconds: float) -> None:
    """Record, and tell."""
    dam_obs.configure(enabled=True)
    record(WARM_UP)
    dam_obs.flush(30)
    cpu_before = time.process_time()
    began = time.monotonic()
    recorded = caller_ns = 0
    while (now := time.monotonic() - began) < seconds:
        due = int(now * rate) - recorded
        start = time.thread_time_ns()
        record(due)
        caller_ns += time.thread_time_ns() - start
        recorded += due
        time.sleep(TICK_SECONDS)
    took = time.monotonic() - began
    dam_obs.flush(60)
    cpu_ns = int((time.process_time() - cpu_before) * 1e9)
    dam_obs.shutdown()  # what was still being tried is given up, and counted
    said = {"events": recorded, "sent": recorded + WARM_UP, "seconds": took, "caller_ns": caller_ns}
    print(json.dumps({**said, "process_ns": cpu_ns, "faults": faults.counts()}), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
