"""How ``dam-obs view`` shows what was chosen of a trace: one module for each form."""
