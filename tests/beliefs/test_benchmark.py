"""The benchmark runs and tells all that it is to tell; how long anything takes is no business of a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "beliefs.py"
TABLES = ["depth", "width", "composed", "beliefs", "ticks", "versions"]


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(BENCHMARK), *arguments], capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_measures_every_table():
    """With a ratio to the floor in each row, as JSON."""
    small = ("--longest", "2", "--beliefs", "100", "--ticks", "1", "--rounds", "1")

    tables = json.loads(run(*small, "--json"))["tables"]

    assert {name: [row["size"] for row in rows] for name, rows in tables.items()} == {
        "depth": [1, 2], "width": [1, 2], "composed": [1, 2], "beliefs": [100], "ticks": [1], "versions": [1]
    }  # fmt: skip
    assert all(row["ratio"] == row["found_ns"] / row["chain_map_ns"] for rows in tables.values() for row in rows)


def test_it_prints_a_table_for_people():
    """Of what was asked for alone, and at the end what the machine did meanwhile."""
    printed = run("--only", "width", "--longest", "2", "--rounds", "1")

    assert "found : ChainMap" in printed
    assert "from 1 to 2: visited x 1.5" in printed
    assert printed.splitlines()[-1].count("load") == 1


def test_it_says_what_it_does():
    """And names its tables."""
    said = run("--help")

    assert all(name in said for name in (*TABLES, "--json", "ChainMap"))
