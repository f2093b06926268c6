"""
A small asset pipeline that works on real files: the program that dam-obs is shown on.

It knows nothing of any observer. It keeps its own log of what ran for whom, so that what
an observer says about it can be checked.
"""
