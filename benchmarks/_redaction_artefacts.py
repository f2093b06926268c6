"""
The way of secrets through everything that dam-obs writes: recorded by a real program, then read by every command.

`artefacts` runs ``_redaction_program.py`` with its files, its console and an OTLP receiver on loopback; makes
a run folder of that, with the secrets in frames and names of threads, too, as a sampler would have found
them; and has every command read it. `leaks` looks for any part of any secret in all that came out.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from _redaction_program import secrets

from dam_obs.cli import main as dam_obs_main
from dam_obs.sample.folding import keep_profile
from dam_obs.store.manifest import HostNote, Manifest, SamplerStats, write_manifest
from dam_obs.store.runs import RunFolder
from dam_obs.trace.redact import Redactor

RUN = 12
"""Characters in a row that make a leak."""

FRAMES = 2_000
"""Secrets that stand in names of functions, files and threads."""

HERE = Path(__file__).parent
POINTS = """
[host]
name = "redaction"

[[points]]
layer = "system"
operation = "execute"
meaning = "Takes a command"
command = "args.job"

[[points.targets]]
function = "_redaction_program:handle"
"""
SOURCE = '''"""What is drafted into."""


def handle(job):
    """Take a job."""


class Handle:
    """Declares a cost that is not so."""

    @classmethod
    async def calculate_traits(cls, job, world):
        return [ExecutionCostTrait(priority=50, time_ms=10_000)]
'''
COMMANDS = {
    "report": ["report", "run", "--force"],
    "report.stdout.json": ["report", "run", "--json"],
    "drafts": ["draft", "run", "--output", "drafts"],
    "stub": ["draft", "run", "--stdout"],
    "review": ["draft", "run", "--review"],
    "patch": ["draft", "run", "--patch", "--source", "src"],
    "prompt": ["draft", "run", "--prompt"],
    "check": ["check", "run", "--source", "src", "--sarif", "drift.sarif"],
    "check.json": ["check", "run", "--source", "src", "--json"],
    "view": ["view", "run", "--last", "5000"],
    "view.json": ["view", "run", "--json", "--last", "5000"],
    "view.md": ["view", "run", "--md", "--last", "5000"],
    "view.summary": ["view", "run", "--summary"],
    "view.jsonl": ["view", "run", "--jsonl", "--last", "5000"],
    "view.otlp": ["view", "run", "--otlp", "--last", "5000"],
    "stats": ["stats", "run"],
    "stats.json": ["stats", "run", "--json"],
    "stats.by": ["stats", "run", "--by", "@note"],
    "diff": ["diff", "run", "run"],
    "diff.md": ["diff", "run", "run", "--md"],
    "diff.json": ["diff", "run", "run", "--json", "--folded", "both.folded"],
    "speedscope": ["export", "run", "--format", "speedscope", "--force"],
    "chrome": ["export", "run", "--format", "chrome", "--force"],
    "folded": ["export", "run", "--format", "folded", "--force"],
    "otlp-profiles": ["export", "run", "--format", "otlp-profiles", "--force"],
}


def artefacts(folder: Path, seed: int, number: int) -> dict[str, str]:
    """
    Record, read and write everything.

    Returns:
        Text by artefact; what is binary as if it were Latin-1.
    """
    run = RunFolder(folder / "run")
    run.path.mkdir(parents=True)
    (folder / "src").mkdir()
    (folder / "src" / "_redaction_program.py").write_text(SOURCE, encoding="utf-8")
    (run.path / "points.toml").write_text(POINTS, encoding="utf-8")
    made = _record(run, seed, number)
    _complete(run, seed, number)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name, command in COMMANDS.items():
            made[f"{name} (printed)"] = _printed(command)
    finally:
        os.chdir(before)
    (folder / "src" / "_redaction_program.py").unlink()
    (run.path / "points.toml").unlink()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            made[str(path.relative_to(folder))] = _read(path)
    return made


def _read(path: Path) -> str:
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _record(run: RunFolder, seed: int, number: int) -> dict[str, str]:
    """Run the program; return its console, with what dam-obs logged, and the bodies that went out by OTLP."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = os.environ | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRICS_EXPORTER": "none",
        }
        with (run.path.parent / "console.txt").open("wb") as console:
            subprocess.run(
                [sys.executable, str(HERE / "_redaction_program.py"), str(seed), str(number), str(run.trace)],
                check=True,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        server.shutdown()
    return {"OTLP bodies": b"\n".join(bodies).decode("latin-1")}


def _complete(run: RunFolder, seed: int, number: int) -> None:
    """Add what a sampler leaves: a profile whose frames and threads are named after secrets, and the manifest."""
    tags = re.findall(r'"otel_span_id":"([0-9a-f]{16})"', run.trace.read_text(encoding="utf-8"))[:FRAMES]
    kept = [(way, holds["name"]) for way, _, holds, _ in secrets(seed, number) if way in ("name", "file")][:FRAMES]
    shapes = [whole for _, whole in kept]
    frames = [
        {"name": whole, "file": f"/srv/{whole if way == 'file' else 'x'}/app.py", "line": 1, "col": None}
        for way, whole in kept
    ]
    frames += [{"name": f"dam:{tag}", "file": "<dam_obs>", "line": 1, "col": None} for tag in tags]
    samples = [[len(shapes) + at % len(tags), at] for at in range(len(shapes))] if tags else []
    profile = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "profiles": [
            {
                "type": "sampled",
                "name": f'Process 1 Thread {at + 1} "{whole[:300]}"',
                "unit": "seconds",
                "startValue": 0.0,
                "endValue": 1.0,
                "samples": samples[at::20],
                "weights": [0.01] * len(samples[at::20]),
            }
            for at, whole in enumerate(shapes[:20])
        ],
        "shared": {"frames": frames},
        "activeProfileIndex": None,
        "exporter": "py-spy@0.4.3",
        "name": "py-spy profile",
    }
    part = run.path / "part.json"
    part.write_text(json.dumps(profile), encoding="utf-8")
    keep_profile([part], run.raw_profile, Redactor())
    part.unlink(missing_ok=True)
    write_manifest(
        run,
        Manifest(
            run_id="redaction",
            dam_obs_version="0",
            versions={},
            started="2026-01-13T14:00:00+00:00",
            duration_ns=10**10,
            command="program",
            exit_status=0,
            host=HostNote(python="3", implementation="CPython", kernel="Linux", machine="x86_64", cpus=2),
            settings={},
            privilege="root",
            absent=[],
            complete=True,
            sampler=SamplerStats(
                sampler="py-spy 0.4.3", rate_asked_hz=100, samples=len(samples), failed=0, late=0, seconds=10.0
            ),
        ),
    )


