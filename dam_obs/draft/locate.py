"""
Find the source file of a system: below a folder that the user names, and nowhere else.

A report says where the code lay when it ran. On another machine the folder may be another
one, so the end of the path is looked for, too. What is installed is nobody's to edit, and
a link is followed only as far as it stays below the folder.
"""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from dam_obs.diagnose.report import SystemDiagnosis
from dam_obs.draft.literals import shown
from dam_obs.draft.names import is_name

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_MAIN: Final = "__main__"


class NotHere(Exception):
    """A system's code is not below the folder, or nobody knows where it is; the text says why."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a system's class is said to be."""

    path: Path
    """The file, links resolved."""

    module: str
    """Its name as a module."""

    qualname: str
    """The class."""

    seen: tuple[str, int] | None
    """A method of the class and its first line as it ran; `None` where the code that ran is another class's."""


def locate(system: SystemDiagnosis, source: Path) -> Location:
    """
    Say where the class of a system is.

    Args:
        system: As the report has it.
        source: A folder, or a file; links resolved.

    Raises:
        NotHere: It is not below `source`, or the report does not say.
    """
    module, _, qualname = system.system.partition(":")
    if not qualname or not all(is_name(part) for part in module.split(".")):
        raise NotHere("its name does not say which class it is")
    if system.source_file is None:
        raise NotHere("the run did not note where its code is")

    ran_module, _, ran = (system.source_function or "").partition(":")
    method = ran.removeprefix(f"{qualname}.")
    own = ran_module == module and method != ran and "." not in method and system.source_line is not None
    seen = (method, system.source_line or 0) if own else None
    path = _path(system.source_file, module, ran_module or module)
    return Location(_found(path, module, source), module, qualname, seen)


def _path(file: str, module: str, ran_module: str) -> PurePosixPath:
    """Return the file of a module, from that of another one of the same tree."""
    if not file.endswith(".py") or "\0" in file:
        raise NotHere(f"its code was not in a Python file ({shown(file)})")
    path = PurePosixPath(file)
    if ran_module == module:
        return path
    inherited = PurePosixPath(*ran_module.split("."))
    for end in (inherited.with_suffix(".py"), inherited / "__init__.py"):
        if path.parts[-len(end.parts) :] == end.parts and module != _MAIN:
            return PurePosixPath(*path.parts[: -len(end.parts)], *module.split(".")).with_suffix(".py")
    raise NotHere(f"what ran was code of {shown(ran_module)}, and where {shown(module)} is was not noted")


def _found(path: PurePosixPath, module: str, source: Path) -> Path:
    folder = source if source.is_dir() else source.parent
    candidates = {each for end in _ends(path, module) if (each := _below(folder, folder / end)) is not None}
    exact = _below(folder, folder / path)
    if exact is not None:
        candidates = {exact}
    if source.is_file():
        candidates = {source} if path.name == source.name else set()
    candidates = {each for each in candidates if not _is_installed(each)}
    if len(candidates) > 1:
        names = " and ".join(sorted(shown(str(each)) for each in candidates))
        raise NotHere(f"its file may be {names}: name one with --source")
    if not candidates:
        raise NotHere(f"its file {shown(str(path))} is not below {shown(str(source))}: name its folder with --source")
    return candidates.pop()


def _ends(path: PurePosixPath, module: str) -> list[PurePosixPath]:
    """Return the ends of a path that still name the whole module, and the same for a package's own file."""
    least = 1 if module == _MAIN else len(module.split("."))
    paths = [path] if path.name == "__init__.py" else [path, path.with_suffix("") / "__init__.py"]
    return [
        PurePosixPath(*each.parts[start:])
        for each in paths
        for start in range(1 if path.is_absolute() else 0, len(each.parts))
        if len(each.parts) - start >= least + (each.name == "__init__.py")
    ]


def _below(folder: Path, path: Path) -> Path | None:
    """Return a file with its links resolved, if there is one and it is below a folder."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    return real if real.is_file() and real.is_relative_to(folder) else None


def _is_installed(path: Path) -> bool:
    library = Path(sysconfig.get_path("stdlib")).resolve()
    return not _INSTALLED.isdisjoint(path.parts) or path.is_relative_to(library)
