"""Replaces functions of `time` and `os` by mocks while events are written."""

import time
from unittest import mock

import work

with mock.patch("time.time"), mock.patch("time.monotonic"), mock.patch("time.thread_time_ns"):
    for number in range(300):
        work.step(number)
    time.sleep(0.3)
with mock.patch("os.write"), mock.patch("os.open"), mock.patch("os.fstat"), mock.patch("os.stat"):
    for number in range(300):
        work.step(number)
    time.sleep(0.3)
print("done")
