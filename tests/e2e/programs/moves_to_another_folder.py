"""Changes directory: events stay where they were to go."""

import os
import time

import work

work.step(1)
os.mkdir("elsewhere")
os.chdir("elsewhere")
time.sleep(0.5)
work.step(2)
time.sleep(0.5)
print(os.listdir())
os.chdir("..")
os.rmdir("elsewhere")
