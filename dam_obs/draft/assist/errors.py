"""What can be wrong with asking for an assisted draft. A draft that loses is no error: see `verdict`."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from dam_obs.draft.literals import shown
from dam_obs.errors import DamObsError

INSTALL = "pip install 'dam-obs[cli,llm]'"


class TooFewExecutions(DamObsError):
    """There are not enough recorded executions to hold any out."""

    def __init__(self, system: str, recorded: int, least: int) -> None:
        super().__init__(
            f"{shown(system)}: {recorded:,} executions that succeeded were recorded with their command, "
            f"and it takes {least} to judge an assisted draft: measure a longer run with `dam-obs diagnose`"
        )
        self.recorded = recorded


class NotOneSystem(DamObsError):
    """An assisted draft is for one system, and it was not said for which."""

    def __init__(self, known: Collection[str]) -> None:
        names = ", ".join(shown(name) for name in sorted(known)[:5]) or "none"
        super().__init__(
            f"an assisted draft is for one system: name it with --system, of those with commands ({names})"
        )


class PromptTooLarge(DamObsError):
    """What a prompt has to say does not fit."""

    def __init__(self, most: int, least: int) -> None:
        super().__init__(f"the prompt does not fit into {most:,} bytes: allow {least:,} with --prompt-bytes")


class NothingToBeat(DamObsError):
    """There is no template's draft to compare with."""

    def __init__(self, system: str, why: str) -> None:
        super().__init__(f"{shown(system)}: there is no draft to compare an assisted one with: {shown(why)}")


class NoModelLibrary(DamObsError):
    """The extra is not installed."""

    def __init__(self) -> None:
        super().__init__(f"asking a model takes the package llm, which is not here: install it with `{INSTALL}`")


class UnknownModel(DamObsError):
    """No installed plugin of llm knows the model."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        self.near = tuple(difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.4))
        near = f"did you mean {' or '.join(map(shown, self.near))}?" if self.near else "no name is near it:"
        super().__init__(
            f"llm knows no model {shown(name)}: {near} `llm models` lists them, `llm install` adds plugins"
        )
        self.name = name


class NoKey(DamObsError):
    """The model needs a key, and llm has none."""

    def __init__(self, model: str, key: str) -> None:
        super().__init__(f"the model {shown(model)} needs a key that llm does not have: `llm keys set {shown(key)}`")


class ModelFailed(DamObsError):
    """The model, its plugin or the network failed."""

    def __init__(self, model: str, why: str) -> None:
        super().__init__(f"the model {shown(model)} gave no answer ({shown(why)}): nothing was drafted, try it again")
        self.why = why
