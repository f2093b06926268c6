"""A run of the shop, recorded once, and helpers to read it back."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from dam_obs.cli import main


def _load(name: str) -> ModuleType:
    """Return a module of this folder."""
    spec = importlib.util.spec_from_file_location(f"reading_back_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def reading_back() -> ModuleType:
    """Helpers: see ``recording.py``."""
    return _load("recording")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that runs dam-obs in `tmp_path`, and returns what it prints; it must succeed."""
    monkeypatch.chdir(tmp_path)

    def tell(*words: object) -> str:
        capsys.readouterr()
        status = main([str(word) for word in words])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return printed.out

    return tell


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that runs dam-obs in `tmp_path`, which must fail, and returns the one line that says why."""
    monkeypatch.chdir(tmp_path)

    def tell(*words: object) -> str:
        capsys.readouterr()
        status = main([str(word) for word in words])
        printed = capsys.readouterr()
        assert (status, printed.out, printed.err.count("\n")) == (2, "", 1), printed.err
        return printed.err.removeprefix("dam-obs: error: ").rstrip("\n")

    return tell


@pytest.fixture(scope="session")
def recording(reading_back: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> object:
    """A run of the shop, and what a receiver of OTLP got of it."""
    folder = tmp_path_factory.mktemp("shop") / "run"
    made = reading_back.Recording(folder)
    with reading_back.receiver(made) as endpoint:
        reading_back.record(folder, endpoint)
    return made


@pytest.fixture(scope="session")
def clickhouse_server() -> ModuleType:
    """ClickHouse's HTTP interface over the embedded engine."""
    return _load("clickhouse_server")


@pytest.fixture(scope="session")
def jaeger_server() -> ModuleType:
    """Jaeger's query API over spans that are at hand."""
    return _load("jaeger_server")
