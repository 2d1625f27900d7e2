"""What came of a call, in words for an agent: the same over MCP and in a Python program."""

from typing import Any

import msgspec

from agents.serving.wire import Answered


def told(shown: str, answered: Answered) -> str:
    """`answered` in words; `shown` is the tool's name as the agent knows it."""
    again = f"Call {shown} again with the same arguments to hear what came of it."
    match answered.outcome:
        case "confirmed":
            return _plain(answered.result)
        case "held":
            return (
                f"Not done yet. This waits for a person: {answered.reason}\n"
                f"It is proposal {answered.proposal[:12]}; an admin answers with"
                f" `anyteam approve {answered.proposal[:12]}` or `deny`. {again}"
            )
        case "pending":
            return f"Not done yet: proposal {answered.proposal[:12]} is under way. {again}"
        case "refused":
            text = f"Refused by the gate: {answered.reason}\nFix: {answered.fix or 'none'}"
            if answered.change is not None:
                text += f"\nThe judge would approve these arguments: {_plain(answered.change)}"
            if answered.wanted:
                text += f"\nA person wants instead: {answered.wanted}"
            return text
        case "unknown":
            return (
                f"Outcome unknown: {answered.reason}. It may have happened. Do not do it again;"
                f" a person has to look.\n{_plain(answered.result)}"
            )
        case _:
            return f"Not done: {answered.reason or answered.outcome}\n{_plain(answered.result)}"


def _plain(value: Any) -> str:
    """A result as text: a lone `text` as it is, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, dict) and set(value) == {"text"} and isinstance(value["text"], str):
        return value["text"]
    return msgspec.json.encode(value).decode()
