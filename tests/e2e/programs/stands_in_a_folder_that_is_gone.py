"""Its current folder has been deleted."""

import os

import work

os.mkdir("gone")
os.chdir("gone")
os.rmdir("../gone")
for number in range(300):
    work.step(number)
open("/dev/null").close()
