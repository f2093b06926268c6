"""The scripts that build Jaeger and fetch Prometheus, with stand-ins for Go and apt: what their callers rely on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "collector-config" / "backends"
VERSIONS = dict(
    line.split("=", 1)
    for line in (ROOT / "collector-config" / "versions.env").read_text().splitlines()
    if re.match(r"[A-Z_]+=", line)
)
TOOLS = "bash env dirname sha256sum cut sed mktemp mkdir mv rm cp cat nice uname grep tail id touch chmod"

GO = """#!/usr/bin/env bash
# A stand-in: it answers what the script asks of Go, and notes each call.
echo "$*" >>"$CALLS"
case "$*" in
    "mod download -json "*)
        [ -z "${NO_PROXY_HERE:-}" ] || exit 1
        printf '{\\n\\t"Dir": "%s",\\n\\t"Sum": "%s",\\n\\t"GoModSum": "%s"\\n}\\n' "$MODULE" "$SUM" "$MOD_SUM" ;;
    build*)
        while [ "$1" != -o ]; do shift; done
        printf '#!/bin/sh\\necho jaeger\\n' >"$2"; chmod +x "$2" ;;
esac
"""

APT = """#!/usr/bin/env bash
# A stand-in for apt-get and apt-cache: there is a package of the version $CANDIDATE.
echo "$(basename "$0") $*" >>"$CALLS"
case "$(basename "$0") $*" in
    "apt-cache policy"*) printf 'prometheus:\\n  Installed: (none)\\n  Candidate: %s\\n' "$CANDIDATE" ;;
    *download*) touch prometheus_1_amd64.deb ;;
esac
"""

DPKG = """#!/usr/bin/env bash
mkdir -p "$3/usr/bin" "$3/usr/share/doc/prometheus"
for name in prometheus promtool; do printf '#!/bin/sh\\n' >"$3/usr/bin/$name"; chmod +x "$3/usr/bin/$name"; done
touch "$3/usr/share/doc/prometheus/copyright"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with nothing but the usual tools: the folder that is its PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS.split():
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return folder


def _install(machine: Path, name: str, text: str) -> None:
    (machine / name).write_text(text)
    (machine / name).chmod(0o755)


@pytest.fixture
def environ(machine: Path, tmp_path: Path) -> dict[str, str]:
    """What the scripts and the stand-ins read."""
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text("module github.com/jaegertracing/jaeger\n")
    (module / "go.sum").write_text("example.org/x v1.0.0 h1:x=\n")
    return {
        "PATH": str(machine),
        "HOME": str(tmp_path),
        "DAM_BACKENDS_CACHE": str(tmp_path / "cache"),
        "CALLS": str(tmp_path / "calls"),
        "MODULE": str(module),
        "SUM": VERSIONS["JAEGER_SUM"],
        "MOD_SUM": VERSIONS["JAEGER_MOD_SUM"],
        "CANDIDATE": "2.53.1",
    }


Start = Callable[..., "subprocess.Popen[str]"]


