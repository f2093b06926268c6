"""Closes the objects behind standard output and error."""

import sys

import work

print("before", flush=True)
sys.stderr.close()
sys.stdout.close()
for number in range(300):
    work.step(number)
