"""Layer 6, arguments: the tool's schema, its bounds, and paths that stay inside.

Schemas are JSON Schema draft 2020-12, checked by a library. Path arguments are relative,
without `..`, backslash or control characters, whatever their schema says; connectors
check again at the file system.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs
import msgspec

from schemas.tools import Tool
from sidecar.gate.normal import decodings
from sidecar.gate.outcome import Case, Word, passed, refuse

MAX_ARGUMENT_BYTES = 128 * 1024
_HOLD: Final = passed("schema, bounds and paths hold")


def arguments(case: Case) -> Word:
    """Refuse what the schema, the size bound or the path rules do not allow."""
    tool, given = case.tool, case.arguments
    if tool is None or given is None:
        return refuse("there is nothing to check the arguments against")
    if len(msgspec.json.encode(given)) > MAX_ARGUMENT_BYTES:
        return refuse(f"the arguments are over {MAX_ARGUMENT_BYTES} bytes")
    schema = msgspec.json.encode(tool.arguments, order="deterministic")
    try:
        error = next(iter(_validator(schema).iter_errors(given)), None)
    except ValueError as failure:
        return refuse(f"the arguments cannot be checked: {failure}"[:300])
    if error is not None:
        place = "/".join(str(step) for step in error.instance_path) or "(the whole object)"
        rule = "/".join(str(step) for step in error.schema_path)
        return refuse(
            f"argument {place} breaks the tool's schema",
            evidence=f"rule {rule}"[:300],
            fix="propose again within the tool's schema",
        )
    for name, path in _paths(tool, given):
        problem = next(filter(None, map(path_problem, (path, *decodings(path)))), "")
        if problem:
            return refuse(f"argument {name} {problem}", fix="use a relative path inside the folder")
    return _HOLD


def path_problem(path: str) -> str:
    """Why `path` is not a plain relative path, or an empty string."""
    if path.startswith(("/", "~")) or path[1:2] == ":":
        return "is an absolute path"
    if "\\" in path or any(ord(character) < 32 for character in path):
        return "has a backslash or control character"
    if ".." in path.split("/"):
        return "leaves its folder"
    return ""


def _paths(tool: Tool, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in tool.paths:
        value = given.get(name)
        for path in value if isinstance(value, list) else [value]:
            if isinstance(path, str):
                yield name, path


@lru_cache(maxsize=1024)
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(msgspec.json.decode(schema))
