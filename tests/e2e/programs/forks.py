"""Forks with one thread; from Python 3.12 on a second thread, were it ours, would be warned of."""

import os

import work

for number in range(10):
    work.step(number)
    child = os.fork()
    if not child:
        work.step(number)
        os._exit(number)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), end=" ", flush=True)
