"""``dam-obs diff`` of two runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dam_obs.cli import main
from dam_obs.cli.diff import command
from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.write import write_json
from dam_obs.sample.samples import TAG
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run

GUIDE = Path(__file__).parents[2] / "docs" / "diff.md"
COMPRESS = "asset_pipeline.systems:CompressAsset"
JOURNAL = "asset_pipeline.systems:WriteJournal"


def plant(run: RunFolder) -> None:
    """Have compressing take three times as long, on the CPU, and the journal write five times as much."""
    events = [json.loads(line) for line in run.trace.read_text(encoding="utf-8").splitlines()]
    spans = {event["otel_span_id"] for event in events if event["component"] == COMPRESS}
    for event in events:
        if event["component"] == COMPRESS:
            event["cpu_ns"] += 2 * event["duration_ns"]
            event["duration_ns"] *= 3
        elif event["component"] == JOURNAL:
            event["io"]["write_bytes"] *= 5
    run.trace.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    profile = json.loads(run.raw_profile.read_text(encoding="utf-8"))
    frames = profile["shared"]["frames"]
    frames.append({"name": "squeeze", "file": "/home/ann/asset_pipeline/systems.py", "line": 77, "col": None})
    tags = {number for number, frame in enumerate(frames) if frame["name"].removeprefix(TAG) in spans}
    for thread in profile["profiles"]:
        more = 2 * [[*sample[:-1], len(frames) - 1] for sample in thread["samples"] if tags.intersection(sample)]
        thread["samples"] += more
        thread["weights"] += thread["weights"][:1] * len(more)
    run.raw_profile.write_text(json.dumps(profile), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs ``old``, ``again`` and ``new``, and the reports of the first and the last."""
    below = tmp_path_factory.mktemp("runs")
    for name, seed in (("old", 0), ("again", 1), ("new", 1)):
        run = write_example_run(below / name, seed)
        if name == "new":
            plant(run)
        if name != "again":
            write_json(run.report_json, build_report(run))
    return below


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In that folder."""
    monkeypatch.chdir(folder)


def diff(*arguments: str, status: int = 0, columns: int = 100) -> tuple[str, str]:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False, env={"COLUMNS": str(columns)})
    assert result.exit_code == status, result.output
    return "\n".join(line.rstrip() for line in result.stdout.splitlines()), result.stderr


def test_what_got_slower_and_what_it_is_made_of() -> None:
    """As the guide shows it."""
    out, err = diff("old", "new")

    assert out in GUIDE.read_text(encoding="utf-8")
    assert err == ""
    assert re.search(r"CompressAsset \(system\.execute\) +186 .*\n  slower 2\.\d+× ", out)
    assert re.search(r"\n  on CPU +\S+ µs +\S+ ms +rose \+", out)
    assert re.search(r"\n    \+\S+ ms \[.*\] +__call__ › squeeze \(asset_pipeline/systems\.py\)", out)
    assert re.search(r"\n  write nvme0n1 \(disk\) .* rose \+", out)


def test_alike_runs_have_a_table_alone() -> None:
    """No system is taken apart."""
    out, _ = diff("old", "again")

    assert "an execution" not in out
    assert re.search(r"\n\d same, \d too few to tell\.\n", out)


def test_json_has_events_and_runs() -> None:
    """In the one document, the events as ever."""
    document = json.loads(diff("old", "new", "--json")[0])
    runs = document["runs"]
    (system,) = [each for each in runs["systems"] if each["component"] == COMPRESS]

    assert document["by"] == "layer.operation"
    assert {group["group"] for group in document["groups"]} == {
        "altitude.execute",
        "focus.gate_check",
        "system.execute",
    }
    assert runs["before"] | {"duration_ns": 0} == {
        "run_id": "20260113-140000-example", "command": "pipeline.py", "started": "2026-01-13T14:00:00+00:00",
        "duration_ns": 0, "executions": 1374, "samples": 495, "verdict": "usable", "single_executions": True,
    }  # fmt: skip
    assert (system["changed"], system["time"]["verdict"], system["mean"]["verdict"]) == (True, "slower", "rose")
    assert {part["name"]: part["verdict"] for part in system["parts"]} == {
        "on CPU": "rose", "awaiting": "same", "block I/O": "same", "run queue": "same", "other": "same",
    }  # fmt: skip
    assert system["equal_input"]["verdict"] == "slower"


def test_reports_are_compared_without_their_folders(tmp_path: Path) -> None:
    """By any name that ends so; groups are systems then."""
    for name in ("old", "new"):
        (tmp_path / f"{name}.json").write_bytes(Path(name, "report.json").read_bytes())
    document = json.loads(diff(str(tmp_path / "old.json"), str(tmp_path / "new.json"), "--json")[0])

    assert (document["by"], document["before"]["events"]) == ("system", 1374)
    assert {group["group"]: group["verdict"] for group in document["groups"]}[
        f"{COMPRESS} (system.execute)"
    ] == "slower"
    assert document["runs"]["before"]["single_executions"] is False
    assert "there is a report alone" in diff("old/report.json", "new")[0]


def test_markdown_for_a_pull_request() -> None:
    """With the same figures."""
    out, _ = diff("old", "new", "--md")

    assert out.startswith("## What changed\n\n- Before: run 20260113-140000-example of pipeline\\.py, 1,374 ")
    assert f"\n### `{COMPRESS} (system.execute)`\n\n| an execution | before | after | change | |\n| --- |" in out
    assert re.search(r"\n\| on CPU \| .* \| \*\*rose\*\* \|\n", out)
    assert re.search(r"\n- .* in `__call__ › squeeze \(asset_pipeline/systems.py\)`\n?", out)


def test_events_as_markdown() -> None:
    """Of traces, or of parts of them."""
    out, _ = diff("old", "--last", "200", "--md")

    assert out.splitlines()[:3] == [
        "## What changed", "", "- Before: 200 events of old/trace\\.jsonl, those before the newest 200",
    ]  # fmt: skip
    assert "\n| group | verdict | change | events | median | p95 | errors |\n" in out


def test_folded_stacks_have_both_counts(tmp_path: Path) -> None:
    """A line a stack, below its system, as flamegraph.pl takes it."""
    diff("old", "new", "--folded", str(tmp_path / "both.folded"))
    lines = (tmp_path / "both.folded").read_text(encoding="utf-8").splitlines()

    assert all(re.fullmatch(r"[^;]+(;[^;]+)* \d+ \d+", line) for line in lines)
    assert [line for line in lines if "squeeze" in line] == [
        f"{COMPRESS} (system.execute);__call__ (asset_pipeline/systems.py);squeeze (asset_pipeline/systems.py) 0 582"
    ]
    assert sum(int(line.split()[-2]) for line in lines) == 495


@pytest.mark.parametrize(
    ("limits", "status", "says"),
    [
        ((), 0, ""),
        (("slower:20%",), 1, f"Not within the limit: {COMPRESS} (system.execute) is slower by "),
        (("slower:300%", "errors"), 0, ""),
    ],
)
def test_limits_hold_for_systems(limits: tuple[str, ...], status: int, says: str) -> None:
    """Of reports; of folders also where many share an operation, whose durations as a whole do not tell."""
    _, err = diff(
        "old/report.json",
        "new/report.json",
        *(word for limit in limits for word in ("--fail-on", limit)),
        status=status,
    )

    assert err.startswith(says)
    assert len(err.splitlines()) == bool(says)


def test_what_chooses_events_compares_events() -> None:
    """Filters, windows and groupings of one's own are about events; files of events, too, wherever they lie."""
    for arguments in (("-f", "layer:system"), ("--last", "500"), ("--by", "component")):
        assert json.loads(diff("old", "new", "--json", *arguments)[0])["runs"] is None
    assert json.loads(diff("old/trace.jsonl", "new/trace.jsonl", "--json")[0])["runs"] is None