def _start(script: str, environ: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [SCRIPTS / script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
        stdin=subprocess.DEVNULL,
    )


def _run(script: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    process = _start(script, environ)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess([script], process.returncode, out, err)


def _calls(environ: dict[str, str]) -> list[str]:
    path = Path(environ["CALLS"])
    return path.read_text().splitlines() if path.exists() else []


def _has(script: str, machine: Path) -> None:
    """Give the machine what a script needs."""
    if script == "build-jaeger":
        _install(machine, "go", GO)
        return
    for name in ("apt-get", "apt-cache"):
        _install(machine, name, APT)
    _install(machine, "dpkg-deb", DPKG)
    _install(machine, "basename", '#!/usr/bin/env bash\necho "${1##*/}"\n')
    _install(machine, "dpkg", '#!/usr/bin/env bash\n[ "$2" != "2.0" ]\n')


BOTH = pytest.mark.parametrize("script", ["build-jaeger", "install-prometheus"])


@BOTH
def test_the_program_is_the_only_line_that_is_printed(script, machine, environ):
    """It is there, can be run, and lies in the cache."""
    _has(script, machine)
    result = _run(script, environ)
    program = Path(result.stdout.rstrip("\n"))

    assert result.returncode == 0, result.stderr
    assert result.stdout.count("\n") == 1
    assert os.access(program, os.X_OK)
    assert program.parent.parent == Path(environ["DAM_BACKENDS_CACHE"])


@BOTH
def test_what_is_there_is_not_made_again(script, machine, environ):
    """The second call asks nobody."""
    _has(script, machine)
    first = _run(script, environ)
    calls = _calls(environ)
    second = _run(script, environ)

    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")
    assert _calls(environ) == calls != []


@BOTH
def test_two_at_once_do_not_hurt_each_other(script, machine, environ):
    """Both print the same program, and nothing half made stays."""
    _has(script, machine)
    both = [_start(script, environ) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert printed[0] == printed[1] != ""
    assert [path.name for path in Path(environ["DAM_BACKENDS_CACHE"]).iterdir()] == [Path(printed[0]).parent.name]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("build-jaeger", "build-jaeger: no Go on the PATH: install it from https://go.dev/dl\n"),
        (
            "install-prometheus",
            (
                "install-prometheus: no apt-get here: get Prometheus as your system has it, "
                "and name it in DAM_PROMETHEUS_PROGRAM\n"
            ),
        ),
    ],
    ids=["build-jaeger", "install-prometheus"],
)
def test_a_machine_that_cannot_says_why_in_one_line(script, why, environ):
    """With status 3, by which callers leave the part out."""
    result = _run(script, environ)

    assert (result.returncode, result.stdout, result.stderr) == (3, "", why)


@BOTH
def test_a_program_of_ones_own_is_taken_as_it_is(script, environ, tmp_path):
    """Nothing is built or fetched."""
    own = tmp_path / "own"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    variable = {"build-jaeger": "DAM_JAEGER_PROGRAM", "install-prometheus": "DAM_PROMETHEUS_PROGRAM"}[script]
    result = _run(script, {**environ, variable: str(own)})

    assert (result.returncode, result.stdout, result.stderr) == (0, f"{own}\n", "")


def test_another_module_than_the_pinned_one_is_refused(machine, environ):
    """With both sums; nothing is built."""
    _has("build-jaeger", machine)
    result = _run("build-jaeger", {**environ, "SUM": "h1:other="})

    assert (result.returncode, result.stdout) == (1, "")
    assert f"{VERSIONS['JAEGER']} is not what versions.env names: its sums are h1:other= and " in result.stderr
    assert not [call for call in _calls(environ) if call.startswith("build")]
    assert list(Path(environ["DAM_BACKENDS_CACHE"]).iterdir()) == []


def test_without_the_module_proxy_jaeger_cannot_be_had(machine, environ):
    """Status 3, and nothing half made stays."""
    _has("build-jaeger", machine)
    result = _run("build-jaeger", {**environ, "NO_PROXY_HERE": "1"})

    assert result.returncode == 3
    assert result.stderr.splitlines()[-1] == (
        f"build-jaeger: the Go module proxy did not give github.com/jaegertracing/jaeger {VERSIONS['JAEGER']}"
    )
    assert list(Path(environ["DAM_BACKENDS_CACHE"]).iterdir()) == []


def test_a_prometheus_that_is_too_old_is_not_taken(machine, environ):
    """The rules were tried with a newer one."""
    _has("install-prometheus", machine)
    result = _run("install-prometheus", {**environ, "CANDIDATE": "2.0"})

    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == (
        f"install-prometheus: apt has Prometheus 2.0, and the rules are for {VERSIONS['PROMETHEUS_OLDEST']} or newer\n"
    )
