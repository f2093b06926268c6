"""
Hide secrets before anything leaves the process: the drain thread's work.

`Redactor` replaces what the rules in `secrets` know: by the key a value stands under, by
the value's own shape, and by the name before a ``=`` or ``:`` inside a longer text. Its
marker ``[redacted:<rule>]`` names the rule and nothing of the secret. Cutting to length
comes after, so a secret is seen whole or not at all.

A value found clean is remembered, within bounds: the same few texts come again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from dam_obs.errors import DamObsError
from dam_obs.trace import faults
from dam_obs.trace.assignments import value_span
from dam_obs.trace.capture import capture
from dam_obs.trace.secret_names import KEY_ANCHORS, TOKEN, key_rule
from dam_obs.trace.secrets import RULE_NAMES, SHORTEST, VALUE_RULES, ValueRule

SUMMARY_CHARS: Final = 100
"""Characters of an event's input and output."""

VALUE_CHARS: Final = 2000
"""Characters of any other text that leaves; a quarter of what capture keeps, so its last quarters are never seen."""

DEEPEST: Final = 32
"""Levels of a nested value that are looked into; capture makes far fewer."""

Hook = Callable[[str, str], str | None]

_SMALLEST_NUMBER_TOKEN: Final = 100_000
_INT64: Final = 1 << 63
_CLEAN_BOUND: Final = 4096
_CLEAN_CHARS: Final = 200
_HOOK = faults.guard("redact.hook")

_ASSIGNMENT: Final = re.compile(
    # The name, maybe of two words, ...
    r"(?<![\w.-])(?P<key>(?:(?:api|access|private|secret|auth|session|connection|account) )?[\w.-]++)"
    # ... then what closes quotes, brackets and tags, and a sign; or, for an option, a space.
    r"(?:(?P<closed>\\{0,8}[\"'`]?)\]?[ \t]{0,4}(?:=>|:=|={1,3}|:(?!//)|>(?=[^\s>=]))[ \t]{0,4}"
    r"|(?<=\w)(?P<option>\\{0,8}[\"']?,?[ \t]{1,4})(?=[^\s-]))",
    re.IGNORECASE,
)
_ESCAPED: Final = re.compile(r"\\[nrtfv]")


class UnknownRule(DamObsError):
    """A redaction rule was to be switched off that does not exist."""

    def __init__(self, name: str) -> None:
        import difflib  # costly, and seldom needed

        near = difflib.get_close_matches(name, RULE_NAMES, n=1)
        hint = f"did you mean {near[0]!r}" if near else f"there are {', '.join(sorted(RULE_NAMES))}"
        super().__init__(f"there is no redaction rule {name!r}: {hint}?")
        self.name = name


def marker(rule: str) -> str:
    """Return what stands where a secret stood."""
    return f"[redacted:{rule}]"


