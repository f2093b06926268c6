"""`sys.exit` with a message."""

import sys

import work

work.step(1)
sys.exit("words")
