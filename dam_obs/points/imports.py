"""
Hear when modules have been imported, also ones that are imported much later, or again.

wrapt's post-import hooks do this once and for ever. Here it can be undone, a reload is
heard too, and a module that came in by a finder in front of ours (pytest's rewriting
one, say) is noticed at the next import or `sweep`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import wrapt

from dam_obs.trace import faults

if TYPE_CHECKING:
    Proxy = wrapt.ObjectProxy[Any]
else:
    Proxy = wrapt.ObjectProxy

_GUARD: Final = faults.guard("points.imports")


class ImportWatch:
    """Calls back with each wanted module when its code has run to the end."""

    def __init__(self, wanted: Iterable[str], imported: Callable[[ModuleType, str], None]) -> None:
        """
        Make a watch that does not listen yet.

        Args:
            wanted: Names of modules.
            imported: Called with the module and its name, on the importing thread; again after a reload.
        """
        self._wanted = frozenset(wanted)
        self._imported = imported
        self._told: dict[str, ModuleType] = {}
        self._asking = threading.local()

    def open(self) -> None:
        """Call back for what is imported already, and listen."""
        if self._wanted:
            sys.meta_path.insert(0, self)
            self.sweep()

    def close(self) -> None:
        """Listen no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def sweep(self) -> None:
        """Call back for wanted modules that came in without being heard."""
        for name in self._wanted:
            module = sys.modules.get(name)
            if module is not None and self._told.get(name) is not module and _is_complete(module):
                self._tell(module, name)

    def _tell(self, module: ModuleType, name: str) -> None:
        with _GUARD:
            module = sys.modules.get(name, module)  # a module may put another object in its place
            if _is_lazy(module):
                return
            self._told[name] = module
            self._imported(module, name)

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Let the other finders find a wanted module, and listen to its loader. A finder's method."""
        if fullname not in self._wanted:
            with _GUARD:
                self.sweep()
            return None
        if getattr(self._asking, "name", None) == fullname:
            return None
        self._asking.name = fullname
        try:
            spec = self._ask_the_others(fullname, path, target)
        finally:
            self._asking.name = None
        if spec is not None and hasattr(spec.loader, "exec_module"):
            loader: Any = _TellingLoader(spec.loader, lambda module: self._tell(module, fullname))
            spec.loader = loader
        return spec

    def _ask_the_others(self, fullname: str, path: Any, target: ModuleType | None) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if finder is self or find_spec is None:
                continue
            spec: ModuleSpec | None = find_spec(fullname, path, target)
            if spec is not None:
                return spec
        return None


class _TellingLoader(Proxy):
    """A module's own loader, which tells when it has run the module."""

    def __init__(self, loader: Any, tell: Callable[[ModuleType], None]) -> None:
        super().__init__(loader)
        self._self_tell = tell

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, which sees its own loader and not this one."""
        loader = self.__wrapped__
        me: Any = self
        if module.__spec__ is not None and module.__spec__.loader is me:
            module.__spec__.loader = loader
        if getattr(module, "__loader__", None) is self:
            module.__loader__ = loader
        loader.exec_module(module)
        self._self_tell(module)


def _is_complete(module: ModuleType) -> bool:
    if _is_lazy(module):
        return False
    spec = getattr(module, "__spec__", None)
    return not getattr(spec, "_initializing", False)


def _is_lazy(module: ModuleType) -> bool:
    """Tell a module of `importlib.util.LazyLoader` that has not been loaded; asking it for anything would load it."""
    return type(module).__name__ == "_LazyModule" and type(module).__module__ == "importlib.util"
