"""
How well and how fast secrets are hidden: leaks in random trials, false positives on clean text, cost.

    python benchmarks/redaction.py [--trials 100000] [--seed 1] [--artefacts 100000]

A trial makes one credential of one kind, puts it somewhere (under a name, in a sentence, in JSON,
in a URL, in an exception's message, as a key, several levels deep, or next to the cut) and redacts
the whole. It leaks if any 12 characters in a row of the secret's random part come out.

Then as many secrets again go through everything that dam-obs writes, `_redaction_artefacts`: a real program
hands them over as data, input, errors, commands, nested values, names and files, and its trace, console and OTLP
bodies, and what every command makes of them, are searched.

The clean corpus is the standard library of the running Python: its identifiers as keys and
values, its file paths, and the sentences of its docstrings; and UUIDs, hashes as in a log of git, times and
numbers. What is changed is printed, for a person to judge whether it was clean.

Exit status 1 on any leak, or if more than one clean text in a thousand is changed.
"""

from __future__ import annotations

import argparse
import ast
import base64
import json
import random
import re
import string
import sys
import sysconfig
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dam_obs.trace.capture import capture, capture_data, error_message
from dam_obs.trace.redact import Redactor, summary

ALNUM = string.ascii_letters + string.digits
RUN = 12
"""Characters in a row that make a leak."""


def some(rng: random.Random, alphabet: str, least: int, most: int | None = None) -> str:
    return "".join(rng.choices(alphabet, k=rng.randint(least, most or least)))


def credentials(rng: random.Random) -> dict[str, tuple[str, str]]:
    """Make one of each kind known by shape: the whole, and its random part."""
    body = some(rng, ALNUM, 40, 90)
    url_safe = some(rng, ALNUM + "-_", 43)
    upper = some(rng, string.ascii_uppercase + string.digits, 16)
    basic = base64.b64encode(f"ann:{some(rng, ALNUM, 16, 30)}".encode()).decode()
    pem = "\n".join(some(rng, ALNUM + "+/", 64) for _ in range(5))
    return {
        "private_key": (f"-----BEGIN EC PRIVATE KEY-----\n{pem}\n-----END EC PRIVATE KEY-----", pem),
        "jwt": (f"eyJhbGciOiJIUzI1NiJ9.eyJ{body}.{url_safe}", body + url_safe),
        "aws_key": (f"AKIA{upper}", upper),
        "github_token": (f"{rng.choice(['ghp_', 'gho_', 'ghs_', 'github_pat_'])}{body[:36]}", body[:36]),
        "gitlab_token": (f"glpat-{url_safe[:20]}", url_safe[:20]),
        "slack_token": (f"xox{rng.choice('abpr')}-{body}", body),
        "stripe_key": (f"{rng.choice('sr')}k_live_{body[:24]}", body[:24]),
        "llm_key": (f"sk-{rng.choice(['ant-', 'proj-', ''])}{body + body}", body),
        "google_key": (f"AIza{url_safe[:35]}", url_safe[:35]),
        "vendor_token": (f"{rng.choice(['npm_', 'hf_', 'glsa_', 'lin_api_'])}{body[:36]}", body[:36]),
        "bearer": (f"Bearer {body}", body),
        "basic_auth": (f"Basic {basic}", basic),
        "url_password": (f"postgres://ann:{body}@db.internal:5432/x", body),
    }


NAMES = {
    "password": ["password", "DB_PASSWORD", "userPassword", "passwd", "pwd", "passphrase"],
    "secret": ["client_secret", "SECRET_KEY_BASE", "webhookSecret"],
    "token": ["token", "access_token", "authToken", "X-Auth-Token", "csrf_token"],
    "api_key": ["api_key", "X-Api-Key", "apiKey", "aws_access_key_id", "private_key", "AccountKey"],
    "cookie": ["Cookie", "set-cookie", "session_cookie", "PHPSESSID"],
    "authorization": ["Authorization", "Proxy-Authorization", "auth_header"],
    "credential": ["credentials", "db_creds", "connection_string"],
}


