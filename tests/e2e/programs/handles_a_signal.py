"""Handles a signal, works in the handler, and leaves by `sys.exit`."""

import os
import signal
import sys

import work


def handle(number, frame):
    work.step(2)
    print("handled", number, flush=True)
    sys.exit(7)


signal.signal(signal.SIGTERM, handle)
work.step(1)
work.call(lambda: os.kill(os.getpid(), signal.SIGTERM))
print("not reached")
