"""A thousand threads at once, each of which opens a file."""

import threading

import work

barrier = threading.Barrier(1000)


def run():
    work.step(1)
    work.call(barrier.wait)
    open("/dev/null").close()
    barrier.wait()


threads = [threading.Thread(target=run) for _ in range(1000)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
