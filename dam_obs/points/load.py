"""
Load trace-point files: TOML in, `TracePointFile` out, and all that is wrong named with file, line and key.

`read_file` collects problems, for ``dam-obs points check``; `load_file` raises them. What a
file's targets are in code is not looked at here: that is `attach`'s.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast, get_args

from dam_obs.points.conventions import read_attributes
from dam_obs.points.model import (
    AttributeRead,
    Attributes,
    BlockedRule,
    DataField,
    DataType,
    FunctionName,
    HookName,
    Plain,
    Reads,
    Target,
    TracePoint,
    TracePointFile,
)
from dam_obs.points.paths import ReadPath, is_dotted_name
from dam_obs.points.positions import Positions
from dam_obs.points.problems import PointFileError, PointProblem, ProblemList, nearest
from dam_obs.points.tables import Table
from dam_obs.trace.events import Kind
from dam_obs.trace.folding import DATA
from dam_obs.trace.layers import Layer, layers

_PATHS: Final = ("component", "input", "output", "command", "system", "gives", "given")
_POINT_KEYS: Final = (
    *("layer", "operation", "meaning", "kind", "level", "own_threads", "fold_below_us"),
    *(*_PATHS, "blocked", "data", "attributes", "targets"),
)
_TARGET_KEYS: Final = ("function", "hook", "project", *_PATHS, "blocked", "data", "attributes")
_RULES: Final = ("equals", "in", "is_none")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN: Final = ("error", "closed_early", DATA)
"""Names that recording itself puts beside the data."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A file as far as it could be read, and what is wrong with it."""

    file: TracePointFile | None
    """Without the points that are wrong; `None` where nothing could be read."""
    problems: tuple[PointProblem, ...]


def load_file(path: Path) -> TracePointFile:
    """
    Return what a trace-point file holds.

    Raises:
        PointFileError: it cannot be read or something in it is wrong.
    """
    result = read_file(path)
    if result.problems or result.file is None:
        raise PointFileError(result.problems)
    return result.file


