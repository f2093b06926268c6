"""
Frames of native code: which they are, and how they are named so that nobody takes them for Python.

py-spy writes them like frames of Python, in between these. Where a library has no symbols, a
name is a bare address, different with each look; such frames are named by their library alone.
"""

from __future__ import annotations

import re
from pathlib import PurePath

_PYTHON = (".py", ".pyw", ".pyx", ".pxd", ".ipynb")
_ADDRESS = re.compile(r"0x[0-9A-Fa-f]+")


def is_native(file: str) -> bool:
    """Tell whether a frame's file is a library or a source of native code; no file at all is none."""
    return bool(file) and not file.startswith("<") and not file.endswith(_PYTHON)


def named_native(function: str, file: str) -> str:
    """Return what a native frame is shown as."""
    if not function or _ADDRESS.fullmatch(function):
        return f"(native code of {PurePath(file).name})"
    return f"{function} (native)"