def test_runs_without_executions_are_compared_by_events(tmp_path: Path) -> None:
    """Moments alone make no system; that is said."""
    for name in ("a", "b"):
        events = [
            json.loads(line) | {"kind": "event"} for line in Path("old/trace.jsonl").read_text().splitlines()[:20]
        ]
        folder = tmp_path / ".dam-obs" / "runs" / name
        folder.mkdir(parents=True)
        (folder / "trace.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    os.chdir(tmp_path)
    out, err = diff("a", "b")

    assert err.startswith("Only events are compared: ")
    assert out.startswith("Before: 20 events of ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["old/report.json"], "need two whole runs"),
        (["old/report.json", "new", "--last", "5"], "need two whole runs"),
        (["old", "new", "--folded", "x", "--by", "component"], "need two whole runs"),
        (["old", "new", "--json", "--md"], "do not go together"),
        (["old/report.json", "new/trace.jsonl"], "need two whole runs"),
        (["old", "nothing/report.json"], "no trace at nothing/report.json"),
    ],
)
def test_what_is_typed_wrong(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what, and the status is 2."""
    assert main(["diff", *arguments]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("columns", [40, 60, 80, 160])
def test_it_fits_its_terminal(columns: int) -> None:
    """Circumstances and file names apart, which are to be copied."""
    out, _ = diff("old/report.json", "new/report.json", columns=columns)

    assert max(len(line) for line in out.splitlines()[3:]) <= columns
    assert "squeeze" in out


PROGRAM = """
import asyncio, hashlib, os, random, sys
from dataclasses import dataclass

ROUNDS, WAIT_S, COPIES = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])

