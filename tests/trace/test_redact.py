"""Redaction: no secret leaves, what is none stays, and the marker tells nothing."""

from __future__ import annotations

import base64
import json
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam_obs.trace import faults
from dam_obs.trace.redact import SUMMARY_CHARS, VALUE_CHARS, Redactor, UnknownRule, _prefilter, cut, marker, summary
from dam_obs.trace.secret_names import KEY_RULES, key_rule
from dam_obs.trace.secrets import RULE_NAMES, VALUE_RULES

ALNUM = string.ascii_letters + string.digits
URL_SAFE = ALNUM + "-_"


def names(*lines: str) -> list[str]:
    return [name for line in lines for name in line.split()]


def chars(alphabet: str, least: int, most: int | None = None) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most or least)


SECRETS: dict[str, st.SearchStrategy[str]] = {
    "private_key": chars(ALNUM, 64).map(
        lambda body: f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    ),
    "jwt": st.tuples(chars(URL_SAFE, 17, 60), chars(URL_SAFE, 20, 200), chars(URL_SAFE, 43)).map(
        lambda parts: "eyJ" + ".".join(parts)
    ),
    "aws_key": chars(string.ascii_uppercase + string.digits, 16).map("AKIA{}".format),
    "github_token": st.sampled_from(["ghp_", "gho_", "ghs_", "github_pat_"]).flatmap(
        lambda prefix: chars(ALNUM, 36).map(prefix.__add__)
    ),
    "gitlab_token": chars(URL_SAFE, 20).map("glpat-{}".format),
    "slack_token": chars(ALNUM + "-", 20, 50).map("xoxb-{}".format),
    "stripe_key": chars(ALNUM, 24).map("sk_live_{}".format),
    "llm_key": st.one_of(chars(URL_SAFE, 40, 90).map("sk-ant-{}".format), chars(ALNUM, 48).map("sk-{}".format)),
    "google_key": chars(URL_SAFE, 35).map("AIza{}".format),
    "vendor_token": chars(ALNUM, 36).map("npm_{}".format),
}
"""Credentials known by their own shape, whole."""

any_secret = st.one_of(SECRETS.values())
secret_keys = st.sampled_from(
    names(
        "password db_password DB_PASSWORD userPassword passwd client_secret SECRET_KEY token authToken access_token",
        "X-Api-Key apiKey aws_access_key_id private_key Cookie set-cookie Authorization Proxy-Authorization",
        "credentials aws.secret passphrase sessionid refresh_tokens",
    )
)
plain_values = chars(ALNUM + "!#$%*+-._~", 8, 40).map("q9{}x".format)
words = st.text(" ,.()[]{}<>\n'\"=:/abcXYZ12", max_size=30)


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


# -- by shape


@settings(max_examples=200)
@given(any_secret, words, words)
def test_a_credential_is_known_by_its_shape_anywhere_in_a_text(secret, before, after):
    """Whatever stands around it, as long as something that is no letter does."""
    text = Redactor().text("note", f"{before} {secret} {after}")

    assert secret[-12:] not in text
    assert secret[8:20] not in text


@pytest.mark.parametrize("rule", SECRETS)
def test_the_marker_names_the_rule_and_nothing_of_the_secret(rule):
    """Every rule has its own marker, which stands exactly where the secret stood."""

    @given(SECRETS[rule])
    @settings(max_examples=30)
    def check(secret):
        assert Redactor().text("note", f"see {secret}, please") == f"see [redacted:{rule}], please"

    check()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://ann:hunter2@db:5432/x", "postgres://ann:[redacted:url_password]@db:5432/x"),
        ("postgres://ann:hun/ter#2@db/x", "postgres://ann:[redacted:url_password]@db/x"),
        ("redis://:hunter2@cache", "redis://:[redacted:url_password]@cache"),
        ("https://0123456789abcdef0123@o1.ingest/2", "https://[redacted:url_password]@o1.ingest/2"),
        ("https://host:8080/a@b", "https://host:8080/a@b"),
        ("https://host/users/a:b@c", "https://host/users/a:b@c"),
        ("git@github.com:a/b", "git@github.com:a/b"),
        ("sent Bearer abcdef0123", "sent Bearer [redacted:bearer]"),
        ("Bearer authentication required", "Bearer authentication required"),
        (f"Basic {base64.b64encode(b'ann:hunter2').decode()}", "Basic [redacted:basic_auth]"),
        ("Basic configuration", "Basic configuration"),
        ("/x?sv=1&sig=abcdefghij%3D&se=2", "/x?sv=1&sig=[redacted:signature]&se=2"),
        ("https://hooks.slack.com/services/T01/B02/abcdefghijkl", "https://hooks.slack.com/[redacted:slack_token]"),
        ("-----BEGIN PRIVATE KEY-----\nabc", "[redacted:private_key]"),
        (f"use sk-{'a' * 20}eyJ{'b' * 30} now", "use [redacted:jwt] now"),
        ("task-abcdefghijklmnopqrstuvwxyzabcdefgh0123", "task-abcdefghijklmnopqrstuvwxyzabcdefgh0123"),
    ],
)
def test_shapes_end_where_they_end(redactor, text, shown):
    """What stands beside a secret stays, and what only looks like one from afar too."""
    assert redactor.text("note", text) == shown


