"""Spans end in `__del__`, in atexit, in daemon threads, or never."""

import atexit
import threading
import time

import work


class Late:
    def __init__(self):
        self.work = work.items(3)
        next(self.work)

    def __del__(self, step=work.step):
        step("del")
        self.work.close()


atexit.register(lambda: work.step("atexit"))
kept = Late()
kept.itself = kept


def forever(step=work.step):
    while True:
        step("daemon")
        time.sleep(0.0001)


for _ in range(5):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.05)
pending = work.later(1)
pending.send(None)
generator = work.items(3)
next(generator)
print("done")