@dataclass
class Order:
    number: int
    size: int

def digest(rounds):
    value = b""
    for _ in range(rounds):
        value = hashlib.sha256(value).digest()

def price(order):
    digest(ROUNDS * order.size)

async def ask(order):
    await asyncio.sleep(WAIT_S)

def save(order):
    digest(15_000)  # the bytes of short executions are counted now and then only
    with open(f"{order.number % 5}.txt", "wb", buffering=0) as file:
        for _ in range(COPIES):
            file.write(b"o" * 20_000)

async def work():
    chance = random.Random(1)
    for number in range(200):
        order = Order(number, chance.randint(1, 9))
        price(order)
        await ask(order)
        save(order)
"""

POINTS = """
[host]
name = "shop"

[[points]]
layer = "system"
operation = "execute"
meaning = "A step of an order"
command = "args.order"

[[points.targets]]
function = "shop:price"

[[points.targets]]
function = "shop:ask"

[[points.targets]]
function = "shop:save"
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_real_program_before_and_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More turns of a loop are CPU time, a longer sleep is awaiting, a larger write is bytes, on a busy machine too."""
    (tmp_path / "shop.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "run.py").write_text("import asyncio, shop\nasyncio.run(shop.work())\n", encoding="utf-8")
    (tmp_path / "points.toml").write_text(POINTS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, arguments in (("old", ("300", "0.001", "1")), ("new", ("1500", "0.03", "6"))):
        subprocess.run(
            [sys.executable, "-m", "dam_obs.cli", "diagnose", "--points", "points.toml", "--out", name, "--no-draft",
             "--no-stacks", "--", sys.executable, "run.py", *arguments],
            check=True, stdout=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip
    systems = {each["component"]: each for each in json.loads(diff("old", "new", "--json")[0])["runs"]["systems"]}

    def verdict(component: str, kind: str, name: str) -> str:
        return str(next(each["verdict"] for each in systems[component][kind] if each["name"].startswith(name)))

    assert verdict("shop:price", "parts", "on CPU") == "rose"
    assert verdict("shop:ask", "parts", "awaiting") == "rose"
    assert verdict("shop:save", "bytes", "write") == "rose"
    assert {each["name"]: each["verdict"] for each in systems["shop:price"]["bytes"]} == {}
