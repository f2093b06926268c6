"""
What a secret looks like: the table of rules, by key and by value.

A *key rule* knows the names that secrets are kept under; a *value rule* knows a
credential by its own shape. Each has a name, by which it can be switched off and which
its marker tells. Replacing is done in `redact`.

Patterns are linear in time: what may repeat does so possessively or within bounds, and no
rule looks for an end it can fail to find after a long way.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


# -- keys

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


# -- values


@dataclass(frozen=True, slots=True)
class ValueRule:
    """A credential that is known by its shape."""

    name: str
    anchors: tuple[str, ...]
    """Lower-case texts of which one stands in every match, so that most values need no pattern."""
    pattern: re.Pattern[str]
    """The whole match is the secret, or its group ``secret`` where there is one."""
    confirms: Callable[[str], bool] | None = None
    """Asked with the secret, where the shape alone is not enough."""


def _rule(
    name: str, anchors: str, pattern: str, flags: int = 0, confirms: Callable[[str], bool] | None = None
) -> ValueRule:
    return ValueRule(name, tuple(anchors.split()), re.compile(pattern, flags), confirms)


def _is_basic_auth(text: str) -> bool:
    """Say whether `text` is ``user:password`` in base 64."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        return b":" in plain and plain.decode().isprintable()
    except (binascii.Error, ValueError):
        return False


_VENDOR_TOKENS: Final = "|".join(
    (
        r"npm_[A-Za-z0-9]{30,}+",
        r"pypi-AgE[\w-]{30,}+",
        r"hf_[A-Za-z0-9]{30,}+",
        r"dop_v1_[a-f0-9]{32,}+",
        r"dckr_pat_[\w-]{16,}+",
        r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32,}+",
        r"hv[sbr]\.[\w-]{20,}+",
        r"glsa_[A-Za-z0-9_]{20,}+",
        r"lin_api_[A-Za-z0-9]{20,}+",
        r"xkeysib-[a-f0-9]{32,}+[\w-]*+",
        r"SG\.[\w-]{16,64}\.[\w-]{16,}+",
        r"AGE-SECRET-KEY-1[A-Z0-9]{20,}+",
        r"(?<!\d)\d{8,10}:AA[\w-]{30,}+",
    )
)

VALUE_RULES: Final = (
    _rule(
        "private_key",
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?!-----END).)*+(?:-----END [A-Z0-9 ]{0,60}-----)?",
        re.DOTALL,
    ),
    _rule("jwt", "eyj", r"eyJ[\w-]{17,}+(?:\.[\w-]*+)*+", re.ASCII),
    _rule(
        "aws_key",
        "akia asia abia acca aroa aida",
        r"(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16,}+",
    ),
    _rule(
        "github_token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"gh[pousr]_[A-Za-z0-9]{20,}+|github_pat_[A-Za-z0-9_]{20,}+",
    ),
    _rule(
        "gitlab_token",
        "glpat- glptt- gldt- glrt- glcbt- glft- glimt- glagent- glsoat- gloas-",
        r"gl(?:pat|ptt|dt|rt|cbt|ft|imt|agent|soat|oas)-[\w-]{16,}+",
        re.ASCII,
    ),
    _rule(
        "slack_token",
        "xox xapp- hooks.slack.com",
        r"xox[abeoprs][.-][\w.-]{8,}+|xapp-[\w-]{8,}+|(?<=hooks\.slack\.com/)[a-z]{3,20}/[\w/+-]{16,}+",
        re.ASCII,
    ),
    _rule(
        "stripe_key",
        "sk_live_ sk_test_ rk_live_ rk_test_ whsec_",
        r"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}+|whsec_[\w+/=]{16,}+",
        re.ASCII,
    ),
    _rule(
        "llm_key",
        "sk-",
        r"(?<![A-Za-z0-9])sk-(?:(?:ant|proj|svcacct|admin|or|lf|None)-[\w-]{16,}+|[A-Za-z0-9]{32,}+)",
        re.ASCII,
    ),
    _rule(
        "google_key",
        "aiza ya29. gocspx- 1//0",
        r"AIza[\w-]{30,}+|ya29\.[\w-]{16,}+|GOCSPX-[\w-]{16,}+|1//0[\w-]{20,}+",
        re.ASCII,
    ),
    _rule(
        "vendor_token",
        "npm_ pypi-age hf_ dop_v1_ dckr_pat_ shpat_ shpca_ shppa_ shpss_ hvs. hvb. hvr. glsa_ lin_api_ xkeysib- sg. "
        "age-secret-key-1 :aa",
        _VENDOR_TOKENS,
        re.ASCII,
    ),
    _rule(
        "url_password",
        "://",
        # user:password@host, the password also with raw `@`, `/` or `#` in it, but not host:port/path@x;
        # cut short by a bound, it ends in an ellipsis; a long user alone is a token.
        r"(?<=://)(?:[^\s/?#@:\"'<>]{0,256}:(?!\d{1,5}[/?#])(?P<secret>(?:(?!://)[^\s?#\"'<>]){1,1024}(?=@)"
        r"|(?:(?!://)[^\s@\"'<>]){1,1024}(?=@|…))|(?P<user>[\w.~%+-]{20,256})(?=@))",
    ),
    _rule(
        "bearer",
        "bearer",
        r"\bbearer\s{1,4}(?P<secret>(?=[^\s]{24}|[^\s\d]{0,24}\d)[\w.~+/=:-]{6,}+)",
        re.ASCII | re.IGNORECASE,
    ),
    _rule(
        "basic_auth",
        "basic",
        r"\bbasic\s{1,4}(?P<secret>[A-Za-z0-9+/]{6,8192}={0,2})",
        re.ASCII | re.IGNORECASE,
        _is_basic_auth,
    ),
    _rule(
        SIGNATURE,
        "sig= signature=",
        r"[?&](?:sig|[\w-]{0,64}signature)=(?P<secret>[^&\s\"'<>]{8,}+)",
        re.ASCII | re.IGNORECASE,
    ),
)

SHORTEST_UNGATED: Final = 12
"""Characters that a match has at least, if its rule's anchor is of letters alone (``eyj``, ``basic``)."""

RULE_NAMES: Final = frozenset((*KEY_RULES, *(rule.name for rule in VALUE_RULES)))
"""All rules that can be switched off."""

KEY_ANCHORS: Final = (
    *("pass", "pwd", "pw", "otp", "secret", "token", "jwt", "bearer", "key", "cookie", "sessi", "sessid"),
    *("auth", "cred", "userinfo", "connection", "signature"),
)
"""Lower-case texts of which one stands in every key that a key rule knows."""
