"""``dam-obs view --tui`` as a program: in a real terminal, and where there is none."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import msgspec
import pytest

from dam_obs.cli import main


@pytest.fixture
def trace(tmp_path, event):
    path = tmp_path / "trace.jsonl"
    events = [event(f"alt_1_{n}", duration_ns=1_000_000, input_summary=f"turn {n}") for n in range(30)]
    path.write_bytes(msgspec.json.Encoder().encode_lines(events))
    return path


class Terminal:
    """A program in a terminal of 80 columns and 24 lines."""

    def __init__(self, *arguments: str) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "NO_COLOR": "1"}
        self._program = subprocess.Popen(
            [sys.executable, "-m", "dam_obs.cli", *arguments],
            stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(follower)
        self.written = ""

    def until(self, text: str) -> None:
        """Wait until the program has written a text."""
        deadline = time.monotonic() + 60
        while text not in self.written:
            assert time.monotonic() < deadline, self.written[-2000:]
            if select.select([self._leader], [], [], 1)[0]:
                self.written += os.read(self._leader, 65536).decode(errors="replace")

    def press(self, keys: str) -> None:
        os.write(self._leader, keys.encode())

    def ended(self) -> int:
        """Wait until it ends; what it writes meanwhile must go somewhere."""
        while self._program.poll() is None:
            if select.select([self._leader], [], [], 0.1)[0]:
                try:
                    self.written += os.read(self._leader, 65536).decode(errors="replace")
                except OSError:  # the other end is closed
                    break
        return self._program.wait(60)

    def close(self) -> None:
        if self._program.poll() is None:
            self._program.kill()
            self._program.wait()
        os.close(self._leader)


@pytest.fixture
def terminal():
    opened = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(*arguments))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_in_a_terminal(trace, terminal):
    """It opens with the options' filter and number, and leaves a clean terminal behind."""
    program = terminal("view", str(trace), "--tui", "--last", "20", "--status", "success", "-f", "turn")
    program.until("20 events in 20 traces fit")
    assert "the newest 20 of 30 events; --last 30 loads all" in program.written
    program.press("q")

    assert program.ended() == 0
    assert "\x1b[?1049l" in program.written


@pytest.mark.parametrize("arguments", [["--tui"], ["--tui", "--filter", "turn"]])
def test_without_a_terminal(trace, arguments, capfd):
    """It says so, in one line."""
    assert main(["view", str(trace), *arguments]) == 2
    assert "--tui needs a terminal" in capfd.readouterr().err


def test_a_trace_that_is_none_is_refused_before_the_screen_opens(tmp_path, terminal):
    """As in any other command."""
    Path(tmp_path / "notes.txt").write_text("hello\nworld\n")
    program = terminal("view", str(tmp_path / "notes.txt"), "--tui")

    assert program.ended() == 2
    assert "is not a trace" in program.written
    assert "\x1b[?1049h" not in program.written


def test_without_the_option_textual_is_not_imported(trace):
    """What other commands cost stays as it is."""
    code = (
        f"import sys; from dam_obs.cli import main; main(['view', {str(trace)!r}]); sys.exit('textual' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_picture_of_the_guide_can_be_made_again(tmp_path):
    """By the script that made it; it needs no network to be looked at."""
    script = Path(__file__).parents[3] / "docs" / "_ext" / "tui_screenshot.py"
    picture = tmp_path / "tui.svg"
    subprocess.run([sys.executable, str(script), str(picture)], check=True)
    text = picture.read_text(encoding="utf-8")

    assert "ChecksumMismatch" in text
    assert "@font-face" not in text
    assert len(text) < 100_000
