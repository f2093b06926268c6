"""
The parts of the guide that are made from the code, so that they cannot fall behind it.

`hook_sections` makes a section for each hook from its docstring; `command_sections` one for
each command from the help it prints; `point_tables` and `convention_table` make tables of dam_hrm's
trace points and of what others' conventions call them. All are written to ``docs/generated``, which
pages of the guide include.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click

GENERATED = Path(__file__).parents[1] / "generated"
HRM = Path(__file__).parents[2] / "plugins" / "hrm" / "dam_hrm"
HELP_WIDTH = 100


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx to make the pages before it reads any."""
    app.connect("builder-inited", lambda _app: write_pages(GENERATED))
    return {"parallel_read_safe": True}


def write_pages(folder: Path) -> None:
    """Write all generated parts into `folder`; a part that is as it was is left alone."""
    from dam_obs import hookspecs

    folder.mkdir(exist_ok=True)
    _write(folder / "hooks.md", "\n".join(hook_sections(hookspecs)))
    _write(folder / "cli.md", "\n".join(command_sections()))
    _write(folder / "hrm-points.md", "\n".join(point_tables(HRM / "trace_points")))
    _write(folder / "hrm-conventions.md", "\n".join(convention_table(HRM / "conventions.toml")))


def hook_sections(module: ModuleType) -> Iterator[str]:
    """Yield a section in Markdown for each hook of `module`, in the order in which they stand there."""
    for name, function in vars(module).items():
        if hasattr(function, "dam_obs_spec"):
            yield _hook_section(name, function)


def command_sections() -> Iterator[str]:
    """Yield a section in Markdown for `dam-obs` and for each of its own commands."""
    from dam_obs.cli._main import build

    group = build()
    settings = {**group.context_settings, "max_content_width": HELP_WIDTH, "terminal_width": HELP_WIDTH}
    with click.Context(group, info_name="dam-obs", **settings) as top:
        yield _help_section(group, top)
        for command in _loaded(group):
            yield from _with_subcommands(command, top)


def point_tables(folder: Path) -> Iterator[str]:
    """Yield a table in Markdown for each layer of dam_hrm, with its operations, their data and what blocks them."""
    from dam_obs.points.load import load_file

    for layer in ("system", "altitude", "focus", "reasoning", "learning", "memory"):
        yield f"### {layer.capitalize()}\n\n| span | is recorded when | data | blocked |\n| --- | --- | --- | --- |"
        for point in load_file(folder / f"{layer}.toml").points:
            data = "<br>".join(f"`{field.name}` {field.meaning}" for field in point.data)
            yield f"| `{point.name}` | {point.meaning} | {data} | {_blocked(point)} |"
        yield ""


def _blocked(point: Any) -> str:
    rule = point.targets[0].reads.blocked
    return "" if rule is None else f"`{rule.path}` is `{', '.join(str(value).lower() for value in rule.values)}`"


def convention_table(path: Path) -> Iterator[str]:
    """Yield a table in Markdown of what dam_hrm's spans are called in conventions, line by line."""
    yield "| span | follows | status | attributes |\n| --- | --- | --- | --- |"
    for span in tomllib.loads(path.read_text(encoding="utf-8"))["spans"]:
        said = "<br>".join(_attribute(name, value) for name, value in span["attributes"].items())
        note = f"<br>{span['note']}" if "note" in span else ""
        yield f"| `{span['operation']}` | `{span['follows']}`{note} | {span['status']} | {said} |"
    yield ""


def _attribute(name: str, value: dict[str, str]) -> str:
    return f"`{name}` = `{value['is']}`" if "is" in value else f"`{name}`: {value['means']}"


def _with_subcommands(command: click.Command, parent: click.Context) -> Iterator[str]:
    with click.Context(command, parent=parent, info_name=command.name) as context:
        yield _help_section(command, context)
        for name, child in sorted(getattr(command, "commands", {}).items()):
            child.name = name
            yield from _with_subcommands(child, context)


def _loaded(group: click.Group) -> Iterator[click.Command]:
    """Yield the commands that dam-obs ships; those of installed plugins are in the plugins' own guides."""
    for name, command in group.commands.items():
        target = getattr(command, "target", None)
        if target is not None and importlib.util.find_spec(target.partition(":")[0]) is None:
            continue
        loaded = command.load() if hasattr(command, "load") else command
        loaded.name = name
        yield loaded


def _help_section(command: click.Command, context: click.Context) -> str:
    return f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"


def _hook_section(name: str, function: Any) -> str:
    signature = f"def {name}{inspect.signature(function)}".replace("'", "")
    return f"## {name}\n\n```python\n{signature}: ...\n```\n\n{_markdown(inspect.getdoc(function) or '')}\n"


def _markdown(docstring: str) -> str:
    """Turn a docstring with ``Args:`` and ``Returns:`` into Markdown."""
    return "\n\n".join(_block(block) for block in re.split(r"\n\s*\n", docstring))


def _block(block: str) -> str:
    heading, _, rest = block.partition("\n")
    if heading not in {"Args:", "Returns:", "Raises:"}:
        return _plain(block)
    entries = _entries(textwrap.dedent(rest))
    if heading == "Returns:":
        return f"**Returns:** {' '.join(entries)}"
    kind = "Arguments" if heading == "Args:" else "Raises"
    bullets = [re.sub(r"^(\w+): ", r"`\1`: ", entry) for entry in entries]
    return f"**{kind}:**\n\n" + "\n".join(f"- {entry}" for entry in bullets)


def _entries(text: str) -> list[str]:
    """Join the indented lines of each entry to its first."""
    entries: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and entries:
            entries[-1] += f" {line.strip()}"
        else:
            entries.append(line.strip())
    return [_plain(entry) for entry in entries]


def _plain(text: str) -> str:
    return text.replace("``", "`").replace("*", "\\*")


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
