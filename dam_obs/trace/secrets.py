"""
What a credential looks like, whatever it stands under: the table of rules.

Each rule has a name, by which it can be switched off and which its marker tells. The names
that secrets are kept under are in `secret_names`; replacing is done in `redact`.

Patterns are linear in time: what may repeat does so possessively or within bounds, and no
rule looks for an end it can fail to find after a long way.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

import msgspec

from dam_obs.trace.secret_names import KEY_RULES, SIGNATURE


class ValueRule(msgspec.Struct, frozen=True):
    """A credential that is known by its shape."""

    name: str
    anchors: tuple[str, ...]
    """Lower-case texts of which one stands in every match, so that most values need no pattern."""
    expression: str
    """The whole match is the secret, or the group that took part in it where it has groups."""
    flags: int = 0
    confirms: Callable[[str], bool] | None = None
    """Asked with the secret, where the shape alone is not enough."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression; compiled when it is first wanted, since a program may never record."""
        return re.compile(self.expression, self.flags)


def _rule(
    name: str, anchors: str, pattern: str, flags: int = 0, confirms: Callable[[str], bool] | None = None
) -> ValueRule:
    return ValueRule(name, tuple(anchors.split()), pattern, flags, confirms)


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
    # From the token's first character on: the middle of another credential may happen to begin like one of these.
    _rule("jwt", "eyj", r"(?<![\w-])[\w-]*?eyJ[\w-]{17,}+(?:\.[\w-]*+)*+", re.ASCII),
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

SHORTEST: Final = 12
"""Characters that a match has at least, but for a password in a URL."""

RULE_NAMES: Final = frozenset((*KEY_RULES, *(rule.name for rule in VALUE_RULES)))
"""All rules that can be switched off."""
