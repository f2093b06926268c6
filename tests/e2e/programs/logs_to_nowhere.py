"""Its log handler raises."""

import logging

import work


class Broken(logging.Handler):
    def handle(self, record):
        raise OSError("no log")


logging.basicConfig(handlers=[Broken()], level=1)
for number in range(300):
    work.step(number)
print("done")
