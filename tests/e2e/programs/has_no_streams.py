"""Has `None` for its standard streams, as a windowed program."""

import sys

import work

sys.stdin = sys.stdout = sys.stderr = None
for number in range(300):
    work.step(number)
