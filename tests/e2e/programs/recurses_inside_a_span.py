"""Runs out of stack inside a traced call."""

import work


def dig(depth):
    return dig(depth + 1)


for _ in range(3):
    try:
        work.call(lambda: dig(0))
    except RecursionError as error:
        print(type(error), str(error)[:32])
print(work.step(5))
