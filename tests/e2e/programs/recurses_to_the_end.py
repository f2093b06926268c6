"""Recurses through traced calls until the stack is used up."""

import work


def dig(depth):
    try:
        return work.call(lambda: dig(depth + 1))
    except RecursionError:
        work.step(depth)
        raise


try:
    dig(0)
except RecursionError as error:
    print(type(error), str(error)[:32])
print(work.step(5))
