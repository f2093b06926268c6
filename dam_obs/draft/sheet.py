"""
A `Sheet`: everything that a template of a draft may put between its lines.

Each text in it is finished Python source or is safe where it is meant to stand, so a
template decides about shape alone. Its fields are what a plugin's template can use.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from dam_obs.diagnose.report import SystemDiagnosis
from dam_obs.draft.costs import CostSource, cost_source
from dam_obs.draft.evidence import docstring_lines
from dam_obs.draft.literals import comment
from dam_obs.draft.names import CommandType, class_name, command_type
from dam_obs.draft.traits import TraitLine, trait_lines
from dam_obs.draft.written import Written, with_cost_stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The content of one draft."""

    run_id: str
    """Safe in a comment."""

    system: str
    """The system's name as the report has it; safe in a comment."""

    digest: str
    """SHA-256, in hex, of what the report says about this system."""

    class_name: str
    """An identifier."""

    import_line: str | None
    """The statement that imports the command's class; `None` where it cannot be imported."""

    annotation: str
    """Of ``cmd``."""

    docstring: list[str]
    """Lines, safe between three double quotes."""

    cost_remarks: list[str]
    """Why ``time_ms`` is a constant though another model was found; safe in comments."""

    setup: list[str]
    """Statements before the list is returned."""

    traits: list[TraitLine]

    trait_names: list[str]
    """Of the classes that the code uses, `Trait` among them, in order."""

    imports_any: bool
    imports_enum: bool
    imports_math: bool

    command: CommandType | None
    """What the check compares imports and the annotation with."""


def sheet(system: SystemDiagnosis, run_id: str, written: Written | None = None) -> Sheet:
    """
    Prepare the content of a draft.

    Args:
        system: What it is for.
        run_id: Where that was seen.
        written: A cost that takes the place of the one of the report.
    """
    name = class_name(system.system)
    command = command_type(system.command_type or "", taken=name)
    is_dict = system.command_type == "builtins:dict"
    cost = cost_source(system) if written is None else written.cost
    lines = trait_lines(system if written is None else with_cost_stated(system), cost)
    says_cost = any(line.trait == "ExecutionCostTrait" and line.remark is None for line in lines)
    used = cost if says_cost else CostSource(expression="1")
    return Sheet(
        run_id=comment(run_id),
        system=comment(system.system),
        digest=digest(system),
        class_name=name,
        import_line=command.import_line if command and not is_dict else None,
        annotation="dict[str, Any]" if is_dict else command.annotation if command else "Any",
        docstring=docstring_lines(system, run_id, model_is_drafted=not cost.why_constant, written=written),
        cost_remarks=[comment(why) for why in cost.why_constant[:8]],
        setup=list(used.setup),
        traits=lines,
        trait_names=sorted({"Trait", *(line.trait for line in lines if line.remark is None)}),
        imports_any=is_dict or command is None,
        imports_enum=used.imports_enum,
        imports_math=used.imports_math,
        command=None if is_dict else command,
    )


def digest(system: SystemDiagnosis) -> str:
    """Return the SHA-256 of what a report says about a system."""
    text = json.dumps(system.model_dump(), sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
