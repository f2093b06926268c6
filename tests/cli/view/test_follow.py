"""``--follow``: traces as they end, from real files that grow, are rotated and truncated, in a process of its own."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
import pytest

from dam_obs.cli._view.following import Following
from dam_obs.cli._view.picture import Picture
from dam_obs.store.gather import Gathering
from dam_obs.trace.events import TraceEvent

PATIENCE_S = 60.0

PLANNED = "[alt] plan: {} → done (1ms)"
READ = "  └─[mem] read: {} → done (1ms)"


class Followed:
    """The command at work."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dam_obs.view", "--follow", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUTF8": "1"},
            # A shell that runs this in the background would have it ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        self._lines: queue.Queue[str] = queue.Queue()
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line.rstrip("\n"))

    def shows(self, *expected: str) -> None:
        """Wait for as many lines as are expected, and compare."""
        assert [self._lines.get(timeout=PATIENCE_S) for _ in expected] == list(expected)

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def ends(self, signal_number: int | None = None) -> tuple[int, list[str], str]:
        """Its status, the lines that were not asked for, and what it said on standard error."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        if signal_number is None:
            self.process.stdin.close()
        else:
            self.process.send_signal(signal_number)
        said = self.process.stderr.read()
        status = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return status, list(self._lines.queue), said


@pytest.fixture
def follow() -> Iterator[Callable[..., Followed]]:
    """Starts the command; ends it if the test did not."""
    started: list[Followed] = []

    def start(*arguments: str) -> Followed:
        started.append(Followed(*arguments))
        return started[-1]

    yield start
    for each in started:
        each.close()


def encoded(*events: TraceEvent) -> bytes:
    return msgspec.json.Encoder().encode_lines(events)


def append(path: str, *events: TraceEvent) -> None:
    with Path(path).open("ab") as file:
        file.write(encoded(*events))


@pytest.fixture
def turn_of(event: Any) -> Callable[[str], tuple[TraceEvent, TraceEvent]]:
    """A turn as it is written: the read in it ends first."""

    def make(name: str) -> tuple[TraceEvent, TraceEvent]:
        child = event(f"mem_1_{name}", f"alt_1_{name}", hrm_layer="memory", operation="read", input_summary=name)
        return child, event(f"alt_1_{name}", input_summary=name)

    return make


def test_traces_are_shown_through_the_life_of_a_file(follow: Any, turn_of: Any) -> None:
    """Not there yet, made, rotated twice between looks, truncated; each trace once and whole; Ctrl-C is 130."""
    at_work = follow("trace.jsonl")
    append("trace.jsonl", *turn_of("a"))
    at_work.shows(PLANNED.format("a"), READ.format("a"))

    child, root = turn_of("b")
    append("trace.jsonl", child)
    os.replace("trace.jsonl", "trace.jsonl.1")
    append("trace.jsonl", root, *turn_of("c"))
    os.replace("trace.jsonl.1", "trace.jsonl.2")
    os.replace("trace.jsonl", "trace.jsonl.1")
    append("trace.jsonl", *turn_of("d"))
    at_work.shows(*(line for name in "bcd" for line in (PLANNED.format(name), READ.format(name))))

    Path("trace.jsonl").write_bytes(b"")
    append("trace.jsonl", *turn_of("e"))
    at_work.shows(PLANNED.format("e"), READ.format("e"))
    assert at_work.ends(signal.SIGINT) == (130, [], "\n")


def test_what_still_waits_is_shown_at_the_end(follow: Any, turn_of: Any, write: Any) -> None:
    """As a part, and what was no event is told."""
    Path("trace.jsonl").write_bytes(b"hello\n" + encoded(*turn_of("a"), turn_of("b")[0]))
    at_work = follow()
    at_work.shows(PLANNED.format("a"), READ.format("a"))

    assert at_work.ends(signal.SIGINT) == (
        130,
        ["[mem] read: b → done (1ms) [its parent is not in the trace]"],
        (
            "Skipped 1 line of trace.jsonl without an event (1 foreign), first foreign "
            "(JSON is malformed: invalid character (byte 0))\n\n"
        ),
    )


@pytest.mark.parametrize("place", ["nothing_in_it", "nothing_in_it/trace.jsonl"])
def test_a_folder_without_a_trace_is_waited_in(follow: Any, turn_of: Any, folder: Path, place: str) -> None:
    """For its ``trace.jsonl``."""
    (folder / "nothing_in_it").mkdir()
    at_work = follow(place)
    append("nothing_in_it/trace.jsonl", *turn_of("a"))

    at_work.shows(PLANNED.format("a"), READ.format("a"))


def test_what_is_no_file_is_refused(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """A name below a file, as one that cannot be read."""
    from dam_obs.cli import main

    (folder / "file").write_text("")

    assert main(["view", "--follow", "file/trace.jsonl"]) == 2
    assert capsys.readouterr().err.startswith(
        f"dam-obs: error: {folder}/file/trace.jsonl is not a trace: Not a directory"
    )


def test_a_quiet_trace_is_shown_without_its_root(follow: Any, turn_of: Any) -> None:
    """After a time of the user's; the rest is known for a rest when it comes."""
    at_work = follow("trace.jsonl", "--partial-after", "0.5")
    child, root = turn_of("a")
    append("trace.jsonl", child)
    at_work.shows("[mem] read: a → done (1ms) [its parent is not in the trace]")

    append("trace.jsonl", root)
    at_work.shows(f"{PLANNED.format('a')} [parts of it came before]")


