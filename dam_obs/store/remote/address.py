"""
What the URI of a backend says: ``jaeger+https://host:port/base?ca=FILE``.

Never a secret: what it says ends in reports, logs and the shell's history. Secrets come from the environment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from dam_obs.store.remote.errors import BadAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a backend is."""

    name: str
    """For messages and reports, as the user gave it."""
    url: str
    """``http://host:port``"""
    path: str
    """Without slashes at its ends."""
    user: str | None
    options: Mapping[str, str]

    @property
    def ca(self) -> str | None:
        """A file with the certificates of those who may sign for it; `None` for the system's."""
        return self.options.get("ca")

    def number(self, option: str, otherwise: int) -> int:
        """
        Return a number that an option gives.

        Raises:
            BadAddress: It is none, or less than 2.
        """
        given = self.options.get(option)
        if given is None:
            return otherwise
        if not given.isascii() or not given.isdigit() or int(given) < 2:
            raise BadAddress(self.name, f"{option}={given} is no number of 2 or more", f"{option}={otherwise}")
        return int(given)


def scheme_of(uri: str) -> tuple[str, bool]:
    """Return the scheme without what says that TLS is wanted, and whether it is."""
    scheme, found, _ = uri.partition("://")
    plain = scheme.lower().removesuffix("+https").removesuffix("+http")
    return (plain if found else ""), scheme.lower().endswith("+https")


def address_of(uri: str, *, port: int, options: Collection[str], example: str) -> Address:
    """
    Take a URI apart.

    Args:
        uri: ``scheme://[user@]host[:port][/path][?option=value]``; ``scheme+https`` for TLS.
        port: Where none is given.
        options: Names that may stand behind the question mark, beside ``ca``.
        example: For the message.

    Raises:
        BadAddress: It is none, has a password, or an option that nobody knows.
    """
    tls = scheme_of(uri)[1]
    try:
        parts = urlsplit(uri)
        host, given = parts.hostname, parts.port
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise BadAddress(_shown(uri), str(error), example) from None
    if parts.password is not None:
        raise BadAddress(_shown(uri), "a password does not belong into it but into the environment", example)
    if not host:
        raise BadAddress(uri, "it names no host", example)
    strange = [name for name, _ in pairs if name not in {*options, "ca"}]
    if strange:
        raise BadAddress(uri, f"{strange[0]!r} is no option, there are {', '.join(sorted({*options, 'ca'}))}", example)
    shown = f"[{host}]" if ":" in host else host
    return Address(
        name=uri,
        url=f"{'https' if tls else 'http'}://{shown}:{given or port}",
        path=unquote(parts.path).strip("/"),
        user=unquote(parts.username) if parts.username else None,
        options=dict(pairs),
    )


def _shown(uri: str) -> str:
    """Return a URI without what stands before its host."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
