"""Reading an effect back by another tool of the same server, as its declaration says. Pure.

`{expression}` in a declaration stands for what the JMESPath expression finds in the effect's
arguments. A condition that finds nothing to compare decides nothing: the answer is None.
"""

import re
from typing import Any, Final

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from schemas.mcp import McpReadBack
from sidecar.errors import BadConnector

_PLACE: Final = re.compile(r"\{(.+)\}", re.DOTALL)


def check(read_back: McpReadBack, key: str) -> None:
    """Raises `BadConnector` where an expression is none."""
    try:
        _filled([read_back.arguments, read_back.equals, *_both(read_back)], {})
    except JMESPathError as error:
        raise BadConnector(
            f"{key}.confirm holds an expression that is none: {str(error).splitlines()[0]}",
            fix="see jmespath.org",
        ) from error


def arguments_of(read_back: McpReadBack, arguments: dict[str, Any]) -> dict[str, Any]:
    """What to ask the confirming tool."""
    return {name: _filled(value, arguments) for name, value in read_back.arguments.items()}


def shown(read_back: McpReadBack, arguments: dict[str, Any], text: str) -> bool | None:
    """Whether `text`, the confirming tool's answer, shows the effect; None where it cannot."""
    checks: list[bool | None] = []
    if read_back.equals:
        wanted = _texts(_filled(read_back.equals, arguments))
        checks.append(text == wanted[0] if len(wanted) == 1 else None)
    for condition in read_back.contains:
        wanted = _texts(_filled(condition, arguments))
        checks.append(all(_stands(one, text) for one in wanted) if wanted else None)
    for condition in read_back.absent:
        wanted = _texts(_filled(condition, arguments))
        checks.append(not any(_stands(one, text) for one in wanted) if wanted else None)
    return None if None in checks or not checks else all(checks)


def _both(read_back: McpReadBack) -> tuple[str, ...]:
    return (*read_back.contains, *read_back.absent)


def _filled(template: Any, arguments: dict[str, Any]) -> Any:
    if isinstance(template, dict):
        return {name: _filled(inner, arguments) for name, inner in template.items()}
    if isinstance(template, list):
        return [_filled(inner, arguments) for inner in template]
    place = _PLACE.fullmatch(template) if isinstance(template, str) else None
    return jmespath.search(place.group(1), arguments) if place is not None else template


def _stands(one: str, text: str) -> bool:
    """Whether it stands in the text, as it is or as JSON writes it: many answers are JSON."""
    return one in text or msgspec.json.encode(one).decode()[1:-1] in text


def _texts(value: Any) -> list[str]:
    """The texts to look for; none at all where one of them is empty or not there."""
    values = value if isinstance(value, list) else [value]
    texts = [one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in values]
    return [] if any(one in ("", "null") for one in texts) else texts