def cut(text: str, limit: int = VALUE_CHARS) -> str:
    """Return at most `limit` characters of `text`; an ellipsis, inside the limit, says that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def summary(text: str) -> str:
    """Return `text`, redacted already, as `input_summary` and `output_summary` have it."""
    return cut(text, SUMMARY_CHARS)


class Redactor:
    """Hides secrets; for one thread at a time, since it remembers what was clean."""

    def __init__(self, off: Collection[str] = (), safe_keys: Collection[str] = (), hook: Hook | None = None) -> None:
        """
        Make a redactor.

        Args:
            off: Names of rules to switch off.
            safe_keys: Keys whose values are never hidden by key; their own shape still counts.
            hook: Asked after the rules with key and text; what it returns is written instead, `None`
                leaves the text. If it raises, the text is replaced whole.

        Raises:
            UnknownRule: `off` names no rule.
        """
        for name in off:
            if name not in RULE_NAMES:
                raise UnknownRule(name)
        self._off = frozenset(off)
        self._safe_keys = frozenset(key.casefold() for key in safe_keys)
        self._hook = hook
        rules = tuple(rule for rule in VALUE_RULES if rule.name not in self._off)
        self._rules = tuple((rule.anchors, _replacing(rule)) for rule in rules)
        self._suspicious = _prefilter(rules)
        self._verdicts: dict[str, str | None] = {}
        self._clean: set[str] = set()

    # -- what the drain thread calls

    def text(self, key: str, value: str, limit: int = VALUE_CHARS) -> str:
        """
        Return `value`, which stands under `key`, without secrets, in at most `limit` characters.

        Lone surrogates become visible escapes, so that every encoder takes the result.
        """
        if self._hook is None and value in self._clean and self._by_key(key) is None:
            return value
        rule = self._by_key(key)
        text = marker(rule) if rule is not None and value else self._plain(value)
        if self._hook is not None:
            text = self._ask_hook(key, text)
        return text if len(text) <= limit else cut(text, limit)

    def value(self, key: str, value: Any, depth: int = 0) -> Any:
        """Return a JSON value without secrets: in keys and values, at any depth."""
        kind = type(value)
        if kind is str:
            return self.text(key, value)
        if value is None or kind is bool:
            return value
        rule = self._by_key(key)
        if rule is not None and not (rule == TOKEN and _is_count(value)):
            return marker(rule)
        if kind is int:
            return capture(value)  # readers take no more than 64 bits
        if kind is float:
            return value
        if depth >= DEEPEST:
            return "…"
        if isinstance(value, dict):
            return self._mapping(value, f"{key}.", depth + 1)
        if isinstance(value, (list, tuple)):
            return [self.value(key, item, depth + 1) for item in value]
        return self.text(key, str(value))

    def mapping(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of `values` without secrets, in its order."""
        return self._mapping(values, "", 0)

    def operation(self, name: str) -> str:
        """
        Return the name of an operation without secrets that are known by their shape.

        No plugin is asked: almost all of these are words of trace points, and one that fails must not take them away.
        """
        return name if name in self._clean else self._plain(name)

    def path(self, path: str) -> str:
        """Return a file's path without secrets."""
        return self.text("path", path)

    def frame(self, name: str) -> str:
        """Return a profile frame's name without secrets."""
        return self.text("frame", name)

    # -- how

    def _mapping(self, values: Mapping[str, Any], prefix: str, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        clean, verdicts, quick = self._clean, self._verdicts, self._hook is None and not prefix
        for name, value in values.items():
            if (
                quick
                and name in clean
                and verdicts.get(name, "") is None
                and (value in clean if type(value) is str else _is_plain(value))
            ):
                result[name] = value
                continue
            shown = name if name in self._clean else self._plain(name)
            while shown in result:
                shown += "'"
            result[shown] = self.value(prefix + name if prefix else name, value, depth)
        return result

    def _by_key(self, key: str) -> str | None:
        try:
            return self._verdicts[key]
        except KeyError:
            pass
        if len(self._verdicts) >= _CLEAN_BOUND:
            self._verdicts.clear()
        rule = key_rule(key)
        if rule is not None and (rule in self._off or self._is_safe(key)):
            rule = None
        self._verdicts[key] = rule
        return rule

    def _is_safe(self, key: str) -> bool:
        folded = key.casefold()
        return folded in self._safe_keys or folded.rpartition(".")[2] in self._safe_keys

    def _plain(self, value: str) -> str:
        """Return `value` without what the rules know by its shape, whatever it stands under."""
        if not value.isascii():
            value = _encodable(value)
        text = value
        if self._suspicious(value):
            lowered = value.lower()
            for anchors, replace in self._rules:
                if any(anchor in lowered for anchor in anchors):
                    text = replace(text)
            text = self._assignments(text)
        if text == value and len(value) <= _CLEAN_CHARS:
            if len(self._clean) >= _CLEAN_BOUND:
                self._clean.clear()
            self._clean.add(value)
        return text

    def _assignments(self, text: str) -> str:
        """Hide what is assigned to a secret's name inside `text`: JSON, query strings, messages, options."""
        parts: list[str] = []
        done = position = 0
        while match := _ASSIGNMENT.search(text, position):
            position = match.end()
            key = match["key"]
            rule = self._by_key(key) if match["option"] is None or key.startswith("--") else None
            if rule is None and match["option"] is None and _ESCAPED.match(text, match.start("key") - 1):
                rule = self._by_key(key[1:])  # the first letter belongs to a line end or a tab, as `repr` writes it
            is_closed = match["closed"] or (match["option"] or "").strip(" \t,")
            inside = "" if is_closed else _quote_before(text, match.start("key"))
            span = value_span(text, position, rule, key, inside) if rule is not None else None
            if rule is None or span is None:
                continue
            parts += (text[done : span[0]], marker(rule))
            done = position = span[1]
        return text if not parts else "".join((*parts, text[done:]))

    def _ask_hook(self, key: str, text: str) -> str:
        hook = self._hook
        with _HOOK:
            answer = hook(key, text) if hook is not None else None
            return text if answer is None else _encodable(str(answer))
        return marker("hook")


def _prefilter(rules: Collection[ValueRule]) -> Callable[[str], bool]:
    """
    Make the quick question whether any rule could match: it may say yes too often, never no wrongly.

    Anchors are asked for only where a rarer character that each of them has is there at all.
    """
    anchors = dict.fromkeys(anchor for rule in rules for anchor in rule.anchors)
    gated = {gate: tuple(a for a in anchors if _gate(a) == gate) for gate in _GATES}
    names = re.compile("|".join(map(re.escape, KEY_ANCHORS)))

    def suspicious(value: str) -> bool:
        lowered = value.lower()
        if ("=" in value or ":" in value or ">" in value or "--" in value) and names.search(lowered):
            return True
        if len(value) < SHORTEST:
            return "://" in value
        for gate, behind in gated.items():
            if gate in value:
                for anchor in behind:
                    if anchor in lowered:
                        return True
        return False

    return suspicious


_GATES: Final = ("_", "-", ":", "=", ".", "/", "")
"""The empty one, which is in every value, for anchors of letters alone."""


def _gate(anchor: str) -> str:
    return next(gate for gate in _GATES if gate in anchor)


def _replacing(rule: ValueRule) -> Callable[[str], str]:
    """Make what replaces all that one rule knows in a text."""
    mark = marker(rule.name)
    pattern = rule.pattern
    groups = pattern.groups
    confirms = rule.confirms

    def hide(match: re.Match[str]) -> str:
        number = match.lastindex if groups and match.lastindex else 0
        if confirms is not None and not confirms(match[number]):
            return match[0]
        start, end = match.span(number)
        return match.string[match.start() : start] + mark + match.string[end : match.end()]

    return lambda text: pattern.sub(hide, text)


def _is_plain(value: Any) -> bool:
    """Say whether a value that is no text stays as it is under a key that hides nothing."""
    kind = type(value)
    return kind is float or kind is bool or (kind is int and -_INT64 <= value < _INT64)


def _is_count(value: Any) -> bool:
    return type(value) in (int, float) and -_SMALLEST_NUMBER_TOKEN < value < _SMALLEST_NUMBER_TOKEN


def _quote_before(text: str, position: int) -> str:
    """Return the quote that stands right before a name: then name and value stand in it together."""
    return text[position - 1] if position and text[position - 1] in "\"'`" else ""


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
