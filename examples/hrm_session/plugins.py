"""
Plugins of the example: a printer that can be asked for in words, and a gate that guards the diary.

A plugin is an object with functions marked by `hookimpl`. Each is asked before dam_hrm's own, takes those arguments of
the hook that it needs, and answers `None` for what is not its business.
"""

from __future__ import annotations

from dam_hrm import Action, ActionResult, GateDecision, GateRequest, Level, Plan, hookimpl


class OutOfPaper(Exception):
    """The printer cannot print."""


class Printer:
    """Understands `Print ...`, and prints while there is paper."""

    def __init__(self, sheets: int) -> None:
        self.sheets = sheets

    @hookimpl
    def dam_hrm_altitude_plan(self, altitude: Level, intent: str) -> Plan | None:
        """Plan to print what is asked to be printed."""
        verb, _, what = intent.partition(" ")
        if verb.lower() != "print":
            return None
        return Plan(
            altitude=altitude,
            intent=intent,
            plan_summary=f"print: {what}",
            steps=(f"print {what}",),
            action_type="print",
            arguments={"text": what},
        )

    @hookimpl
    def dam_hrm_act(self, action: Action) -> ActionResult | None:
        """Print; a printer without paper is a failure, not a refusal."""
        if action.action_type != "print":
            return None
        if self.sheets == 0:
            raise OutOfPaper("the printer has no paper")
        self.sheets -= 1
        return ActionResult(allowed=True, output=f"Printed {action.arguments['text']}.")


class Diary:
    """Keeps the runtime from writing into the diary, whoever allowed it."""

    @hookimpl
    def dam_hrm_gate_write_approval(self, request: GateRequest) -> GateDecision | None:
        """Say no for the diary, and nothing about anything else."""
        if request.context["namespace"] != "diary":
            return None
        return GateDecision(allowed=False, reason="the diary is written by hand")