def read_file(path: Path) -> ReadResult:
    """Read a trace-point file, with all that is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        return _unreadable(path, None, f"cannot be read ({error.strerror or type(error).__name__})")
    except UnicodeDecodeError:
        return _unreadable(path, None, "cannot be read (it is not UTF-8)")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        return _unreadable(path, int(found[1]) if found else None, f"is not TOML: {error}")
    problems = ProblemList(path, Positions(text))
    file = _file(path, Table(values, (), problems))
    return ReadResult(file, problems.in_order())


def _unreadable(path: Path, line: int | None, says: str) -> ReadResult:
    return ReadResult(None, (PointProblem(path, line, "", says),))


def _file(path: Path, top: Table) -> TracePointFile:
    top.check_keys(("host", "points"))
    host = top.table("host")
    name, requires, only_named = None, None, False
    if host is None:
        top.wrong("host", "is missing: name what the points belong to in [host] name")
    else:
        host.check_keys(("name", "requires", "only_named"))
        only_named = host.flag("only_named")
        name = host.text("name", required=True)
        requires = host.text("requires")
        if requires is not None and not is_dotted_name(requires):
            host.wrong("requires", f"must be the name of a module, not {requires!r}")
    points = _points(top)
    return TracePointFile(path=path, host=name or path.stem, requires=requires, points=points, only_named=only_named)


def _points(top: Table) -> tuple[TracePoint, ...]:
    points: dict[str, TracePoint] = {}
    tables = list(top.tables("points"))
    if not tables and "points" not in top.values:
        top.wrong("points", "is missing: the file names no [[points]]")
    for table in tables:
        point = _point(table)
        if point is None:
            continue
        if point.name in points:
            table.wrong("operation", f"{point.name} stands in this file already: add its targets there")
        else:
            points[point.name] = point
    return tuple(points.values())


def _point(table: Table) -> TracePoint | None:
    table.check_keys(_POINT_KEYS)
    layer = _layer(table)
    operation = _operation(table, layer)
    meaning = table.text("meaning", required=True)
    kind = table.choice("kind", get_args(Kind), "span")
    level = table.choice("level", ("debug", "info", "warn"), "info")
    own_threads = table.flag("own_threads")
    fold_below_us = table.count("fold_below_us")
    if fold_below_us and kind != "step":
        table.wrong("fold_below_us", 'is for kind = "step" alone: what a report counts has to be recorded, each')
    data = _data(table)
    reads = _reads(table, Reads())
    attributes = read_attributes(table)
    targets = _targets(table, reads, data, attributes)
    if attributes and not table.values.get("targets"):
        table.wrong("attributes", "would be on no span: the point has no targets, so the program itself sets them")
    if layer is None or operation is None or meaning is None:
        return None
    return TracePoint(
        layer=layer,
        operation=operation,
        meaning=meaning,
        kind=cast(Any, kind),
        level=cast(Any, level),
        own_threads=own_threads,
        fold_below_us=fold_below_us,
        data=data,
        attributes=attributes,
        targets=targets,
    )


def _layer(table: Table) -> Layer | None:
    word = table.text("layer", required=True)
    if word is None:
        return None
    known = {word: layer for layer in layers() for word in (layer.name, layer.code)}
    if word not in known:
        table.wrong("layer", f"unknown layer {word!r}; {nearest(word, known)}")
    return known.get(word)


def _operation(table: Table, layer: Layer | None) -> str | None:
    operation = table.text("operation", required=True)
    if operation is None or _NAME.fullmatch(operation):
        return operation
    if layer is not None and operation.startswith(f"{layer.name}."):
        table.wrong("operation", f"must be without its layer: {operation.partition('.')[2]!r}")
    else:
        table.wrong("operation", f"must be lower case letters, digits and '_', not {operation!r}")
    return None


def _reads(table: Table, base: Reads) -> Reads:
    """Return where to read what, with what `table` does not say taken from `base`."""
    paths = {key: table.path(key) or getattr(base, key) for key in _PATHS}
    blocked = table.table("blocked")
    return Reads(**paths, blocked=_blocked(blocked) if blocked is not None else base.blocked)


def _blocked(table: Table) -> BlockedRule | None:
    table.check_keys(("path", *_RULES, "reason"))
    path = table.path("path")
    reason = table.path("reason")
    if path is not None and reason is not None and (path.root == "result") is not (reason.root == "result"):
        table.wrong("reason", "must be read where path is: both from arguments, or both from the result")
        reason = None
    if "path" not in table.values:
        table.wrong("path", "is missing")
    rules = [key for key in _RULES if key in table.values]
    if len(rules) != 1:
        table.wrong(rules[1] if rules else "", f"must have one of {', '.join(_RULES)}")
        return None
    value = table.values[rules[0]]
    if rules == ["is_none"]:
        if not isinstance(value, bool):
            table.wrong("is_none", "must be true or false")
        return BlockedRule(path=path, is_none=bool(value), reason=reason) if path else None
    values = value if rules == ["in"] and isinstance(value, list) else [value]
    if not values or not all(isinstance(each, get_args(Plain)) for each in values):
        table.wrong(rules[0], "must be text, numbers or booleans")
        return None
    return BlockedRule(path=path, values=tuple(values), reason=reason) if path else None


def _data(table: Table) -> tuple[DataField, ...]:
    data = table.table("data")
    if data is None:
        return ()
    fields = []
    for name in data.values:
        field = data.table(name)
        if field is None:
            continue
        if not _NAME.fullmatch(name):
            data.wrong(name, "must be lower case letters, digits and '_'")
        elif name in _TAKEN:
            data.wrong(name, "is the name of what recording itself adds: choose another")
        field.check_keys(("type", "meaning", "from"))
        kind = field.choice("type", get_args(DataType))
        meaning = field.text("meaning", required=True)
        path = field.path("from")
        if kind and meaning:
            fields.append(DataField(name=name, type=cast(DataType, kind), meaning=meaning, path=path))
    return tuple(fields)


def _targets(table: Table, reads: Reads, data: tuple[DataField, ...], attributes: Attributes) -> tuple[Target, ...]:
    targets: dict[FunctionName | HookName, Target] = {}
    declared = table.values.get("data")
    names = tuple(declared) if isinstance(declared, dict) else ()
    for each in table.tables("targets"):
        each.check_keys(_TARGET_KEYS)
        place = _place(each)
        own = _reads(each, reads)
        paths = {field.name: field.path for field in data if field.path is not None}
        paths.update(_target_data(each, names))
        said = {**attributes, **read_attributes(each)}
        if place is None:
            continue
        if isinstance(place, HookName):
            _refuse_self(each, own, paths, said)
        if place in targets:
            each.wrong("function" if isinstance(place, FunctionName) else "hook", f"{place} is a target already")
        targets.setdefault(place, Target(place=place, reads=own, data=paths, attributes=said))
    return tuple(targets.values())


def _place(table: Table) -> FunctionName | HookName | None:
    function, hook, project = (table.text(key) for key in ("function", "hook", "project"))
    if ("function" in table.values) == ("hook" in table.values):
        table.wrong("", "must have either a function or a hook")
        return None
    if hook is not None:
        if not hook.isidentifier():
            table.wrong("hook", f"must be the name of a hook, not {hook!r}")
            return None
        return HookName(hook, project)
    if "project" in table.values:
        table.wrong("project", "goes with a hook, not with a function")
    return _function(table, function) if function is not None else None


def _function(table: Table, text: str) -> FunctionName | None:
    module, colon, qualname = text.partition(":")
    if not colon:
        guess = ":".join(text.rsplit(".", 1)) if "." in text else f"module:{text}"
        table.wrong("function", f"must be module:qualname, such as {guess!r}")
        return None
    if "<locals>" in qualname:
        table.wrong("function", f"{text!r} is made anew by each call of another function, so no point can be put on it")
        return None
    if not is_dotted_name(module) or not is_dotted_name(qualname):
        table.wrong("function", f"must be module:qualname in Python's names, not {text!r}")
        return None
    return FunctionName(module, qualname)


def _target_data(table: Table, names: tuple[str, ...]) -> dict[str, ReadPath]:
    data = table.table("data")
    if data is None:
        return {}
    data.check_keys(names)
    paths: dict[str, ReadPath] = {}
    for name in data.values:
        field = data.table(name)
        if field is None:
            continue
        field.check_keys(("from",))
        path = field.path("from")
        if path is not None:
            paths[name] = path
        elif "from" not in field.values:
            field.wrong("from", "is missing")
    return paths


def _refuse_self(table: Table, reads: Reads, data: dict[str, ReadPath], attributes: Attributes) -> None:
    read = {key: getattr(reads, key) for key in _PATHS} | {f"data.{name}": path for name, path in data.items()}
    read |= {name: each.path for name, each in attributes.items() if isinstance(each, AttributeRead)}
    if reads.blocked is not None:
        read["blocked"] = reads.blocked.path
        if reads.blocked.reason is not None:
            read["blocked.reason"] = reads.blocked.reason
    for key, path in read.items():
        while path is not None:
            if path.root == "self":
                table.wrong("hook", f"{key} reads {str(path)!r}, but a hook call has no self: read args or result")
            path = path.otherwise
