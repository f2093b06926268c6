"""
Runs in which everything that a host, or whoever feeds it, can choose was chosen to do harm.

A run of the example pipeline is written, and strings and numbers all over its files are replaced: names, paths, values,
features, stacks, the manifest, notes of processes. Every command reads it then; what is printed and written is
what the tests look at.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dam_obs.cli import main
from dam_obs.sample.samples import TAG
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run

NASTY = [
    # terminals
    "\x1b[2J\x1b[31m", "\x1b]0;title\x07", "\x9b31m", "\x1b]8;;http://e.x\x1b\\link", "\r\n", "a\rb", "\b\b",
    "\0", "\x7f",
    "\u202egpj.exe", "\u2066x\u2069", "\u2028", "\u2029", "\x85", "\ufeff", "\u200b", "\U000e0041",
    # markup
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--", "-->", "]]>", "&lt;b&gt;",
    "\" onload=\"x",
    "' onload='x", "javascript:alert(1)", "<svg/onload=alert(1)>", "</title><h1>", "<https://e.x>",
    # Markdown
    "[x](http://e.x)", "![x](http://e.x/y.png)", "`", "``` \n# x", "| a | b |", "\n\n# head", "**b**", "@someone",
    "#12", "http://e.x",
    "[x]: http://e.x", "\\`", "~~~", "- [ ] x", "</summary></details>", "$$x$$", ":smile:", "www.e.x", "a@e.x",
    # code and templates
    "');CANARY()#", '"""\nCANARY()\n"""', "{{7*7}}", "{% include '/etc/passwd' %}", "{0.__class__}", "%s%n", "\\N{BEL}",
    "\\x1b",
    "${CANARY}", "$(CANARY)", "f'{CANARY()}'", "__import__('os')", "\nCANARY()", "[red]x[/red]", "[link=http://e.x]x",
    # data formats
    "=1+2", "a,b\n", "a;b 12", "\"}],", "= [\"x\"]", "NaN", "-Infinity", "../../../etc/passwd", "file:///etc/passwd",
    "C:\\x:1",
    "", " ", "x" * 3_000, "é" * 200, "名" * 50, "\u0301" * 40, "ﷺ" * 10, "👩‍👩‍👧‍👦",
]  # fmt: skip

SURROGATES = ["\ud83d", "\udc80"]
"""No text that UTF-8 can hold; a file may spell them as escapes."""

NUMBERS = [0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 1e308, -1e308, 5e-324, -0.0, 0.1]
WILD = ["NaN", "Infinity", "-Infinity", "1e999", "1" * 400, "-" + "9" * 30, "1.5", '"x"', "null", "true", "[]", "{}"]
"""Written in a number's place as they are."""

FIXED = {"trace_id", "parent_id", "otel_trace_id", "otel_span_id", "otel_parent_id", "kind", "timestamp", "hrm_layer"}
"""Values that would make it another event, or none."""

_SGR = re.compile(r"\x1b\[[0-9;]*m")
_PROGRESS = re.compile(r"\x1b\[(?:[0-9;]*m|2K|1A|\?25[lh])|\r")
"""What a progress bar of ours prints, on standard error."""