def test_what_ends_after_its_root_is_shown_late(follow: Any, turn_of: Any) -> None:
    """A task that nobody awaited."""
    at_work = follow("trace.jsonl")
    child, root = turn_of("a")
    append("trace.jsonl", root)
    at_work.shows(PLANNED.format("a"))

    append("trace.jsonl", child)
    at_work.shows("[mem] read: a → done (1ms) [its trace was shown before]")


def test_filters_and_forms_apply(follow: Any, turn_of: Any, event: Any) -> None:
    """Only what fits, with those above it marked; as JSON lines without them."""
    failed = event("mem_1_x", "alt_1_x", hrm_layer="memory", operation="read", input_summary="x", status="error")
    trees, lines = (
        follow("trace.jsonl", "-f", "status:error", "--critical"),
        follow("trace.jsonl", "-f", "status:error", "--jsonl"),
    )
    append("trace.jsonl", *turn_of("a"), failed, turn_of("x")[1])

    trees.shows(
        f"{PLANNED.format('x')} [context]",
        "  └─[mem] read: x → error (1ms) [critical 1 ms, 100 %]",
    )
    lines.shows(encoded(failed).decode().rstrip("\n"))


def test_of_what_is_there_the_newest_traces_come_first(follow: Any, turn_of: Any) -> None:
    """As many events as were asked for, in whole traces; one trace at least. One that is open goes on."""
    child, root = turn_of("d")
    append("trace.jsonl", *turn_of("a"), *turn_of("b"), *turn_of("c"), child)
    several, one = follow("--last", "5"), follow("--last", "1")

    several.shows(*(line for name in "bc" for line in (PLANNED.format(name), READ.format(name))))
    one.shows(PLANNED.format("c"), READ.format("c"))
    append("trace.jsonl", root)
    several.shows(PLANNED.format("d"), READ.format("d"))


def test_a_pipe_is_followed_until_it_is_closed(follow: Any, turn_of: Any) -> None:
    """While it is open traces are shown; its end is the end, with status 0."""
    at_work = follow("-", "--trace-id", "mem_1_b")
    os.write(at_work.process.stdin.fileno(), encoded(*turn_of("a"), *turn_of("b")))
    at_work.shows(PLANNED.format("b"), READ.format("b"))
    os.write(at_work.process.stdin.fileno(), encoded(turn_of("b")[0])[:-1])

    assert at_work.ends() == (0, ["[mem] read: b → done (1ms) [its trace was shown before]"], "")


@pytest.mark.parametrize("form", ["json", "md", "summary"])
def test_a_form_with_an_end_cannot_be_followed(capsys: pytest.CaptureFixture[str], form: str) -> None:
    """Said at once, not after the first trace."""
    from dam_obs.cli import main

    assert main(["view", "--follow", f"--{form}"]) == 2
    assert capsys.readouterr().err.startswith(
        f"dam-obs: error: --{form} needs the whole trace: with --follow there are"
    )


# -- bounded memory, without a process


class Given:
    """Lines that are there."""

    ended = False

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def lines(self) -> Iterator[bytes]:
        self.ended = True
        yield from self._lines


def test_beyond_the_bound_the_oldest_traces_go_and_are_counted(
    turn_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whole traces; what is whole is shown all the same; the root of one that went is known for a part."""
    waiting = [turn_of(f"w{number}")[0] for number in range(30)]
    pictures: list[Picture] = []
    following = Following(
        Given([encoded(each)[:-1] for each in [*turn_of("a"), *waiting, turn_of("w0")[1]]]),
        name="trace.jsonl", gathering=Gathering(held_events=20), asked=None, named=None, show=pictures.append,
    )  # fmt: skip
    following.run(last=999)

    roots = [picture.root.trace_id for picture in pictures]
    assert roots[0] == "alt_1_a"
    gone = 30 - sum(root.startswith("mem_1_w") for root in roots)
    assert 0 < gone <= 12
    assert [picture.remarks for picture in pictures if picture.root.trace_id == "alt_1_w0"] == [
        ("parts of it came before",)
    ]
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"Let go of {gone} traces with {gone} events, the oldest first: too many were waiting for their roots."
    )


def test_an_interrupt_while_the_first_traces_are_shown_loses_nothing_said(
    turn_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was no event was told before, once."""

    def interrupted(picture: Picture) -> None:
        raise KeyboardInterrupt

    following = Following(
        Given([b"hello", *encoded(*turn_of("a")).splitlines()]),
        name="trace.jsonl", gathering=Gathering(), asked=None, named=None, show=interrupted,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        following.run(last=999)

    assert capsys.readouterr().err == (
        "Skipped 1 line of trace.jsonl without an event (1 foreign), first foreign "
        "(JSON is malformed: invalid character (byte 0))\n"
    )