# -- by key


@given(secret_keys, plain_values)
def test_what_stands_under_a_secrets_name_is_hidden(key, value):
    """The key alone is enough."""
    assert Redactor().text(key, value) == marker(key_rule(key) or "")


@pytest.mark.parametrize(
    "key",
    names(
        "key tokens_saved max_tokens input_tokens tokens token_type token_count session_id session auth author",
        "authority keyboard primary_key foreign_key public_key monkey secretary compass pass_rate second_pass",
        "password_policy secret_name cookie_name tokenizer namespace reason from_level gate_type pattern_code",
        "expires_at private access api credential_type",
    ),
)
def test_names_that_only_resemble_a_secrets_hide_nothing(redactor, key):
    """The seed's own data names, and what others complained about, are left alone."""
    assert redactor.mapping({key: "altitude"}) == {key: "altitude"}


def test_numbers_under_token_names_are_counts():
    """`token: 45` is a count; an absent or true value says nothing; a long number is a code."""
    values = {"token": 45, "password": None, "has_password": True, "pwd": 1234, "otp_token": 123456}

    assert Redactor().mapping(values) == {
        "token": 45,
        "password": None,
        "has_password": True,
        "pwd": "[redacted:password]",
        "otp_token": "[redacted:token]",
    }


def test_everything_below_a_secrets_name_is_hidden(redactor):
    """A container under such a name is replaced whole."""
    assert redactor.mapping({"a": [{"credentials": {"user": "ann"}}]}) == {
        "a": [{"credentials": "[redacted:credential]"}]
    }


# -- by assignment inside a text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2&page=2", "password=[redacted:password]&page=2"),
        ('{"password": "hun\\"ter2", "a": 1}', '{"password": "[redacted:password]", "a": 1}'),
        ('{\\"password\\": \\"hunter2\\", \\"a\\": 1}', '{\\"password\\": \\"[redacted:password]\\", \\"a\\": 1}'),
        ("{'password': 'it\\'s', 'a': 1}", "{'password': '[redacted:password]', 'a': 1}"),
        ("login(user='ann', password='hunter2')", "login(user='ann', password='[redacted:password]')"),
        ("Server=db;Pwd=hunter2;Timeout=3", "Server=db;Pwd=[redacted:password];Timeout=3"),
        ("AccountName=x;AccountKey=abc+/==;Suffix=y", "AccountName=x;AccountKey=[redacted:api_key];Suffix=y"),
        ("API key: abc-def", "API key: [redacted:api_key]"),
        ("Authorization: Digest a=b, c=d\nHost: x", "Authorization: [redacted:authorization]\nHost: x"),
        ("curl -H 'Cookie: a=b; c=d' https://x", "curl -H 'Cookie: [redacted:cookie]' https://x"),
        ('Set-Cookie: a="b; c"; Path=/\nX: y', "Set-Cookie: [redacted:cookie]\nX: y"),
        ('Authorization: Digest username="ann", response="x"', "Authorization: [redacted:authorization]"),
        ("asks 'Password: ' and waits", "asks 'Password: ' and waits"),
        ("<password>hunter2</password>", "<password>[redacted:password]</password>"),
        ("mysql --password hunter2 --host x", "mysql --password [redacted:password] --host x"),
        ("['mysql', '--password', 'hunter2', 'x']", "['mysql', '--password', '[redacted:password]', 'x']"),
        ("config['secret'] = 'a b'", "config['secret'] = '[redacted:secret]'"),
        ('"credentials": {"a": ["}"], "b": 2}, "c": 3', '"credentials": [redacted:credential], "c": 3'),
        ("passphrase: correct horse battery", "passphrase: [redacted:password]"),
        ("token=None, password=***, max_tokens=5, token: 45", "token=None, password=***, max_tokens=5, token: 45"),
        ("def f(password: str, token: bytes)", "def f(password: str, token: bytes)"),
        ("the password is a secret: yes", "the password is a secret: yes"),
    ],
)  # fmt: skip
def test_an_assignment_inside_a_text_hides_the_value_alone(redactor, text, shown):
    """JSON, Python, query strings, headers, options, connection strings: the value goes, the rest stays."""
    assert redactor.text("note", text) == shown


