"""
The child process that asks a `calculate_traits` about recorded commands.

Started by path, in an isolated interpreter, by `sandbox`; never imported. It needs the standard library
alone, reads its job from standard input, and answers line by line on the descriptor that it is told.

A draft gets the names that it may import and no others. Code of a source is imported as it is; there the
limits, and the refusal of what has an effect outside, guard against accidents. They are no jail.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, SimpleNamespace
from typing import Any, Final, NoReturn

MOST_TRAITS: Final = 100
LONGEST_TEXT: Final = 300
LARGEST_INT: Final = 2**63

TRAITS: Final = {
    "ResourceUsageTrait": ("pool_path", "amount"),
    "ExecutionCostTrait": ("priority", "time_ms"),
    "IOBoundTrait": (),
}
"""What is told of a trait."""

REFUSED: Final = frozenset(
    {
        "os.chmod", "os.chown", "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.link", "os.mkdir",
        "os.posix_spawn", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.system", "os.truncate",
        "resource.prlimit", "resource.setrlimit", "shutil.rmtree", "socket.bind", "socket.connect",
        "socket.getaddrinfo", "socket.sendto", "subprocess.Popen",
    }
)  # fmt: skip
"""Audit events of what has an effect outside of this process."""

WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class NotRecorded(Exception):
    """Code asked for what the trace does not say of a command."""


class Known:
    """What the trace says of one value: its length, or its text, or some of its fields."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._fields: dict[str, Any] = {}
        self._length: int | None = None
        self._text: str | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._fields:
            raise NotRecorded(f"{self._where}.{name}")
        return self._fields[name]

    def __len__(self) -> int:
        if self._length is None:
            raise NotRecorded(f"len({self._where})")
        return self._length

    def __bool__(self) -> bool:
        return len(self) > 0

    def __str__(self) -> str:
        if self._text is None:
            raise NotRecorded(f"the text of {self._where}")
        return self._text

    def _unknown(self, *_: Any) -> NoReturn:
        raise NotRecorded(f"the value of {self._where}")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _unknown
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __pow__ = __rpow__ = _unknown
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __neg__ = __abs__ = _unknown
    __int__ = __float__ = __index__ = __iter__ = __contains__ = __repr__ = __format__ = __round__ = _unknown


class KnownName(Known):
    """A name without a length: of an enum's member, or of a path that is one word. Both say it by ``name``."""


class KnownItems(Known):
    """A command that is a dictionary."""

    def __getitem__(self, name: str) -> Any:
        return Known.__getattr__(self, name)

    get = __getitem__

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(name)


def main() -> None:
    """Do the job, and end at once whatever the code has left behind."""
    answers = os.fdopen(int(sys.argv[1]), "w", encoding="ascii")
    os.set_inheritable(answers.fileno(), False)
    job = json.loads(sys.stdin.buffer.read())
    _limit(job)
    sys.addaudithook(_refuse)
    try:
        for answer in _answers(job):
            answers.write(json.dumps(answer) + "\n")
            answers.flush()  # what was answered stands, whatever comes next
    finally:
        os._exit(0)


def _limit(job: Mapping[str, Any]) -> None:
    cpu, memory = job["cpu_seconds"], job["memory_bytes"]
    limits = {resource.RLIMIT_CPU: (cpu, cpu + 1), resource.RLIMIT_AS: (memory, memory)}
    limits |= {resource.RLIMIT_FSIZE: (0, 0), resource.RLIMIT_CORE: (0, 0), resource.RLIMIT_NOFILE: (64, 64)}
    if "draft" in job:
        limits[resource.RLIMIT_NPROC] = (0, 0)  # libraries that a source imports may start threads
        limits[resource.RLIMIT_NOFILE] = (0, 0)  # what is open stays open, and nothing else can be opened
    for kind, limit in limits.items():
        resource.setrlimit(kind, limit)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in REFUSED:
        raise PermissionError(f"{event} is refused here")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        raise PermissionError("to write to a file is refused here")


