"""Tools behind a policy."""

from types import SimpleNamespace


class ToolRuntime:
    def invoke(self, request, context):
        if request.tool_id == "fs.write":
            return SimpleNamespace(ok=False, error="APPROVAL_REQUIRED", audit_id="a1")
        return SimpleNamespace(ok=True, error=None, audit_id="a2")
