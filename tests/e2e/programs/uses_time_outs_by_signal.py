"""A signal handler raises into whatever runs; no time-out may be lost."""

import signal

import work


class Late(Exception):
    pass


def handle(number, frame):
    raise Late


signal.signal(signal.SIGALRM, handle)


def forever(number):
    signal.setitimer(signal.ITIMER_REAL, 0.002)
    while True:
        work.step(sum(range(number * 10)))


late = 0
for number in range(200):
    try:
        forever(number)
    except Late:
        late += 1
print(late)
