"""
The door to OpenTelemetry's classes for profiles, which are alpha and change between releases.

All that dam-obs uses of them is asked for here, so that another state of the format is one
clear error and not a wrong file.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any, Final, cast

from dam_obs.diagnose.export.errors import ProfilesUnsupported

if TYPE_CHECKING:
    from types import ModuleType

MODULE: Final = "opentelemetry.proto.profiles.v1development.profiles_pb2"

USED: Final[dict[str, tuple[str, ...]]] = {
    "ProfilesData": ("resource_profiles", "dictionary"),
    "ResourceProfiles": ("resource", "scope_profiles"),
    "ScopeProfiles": ("scope", "profiles"),
    "Profile": (
        "sample_type", "samples", "time_unix_nano", "duration_nano", "period_type", "period", "attribute_indices",
    ),
    "ProfilesDictionary": (
        "mapping_table", "location_table", "function_table", "link_table", "string_table", "attribute_table",
        "stack_table",
    ),
    "Sample": ("stack_index", "values", "attribute_indices", "link_index", "timestamps_unix_nano"),
    "Stack": ("location_indices",),
    "Location": ("mapping_index", "lines", "attribute_indices"),
    "Line": ("function_index", "line"),
    "Function": ("name_strindex", "system_name_strindex", "filename_strindex"),
    "Link": ("trace_id", "span_id"),
    "KeyValueAndUnit": ("key_strindex", "value", "unit_strindex"),
    "ValueType": ("type_strindex", "unit_strindex"),
}  # fmt: skip
"""Classes and fields of the format that are written or checked."""


def profiles_pb2() -> Any:
    """
    Return the module with the generated classes.

    Raises:
        ProfilesUnsupported: they are not there, or of another state of the format.
    """
    try:
        module = import_module(MODULE)
    except ImportError as error:
        raise ProfilesUnsupported(_version(), MODULE.rpartition(".")[0]) from error
    lacking = _lacking(module)
    if lacking is not None:
        raise ProfilesUnsupported(_version(), lacking)
    return module


def _lacking(module: ModuleType) -> str | None:
    messages = cast(Any, module).DESCRIPTOR.message_types_by_name
    for name, fields in USED.items():
        if name not in messages:
            return name
        for field in fields:
            if field not in messages[name].fields_by_name:
                return f"{name}.{field}"
    return None


def _version() -> str:
    try:
        return metadata.version("opentelemetry-proto")
    except metadata.PackageNotFoundError:
        return "(not installed)"
