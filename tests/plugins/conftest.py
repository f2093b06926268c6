"""Plugins that are really installed: a folder on the path with a module and its metadata."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dam_obs import plugins
from dam_obs.trace import faults

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return what installs a distribution with one plugin; all is gone afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules: list[str] = []

    def install_one(name: str, source: str, *, version: str = "1.0", entry_point: str | None = None) -> None:
        module = f"installed_{name}"
        modules.append(module)
        (tmp_path / f"{module}.py").write_text("from dam_obs.hookspecs import hookimpl\n" + source, encoding="utf-8")
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-{name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[dam_obs]\n{entry_point or name} = {module}\n")

    yield install_one
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Start without managers and counts, and with faults caught as in production."""
    plugins.forget()
    faults.reset()
    faults.let_through(False)
    yield
    plugins.forget()
    faults.reset()