def by_name(rng: random.Random, rule: str) -> tuple[dict[str, Any], str]:
    """Put a secret of no known shape under a secret's name, in one of many notations."""
    name = rng.choice(NAMES[rule])
    secret = some(rng, ALNUM + "!$%*+-._~^#@|?", RUN, 40) + "x"
    shapes: list[Callable[[], Any]] = [
        lambda: {name: secret},
        lambda: {"note": f"{name}={secret}"},
        lambda: {"note": f"{name}: {secret}"},
        lambda: {"note": json.dumps({"a": 1, name: secret})},
        lambda: {"note": f'{name}: "{secret}"; Path=/'},
        lambda: (
            {"note": f"GET /\n{name}: x='{secret}'\nHost: x"}
            if rule in ("cookie", "authorization")
            else {name: [secret]}
        ),
        lambda: {"note": json.dumps(json.dumps({name: secret}))},
        lambda: {"note": repr({name: secret, "b": [1]})},
        lambda: {"error": error_message(ValueError(f"login failed ({name}='{secret}')"))},
        lambda: {"note": f"https://api/x?{name}={secret.replace('#', '')}&page=2"},
        lambda: {"note": f"tool --{name.lower().replace('_', '-')} {secret.lstrip('-')} --verbose"},
        lambda: {"note": capture({name: secret, "k": [1, {name: [secret]}]})},
        lambda: capture_data({"context": {name: {"nested": [secret]}}}),
    ]
    return rng.choice(shapes)(), secret


def by_shape(rng: random.Random, rule: str) -> tuple[dict[str, Any], str]:
    """Put a credential of a known shape anywhere."""
    whole, inside = credentials(rng)[rule]
    filler = "word " * rng.randint(0, 900)
    shapes: list[Callable[[], Any]] = [
        lambda: {"note": whole},
        lambda: {"note": f"failed for {whole}, giving up"},
        lambda: {"note": filler + whole},
        lambda: {whole: 1},
        lambda: {"note": capture([filler + whole])},
        lambda: {"note": capture(ValueError(whole))},
        lambda: capture_data({"a": [{"b": (whole, 1)}], "c": repr([whole])}),
        lambda: {"note": json.dumps({"a": whole})},
    ]
    return rng.choice(shapes)(), inside


def leaks(secret: str, shown: str) -> bool:
    plain = shown.replace("\\n", "\n")
    return any(secret[at : at + RUN] in plain for at in range(len(secret) - RUN + 1))


def trials(number: int, rng: random.Random, redactor: Redactor) -> tuple[Counter[str], Counter[str]]:
    made: Counter[str] = Counter()
    leaked: Counter[str] = Counter()
    shapes = list(credentials(rng))
    rules = [*shapes, *NAMES]
    for trial in range(number):
        rule = rules[trial % len(rules)]
        structure, secret = by_shape(rng, rule) if rule in shapes else by_name(rng, rule)
        result = redactor.mapping(structure)
        shown = json.dumps(result, ensure_ascii=False) + summary(str(result.get("note", "")))
        made[rule] += 1
        if leaks(secret, shown):
            leaked[rule] += 1
    return made, leaked


