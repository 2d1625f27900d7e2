"""A workspace may make a tool's declaration stricter; its own patterns and passkeys count."""

import pytest

from console.declaring import policy_of
from schemas.names import Classification
from schemas.sections import BadSettings
from schemas.settings import parse_settings
from schemas.tools import Policy, Trust
from sidecar.supervision.patterns import DEFAULT_PATTERNS

BASE = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[connectors.files]
root = "files"
[agents.writer]
planner = "scripted"
plan = "writer.json"
[policy]
tools = ["files.read", "files.write"]
"""


def policy(more: str) -> Policy:
    return policy_of(parse_settings(BASE + more, "anyteam.toml"), 1)


def test_a_source_loses_its_trust_and_a_result_is_more_confidential() -> None:
    read = policy(
        '[policy.tool."files.read"]\ntrust = "untrusted"\nclassification = "RESTRICTED"\ncost = 5\n'
    ).tools[0]
    assert (read.trust, read.classification, read.cost) == (
        Trust.UNTRUSTED,
        Classification.RESTRICTED,
        5,
    )


def test_a_tool_without_a_section_stays_as_its_connector_declares_it() -> None:
    assert policy('[policy.tool."files.read"]\ncost = 5\n').tools[1] == policy("").tools[1]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('classification = "PUBLIC"', "classification"),
        ('ceiling = "RESTRICTED"', "ceiling"),
        ('trusted = ["text"]', "trusted"),
    ],
)
def test_what_would_be_looser_is_named_and_refused(line: str, key: str) -> None:
    with pytest.raises(BadSettings, match=rf'policy\.tool\."files\.read"\.{key}'):
        policy(f'[policy.tool."files.read"]\n{line}\n')


def test_a_section_for_a_tool_outside_the_policy_is_refused() -> None:
    with pytest.raises(BadSettings, match=r"crm\.export"):
        policy('[policy.tool."crm.export"]\ncost = 1\n')


def test_patterns_of_ones_own_join_the_built_in_ones_and_replace_their_namesakes() -> None:
    step = 'steps = [{ kinds = ["effect"], at_least = 3 }]\nwithin_s = 60\ndescription = "x"\n'
    own = policy(f'[[policy.patterns]]\nname = "night-work"\n{step}').patterns
    assert own is not None
    assert len(own) == len(DEFAULT_PATTERNS) + 1
    same = policy(f'[[policy.patterns]]\nname = "fan-out"\n{step}').patterns
    assert same is not None
    assert len(same) == len(DEFAULT_PATTERNS)
    assert next(p for p in same if p.name == "fan-out").within_s == 60
    assert policy("").patterns is None


def test_payments_are_approved_by_passkey_wherever_there_is_a_console_to_give_one() -> None:
    assert policy("").passkey == ()
    assert policy("[console]\n").passkey == ("payment",)
    assert policy("passkey = []\n[console]\n").passkey == ()
    assert policy('passkey = ["files.write"]\n[console]\n').passkey == ("files.write",)


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('passkey = ["payments"]\n[console]\n', "policy.passkey names payments"),
        ('passkey = ["mail.send"]\n[console]\n', "policy.passkey names mail.send"),
        ('passkey = ["mutation"]\n', "no console"),
    ],
)
def test_a_passkey_that_could_never_be_given_is_named_and_refused(lines: str, key: str) -> None:
    with pytest.raises(BadSettings, match=key):
        policy(lines)