def _answers(job: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        calculate = _of_draft(job["draft"]) if "draft" in job else _of_source(job["source"])
    except BaseException as error:  # noqa: BLE001 - whatever the code raises is its answer
        yield {"failed": _told(error)}
        return
    for features in job["commands"]:
        try:
            yield {"traits": _traits(calculate(_command(features, items=job["items"])))}
        except BaseException as error:  # noqa: BLE001 - whatever the code raises is its answer
            yield {"problem": _told(error)}
    yield {"done": True}


# -- a command made of its features


def _command(features: Mapping[str, Any], *, items: bool) -> Known:
    root = (KnownItems if items else Known)("cmd")
    for feature, value in features.items():
        is_length = feature.startswith("len(") and feature.endswith(")")
        path = (feature[4:-1] if is_length else feature).split(".")
        if not all(part.isidentifier() for part in path):
            continue
        owner: Any = root
        for part in path[:-1]:
            owner = owner._fields.setdefault(part, Known(f"{owner._where}.{part}"))
            if not isinstance(owner, Known):
                break
        else:
            _put(owner, path[-1], value, features.get(f"len({feature})"), is_length=is_length)
    return root


def _put(owner: Known, name: str, value: Any, length: Any, *, is_length: bool) -> None:
    """Add one field; a text is known as a whole only where its length is that of the text."""
    where = f"{owner._where}.{name}"
    if is_length:
        if name not in owner._fields:
            owner._fields[name] = Known(where)
        if type(owner._fields[name]) is Known and type(value) is int:
            owner._fields[name]._length = value
    elif type(value) is not str or (length is not None and length == len(value)):
        owner._fields[name] = value
    else:
        owner._fields[name] = _text(where, value, has_length=length is not None)


def _text(where: str, text: str, *, has_length: bool) -> Known:
    if has_length or text.startswith("[redacted:"):
        return Known(where)
    known = KnownName(where) if text.isidentifier() else Known(where)
    if isinstance(known, KnownName):
        known._fields["name"] = text
    else:
        known._text = text
    return known


# -- code


def _of_draft(draft: Mapping[str, str]) -> Callable[[Known], Any]:
    code: CodeType = compile(draft["text"], "<draft>", "exec", dont_inherit=True)
    space: dict[str, Any] = {"__name__": "draft", "__builtins__": _builtins()}
    exec(code, space)  # noqa: S102 - what passed the allow-list; this process is there for it
    calculate = space[draft["class"]].calculate_traits

    def run(command: Known) -> Any:
        coroutine = calculate(command, SimpleNamespace())
        try:
            coroutine.send(None)
        except StopIteration as ended:
            return ended.value
        raise TypeError("it awaits something")

    return run


def _builtins() -> dict[str, Any]:
    plain = (abs, classmethod, float, int, isinstance, len, max, min, round, str)
    importable = {
        "__future__": SimpleNamespace(annotations=None),
        "dam_traits": SimpleNamespace(Trait=object, **{name: type(name, (_Said,), {}) for name in TRAITS}),
        "enum": SimpleNamespace(Enum=KnownName),
        "math": math,
        "typing": SimpleNamespace(Any=object, TYPE_CHECKING=False),
    }
    found: dict[str, Any] = {each.__name__: each for each in plain}
    found["__build_class__"] = __build_class__
    found["__import__"] = lambda name, *_: importable[name]
    return found


class _Said:
    """A trait as a draft says it; whether it is a good one is judged outside."""

    def __init__(self, **arguments: Any) -> None:
        self.__dict__.update(arguments)
        self.said = tuple(arguments)


def _of_source(source: Mapping[str, Any]) -> Callable[[Known], Any]:
    import asyncio
    import importlib

    sys.path.insert(0, source["root"])
    found: Any = importlib.import_module(source["module"])
    for name in source["qualname"].split("."):
        found = getattr(found, name)
    loop = asyncio.new_event_loop()
    return lambda command: loop.run_until_complete(found(command, Known("world")))


# -- traits


def _traits(answer: Any) -> list[dict[str, Any]]:
    if type(answer) not in (list, tuple):
        raise TypeError(f"it returned a {type(answer).__name__}, no list of traits")
    if len(answer) > MOST_TRAITS:
        raise ValueError(f"it returned {len(answer)} traits")
    return [_trait(each) for each in answer]


def _trait(trait: Any) -> dict[str, Any]:
    names = [each.__name__ for each in type(trait).__mro__]
    kind = next((name for name in names if name in TRAITS), None)
    if kind is None:
        return {"trait": names[0][:LONGEST_TEXT], "arguments": {}}
    told = trait.said if isinstance(trait, _Said) else TRAITS[kind]
    return {"trait": kind, "arguments": {name: _plain(name, getattr(trait, name)) for name in told}}


def _plain(name: str, value: Any) -> Any:
    if value is None or type(value) is bool:
        return value
    if type(value) is str and len(value) <= LONGEST_TEXT:
        return value
    if type(value) is int and abs(value) < LARGEST_INT:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    raise ValueError(f"{name} is a {type(value).__name__} that is no plain, finite, short value")


def _told(error: BaseException) -> str:
    """Say what was raised; its text is somebody's code, too."""
    if isinstance(error, NotRecorded):
        return f"needs {error}, which was not recorded"[:LONGEST_TEXT]
    if isinstance(error, SystemExit):
        return "it tried to exit"
    try:
        return f"{type(error).__name__}: {error}"[:LONGEST_TEXT]
    except BaseException:  # noqa: BLE001 - see above
        return type(error).__name__[:LONGEST_TEXT]


if __name__ == "__main__":
    main()
