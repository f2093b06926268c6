"""Forks while threads work."""

import os
import threading
import warnings

import work

warnings.simplefilter("ignore", DeprecationWarning)  # its own, from Python 3.12 on
stop = threading.Event()
threads = [
    threading.Thread(target=lambda: [work.step(1) for _ in iter(lambda: stop.wait(0.001), True)]) for _ in range(3)
]
for thread in threads:
    thread.start()
for number in range(20):
    child = os.fork()
    if not child:
        work.step(number)
        os._exit(number)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), end=" ", flush=True)
stop.set()
for thread in threads:
    thread.join()
