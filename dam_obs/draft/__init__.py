"""
From a DiagnosticReport to `calculate_traits` code that a person reviews.

`dam_obs.draft.write` has what callers need: `write_drafts` and `make_drafts`. It is not
imported here, since `builtin` is loaded with all plugins and Jinja is needed for drafts alone.
"""
