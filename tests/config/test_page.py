"""The page on configuration tells every setting, and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from dam_obs.config import Settings, load_settings, variable_of

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| ([^|]+) \|", re.MULTILINE)


def shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None or value == ():
        return "none"
    return f"{value:g}" if isinstance(value, float) else f"`{value}`" if isinstance(value, str | Path) else str(value)


def test_table_has_every_setting_with_its_variable_and_default() -> None:
    """The table on the page is what `Settings` says, in its order."""
    defaults = Settings()

    assert ROW.findall(PAGE.read_text(encoding="utf-8")) == [
        (field.name, variable_of(field.name), shown(getattr(defaults, field.name))) for field in fields(Settings)
    ]


def test_examples_load(tmp_path: Path) -> None:
    """The examples of both file formats are accepted, and the TOML file wins over the YAML one."""
    text = PAGE.read_text(encoding="utf-8")
    toml, yaml = (re.findall(rf"```{name}\n(.*?)```", text, re.DOTALL) for name in ("toml", "yaml"))
    (tmp_path / "config").mkdir()
    (tmp_path / "dam-obs.toml").write_text(toml[0], encoding="utf-8")
    (tmp_path / "config" / "settings.yaml").write_text(yaml[0], encoding="utf-8")

    assert load_settings(environ={}, folder=tmp_path).settings == Settings(
        enabled=True,
        output=tmp_path / "traces" / "trace.jsonl",
        level="warn",
        points=(tmp_path / "observability" / "points.toml",),
    )
