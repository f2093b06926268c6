"""
Names that secrets are kept under: ``password``, ``X-Api-Key``, ``clientSecret``, but not ``max_tokens``.

A name is split into words, at signs and at capitals; a rule knows a word, the end of words that
were written together, or two words in a row. What only says something about a secret
(``token_type``) is none.
"""

from __future__ import annotations

import re
from typing import Final


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


PASSWORD: Final = "password"  # noqa: S105
SECRET: Final = "secret"  # noqa: S105
TOKEN: Final = "token"  # noqa: S105
API_KEY: Final = "api_key"
COOKIE: Final = "cookie"
AUTHORIZATION: Final = "authorization"
CREDENTIAL: Final = "credential"
SIGNATURE: Final = "signature"

KEY_RULES: Final = (PASSWORD, SECRET, TOKEN, API_KEY, COOKIE, AUTHORIZATION, CREDENTIAL, SIGNATURE)

# For each rule: whole words, and endings of words that were written together (`userpassword`).
_WORDS: Final[dict[str, str]] = {
    **dict.fromkeys(("pwd", "pw", "pass", "otp", "totp", "passcode", "passcodes"), PASSWORD),
    **dict.fromkeys(("jwt", "bearer"), TOKEN),
    **dict.fromkeys(("authorization",), AUTHORIZATION),
    **dict.fromkeys(("credential", "credentials", "creds", "userinfo"), CREDENTIAL),
}
_ENDINGS: Final[tuple[tuple[str, str], ...]] = (
    ("password", PASSWORD),
    ("passwords", PASSWORD),
    ("passwd", PASSWORD),
    ("passphrase", PASSWORD),
    ("secret", SECRET),
    ("secrets", SECRET),
    ("token", TOKEN),
    ("apikey", API_KEY),
    ("apikeys", API_KEY),
    ("accesskey", API_KEY),
    ("privatekey", API_KEY),
    ("secretkey", API_KEY),
    ("accountkey", API_KEY),
    ("cookie", COOKIE),
    ("cookies", COOKIE),
    ("sessid", COOKIE),
    ("sessionid", COOKIE),
    ("connectionstring", CREDENTIAL),
)
_PAIRS: Final[dict[tuple[str, str], str]] = {
    **{
        (first, second): API_KEY
        for first in (
            *("api", "access", "private", "secret", "encryption", "signing", "master", "account", "auth", "ssh"),
            *("gpg", "pgp", "license", "session", "shared", "storage", "subscription", "service", "rsa"),
        )
        for second in ("key", "keys")
    },
    **{
        (first, "tokens"): TOKEN
        for first in ("auth", "access", "api", "refresh", "bearer", "session", "id", "csrf", "security")
    },
    ("pass", "word"): PASSWORD,
    ("pass", "phrase"): PASSWORD,
    ("auth", "header"): AUTHORIZATION,
    ("auth", "headers"): AUTHORIZATION,
    ("connection", "string"): CREDENTIAL,
    ("amz", "signature"): SIGNATURE,
    ("amz", "credential"): CREDENTIAL,
}

_ABOUT: Final = _words(
    "age at attempts budget changed class cost count counter counts created dir enabled endpoint env expired",
    "expires expiry field fields file files folder id ids index kind kinds len length lengths limit limits",
    "location manager max method min mode name names path paths policy position present price provider ratio",
    "rate required rule rules saved scheme size status store strength ttl type types updated uri url urls",
    "usage used valid var version",
)
"""Words that, standing last, make a fact about a secret of it, not the secret: ``token_type``, ``secret_name``."""

_PASS_IS_A_VERB: Final = frozenset({"pass"})
_KEY_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST_KEY: Final = 200
_KNOWN_KEYS_BOUND: Final = 4096

_known_keys: dict[str, str | None] = {}


def key_rule(key: str) -> str | None:
    """Return the name of the rule by which what stands under `key` is a secret; `None` if none applies."""
    try:
        return _known_keys[key]
    except KeyError:
        pass
    if len(_known_keys) >= _KNOWN_KEYS_BOUND:
        _known_keys.clear()
    verdict = _judge_key(key[-_LONGEST_KEY:])
    if len(key) <= _LONGEST_KEY:
        _known_keys[key] = verdict
    return verdict


def _judge_key(key: str) -> str | None:
    words = [word.lower() for word in _KEY_WORD.findall(key)]
    if not words or (words[-1] in _ABOUT and words[-2:] != ["key", "id"]):
        return None
    for position in range(len(words) - 1, -1, -1):
        word = words[position]
        rule = _word_rule(word, alone=len(words) == 1)
        if rule is None and position:
            rule = _PAIRS.get((words[position - 1], word))
        if rule is not None:
            return rule
    return None


def _word_rule(word: str, *, alone: bool) -> str | None:
    rule = _WORDS.get(word)
    if rule is not None:
        # `pass_rate`, `second_pass`: the word alone is a password's name, beside others it is mostly not.
        return rule if alone or word not in _PASS_IS_A_VERB else None
    for ending, name in _ENDINGS:
        if word.endswith(ending):
            return name
    return None


KEY_ANCHORS: Final = (
    *("pass", "pwd", "pw", "otp", "secret", "token", "jwt", "bearer", "key", "cookie", "sessi", "sessid"),
    *("auth", "cred", "userinfo", "connection", "signature"),
)
"""Lower-case texts of which one stands in every key that a key rule knows."""
