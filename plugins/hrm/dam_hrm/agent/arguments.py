"""What the agent is told on its command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dam_hrm.agent.commands import COMMANDS

_DESCRIPTION: Final = """\
Talk to a session of dam_hrm, line by line: each line is a turn that goes through
reasoning, altitude, focus, execution and learning. Without a model installed the
answers are plain rules; what can be seen is how a request is let through or not.

A session begins at L4 (identity) with nothing established, so a first plan is
refused. Say what matters, then the goal, then the plan:

  I value calm mornings
  Our goal is to publish the guide this year
  The plan is to write a chapter each week
  Let's write the first chapter
  note: the printer needs two weeks

A single request is answered from anywhere: What is the printer?
"""


def _epilog() -> str:
    width = max(len(command.usage) for command in COMMANDS.values())
    commands = "\n".join(f"  {command.usage:<{width}}  {command.meaning}" for command in COMMANDS.values())
    return f"""\
a line that begins with / is a command:
{commands}

In a script or a pipe nobody can be asked, which counts as a no: consent is given
there by /consent before, or to everything by --yes.

examples:
  python -m dam_hrm
  python -m dam_hrm --memory ~/.dam-hrm --trace
  printf 'I value calm mornings\\n/state\\n' | python -m dam_hrm --json
  python -m dam_hrm --script session.txt

exit status: 0; 1 if a line of a script or pipe failed (a refusal is no failure);
2 if the agent could not start; 130 after Ctrl-C.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the agent was told."""

    script: Path | None
    """Where the lines are; `None`: standard input."""
    memory: Path | None
    """`None`: forgotten at the end."""
    trace: bool
    json: bool
    yes: bool
    """Consent to everything."""
    without: tuple[str, ...]
    """Installed plugins to leave out."""


def parse(argv: list[str] | None) -> Arguments:
    """Read the command line; what is wrong with it ends the program with status 2, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="python -m dam_hrm",
        description=_DESCRIPTION,
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--script", type=Path, metavar="FILE", help="take the lines from FILE; # begins a comment")
    parser.add_argument("--memory", type=Path, metavar="FOLDER", help="keep memory in FOLDER and go on from there")
    parser.add_argument(
        "--trace", action="store_true", help="show the tree of each turn on standard error as it ends (needs dam-obs)"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON object for each line")
    parser.add_argument("--yes", action="store_true", help="consent to whatever is asked")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PLUGIN",
        help="leave out an installed plugin; repeatable",
    )
    given = parser.parse_args(argv)
    return Arguments(
        script=given.script,
        memory=given.memory,
        trace=given.trace,
        json=given.json,
        yes=given.yes,
        without=tuple(given.without),
    )
