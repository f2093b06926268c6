"""Ends with an uncaught error."""

import work

work.step(1)
raise ValueError("x")
