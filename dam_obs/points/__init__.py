"""
What is traced: trace points as data, and attaching them to programs that know nothing of it.

`load` reads trace-point files, `attach` puts their points onto functions and `hosts` onto
pluggy hooks; `activate` does all of it for a process. Recording itself is `dam_obs.trace`'s.
"""
