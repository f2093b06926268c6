"""Falls to a signal's default; what ended an interval before is written."""

import os
import signal
import time

import work

work.step(1)
time.sleep(0.6)
os.kill(os.getpid(), signal.SIGTERM)
