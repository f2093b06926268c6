"""Something that stands in bpftrace's place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.sample.offcpu.session import BpfTrace

FakeBpfTrace = Callable[[str], BpfTrace]


@pytest.fixture
def fake_bpftrace(tmp_path: Path) -> FakeBpfTrace:
    """Return a maker of programs that are started as bpftrace is, and do what they are given in Python."""

    def make(program: str) -> BpfTrace:
        path = tmp_path / "bpftrace"
        path.write_text(f"#!{sys.executable}\nimport os, signal, sys, time\n{program}\n")
        path.chmod(0o755)
        return BpfTrace(path, "0.0.1")

    return make