@given(
    secret_keys,
    plain_values,
    st.sampled_from(["{}={}", "{}: {}", '{{"{}": "{}"}}', "?{}={}&x=1", "f({}='{}')", "<{}>{}</x>"]),
)
def test_no_assigned_value_survives(key, value, shape):
    """Whatever the notation, the value is not in the result, but as part of its name."""
    text = Redactor().text("note", shape.format(key, value))

    assert value not in text.replace(key, "")


@given(secret_keys, st.text(min_size=6, max_size=60).filter(lambda text: not text.isdigit()))
def test_no_value_survives_in_json_or_in_a_repr(key, value):
    """Quotes, backslashes and newlines in a value do not end it early."""
    unlikely = f"<{value}>"

    assert unlikely not in Redactor().text("note", json.dumps({key: unlikely, "x": 1}))
    assert unlikely not in Redactor().text("note", repr({key: unlikely, "x": 1}))
    assert unlikely not in Redactor().text("note", json.dumps(json.dumps({key: unlikely})))


# -- at any depth


@st.composite
def planted(draw: st.DrawFn) -> tuple[Any, str]:
    """Make a structure with one secret somewhere: as a value, in a text, as a key, or under a secret's name."""
    secret = draw(any_secret)
    value: Any = draw(
        st.sampled_from(
            [secret, f"see {secret} there", {secret: 1}, json.dumps({"a": [secret]}), [1, secret], repr([secret])]
        )
    )
    for _ in range(draw(st.integers(0, 6))):
        value = draw(st.sampled_from([[value], {"a": value, "b": 1}, [0, value, None], {"x": [value]}, (value,)]))
    return {"data": value}, secret


@settings(max_examples=300)
@given(planted())
def test_no_secret_survives_at_any_depth(case):
    """In keys and values, in lists and dicts, in texts of texts."""
    structure, secret = case
    shown = json.dumps(Redactor().mapping(structure))

    assert json.dumps(secret)[1:-1][-12:] not in shown
    assert secret[8:20] not in shown


def test_two_secret_keys_stay_two():
    """Keys that are replaced by the same marker do not swallow each other."""
    one, two = "ghp_" + "a" * 36, "ghp_" + "b" * 36

    assert Redactor().mapping({one: 1, two: 2}) == {"[redacted:github_token]": 1, "[redacted:github_token]'": 2}


# -- laws


shapeless = st.one_of(st.text(), words, any_secret, st.tuples(words, any_secret, words).map("".join))


@settings(max_examples=500)
@given(shapeless, secret_keys, plain_values)
def test_the_quick_question_never_wrongly_says_no(text, key, value):
    """Whatever a rule finds, the prefilter has let through."""
    suspicious = _prefilter(VALUE_RULES)

    assert suspicious(text) or not any(rule.pattern.search(text) for rule in VALUE_RULES)
    assert suspicious(f"{text}{key}={value}")
    assert suspicious(f"--{key} {value}")


@settings(max_examples=500)
@given(shapeless)
def test_redacting_twice_changes_nothing(text):
    """Markers are not taken for secrets."""
    once = Redactor().text("note", text)

    assert Redactor().text("note", once) == once


@given(st.text(st.characters()))
def test_whatever_leaves_can_be_encoded(text):
    """Lone surrogates become visible escapes."""
    Redactor().text("note", text).encode()


