"""An MCP server's declarations: nothing is allowed by omission, and each error names its key."""

import msgspec
import pytest

from schemas.declarations import parse_declarations, tools_of, with_declarations
from schemas.sections import BadSettings
from schemas.settings import parse_settings

DIGEST = "sha256:" + "0" * 64
SCHEMA = '{"type":"object","properties":{"to":{"type":"string"},"note":{"type":"string"}}}'
LOOK = f"""
[tool.look]
name = "notes.look"
digest = "{DIGEST}"
arguments = '{{"type":"object"}}'
effect = "read"
"""
KEEP = f"""
[tool.keep]
name = "notes.keep"
digest = "{DIGEST}"
arguments = '{SCHEMA}'
"""
ALLOWED = KEEP + 'allow = true\nsummary = "Keep a note"\neffect = "mutation"\n'
SETTINGS = """
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = []
[connectors.mcp.notes]
"""


def declared(text: str) -> list[str]:
    return [tool.name for tool in tools_of(parse_declarations("notes", "notes.toml", text))]


def test_a_tool_that_nobody_allowed_does_not_exist() -> None:
    assert declared(KEEP + LOOK) == []
    assert declared(ALLOWED + LOOK) == ["notes.keep"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (ALLOWED.replace('"Keep a note"', '" "'), "tool.keep.summary"),
        (ALLOWED.replace('effect = "mutation"\n', ""), "tool.keep.effect"),
        (ALLOWED + 'destinations = ["too"]\n', "tool.keep.destinations"),
        (ALLOWED + 'contents = ["notes.x"]\n', "tool.keep.contents"),
        (ALLOWED + 'confirm = { tool = "none", contains = ["x"] }\n', "tool.keep.confirm.tool"),
        (ALLOWED + 'confirm = { tool = "look" }\n' + LOOK, "tool.keep.confirm has no condition"),
        (
            ALLOWED + 'confirm = { tool = "keep", contains = ["x"] }\n' + LOOK,
            "not declared as a read",
        ),
        (ALLOWED + 'confirm = "trust me"\n', "tool"),
        (ALLOWED.replace(SCHEMA, "[1"), "tool.keep.arguments"),
        (ALLOWED.replace("notes.keep", "crm.keep"), "begin it with notes."),
        (ALLOWED + LOOK.replace("notes.look", "notes.keep"), "tool.look.name"),
        (ALLOWED + "alow = true\n", "alow"),
        (KEEP.replace(DIGEST, "sha256:0"), "digest"),
    ],
)
def test_what_cannot_be_meant_is_an_error_that_names_file_and_key(text: str, key: str) -> None:
    with pytest.raises(BadSettings) as raised:
        declared(text)
    assert "notes.toml" in str(raised.value)
    assert key in str(raised.value)
    assert raised.value.fix


@pytest.mark.parametrize(
    ("confirm", "words"),
    [
        ("", "each outcome is unknown"),
        ('confirm = "answer"\n', "own answer is believed"),
        ('confirm = { tool = "look", contains = ["{note}"] }\n', "look"),
    ],
)
def test_how_an_effect_is_read_back_stands_in_the_signed_policy(confirm: str, words: str) -> None:
    [tool] = tools_of(parse_declarations("notes", "notes.toml", ALLOWED + confirm + LOOK))
    assert words in tool.confirm


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ("", "either command or url"),
        ('command = ["/bin/x"]\nurl = "https://mcp.example"', "either command or url"),
        ('url = "https://mcp.example"\nenv = { A = "b" }', "notes.env"),
        ('command = ["/bin/x"]\ncredential = "c"', "notes.credential"),
        ('command = ["/bin/x"]\nenv = { A = "b" }\nenv_credentials = { A = "c" }', "both set A"),
        ('command = ["/bin/x"]\ntimeout_s = 0', "timeout_s"),
        ('command = ["/bin/x"]\n[connectors.mcp.notes.tools]' + KEEP.split("]", 1)[1], "tools"),
    ],
)
def test_a_server_that_cannot_be_reached_as_configured_is_an_error(lines: str, key: str) -> None:
    with pytest.raises(BadSettings) as raised:
        parse_settings(SETTINGS + lines, "anyteam.toml")
    assert key in str(raised.value)


def test_declarations_belong_to_their_own_server_alone() -> None:
    text = SETTINGS + 'command = ["/bin/x"]\n[connectors.mcp.other]\ncommand = ["/bin/y"]\n'
    settings = with_declarations(
        parse_settings(text, "anyteam.toml"), {"notes": ("notes.toml", ALLOWED)}
    )
    assert set(settings.connectors.mcp["notes"].tools) == {"keep"}
    assert settings.connectors.mcp["other"].tools == {}
    assert msgspec.json.encode(settings)
