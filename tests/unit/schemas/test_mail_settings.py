"""The mail sections of the configuration file: what is refused names its key."""

import pytest

from schemas.sections import BadSettings
from schemas.settings import parse_settings

HEAD = """
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["mail.send"]
"""
MAIL = """
[connectors.mail]
sender = "ann@acme.example"
smtp = { port = 465 }
"""


def test_two_ports_and_a_sender_are_enough_and_everything_is_over_tls() -> None:
    settings = parse_settings(HEAD + MAIL + "imap = { port = 993 }", "anyteam.toml")
    mail = settings.connectors.mail
    assert mail is not None
    assert (mail.smtp.tls, mail.imap.tls) == ("implicit", "implicit")
    assert mail.imap.sent_copy == "append"


@pytest.mark.parametrize(
    ("imap", "named"),
    [
        ('{ port = 993, outbox = "Sent" }', "outbox"),
        ('{ port = 993, outbox = "inbox" }', "outbox"),
        ('{ port = 993, inbox = "Clients", outbox = "INBOX" }', "outbox"),
        ('{ port = 993, outbox = "a\\nb" }', "outbox"),
        ('{ port = 993, outbox = "" }', "outbox"),
        ('{ port = 993, tls = "maybe" }', "tls"),
        ('{ port = 993, sent_copy = "both" }', "sent_copy"),
        ('{ port = 70000, tls = "none" }', "port"),
        ("{ }", "port"),
    ],
)
def test_a_wrong_mailbox_is_refused_by_the_name_of_the_key(imap: str, named: str) -> None:
    with pytest.raises(BadSettings, match=named):
        parse_settings(f"{HEAD}{MAIL}imap = {imap}", "anyteam.toml")


def test_folders_of_files_are_no_mailbox_any_more() -> None:
    with pytest.raises(BadSettings):
        parse_settings(f'{HEAD}{MAIL}inbox = "inbox"\nsent = "sent"\nport = 25', "anyteam.toml")


def test_two_mail_connectors_cannot_be_on_at_once() -> None:
    both = f'{MAIL}imap = {{ port = 993 }}\n[connectors.gmail]\nsender = "ann@acme.example"'
    with pytest.raises(BadSettings, match=r"connectors\.gmail"):
        parse_settings(HEAD + both, "anyteam.toml")
