"""From a DiagnosticReport to `calculate_traits` code that a person reviews."""

from dam_obs.draft.errors import DraftEdited, DraftRefused, NoFormatter, UnknownSystem
from dam_obs.draft.write import Drafts, draft_source, make_drafts, save, write_drafts

__all__ = [
    "DraftEdited",
    "DraftRefused",
    "Drafts",
    "NoFormatter",
    "UnknownSystem",
    "draft_source",
    "make_drafts",
    "save",
    "write_drafts",
]
