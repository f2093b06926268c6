"""
The checks, each in an environment of its own: ``nox -l`` lists them.

Environments are made by uv. A Python that is not on this machine is reported and its
tests are skipped; none is downloaded.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2026.2"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests", "lint", "types", "docs"]

ROOT = Path(__file__).parent
PYTHONS = ("3.11", "3.12", "3.13")
PLUGINS = sorted(str(path.parent.relative_to(ROOT)) for path in ROOT.glob("plugins/*/pyproject.toml"))


def put_first_on_path(versions: tuple[str, ...]) -> None:
    """Let nox find the interpreters that really run: on the PATH it may meet pyenv's shims of others."""
    for version in versions:
        found = subprocess.run([ROOT / ".ci" / "find-python", version], capture_output=True, text=True)  # noqa: S603
        if found.returncode == 0:
            os.environ["PATH"] = f"{Path(found.stdout.strip()).parent}{os.pathsep}{os.environ['PATH']}"


put_first_on_path(PYTHONS)


def install(session: nox.Session, *groups: str) -> None:
    """Install dam-obs and the plugins as a developer has them, with these dependency groups."""
    editable = [argument for folder in (".[cli]", *PLUGINS) for argument in ("--editable", folder)]
    session.install(*editable, *(argument for group in groups for argument in ("--group", group)))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests, but for the slow ones and those of real backends; arguments go to pytest."""
    install(session, "dev", "docs")
    session.run(
        "pytest", "-m", "not slow and not backends", "--numprocesses", "auto", "--dist", "loadfile", *session.posargs
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install("--group", "dev")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    install(session, "dev")
    session.run("mypy")
    session.run("mypy", "examples/asset_pipeline")
    session.run("mypy", "examples/asset_traits")
    session.run("mypy", "examples/hrm_session")
    session.run("mypy", "examples/composed_traits")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation."""
    install(session, "docs")
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")
