"""Forks, and both processes go on to their end."""

import os

import work

child = os.fork()
for number in range(5):
    work.step(number)
if child:
    os.waitpid(child, 0)
print("child" if not child else "parent", flush=True)
