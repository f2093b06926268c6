"""Which namespaces and keys there may be. They are data in files, never names of files."""

from __future__ import annotations

import re
from typing import Final

from dam_hrm.memory.errors import BadAddress
from dam_hrm.memory.values import Address

MOST_NAMESPACE_CHARACTERS: Final = 64
MOST_KEY_CHARACTERS: Final = 256

_NAMESPACE: Final = re.compile(rf"[\w-]{{1,{MOST_NAMESPACE_CHARACTERS}}}")


def address_of(namespace: str, key: str) -> Address:
    """
    Make an address.

    Raises:
        BadAddress: The namespace is not made of letters, digits, ``_`` and ``-``, or the key is empty, too long, or
            has characters that do not print.
    """
    if not isinstance(namespace, str) or not _NAMESPACE.fullmatch(namespace):
        rule = f"use 1 to {MOST_NAMESPACE_CHARACTERS} letters, digits, _ and -"
        raise BadAddress("namespace", namespace, rule)
    if not isinstance(key, str) or not 0 < len(key) <= MOST_KEY_CHARACTERS or not key.isprintable():
        raise BadAddress("key", key, f"use 1 to {MOST_KEY_CHARACTERS} characters that print")
    return Address(namespace=str(namespace), key=str(key))