@given(st.dictionaries(st.text(), st.text()))
def test_memory_changes_no_verdict(values):
    """What was found clean once is found clean again, under this key and not under a secret's."""
    redactor = Redactor()

    assert redactor.mapping(values) == redactor.mapping(values)
    assert all(redactor.text("password", value) == "[redacted:password]" for value in values.values() if value)


# -- length


def test_cutting_comes_after_redaction(redactor):
    """A token that stands across the cut is hidden whole."""
    text = "x" * (VALUE_CHARS - 20) + " ghp_" + "a" * 36

    assert redactor.text("note", text) == "x" * (VALUE_CHARS - 20) + " [redacted:github_t…"


@given(st.text(max_size=300))
def test_a_summary_has_at_most_100_characters(text):
    """The ellipsis is inside the bound; a text that fits is whole."""
    short = summary(text)

    assert len(short) <= SUMMARY_CHARS
    assert short == text if len(text) <= SUMMARY_CHARS else short == text[:99] + "…"


def test_another_limit_can_be_given(redactor):
    """A stack trace may be longer than other texts."""
    assert redactor.text("exception.stacktrace", "x " * 5000, limit=10_000) == "x " * 5000
    assert cut("abcdef", 3) == "ab…"


# -- what users set


@pytest.mark.parametrize("rule", sorted(RULE_NAMES))
def test_every_rule_can_be_switched_off(rule):
    """By the name that its marker shows; the others stay."""
    Redactor(off=[rule])

    assert (rule in KEY_RULES) or any(each.name == rule for each in VALUE_RULES)


def test_a_rule_that_is_off_hides_nothing():
    """By key, inside texts and by shape."""
    redactor = Redactor(off=["password", "jwt"])
    jwt = "eyJ" + "a" * 30

    assert redactor.mapping({"password": "hunter2", "a": "password=hunter2", "b": jwt, "token": "x"}) == {
        "password": "hunter2",
        "a": "password=hunter2",
        "b": jwt,
        "token": "[redacted:token]",
    }


def test_an_unknown_rule_is_an_error_with_the_nearest_name():
    """A typo must not leave a rule on, or off, unnoticed."""
    with pytest.raises(UnknownRule, match="did you mean 'password'"):
        Redactor(off=["pasword"])


def test_a_safe_key_is_left_alone_but_its_shape_still_counts():
    """Safe says: this name is no secret's; a credential under it is one all the same."""
    redactor = Redactor(safe_keys=["Page_Token"])
    token = "ghp_" + "a" * 36

    assert redactor.mapping({"page_token": "abc", "a": {"page_token": token}, "b": "page_token=abc"}) == {
        "page_token": "abc",
        "a": {"page_token": "[redacted:github_token]"},
        "b": "page_token=abc",
    }


def test_the_hook_has_the_last_word():
    """It is asked after the rules, with the path of names; `None` leaves the text."""
    asked = []

    def hook(key: str, value: str) -> str | None:
        asked.append((key, value))
        return "gone" if "ann" in value else None

    result = Redactor(hook=hook).mapping({"a": {"user": "ann"}, "password": "hunter2", "b": ["x"]})

    assert result == {"a": {"user": "gone"}, "password": "[redacted:password]", "b": ["x"]}
    assert asked == [("a.user", "ann"), ("password", "[redacted:password]"), ("b", "x")]


def test_a_hook_that_raises_hides_the_value_whole():
    """For it may be what was to be hidden."""
    faults.reset()

    def hook(key: str, value: str) -> str | None:
        raise ValueError(value)

    assert Redactor(hook=hook).text("user", "ann") == "[redacted:hook]"
    assert faults.counts() == {"redact.hook": 1}
    faults.reset()


@pytest.mark.parametrize(
    "unit",
    [
        *("eyJ", "://a:", "password", "password=", "ghp_", '"', '\\"', "secret='", "[", "--token ", "a."),
        *("-----BEGIN PRIVATE KEY-----", "Bearer ", "?sig=&", "basic a", "SG.", "api ", "\x00", "12345678:AA"),
    ],
)
def test_no_text_takes_long(redactor, unit):
    """Texts made to defeat a pattern end within the test's own patience, at a hundred times the longest capture."""
    redactor.text("note", unit * (800_000 // len(unit)))
