"""Falls to a signal's default; what ended an interval before is written."""

import os
import signal

import work

work.step(1)
work.wait_until_written()
os.kill(os.getpid(), signal.SIGTERM)
