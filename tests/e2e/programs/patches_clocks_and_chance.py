"""Lets clocks stand still, seeds and replaces randomness."""

import os
import random
import time

import work

random.seed(1)
drawn = random.random()
time.time = time.time_ns = lambda: 0
time.monotonic = time.perf_counter = lambda: 0.0
time.monotonic_ns = time.perf_counter_ns = time.thread_time_ns = lambda: 0
time.sleep = lambda seconds: None
for number in range(300):
    work.step(number)
os.urandom = lambda number: bytes(number)
os.getpid = lambda: 1
random.seed(1)
for number in range(300):
    work.step(number)
print(drawn == random.random())
