"""Ctrl-C, caught once and not caught once."""

import os
import signal

import work

work.step(1)
try:
    work.call(lambda: os.kill(os.getpid(), signal.SIGINT))
except KeyboardInterrupt:
    print("caught")
work.call(lambda: os.kill(os.getpid(), signal.SIGINT))
