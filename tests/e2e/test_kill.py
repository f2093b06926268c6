"""kill -9 while events are written: what is there is whole, and what is missing is the last moment."""

import json
import signal
import time

import pytest

# Each span, then a line of the program's own about it: its number and when it ended.
PROGRAM = """
import os, sys, time, work
log = os.open("progress", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
print("started", flush=True)
for number in range(10**9):
    work.step(number)
    os.write(log, b"%d %d\\n" % (number, time.monotonic_ns()))
    if number % 20 == 0:
        time.sleep(0.002)
"""

SLACK_SECONDS = 2
"""For a machine that is busy with other things; the program runs for longer than this and the interval."""


@pytest.mark.parametrize("interval", [0.05, 0.5])
def test_kill_9(program, interval):
    """Every line is whole, none is missing in between, and nothing that ended an interval before the kill is lost."""
    subject = program(PROGRAM)
    subject.environ["DAM_OBS_FLUSH_INTERVAL"] = str(interval)
    process = subject.start()
    process.stdout.readline()
    time.sleep(interval + SLACK_SECONDS + 1)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)

    progress = [tuple(map(int, line.split())) for line in (subject.folder / "progress").read_text().splitlines()]
    *whole, rest = subject.output.read_bytes().split(b"\n")
    recorded = [int(json.loads(line)["input_summary"]) for line in whole]
    lost = progress[len(recorded) :]

    assert rest == b""  # a batch is one write
    assert process.returncode == -signal.SIGKILL
    assert recorded == list(range(len(recorded)))
    assert len(recorded) > 100
    assert not lost or progress[-1][1] - lost[0][1] <= (interval + SLACK_SECONDS) * 1e9


def test_kill_9_after_a_flush(program):
    """What was flushed is there, whatever the interval."""
    subject = program(
        """
        import os, signal, sys, work
        for number in range(300): work.step(number)
        if "dam_obs" in sys.modules:
            assert sys.modules["dam_obs"].flush()
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    subject.environ["DAM_OBS_FLUSH_INTERVAL"] = "60"
    observed = subject.by_hand()

    assert observed.status == -signal.SIGKILL
    assert observed.operations() == {"step": 300}
