"""
The report as a page: one HTML file that needs no network and no server.

Data first, layout second: `view` turns a `DiagnosticReport` into words and figures, `charts`
draws what is drawn, `render` puts both into the templates. Nothing here measures or judges.
"""

from __future__ import annotations

from dam_obs.diagnose.page.render import render_page

__all__ = ["render_page"]
