"""The option ``--filter``, which all commands that show events have."""

from __future__ import annotations

from typing import Any

import click

from dam_obs.cli._base import Decorated


def filter_option(function: Decorated) -> Decorated:
    """Give a command ``--filter`` (``-f``), as its parameter ``wanted``: a `dam_obs.store.filter.Filter`."""
    return click.option(
        "-f",
        "--filter",
        "wanted",
        metavar="TEXT",
        default="",
        callback=_parse,
        help="Only events that fit, such as 'layer:focus duration:>100ms -status:success'; the guide has the language.",
    )(function)


def _parse(_context: click.Context, _parameter: click.Parameter, value: str) -> Any:
    from dam_obs.store.filter import parse_filter

    return parse_filter(value)