def _printed(command: Iterable[str]) -> str:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), contextlib.suppress(SystemExit):
        dam_obs_main(list(command))
    out.flush()
    content = out.buffer.getvalue() if isinstance(out.buffer, io.BytesIO) else b""
    return content.decode("utf-8")


# -- looking for them

_STEP = RUN // 2 + 1
_PIECE = RUN - _STEP + 1
"""Any `RUN` characters of a secret hold one whole piece of so many that begins at a multiple of `_STEP`."""


class Known:
    """All secrets, to be looked for at once."""

    def __init__(self, known: Iterable[tuple[str, str]]) -> None:
        """Take secrets, each with the rule that knows it."""
        self.number = 0
        self._pieces: dict[str, list[tuple[str, str]]] = {}
        for rule, secret in known:
            self.number += 1
            for at in range(0, max(len(secret) - _PIECE, 0) + 1, _STEP):
                self._pieces.setdefault(secret[at : at + _PIECE], []).append((rule, secret))

    def leaks(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield each secret of which `RUN` characters in a row stand in a text, with its rule."""
        words = set(re.findall(rf"[^\s\"'\\,;<>&(){{}}\[\]]{{{RUN},}}", text))
        found = set()
        for word in words:
            for at in range(len(word) - _PIECE + 1):
                for rule, secret in self._pieces.get(word[at : at + _PIECE], ()):
                    if secret not in found and _share_a_run(secret, word):
                        found.add(secret)
                        yield rule, secret


def _share_a_run(secret: str, word: str) -> bool:
    return any(secret[at : at + RUN] in word for at in range(len(secret) - RUN + 1))


def leaks(seed: int, number: int, made: dict[str, str]) -> tuple[int, dict[str, Counter[str]]]:
    """Return how many secrets there were, and by artefact the leaks by rule."""
    known = Known((rule, secret) for _, rule, _, secret in secrets(seed, number))
    return known.number, {name: Counter(rule for rule, _ in known.leaks(text)) for name, text in made.items()}
