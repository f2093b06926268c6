"""What does not go together, or does not exist, is one sentence with the way out; and ``--tui`` is opened."""

from __future__ import annotations

from typing import Any

import pytest

from dam_obs.cli import main

REFUSED = [
    (["--json", "--md"], "--json and --md are two forms: choose one"),
    (["--tui", "--json"], "--tui goes with --filter, --hrm, --status and --last"),
    (["--tui", "--follow"], "--tui goes with --filter, --hrm, --status and --last"),
    (["--tui", "--trace-id", "alt_1_a"], "--tui goes with --filter, --hrm, --status and --last"),
    (["--follow", "--summary"], "--summary needs the whole trace: with --follow there are --jsonl and --otlp"),
    (["--follow", "--partial-after", "0"], "Invalid value for '--partial-after': 0.0 is not in the range x>=0.1"),
    (["--follow", "--hrm", "altitud"], "unknown layer 'altitud': did you mean altitude? "),
    (["-f", "layer:altitud"], "unknown layer 'altitud': did you mean altitude? "),
    (["-f", "status:erorr"], "unknown status 'erorr': did you mean error? "),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(each[0]) for each in REFUSED])
def test_what_cannot_be_is_said(
    turn: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Before anything is printed, with exit status 2."""
    assert main(["view", *arguments]) == 2

    out, err = capsys.readouterr()
    assert (out, err.splitlines()[0][: len("dam-obs: error: ") + len(message)]) == ("", f"dam-obs: error: {message}")


def test_a_filter_that_does_not_parse_shows_where(turn: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The text, and a mark below what is wrong in it."""
    assert main(["view", "-f", "read duration:>banana"]) == 2

    assert capsys.readouterr().err.splitlines()[1:] == ["  read duration:>banana", "                ^^^^^^^"]


def test_the_screen_is_opened_with_what_was_chosen(turn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one filter, which the user finds in its field."""
    opened: list[Any] = []
    monkeypatch.setattr("dam_obs.cli._tui.run", lambda *arguments: opened.append(arguments[1:]))

    assert (
        main(["view", "--tui", "-f", "read", "--hrm", "mem", "--hrm", "foc", "--status", "error", "--last", "9"]) == 0
    )
    assert main(["view", "--tui"]) == 0

    assert opened == [("read (layer:mem or layer:foc) status:error", 9), ("", None)]