def corpus(limit: int) -> Iterator[tuple[str, str]]:
    """Return texts that hold no secret, with their kind."""
    seen: set[str] = set()
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" in path.parts or "test" in path.parts or len(seen) > limit:
            continue
        found = [("path", str(path))]
        source = path.read_text(encoding="utf-8", errors="replace")
        found += [("identifier", name) for name in re.findall(r"[A-Za-z_]{3,}", source)]
        found += [("sentence", each) for each in sentences(source)]
        for kind, text in found:
            if text not in seen:
                seen.add(text)
                yield kind, text
    yield from made_up(random.Random(1), limit // 10)


def made_up(rng: random.Random, number: int) -> Iterator[tuple[str, str]]:
    """Return texts of no meaning that are no secrets: a program has many of them."""
    for _ in range(number):
        digest = f"{rng.getrandbits(160):040x}"
        unique = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        yield "uuid", rng.choice([unique, f"request {unique} took 3 ms", f"/orders/{unique}/items"])
        yield (
            "hash",
            rng.choice([digest, f"commit {digest}", f"{digest[:7]} Fix the tests", f"sha256:{digest}{digest[:24]}"]),
        )
        amount = rng.choice([str(rng.getrandbits(40)), f"{rng.random():.6f}", f"{rng.getrandbits(24):,} bytes"])
        yield (
            "number",
            rng.choice([amount, f"size={amount}", f"2026-01-{rng.randint(1, 28):02}T10:00:00.{amount[:3]}Z"]),
        )


def sentences(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for sentence in re.split(r"(?<=[.!?])\s+|\n\n", ast.get_docstring(node) or ""):
                if 8 <= len(sentence) <= 400:
                    yield " ".join(sentence.split())


def event_cost(redactor: Redactor, rng: random.Random) -> tuple[float, float]:
    """Return microseconds for the texts of one event: eight short ones and eight names, known and new."""
    known = {
        "namespace": "altitude", "key": "session", "tier": "warm", "reason": "user requested tactical",
        "from_level": "L3", "to_level": "L2", "gate_type": "WriteApprovalGate", "decision": "allowed",
    }  # fmt: skip
    new = [{name: some(rng, string.ascii_lowercase + " ._-", 8, 30) for name in known} for _ in range(3000)]
    start = time.perf_counter()
    for _ in range(3000):
        redactor.mapping(known)
    middle = time.perf_counter()
    for values in new:
        redactor.mapping(values)
    return (middle - start) / 3000 * 1e6, (time.perf_counter() - middle) / 3000 * 1e6


def artefact_trials(number: int, seed: int) -> int:
    """Print by artefact what leaked of so many secrets, and return how many did anywhere."""
    from _redaction_artefacts import artefacts, leaks

    with tempfile.TemporaryDirectory() as folder:
        made = artefacts(Path(folder), seed, number)
        secrets, found = leaks(seed, number, made)
    print(f"{secrets:,} secrets through {len(made)} artefacts of {sum(map(len, made.values())):,} characters")
    for name, text in made.items():
        shown = ", ".join(f"{rule} {count}" for rule, count in found[name].items())
        print(f"  {name:32}{len(text):12,} characters  {found[name].total():5} leaks  {shown}".rstrip())
    return sum(counts.total() for counts in found.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=int, default=100_000, help="clean texts at most")
    parser.add_argument("--artefacts", type=int, default=100_000, help="secrets through all artefacts")
    given = parser.parse_args()
    rng = random.Random(given.seed)

    made, leaked = trials(given.trials, rng, Redactor())
    print(f"{'rule':16}{'trials':>8}{'leaks':>8}")
    for rule in made:
        print(f"{rule:16}{made[rule]:8}{leaked[rule]:8}")
    print(f"{'all':16}{made.total():8}{leaked.total():8}\n")

    leaked_there = artefact_trials(given.artefacts, given.seed) if given.artefacts else 0
    redactor = Redactor()
    texts: Counter[str] = Counter()
    changed: dict[str, list[str]] = {}
    for kind, text in corpus(given.corpus):
        texts[kind] += 1
        if redactor.text("note", text, limit=10_000) != text:
            changed.setdefault(kind, []).append(redactor.text("note", text, limit=10_000))
    for kind, number in texts.items():
        wrong = len(changed.get(kind, []))
        print(f"clean {kind:12}{number:8}  changed {wrong:4}  ({100 * wrong / number:.4f} %)")
    for kind, shown in changed.items():
        for text in shown[:40]:
            print(f"  {kind}: {text[:150]}")

    known, new = event_cost(Redactor(), rng)
    print(f"\nan event's 8 texts and 8 names: {known:.1f} us when seen before, {new:.1f} us when all texts are new")
    wrongly = sum(map(len, changed.values()))
    print(f"leaks: {leaked.total() + leaked_there}; clean texts changed: {wrongly} of {texts.total()}")
    return 1 if leaked.total() or leaked_there or wrongly > texts.total() / 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