@dataclass(frozen=True)
class Ran:
    """What a command printed."""

    status: int
    out: str
    err: str


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def call(*arguments: str, terminal: bool = False) -> Ran:
    """Run a command in this process, as a shell would; on a terminal it may use colours."""
    made = _Terminal if terminal else io.TextIOWrapper
    out, err = (made(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(list(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8"))  # type: ignore[attr-defined]
    return Ran(status, *texts)


def assert_harmless(text: str, *, colours: bool = False, progress: bool = False) -> None:
    """Nothing in it moves a cursor, hides, reorders or breaks a line; colours, and bars of progress, are our own."""
    plain = (_PROGRESS if progress else _SGR).sub("", text) if colours else text
    bad = {char for char in plain if not char.isprintable() and char not in "\n\u200c\u200d"}
    assert not bad, sorted(bad)


class Harm:
    """Replaces strings and numbers, as a seed says."""

    def __init__(self, seed: int, share: float, *, wild: bool = False) -> None:
        self.dice = random.Random(seed)
        self.share = share
        self.wild = wild
        self._marks: list[str] = []

    def text(self, plain: str) -> str:
        if self.dice.random() > self.share:
            return plain
        some = "".join(
            self.dice.choices([*NASTY, *(SURROGATES if self.wild else [])], k=self.dice.choice([1, 1, 2, 3]))
        )
        return self.dice.choice(
            [some, plain + some, some + plain, plain[: len(plain) // 2] + some + plain[len(plain) // 2 :]]
        )

    def number(self, plain: float) -> Any:
        if self.dice.random() > self.share / 4:
            return plain
        if self.wild and self.dice.random() < 0.3:
            self._marks.append(self.dice.choice(WILD))
            return f"@@{len(self._marks) - 1}@@"
        return self.dice.choice(NUMBERS)

    def value(self, value: Any, key: str = "") -> Any:
        """Replace in it what is not fixed, keys among others."""
        if key in FIXED or isinstance(value, bool) or value is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int | float):
            return self.number(value)
        if isinstance(value, list):
            return [self.value(each, key) for each in value]
        own = key in ("metadata", "features", "touched", "io", "code")
        return {self.text(name) if own and key in ("metadata", "features") else name: self.value(each, name)
                for name, each in value.items()}  # fmt: skip

    def dump(self, value: Any) -> str:
        text = json.dumps(value)
        return re.sub(r'"@@(\d+)@@"', lambda found: self._marks[int(found[1])], text)


def write_hostile_run(
    folder: Path, seed: int, *, share: float = 0.3, wild: bool = False, assets: int = 12
) -> RunFolder:
    """Write a run of which any part may be anything, and which still is one."""
    run = write_example_run(folder, seed % 5, assets)
    harm = Harm(seed, share, wild=wild)
    systems: dict[str, str] = {}
    lines = []
    for line in run.trace.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        component = systems.setdefault(event["component"], harm.text(event["component"]))
        changed = harm.value({name: each for name, each in event.items() if name != "status"})
        lines.append(harm.dump(changed | {"component": component, "status": event["status"]}))
    run.trace.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    harm.wild = False  # a manifest or a profile that is no JSON is refused as a whole
    profile = json.loads(run.raw_profile.read_text(encoding="utf-8"))
    for frame in profile["shared"]["frames"]:
        if not frame["name"].startswith(TAG):
            frame |= {"name": harm.text(frame["name"]), "file": harm.text(frame["file"])}
    for thread in profile["profiles"]:
        thread["name"] = harm.text(thread["name"])
    run.raw_profile.write_text(json.dumps(profile), encoding="utf-8")

    manifest = json.loads(run.manifest.read_text(encoding="utf-8"))
    for key in ("command", "run_id", "dam_obs_version", "versions", "settings", "privilege", "absent"):
        manifest[key] = harm.value(manifest[key], "x")
    for key in ("python", "implementation", "kernel", "machine"):
        manifest["host"][key] = harm.text(manifest["host"][key])
    manifest["sampler"]["sampler"] = harm.text(manifest["sampler"]["sampler"])
    run.manifest.write_text(json.dumps(manifest), encoding="utf-8")
    for note in run.processes.glob("*.json"):
        content = json.loads(note.read_text(encoding="utf-8"))
        content["program"] = harm.text(content["program"])
        note.write_text(json.dumps(content), encoding="utf-8")
    return run


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """What tests of every command need."""
    return SimpleNamespace(call=call, assert_harmless=assert_harmless, tame=write_example_run, write=write_hostile_run)


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """A maker of hostile runs, each in a folder of its own that is then the current one."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    here = os.getcwd()
    made = 0

    def make(seed: int, **how: Any) -> Path:
        nonlocal made
        made += 1
        folder = tmp_path / f"{made:04}"
        folder.mkdir()
        write_hostile_run(folder / "run", seed, **how)
        os.chdir(folder)
        return folder

    yield make
    os.chdir(here)
